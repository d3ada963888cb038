"""The evaluator of triggers at work: samples in, stops out, and nothing of it waits for a database.

One thread evaluates, as samples arrive and at every sweep. What fires goes to the stop desk at once, as any stop does.
Another thread, the clerk, writes down what each edge came to, again and again until the journal has it. The recorder,
who may be quicker, records a stop that fired in the clerk's words: whoever is told of it is told what fired it.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from backends.keeper.log import NAME
from backends.keeper.roster import Instant
from backends.keeper.stop_desk import StopDesk
from backends.runtime import Runtime
from core.capabilities.firing import ClearTrigger, FireTrigger
from core.errors import BackendUnavailable, OpsError
from core.messages import Actor, Envelope
from core.ports import Arrival
from core.triggers.evaluator import REPORT_S, Evaluator, Fire, Moment, Report
from core.triggers.sample import Input, Sample
from core.triggers.suppression import ACTOR
from opsgate.order import Order

_log = logging.getLogger(NAME)

WAITING_MAX: Final = 50_000
"""Samples that wait at most; the next ones are refused, and their senders told."""

_BATCH: Final = 2_000
"""Samples between two looks at what else has happened."""

_GATHER_S: Final = 0.002
"""Seconds for which samples gather after some came: those that are looked at together cost far less each, and a thread
that woke for every one would take the processor from those who send them."""

_TRY_S: Final = 1.0
_AGAIN_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
_UNWRITTEN_MAX: Final = 10_000


class Clerk(threading.Thread):
    """Writes down what edges came to. ``put`` returns at once."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(name="trigger-clerk", daemon=True)
        self._runtime = runtime
        self._waiting: deque[Envelope] = deque()
        self._wake = threading.Event()
        self._ending = False

    def put(self, envelope: Envelope) -> None:
        """Write this down. A stop that fired is in force and recorded without it, so of too many the oldest goes."""
        if len(self._waiting) >= _UNWRITTEN_MAX:
            self._waiting.popleft()
        self._waiting.append(envelope)
        self._wake.set()

    def close(self) -> None:
        """End the thread, after one more try."""
        self._ending = True
        self._wake.set()
        if self.is_alive():
            self.join(timeout=2 * _TRY_S)

    def run(self) -> None:
        """The life of the thread."""
        failures = 0
        while True:
            self._wake.wait(_AGAIN_S[min(failures, len(_AGAIN_S)) - 1] if failures else None)
            self._wake.clear()
            failures = 0 if self._write_all() else failures + 1
            if self._ending:
                return

    def _write_all(self) -> bool:
        """Whether nothing is left that the database did not take."""
        while self._waiting:
            envelope = self._waiting[0]
            try:
                self._runtime.submit(envelope, timeout_s=_TRY_S)
            except BackendUnavailable as error:
                _log.warning("what a trigger did cannot be recorded yet", extra={"fault": str(error)})
                return False
            except OpsError as error:
                _log.warning(
                    "what a trigger did was refused", extra={"actor": envelope.actor.name, "fault": str(error)}
                )
            except Exception:  # noqa: BLE001 (the next one has to be written, whatever is wrong with this)
                _log.exception("recording what a trigger did failed")
            self._waiting.popleft()
        return True


