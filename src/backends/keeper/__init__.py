"""The keeper: the process that runs the loops of one fleet and that its workers talk to.

Whoever needs one calls `ensure`, which starts it where none is alive, as gpg-agent is started: in a session of its own,
so that it outlives whoever needed it first. This module loads the standard library and `opsgate` only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from backends.keeper.house import Lock, private_directory
from opsgate import wire
from opsgate.clock import elapsed_s
from opsgate.paths import fleet_of_url, keeper_socket

LINGER_S: Final = 60.0
"""Seconds for which a keeper stays when nobody needs it."""

_PING_S: Final = 0.5

_FIRST_PING_S: Final = 5.0
"""The same for one that has just said that it is at work: on a machine where a fleet runs wild nothing is quick."""

_run = subprocess.run


class KeeperError(RuntimeError):
    """No keeper could be started; the text says why and what to do."""


def alive(url: str, *, timeout_s: float = _PING_S) -> Path | None:
    """The socket of the keeper of the fleet at ``url``; None where none answers that has its database."""
    pong = _pong(url, timeout_s)
    return None if pong is None or pong.get("database") == "gone" else keeper_socket(str(pong["fleet"]))


def hears(url: str) -> bool:
    """Whether a keeper of the fleet at ``url`` answers, whatever has become of its database: stops reach its gates."""
    return _pong(url, _PING_S) is not None


def _pong(url: str, timeout_s: float) -> Mapping[str, Any] | None:
    pong = wire.ask(str(keeper_socket(fleet_of_url(url))), "ping", timeout_s=timeout_s)
    return pong if pong is not None and pong.get("t") == "pong" else None


def ensure(url: str, *, linger_s: float = LINGER_S, timeout_s: float = 60.0) -> Path:
    """The socket of the keeper of the fleet at ``url``, started if none is alive; the database must exist.

    It takes a second, and many on a machine that is in trouble, which is when a keeper is needed most. Several may
    call this at once, and one keeper starts. Raises `KeeperError`.
    """
    found = alive(url)
    if found is not None:
        return found
    deadline_s = elapsed_s() + timeout_s
    try:
        lock = Lock(private_directory() / f"{fleet_of_url(url)}.starting")
    except OSError as error:
        raise KeeperError(str(error)) from error
    with lock:
        while not lock.take(wait=False):
            if elapsed_s() > deadline_s:
                raise KeeperError("somebody else has been starting the keeper for too long: see 'opsconsole doctor'")
            time.sleep(0.02)  # no event tells when another process lets go of a lock
        found = alive(url)
        while found is None:
            if elapsed_s() > deadline_s:
                raise KeeperError("a keeper of this fleet runs and does not answer: see 'opsconsole doctor'")
            _start(url, linger_s, deadline_s)
            found = alive(url, timeout_s=_FIRST_PING_S)
        return found


def run(url: str, *, linger_s: float = LINGER_S, settings: Sequence[str] = (), debug: bool = False) -> int:
    """Be the keeper, in the foreground, until nobody needs it; returns the exit code. ``settings`` are flags of
    emergencies, as ``NAME=VALUE``."""
    from backends.keeper.__main__ import main

    flags = [word for setting in settings for word in ("--set", setting)]
    return main(["--backend", url, "--linger", str(linger_s), *flags, *(["--debug"] if debug else [])])


def _start(url: str, linger_s: float, deadline_s: float) -> None:
    """Start one; returns when it answers, or when another turned out to live here already."""
    command = [sys.executable, "-P", "-m", "backends.keeper", "--detach", "--linger", str(linger_s)]
    ours = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (ours, os.environ.get("PYTHONPATH"))))
    # The URL goes by the environment: it may hold a password, and arguments are for everybody to read.
    environment = os.environ | {"OPSCONSOLE_BACKEND": url, "PYTHONPATH": path}
    try:
        ended = _run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=max(0.1, deadline_s - elapsed_s()),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KeeperError(f"the keeper did not start in time: {error}") from error
    if ended.returncode != 0:
        last = (ended.stderr.strip().splitlines() or [f"it ended with exit code {ended.returncode}"])[-1]
        raise KeeperError(f"the keeper did not start: {last}")
