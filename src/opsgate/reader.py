"""The thread that asks and waits: it reads the fleet's state where that is kept, and writes the last known one down.

It is apart from the one that hears stops, because a disk or a server may hang, and a stop must never wait for either.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from opsgate.clock import elapsed_s
from opsgate.known import Known
from opsgate.lastknown import LastKnown
from opsgate.order import Lying
from opsgate.snapshot import Snapshot
from opsgate.sources import Source, SourceError

_log = logging.getLogger("opsgate")

POLL_S: Final = 5.0
"""Seconds between two looks at the tables when nobody says that they moved."""

RETRIES_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before a look is repeated after one, two, … failures. The last is the longest."""

_AT_MOST_EVERY_S: Final = 0.05
"""Seconds between two looks when many changes are told at once."""

_SAVE_AGAIN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at the tables gave: a state, or a sentence that says why not."""

    began_s: float
    asked_at: int
    """The revision that was known when it began."""
    snapshot: Snapshot | None = None
    failure: str = ""
    lasting: bool = False
    """Whether a failure stays until a person does something about it."""
    lying: Lying | None = None
    """The latches of a fleet that was only learnt by this reading."""


class Hearer(Protocol):
    """Whom a link tells what it finds by itself: the watcher. From any thread."""

    known: Known

    def take(self, reading: Reading) -> None:
        """A state of the fleet arrives, or the sentence that says why none does."""

    def is_foreign(self, fleet: str) -> bool:
        """Whether this is another fleet than the one that is followed."""


class Reader(threading.Thread):
    """Looks at one source, and writes the last known state. Never ends by an error."""

    def __init__(
        self,
        open_source: Callable[[], Source],
        last_known: LastKnown,
        known: Callable[[], Known],
        report: Callable[[Reading], None],
        quiet_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``known`` gives what is known now, ``report`` takes each reading; ``quiet_s`` says for how long nobody need
        look unasked, because somebody else tells of changes. All are called from this thread."""
        super().__init__(name="opsgate-reader", daemon=True)
        self._open_source = open_source
        self._quiet_s = quiet_s
        self._last_known = last_known
        self._known = known
        self._report = report
        self._failures = 0
        self._signal = threading.Event()
        self._ending = False
        self._asked = False
        self._to_save: tuple[Known, float] | None = None
        self._save_due_s = float("inf")

    def ask(self) -> None:
        """Look now."""
        self._asked = True
        self._signal.set()

    def keep(self, known: Known, confirmed_at_s: float) -> None:
        """Write this down."""
        self._to_save, self._save_due_s = (known, confirmed_at_s), 0.0
        self._signal.set()

    def end(self) -> None:
        """Write down what waits, and end."""
        self._ending = True
        self._signal.set()

    def run(self) -> None:
        """The life of the thread."""
        # The connection lives in this frame and nowhere else. A forked child has neither this thread nor its frame, so
        # it can never close the descriptor it inherited, which is forbidden to it.
        source = self._open_source()
        due_s = rested_s = 0.0
        while not self._ending:
            self._signal.clear()
            if elapsed_s() >= due_s and not self._asked and (quiet_s := self._quiet_s()) > 0:
                due_s = elapsed_s() + quiet_s
            elif elapsed_s() >= due_s:
                self._asked = False
                pause = self._look(source)
                rested_s, due_s = elapsed_s() + min(pause, _AT_MOST_EVERY_S), elapsed_s() + pause
            if self._asked:
                due_s = min(due_s, rested_s)
            self._save()
            if not self._ending:
                self._signal.wait(max(0.0, min(due_s, self._save_due_s) - elapsed_s()))
        self._save_due_s = 0.0
        self._save()
        source.close()

    def _look(self, source: Source) -> float:
        """One look; returns the seconds until the next."""
        began_s, known = elapsed_s(), self._known()
        try:
            snapshot = source.read(known.snapshot)
            reading = Reading(began_s - source.age_s, known.revision, snapshot)
        except SourceError as error:
            reading = Reading(began_s, known.revision, failure=str(error), lasting=error.lasting)
        except Exception as error:  # noqa: BLE001 (a fault of ours must not leave the worker deaf for ever)
            reading = Reading(began_s, known.revision, failure=f"the state cannot be read: {error!r}")
        self._failures = 0 if reading.snapshot else self._failures + 1
        self._report(reading)
        return _AT_MOST_EVERY_S if reading.snapshot and source.waits else pause_s(self._failures)

    def _save(self) -> None:
        if elapsed_s() < self._save_due_s or self._to_save is None:
            return
        known, confirmed_at_s = self._to_save
        self._save_due_s = float("inf")
        try:
            saved = self._last_known.save(known, confirmed_at_s)
        except Exception:  # noqa: BLE001 (a fault of ours must not leave the worker deaf for ever)
            _log.exception("the last known state cannot be kept on disk")
            saved = False
        if not saved:
            self._save_due_s = min(self._save_due_s, elapsed_s() + _SAVE_AGAIN_S)


def pause_s(failures: int) -> float:
    """Seconds until the next look, after so many failures in a row; up to a fifth shorter by chance, never longer, so
    that a fleet does not look at once."""
    longest = RETRIES_S[min(failures, len(RETRIES_S)) - 1] if failures else POLL_S
    return longest * random.uniform(0.8, 1.0)  # noqa: S311 (spread, no secret)
