"""The thread that looks at the latch folders of one gate, and tells what lies there.

It is apart from the one that hears the keeper, because the disk under the latches may hang, and apart from the one that
reads the tables, because a latch is for the time when those cannot be read.
"""

from __future__ import annotations

import logging
import math
import os
import random
import select
import threading
from collections.abc import Callable
from typing import Final

from opsgate import latch
from opsgate.clock import elapsed_s
from opsgate.footprint import Footprint, footprint
from opsgate.inotify import FolderWatch, Heard
from opsgate.known import Known
from opsgate.order import Lying

_log = logging.getLogger("opsgate")

_REGULAR_S: Final = 30.0
"""Seconds between two looks where the kernel tells of changes; only in case it missed one."""

_UNTOLD_S: Final = 0.5
"""Seconds between two glances where it does not. A host lets its users listen to a hundred or so folders at once, so
that of a thousand workers most are told nothing."""

_SECOND_S: Final = 6.0
"""The same where a keeper takes the beats: it looks at the latches too, and sends on what it finds. The watcher asks
for a glance before that, whenever the tables were read and all is awake anyway."""

_SOON_S: Final = (0.3, 0.8)
_AFTER_A_FAULT_S: Final = 0.1


class Lookout(threading.Thread):
    """Looks when something happened in the folders, and now and then. Never ends by an error."""

    def __init__(
        self,
        fleets: Callable[[], tuple[str, ...]],
        known: Callable[[], Known],
        obeys: Callable[[str], bool],
        is_heard: Callable[[], bool],
        report: Callable[[Lying], None],
    ) -> None:
        """``fleets`` gives the names under which latches are looked for, ``known`` what the gate knows now,
        ``obeys`` whether a stop is in force in it, ``is_heard`` whether a keeper takes its beats; ``report`` takes what
        lies there. All are called from this thread."""
        super().__init__(name="opsgate-lookout", daemon=True)
        self._fleets = fleets
        self._known = known
        self._obeys = obeys
        self._is_heard = is_heard
        self._report = report
        self._watch = FolderWatch(_may_be_latch)
        self._ear, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._must_look = self._arm = True
        self._came: set[str] = set()
        self._regular_s = self._due_s = 0.0
        self._asked = self._glances = self._ending = False
        self._reported: Lying | None = None
        self._footprint: Footprint | None = None

    def look(self) -> Lying:
        """One look, now. To be called from another thread only before this one is started."""
        known, fleets = self._known(), self._fleets()
        if self._arm and self._watch.descriptor is not None:
            self._watch.arm(latch.folders(fleets))
        self._must_look, self._arm, self._came = False, False, set()
        before = self._footprint_now()
        lying = latch.look(fleets, known.latched)
        self._footprint = before if lying.whole else None
        self._tell_of_missing(lying)
        self._regular_s = elapsed_s() + _REGULAR_S
        self._rest()
        return lying

    def ask(self) -> None:
        """Look now, also for folders that were not looked for until now. From any thread."""
        self._asked = True
        self._ring()

    def glance(self) -> None:
        """See whether anything has changed, where the kernel does not tell. From any thread."""
        if self._watch.descriptor is None:
            self._glances = True
            self._ring()

    def end(self) -> None:
        """End the thread; it is not waited for, since its disk may hang."""
        self._ending = True
        self._ring()

    def close(self) -> None:
        """Let go of the descriptors: at the end of the thread, or where there is none (never started, or forked)."""
        self._watch.close()
        if self._ear >= 0:
            os.close(self._ear)
            os.close(self._bell)
            self._ear = self._bell = -1

    def run(self) -> None:
        """The life of the thread."""
        ending = threading.Event()
        while not self._ending:
            try:
                self._turn()
            except Exception:  # noqa: BLE001 (a fault of ours must not leave the worker blind for ever)
                _log.exception("the gate met a fault of its own in the latch folders and goes on")
                ending.wait(_AFTER_A_FAULT_S)
        self.close()

    def _turn(self) -> None:
        self._wait()
        if self._asked:
            self._asked = False
            self._must_look, self._arm, self._due_s = True, True, 0.0
        if self._glances:
            self._glances, self._due_s = False, 0.0
        self._hear(self._watch.drain())
        now_s = elapsed_s()
        if now_s < self._due_s:
            return
        self._arm = self._arm or now_s >= self._regular_s
        if self._must_look or self._arm or not all(map(self._obeys, self._came)) or self._has_changed():
            self._tell(self.look())
        else:  # latches of stops that are in force by now tell nothing new
            self._came = set()
            self._rest()

    def _has_changed(self) -> bool:
        """Whether the kernel would have told of something, where it does not."""
        if self._watch.descriptor is not None:
            return False
        now = self._footprint_now()
        return now is None or now != self._footprint

    def _footprint_now(self) -> Footprint | None:
        return footprint((*latch.folders(self._fleets()), *self._known().latched))

    def _rest(self) -> None:
        """Until the kernel tells of something, or the next time to see for oneself."""
        untold_s = _SECOND_S if self._is_heard() else _UNTOLD_S
        pause_s = untold_s if self._watch.descriptor is None else _REGULAR_S
        self._due_s = min(self._regular_s, elapsed_s() + pause_s)

    def _tell(self, lying: Lying) -> None:
        """Report what is news: whoever hears of it has to be woken."""
        if self._reported is None or lying != self._reported or lying.orders != self._known().latched:
            self._reported = lying
            self._report(lying)

    def _wait(self) -> None:
        """Sleep until something can be heard or is due. Once something was heard in the folders, the rest is heard when
        it is looked at: a latch is made in several steps, and each would wake the thread."""
        poller = select.poll()
        poller.register(self._ear, select.POLLIN)
        if self._watch.descriptor is not None and not self._has_heard:
            poller.register(self._watch.descriptor, select.POLLIN)
        poller.poll(math.ceil(max(0.0, self._due_s - elapsed_s()) * 1000))
        try:
            os.read(self._ear, 4096)
        except BlockingIOError:
            pass  # it was the folders, or the time

    @property
    def _has_heard(self) -> bool:
        return self._must_look or self._arm or bool(self._came)

    def _hear(self, told: Heard) -> None:
        """Look at once; or within a second, where a keeper lives that sends the order too, so that a thousand workers
        do not read one folder in the very moment in which they have to acknowledge."""
        if told.went or told.folders or told.came:
            self._came |= told.came
            soon_s = random.uniform(*_SOON_S) if self._is_heard() else 0.0  # noqa: S311 (spread, no secret)
            self._due_s = min(self._due_s, elapsed_s() + soon_s)
            self._must_look = self._must_look or told.went or told.folders
            self._arm = self._arm or told.folders

    def _tell_of_missing(self, lying: Lying) -> None:
        """Say it once, when a folder is gone with latches in it: nobody but a person can tell what that means. By what
        the gate knows now: what the look before found, it may have taken in during this one."""
        lost = {path: order for path, order in self._known().latched.items() if path.parent in lying.missing}
        for path, order in lost.items():
            _log.warning(
                "%s is gone with the stop %s in it, which stays in force here until its end is recorded; where no "
                "journal knows it, put a file of that name there again and remove it",
                path.parent,
                ascii(order.stop_id)[1:-1],
            )

    def _ring(self) -> None:
        try:
            os.write(self._bell, b"!")
        except OSError:
            pass  # it rings already, or the thread has ended


def _may_be_latch(name: str) -> bool:
    """Whether a file of this name is a latch, or a mark that one is over; others are latches half written."""
    return not name.startswith(".") or name.startswith(".recovered-")
