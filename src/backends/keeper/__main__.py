"""``python -m backends.keeper``: the keeper as a process, in the foreground or detached from whoever started it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from backends.emergency_settings import Resolved
    from backends.notifiers.settings import NotifySettings

_ENDED_BY: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_UNREACHABLE: Final = 3
_READY: Final = b"ready"

_SWITCH_S: Final = 0.0005
"""Seconds after which a thread that computes lets another one go on. Ordinarily it is ten times as long: while a stop
is being recorded, the post would read one acknowledgement in that time, and hold up all who wait to be read."""

_PRIORITY: Final = -10
"""Above the workers: in a stop a thousand of them want the processor, and wait for this one."""

_GROUP: Final = Path("/proc/self/autogroup")
"""The priority of a whole session. Where Linux shares the processor among sessions, that of a process counts only
within its own, and a keeper has its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a keeper; returns the exit code: 0 when it was not needed any more, 128 + n for signal n."""
    options = _parse(arguments)
    if not options.backend:
        print("the keeper needs a backend: --backend URL or OPSCONSOLE_BACKEND", file=sys.stderr)  # noqa: T201 (no log yet)
        return 2
    from backends.configuration import ConfigurationFault
    from backends.emergency_settings import resolve
    from backends.keeper.ending import hear_of_children
    from backends.notifiers.settings import resolve_channels

    try:
        settings, notify = resolve(options.settings, debug=options.debug), resolve_channels()
    except ConfigurationFault as error:
        print(error, file=sys.stderr)  # noqa: T201 (no log yet)
        return 2
    hear_of_children()
    if options.detach:
        ready = _detach()
        if ready is None:
            return 0
        return _keep(options.backend, options.linger, ready, settings, notify)
    return _keep(options.backend, options.linger, lambda: None, settings, notify)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m backends.keeper", description=__doc__)
    parser.add_argument("--backend", default=os.environ.get("OPSCONSOLE_BACKEND"), metavar="URL")
    parser.add_argument("--linger", type=float, default=60.0, metavar="S", help="seconds to stay when nobody needs it")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--debug", action="store_true", help="look more often, and log more")
    parser.add_argument("--detach", action="store_true", help="return when it is at work, and leave it to itself")
    return parser.parse_args(arguments)


def _keep(url: str, linger_s: float, ready: Callable[[], None], settings: Resolved, notify: NotifySettings) -> int:
    """Open everything, say that it is ready, and stay."""
    from backends.keeper.ending import Ending
    from backends.keeper.log import log_path, write_to
    from backends.keeper.service import Keeper
    from core.errors import OpsError

    os.umask(0o077)
    sys.setswitchinterval(_SWITCH_S)
    _take_precedence()
    ending = Ending(_ENDED_BY)
    try:
        keeper = Keeper(url, linger_s=linger_s, settings=settings.settings, notify=notify)
    except (OpsError, OSError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201 (no log yet)
        return 0 if isinstance(error, BlockingIOError) else _UNREACHABLE
    write_to(log_path(keeper.fleet), settings.log_level)
    keeper.start()
    ready()
    why = keeper.serve(ending)
    keeper.close(why)
    return 128 + ending.number if ending.number is not None else 0


def _take_precedence() -> None:
    """Only root may; for others the keeper has its turn like everybody."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
        if os.getsid(0) == os.getpid() and _GROUP.exists():
            _GROUP.write_text(str(_PRIORITY))
    except OSError:
        pass


def _detach() -> Callable[[], None] | None:
    """Fork away, into a session of its own. In the parent: wait until the child is ready and return None, or end with
    what it said. In the child: what to call when it is ready."""
    word, told = os.pipe()
    if os.fork():
        os.close(told)
        with os.fdopen(word, "rb") as pipe:
            if pipe.read() == _READY:
                return None
        _pid, status = os.wait()
        raise SystemExit(os.waitstatus_to_exitcode(status))
    os.close(word)
    os.setsid()

    def ready() -> None:
        """Let go of the terminal, the pipes and the folder of whoever started this."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.close(nothing)
        os.chdir("/")
        os.write(told, _READY)
        os.close(told)

    return ready


if __name__ == "__main__":
    sys.exit(main())
