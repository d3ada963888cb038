"""A server as a process: in the foreground, until a signal ends it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

from backends.keeper.log import JsonLines
from backends.server.identity import developer
from backends.server.serving import Listening, Serving

_ENDED_BY: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run(url: str, listening: Listening, *, dev: bool, say: Callable[[str], None]) -> int:
    """Serve the fleet at ``url`` until a signal; returns 0, for to be told to end is how a server ends.

    Raises `core.errors.OpsError` where the database cannot be opened, and OSError where nobody can listen there.
    """
    os.umask(0o077)
    ended = threading.Event()
    for number in _ENDED_BY:
        signal.signal(number, lambda _number, _frame: ended.set())
    _log_to_stderr()
    serving = Serving(url, lambda _room: developer if dev else lambda _asked: None, listening)
    serving.start()
    where = f"{'https' if listening.certificate else 'http'}://{listening.host}:{serving.port}"
    say(f"serving fleet {serving.room.fleet} on {where}, stops on port {serving.stop_port}")
    if dev:
        say("--dev: EVERYBODY on this host is admin, as 'dev', without a token; never use this for a real fleet")
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
