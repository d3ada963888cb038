"""The way into the console. Importing this module does not import Textual: the command line may look at it freely."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from opsconsole import loading
from opsconsole.credential import Address
from opsconsole.dress import DARK, Dress

if TYPE_CHECKING:
    from opsconsole.config import Given
    from opsconsole.console import Console
    from opsconsole.lane import Lane
    from opsconsole.session import Feed
    from opsconsole.views.picture import Who

NO_TERMINAL = "the console needs a terminal on standard input and standard error, and TERM other than dumb"

SETTINGS = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
"""What Textual reads when it is imported: nothing here moves by itself."""

INTERNAL_ERROR, HUNG_UP = 70, 129

LAST_WORD_S = 1.0
"""How long a terminal may take to show the last line."""

NO_KEYS: Mapping[str, Given] = MappingProxyType({})
"""A keymap that wishes for nothing."""


def has_terminal() -> bool:
    """Whether a console can be shown here. Anything else would spin on end of file, or paint on a log."""
    streams = (sys.__stdin__, sys.__stderr__)
    return os.environ.get("TERM") != "dumb" and all(stream and stream.isatty() for stream in streams)


def run_console(
    address: Address,
    *,
    operator: str,
    profile: str = "",
    read_only: bool = False,
    dress: Dress = DARK,
    keys: Mapping[str, Given] = NO_KEYS,
    remarks: Sequence[str] = (),
    again: str = "",
) -> int:
    """Show the console over the backend at `address` until it is left; returns the exit code.

    It starts whether or not the backend can be reached, and goes on trying. `operator` is the actor of every command,
    `profile` a word such as ``PROD`` that stands in row 2. With `read_only` nothing can be changed; stopping works.
    `keys` is what a configuration wishes for; what is wrong with it is said on the screen, as are the `remarks`.
    `again` is the command that opens it again, where that is not this backend's.
    Codes: 0 left, 2 no terminal, 70 internal error, 129 hung up, 130 interrupted, 143 terminated.
    """
    if not has_terminal():
        print(f"opsconsole: {NO_TERMINAL}", file=sys.stderr)  # noqa: T201 - there is no screen to say it on
        return 2
    own_environment(dress)
    loading.begin()
    import time

    from opsconsole.console import Console
    from opsconsole.keymap import keymap
    from opsconsole.views.picture import Who

    who = Who(operator, address.url, profile, read_only)
    feed, lane = feed_and_lane(address, who)
    bound = keymap(keys)
    noted = (*remarks, *bound.faults)
    console = Console(feed, lane, monotonic=time.monotonic, dress=dress, keymap=bound, remarks=noted)
    return show(console, lane, again or f"opsconsole -b {who.backend}")


def feed_and_lane(address: Address, who: Who, *, keeper: bool = True) -> tuple[Feed, Lane]:
    """What a console over the backend at `address` looks at and stops with; neither has begun.

    Without `keeper` the feed starts no keeper where none is alive; it never does for somebody who may change nothing.
    """
    import time

    from backends import open_backend
    from backends.keeper import ensure
    from opsconsole.routes import look
    from opsconsole.session import Feed

    may_hire = keeper and not who.read_only and _needs_keeper(address.url)
    hire = (lambda: ensure(address.url)) if may_hire else None
    feed: Feed = Feed(
        loading.last(lambda: open_backend(address.url, token=address.token, begun=feed.begun)),
        who,
        monotonic=time.monotonic,
        hire=hire,
        look_at_routes=lambda: look(address.url),
    )
    return feed, _lane(address, who, lambda: feed.fleet)


def show(console: Console, lane: Lane, again: str = "opsconsole") -> int:
    """Run a console on this terminal; returns its exit code. Stops that are on their way are waited for, and one line
    on standard error says what stays as it is, and that `again` opens the console again."""
    console.run(mouse=False)
    lane.finish()
    if console.return_code != HUNG_UP:
        _last_word(f"opsconsole: {console.farewell(again)}")
    if console.crash is not None:
        word = "internal error; the fleet and its stops are as they were"
        print(f"opsconsole: {word}", file=sys.stderr)  # noqa: T201 - the screen is gone, and its reader at a shell
        traceback.print_exception(console.crash, file=sys.stderr)
        return INTERNAL_ERROR
    return INTERNAL_ERROR if console.return_code is None else console.return_code


def _lane(address: Address, who: Who, fleet: Callable[[], str | None]) -> Lane:
    """`fleet` is the one that is shown: a stop is meant for that, whatever answers at its address by now."""
    from backends.stop_lane import fire, new_order
    from opsconsole.lane import Lane

    return Lane(
        make=lambda: new_order(actor=who.operator, door="console"),
        send=lambda order: fire(order, url=address.url, fleet=fleet(), token=address.token),
    )


def _last_word(said: str) -> None:
    """One line on standard error, unless nobody reads it: a terminal that hangs must not keep the program."""
    import threading

    line = said.encode(errors="replace") + b"\n"
    descriptor = sys.__stderr__.fileno() if sys.__stderr__ else 2
    writing = threading.Thread(target=os.write, args=(descriptor, line), name="last word", daemon=True)
    writing.start()
    writing.join(LAST_WORD_S)


def _needs_keeper(backend_url: str) -> bool:
    """Whether the loops of this fleet run on this host; behind HTTP they are the server's."""
    return backend_url.startswith(("sqlite:", "postgresql:", "postgres:"))


def own_environment(dress: Dress) -> None:
    """Textual's variables can press keys, and none of them comes from outside; what colours there are is settled."""
    for name in [name for name in os.environ if name.startswith("TEXTUAL_") or name == "NO_COLOR"]:
        del os.environ[name]
    os.environ.update(SETTINGS)
    if dress.colors != "as the terminal says":
        os.environ["TEXTUAL_COLOR_SYSTEM"] = "standard"