class Triggering(threading.Thread):
    """Evaluates until `close`."""

    def __init__(
        self, runtime: Runtime, desk: StopDesk, now: Callable[[], Instant], *, sweep_s: float, automatics: bool
    ) -> None:
        """``sweep_s`` is between two looks at what time alone has changed; without ``automatics`` nothing is stopped,
        and what would have been is recorded."""
        super().__init__(name="triggers", daemon=True)
        self.dropped = 0
        """Samples that were refused because too many waited."""
        self.taken = 0
        """Samples that were looked at."""
        self.keep: Callable[[Sequence[Sample]], None] = lambda _samples: None
        """Called with what was looked at; must return at once."""
        self._desk = desk
        self._now = now
        self._sweep_s = sweep_s
        self._runtime = runtime
        self._evaluator = Evaluator(runtime.latest(), automatics, stop_id=_stop_id)
        self._clerk = Clerk(runtime)
        self._samples: deque[Sample] = deque()
        self._arrivals: deque[Arrival] = deque()
        self._past: deque[Sequence[Sample]] = deque()
        self._fired: dict[str, Fire] = {}
        """What fired by its stop, until the journal has that."""
        self._wake = threading.Event()
        self._ending = threading.Event()

    # ------------------------------------------------------------------------------------------- from any thread
    def put(self, samples: Sequence[Sample]) -> bool:
        """Look at these. False, for all of them, where too many wait."""
        if len(self._samples) + len(samples) > WAITING_MAX:
            self.dropped += len(samples)
            return False
        self._samples.extend(samples)
        self._wake.set()
        return True

    def refill(self, samples: Sequence[Sample]) -> None:
        """Samples from before this began, oldest first: windows go on where they were."""
        self._past.append(samples)
        self._wake.set()

    def arrived(self, arrival: Arrival) -> None:
        """The journal has gone on."""
        self._arrivals.append(arrival)
        self._wake.set()

    def listens(self, metric: str) -> bool:
        """Whether a trigger looks at this metric."""
        return self._evaluator.watch.listens(metric)

    def words(self, order: Order) -> Envelope | None:
        """The command that records an order which fired here, with what fired it."""
        fire = self._fired.get(order.stop_id)
        return None if fire is None else _words(fire)

    def faults(self) -> dict[str, str]:
        """The triggers whose rules could not be evaluated last, each with why."""
        watchers = list(self._evaluator.watch.watchers.items())
        return {name: watcher.fault for name, watcher in watchers if watcher.fault}

    def close(self) -> None:
        """End both threads and wait for them."""
        self._ending.set()
        self._wake.set()
        if self.is_alive():
            self.join(timeout=5)
        self._clerk.close()

    # -------------------------------------------------------------------------------------------- the thread itself
    def run(self) -> None:
        """The life of the thread."""
        self._clerk.start()
        self._evaluator.begin(_moment(self._now()))
        swept_s = self._now().elapsed_s - self._sweep_s
        while not self._ending.is_set():
            left_s = swept_s + self._sweep_s - self._now().elapsed_s
            if self._evaluator.is_waiting:
                left_s = min(left_s, REPORT_S)
            if self._wake.wait(max(0.0, left_s)):
                self._wake.clear()
                self._ending.wait(_GATHER_S if self._samples else 0.0)
            try:
                now = _moment(self._now())
                self._hear(now)
                while self._past:
                    self._evaluator.refill(self._past.popleft(), now)
                self._carry_out(self._evaluator.take(self._next(), now, self._in_force()))
                if now.elapsed_s - swept_s >= self._sweep_s:
                    swept_s = now.elapsed_s
                    self._carry_out(self._evaluator.sweep(now, self._in_force()))
                self._report(self._evaluator.reports(now))
            except Exception:  # noqa: BLE001 (whatever a sample or a rule does, the next one is looked at)
                _log.exception("the evaluator of triggers met a fault of its own and goes on")

    def _hear(self, now: Moment) -> None:
        while self._arrivals:
            arrival = self._arrivals.popleft()
            if not arrival.events or arrival.state.revision > self._evaluator.state.revision:
                self._evaluator.arrived(arrival.state, arrival.events, now)
        for stop_id in [each for each in self._fired if each in self._evaluator.state.stops]:
            del self._fired[stop_id]

    def _next(self) -> Sequence[Sample]:
        batch = [self._samples.popleft() for _ in range(min(len(self._samples), _BATCH))]
        self.taken += len(batch)
        if batch:
            self.keep(batch)
        if self._samples:
            self._wake.set()
        return batch

    def _in_force(self) -> Iterable[Order]:
        return self._desk.unrecorded.values()

    def _carry_out(self, fires: Iterable[Fire]) -> None:
        """Stops first, one after the other as they are urgent; then what is written down of them."""
        fires = tuple(fires)
        for fire in fires:
            self._fired[fire.order.stop_id] = fire
            self._desk.take(fire.order, _told)
        for fire in fires:
            edge, order = fire
            _log.warning("a trigger fired", extra={"trigger": edge.trigger, "stop": order.stop_id, "value": edge.value})
            self._clerk.put(_words(fire))

    def _report(self, reports: Iterable[Report]) -> None:
        for report in reports:
            edge, command_id = report.edge, f"edge-{uuid.uuid4().hex}"
            inputs = tuple(map(Input.of, edge.inputs))
            if edge.crossed:
                command: FireTrigger | ClearTrigger = FireTrigger(
                    trigger=edge.trigger,
                    stop_id=f"S-{command_id}",
                    value=edge.value,
                    samples=edge.samples,
                    inputs=inputs,
                    edges=report.edges,
                )
            else:
                command = ClearTrigger(
                    trigger=edge.trigger,
                    value=edge.value,
                    samples=edge.samples,
                    inputs=inputs,
                    sampled=edge.sampled,
                )
            self._clerk.put(_envelope(command_id, command))


def _moment(instant: Instant) -> Moment:
    return Moment(instant.at, instant.elapsed_s)


def _words(fire: Fire) -> Envelope:
    edge, order = fire
    command = FireTrigger(
        trigger=edge.trigger,
        stop_id=order.stop_id,
        value=edge.value,
        samples=edge.samples,
        inputs=tuple(map(Input.of, edge.inputs)),
        placed_at=order.ordered_at,
    )
    return _envelope(f"fired-{order.stop_id}"[:128], command)


def _envelope(command_id: str, command: FireTrigger | ClearTrigger) -> Envelope:
    actor = Actor(name=f"{ACTOR}{command.trigger}"[:128], kind="system")
    return Envelope(command_id=command_id, actor=actor, door="trigger", command=command)


def _stop_id(name: str) -> str:
    return f"S-{name[:80]}-{uuid.uuid4().hex[:12]}"


def _told(_answer: bytes) -> None:
    """Nobody waits for the answer of a stop that fired by itself: the journal has it."""
