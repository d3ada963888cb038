"""A server as a process: in the foreground, until a signal ends it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from backends.keeper.log import JsonLines
from backends.keeper.room import EngineRoom
from backends.server.identity import Doorkeeper, Identify, Network, developer, login_of
from backends.server.serving import Listening, Serving

_ENDED_BY: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run(
    url: str,
    listening: Listening,
    *,
    dev: bool = False,
    allowed: Sequence[Network] = (),
    say: Callable[[str], None],
) -> int:
    """Serve the fleet at ``url`` until a signal; returns 0, for to be told to end is how a server ends.

    With ``dev`` everybody at this host is let in as an admin, otherwise whoever has a token; ``allowed`` are the only
    networks from which anybody is answered, unless there are none. Raises `core.errors.OpsError` where the database
    cannot be opened, and OSError where nobody can listen there.
    """
    os.umask(0o077)
    ended = threading.Event()
    for number in _ENDED_BY:
        signal.signal(number, lambda _number, _frame: ended.set())
    _log_to_stderr()

    def identify(room: EngineRoom) -> Identify:
        return developer if dev else Doorkeeper(room.runtime.latest, allowed=allowed)

    serving = Serving(url, identify, listening)
    serving.start()
    where = f"{'https' if listening.certificate else 'http'}://{listening.host}:{serving.port}"
    say(f"serving fleet {serving.room.fleet} on {where}, stops on port {serving.stop_port}")
    state = serving.room.runtime.latest()
    if dev:
        say("--dev: EVERYBODY on this host is admin, as 'dev', without a token; never use this for a real fleet")
    elif not any(token.is_valid(datetime.now(UTC)) for token in state.tokens.values()):
        say("nobody has a token yet; make the first one on this host, and keep what it prints:")
        say(f"  opsconsole -b {serving.room.runtime.url} token create --role admin --name {login_of(os.geteuid())}")
    ended.wait()
    say("closing")
    serving.close("a signal ended it")
    return 0


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger("opsconsole")
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
