"""The open gates of this process: told of forks, and closed at its end so that nobody waits for their heartbeats."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import Protocol


class Opened(Protocol):
    """A gate, as far as its process concerns it."""

    def close(self) -> None:
        """Leave the fleet."""

    def forked(self) -> None:
        """This is a child now."""


_open: weakref.WeakSet[Opened] = weakref.WeakSet()


def opened(gate: Opened) -> None:
    """Have this gate told."""
    _open.add(gate)


def _close_all() -> None:
    for gate in list(_open):
        gate.close()


def _after_fork() -> None:
    for gate in list(_open):
        gate.forked()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
