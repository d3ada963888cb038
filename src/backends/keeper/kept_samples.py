"""Samples that are kept: written in batches, on a thread of their own: who looks at them waits for no database.

They are for what comes later: windows of triggers after a start, gates of recoveries, curves, rehearsals. Only metrics
that somebody looks at are kept, of a flood every so manieth sample, and none for longer than a day.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from backends.keeper.log import NAME
from backends.keeper.roster import Instant
from backends.runtime import Runtime
from core.errors import OpsError
from core.state import State
from core.triggers.sample import AGE_MAX_S, Sample
from core.watched import listened

_log = logging.getLogger(NAME)

WRITE_S: Final = 1.0
"""Seconds between two batches."""

BATCH_MAX: Final = 2_000
"""Samples in a batch: of more, only every second, third … one is kept."""

WAITING_MAX: Final = 50_000
"""Samples that wait for a database at most; the next ones are not kept."""

KEPT_MAX: Final = 250_000
"""Samples that stay; of more the oldest go."""

TIDY_S: Final = 60.0
"""Seconds between two looks at what is too old."""

REFILL_MAX: Final = 20_000
"""Samples of one metric that windows are refilled with."""

_TRY_S: Final = 2.0


class KeptSamples(threading.Thread):
    """Writes until `close`."""

    def __init__(
        self,
        runtime: Runtime,
        now: Callable[[], Instant],
        leads: Callable[[], bool],
        refill: Callable[[Sequence[Sample]], None] = lambda _samples: None,
    ) -> None:
        """``leads`` is whether what is too old is taken away from here; ``refill`` takes what was kept before."""
        super().__init__(name="kept-samples", daemon=True)
        self.unkept = 0
        """Samples that somebody looks at and that were not kept, because there were too many."""
        self._runtime, self._now, self._leads, self._refill = runtime, now, leads, refill
        self._waiting: deque[Sequence[Sample]] = deque()
        self._count = 0
        self._wanted: tuple[State | None, frozenset[str]] = (None, frozenset())
        self._ending = threading.Event()

    def put(self, samples: Sequence[Sample]) -> None:
        """Keep these, where somebody looks at their metrics. Returns at once; for the evaluator's thread alone."""
        if self._count < WAITING_MAX:
            self._waiting.append(samples)
            self._count += len(samples)
        else:
            self.unkept += len(samples)

    def wants(self, metric: str) -> bool:
        """Whether somebody looks at this metric."""
        return metric in self._listened()

    def close(self) -> None:
        """End the thread, after one more try."""
        self._ending.set()
        if self.is_alive():
            self.join(timeout=2 * _TRY_S)

    def run(self) -> None:
        """The life of the thread."""
        try:
            self._remember()
        except OpsError as error:
            _log.warning("windows begin empty: what was kept cannot be read", extra={"fault": str(error)})
        tidied_s = float("-inf")
        while True:
            ending = self._ending.wait(WRITE_S)
            try:
                self.write()
                if not ending and (now_s := self._now().elapsed_s) - tidied_s >= TIDY_S and self._leads():
                    tidied_s = now_s
                    self.tidy()
            except OpsError as error:
                _log.info("samples wait for the database", extra={"fault": str(error)})
            except Exception:  # noqa: BLE001 (what is wrong with one batch must not end the keeping of all that come)
                _log.exception("keeping samples failed")
            if ending:
                return

    def write(self) -> None:
        """Write what waits. Raises `OpsError`, and has it wait on."""
        batches = [self._waiting.popleft() for _ in range(len(self._waiting))]
        wanted = self._listened()
        samples = [sample for batch in batches for sample in batch if sample.metric in wanted]
        self._count = sum(map(len, self._waiting))
        if not samples:
            return
        kept = samples[:: -(-len(samples) // BATCH_MAX)]
        self.unkept += len(samples) - len(kept)
        try:
            self._runtime.put_samples(kept, timeout_s=_TRY_S)
        except OpsError:
            self._waiting.appendleft(kept)
            self._count += len(kept)
            raise

    def tidy(self) -> None:
        """Take away what is too old, or too much. Raises `OpsError`."""
        floor_s = self._runtime.store.samples_floor(KEPT_MAX)
        self._runtime.drop_samples(max(self._now().at.timestamp() - AGE_MAX_S, floor_s), timeout_s=_TRY_S)

    def _remember(self) -> None:
        """Have windows refilled with what was kept before this began, and have it found who crossed that has not come
        back. No window is longer than a day."""
        state, now_s = self._runtime.latest(), self._now().at.timestamp()
        longest_s = max((each.definition.time_window_ms / 1000 for each in state.triggers.values()), default=0.0)
        owed = [each.owes_since.timestamp() for each in state.triggers.values() if each.owes_since is not None]
        since_s = max(now_s - AGE_MAX_S, min([now_s, *owed]) - longest_s)
        if longest_s:
            for metric in sorted(self._listened()):
                self._refill(self._runtime.store.samples(metric, since_s, REFILL_MAX))

    def _listened(self) -> frozenset[str]:
        state = self._runtime.latest()
        if self._wanted[0] is not state:
            self._wanted = (state, listened(state))
        return self._wanted[1]
