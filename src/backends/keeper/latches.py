"""The latch watch: a stop that reached only the disk is taken over from there, and what has ended is taken away."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable, Sequence
from typing import Final

from backends import spool
from backends.keeper.log import NAME
from core.state import State
from opsgate import latch
from opsgate.inotify import FolderWatch
from opsgate.order import Order

_log = logging.getLogger(NAME)

LISTEN_S: Final = 1.25
"""Seconds that a new keeper listens before it records what it finds latched. Gates that saw no keeper look for one each
second, and a stop must leave out no worker for want of a keeper to hear it. The latch stops them meanwhile."""

_LOOK_S: Final = 1.0
"""Seconds between two looks when the host tells of no change."""


class Latches(threading.Thread):
    """Looks at the latch folders of one fleet until `close`."""

    def __init__(self, fleets: Sequence[str], latest: Callable[[], State], adopt: Callable[[Order], None]) -> None:
        """``adopt`` takes an order that the journal does not know; the same one again each time it is seen."""
        super().__init__(name="latches", daemon=True)
        self._fleets = fleets
        self._latest = latest
        self._adopt = adopt
        self._unread: set[str] = set()
        self._ending = threading.Event()
        self._ear, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def look(self) -> None:
        """One look at what lies there now."""
        state = self._latest()
        for order in latch.in_force(self._fleets):
            if spool.journal_id(order, state) not in state.stops:
                self._adopt(order)
        spool.unlatch(spool.ended(self._fleets, state), self._fleets)
        self._tell_of_unread(latch.unreadable(self._fleets))

    def _tell_of_unread(self, orders: Sequence[Order]) -> None:
        """Say once what gates obey and this keeper cannot record."""
        for order in orders:
            if order.stop_id not in self._unread:
                _log.warning(
                    "a latch cannot be read: gates obey it, and nothing is released",
                    extra={"stop": order.stop_id, "fault": order.reason},
                )
        self._unread = {order.stop_id for order in orders}

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ending.set()
        os.close(self._bell)  # which ends the wait that may be going on
        if self.ident is not None:
            self.join(timeout=5)
        os.close(self._ear)

    def run(self) -> None:
        """The life of the thread."""
        watch = FolderWatch(lambda name: not name.startswith("."))
        poller = select.poll()
        poller.register(self._ear, select.POLLIN)
        self._ending.wait(LISTEN_S)
        while not self._ending.is_set():
            try:
                watch.arm(latch.folders(self._fleets))
                self.look()
            except Exception:  # noqa: BLE001 (whatever lies there, the next latch must be seen)
                _log.exception("looking for latches failed")
            if watch.descriptor is not None:
                poller.register(watch.descriptor, select.POLLIN)
            poller.poll(_LOOK_S * 1000)
            watch.drain()
        watch.close()
