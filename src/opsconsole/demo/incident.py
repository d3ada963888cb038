"""The incident that plays by itself: part of the fleet is stopped, a trigger stops services, then all of it stops.

What the gate and the keeper say is checked against the workers' own journals: between the moment a stop is verified
and its recovery, the workers that acknowledged must not have taken a single step. Services come back in steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from backends.stop_lane import fire, new_order
from core.capabilities.recovery import Recover, services_of
from core.state import Stop
from opsconsole.cli.engine import Engine
from opsconsole.cli.outcome import Outcome
from opsconsole.cli.verifying import followed
from opsconsole.demo.fleet import Fleet
from opsconsole.demo.plan import Member
from opsconsole.demo.services import ACCOUNT, QUICK, TARGETS, TRIGGER
from opsconsole.render import Document
from opsgate.clock import elapsed_s
from opsgate.paths import keeper_socket
from opsgate.selector import EVERYTHING, Selector, scope_text
from opsgate.wire import tell

_UP_WITHIN_S: Final = 20.0
_AGAIN_WITHIN_S: Final = 10.0
_FIRES_WITHIN_S: Final = 10.0
_BACK_WITHIN_S: Final = 60.0
_STOPS_TAKE_S: Final = 9.0
_PAUSES: Final = 5
_UNWELL: Final = 22.0
"""A health score at which the trigger of the demo fires."""

_SHORTEST_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Played:
    """One stop of the incident, as it was measured. ``as_told`` is whether it came out as it should."""

    scope: str
    result: str
    took_s: float
    acked: int
    of: int
    missing: tuple[str, ...]
    watched_s: float
    steps_of_stopped: int
    steps_of_others: int
    again_after_s: float | None
    as_told: bool


@dataclass(frozen=True, slots=True)
class Fired:
    """What a trigger did, as it was measured: from the sample to the result of its stop, and until its services were
    back."""

    trigger: str
    value: str
    services: tuple[str, ...]
    result: str
    took_s: float | None
    back_after_s: float | None
    as_told: bool


class Incident:
    """Plays over a running fleet, as the person at ``engine`` would."""

    def __init__(self, engine: Engine, fleet: Fleet, seconds: float) -> None:
        self._engine = engine
        self._fleet = fleet
        self._pause_s = max(_SHORTEST_S, (seconds - _STOPS_TAKE_S) / _PAUSES)
        self._say = engine.invocation.say
        self._members = [member for member, _ in fleet.workers.values()]

    def play(self) -> tuple[Document, bool]:
        """The summary, and whether everything came out as it should and everybody missing was named."""
        began_s = elapsed_s()
        up_s = self._wait_until_up()
        if up_s is None:
            return self._summary(None, [], None, elapsed_s() - began_s, as_told=False), False
        time.sleep(self._pause_s)  # for whoever watches
        deaf = [member for member in self._members if member.character == "deaf"]
        part = [member for member in self._members if member.site in self._first_sites()]
        first = self._stop([Selector.of(site=site) for site in self._first_sites()], part, expect_missing=())
        fired = self._trigger() if self._fleet.services is not None else None
        second = self._stop([EVERYTHING], self._members, expect_missing=tuple(member.worker for member in deaf))
        as_told = first.as_told and second.as_told and (fired is None or fired.as_told)
        return self._summary(up_s, [first, second], fired, elapsed_s() - began_s, as_told=as_told), as_told

    # ------------------------------------------------------------------------------------------------------ a trigger
    def _trigger(self) -> Fired:
        """A health score falls, a trigger stops what acts for that account, and a recovery brings it back."""
        backend, began_s = self._engine.backend, elapsed_s()
        self._say(f"health score of {ACCOUNT} falls to {_UNWELL:g}")
        sample = {"metric": "healthScore", "value": _UNWELL, "account": ACCOUNT, "source": "demo"}
        tell(str(keeper_socket(backend.latest().fleet)), "sample", worker="demo", samples=[sample])

        def stop() -> Stop | None:
            fired = backend.state().triggers[TRIGGER]
            found = backend.state().stops.get(fired.stop_id)
            return found if found is not None and found.result != "pending" else None

        if not _until(lambda: stop() is not None, _FIRES_WITHIN_S):
            self._say("but its trigger has stopped nothing")
            return Fired(TRIGGER, "", (), "none", None, None, as_told=False)
        found, took_s = stop(), round(elapsed_s() - began_s, 3)
        assert found is not None, "a stop that is over stays so"
        names = tuple(sorted(step.service for step in found.services))
        cause = backend.state().emergencies[found.emergency_id].cause
        self._say(f"trigger {TRIGGER} ({cause}) stopped {', '.join(names)}: {found.result} after {took_s:.2f} s")
        back_s = self._in_steps(found.emergency_id)
        as_told = (found.result, names) == ("verified", TARGETS) and back_s is not None
        return Fired(TRIGGER, cause, names, found.result, took_s, back_s, as_told=as_told)

    def _in_steps(self, emergency_id: str) -> float | None:
        """Recover an emergency whose services are stopped; seconds until all of it was over, None when it failed."""
        backend, began_s = self._engine.backend, elapsed_s()
        confirm = scope_text(backend.state().emergencies[emergency_id].selectors)
        recover = Recover(emergency_id=emergency_id, reason="end of the drill", confirm=confirm, procedure=QUICK)
        self._engine.submit(recover)
        told = ""

        def is_over() -> bool:
            nonlocal told
            recovery = backend.state().emergencies[emergency_id].recovery
            assert recovery is not None, "it has just been begun"
            now = f"{recovery.phase}, {recovery.admit:.0%} of the work admitted"
            if now != told:
                self._say(f"  {recovery.recovery_id}: {now}")
                told = now
            return not recovery.is_active

        _until(is_over, _BACK_WITHIN_S)
        recovery = backend.state().emergencies[emergency_id].recovery
        if recovery is None or recovery.status != "completed":
            self._say(f"recovery of {emergency_id}: {f'{recovery.status}, {recovery.why}' if recovery else 'none'}")
            return None
        back_s = round(elapsed_s() - began_s, 3)
        self._say(f"recovered {emergency_id} in steps: {', '.join(recovery.restored)} run again after {back_s:.2f} s")
        return back_s

    # -------------------------------------------------------------------------------------------------------- a stop

    def _first_sites(self) -> tuple[str, ...]:
        """What the first stop is about: up to two sites, and never the one where somebody hangs."""
        shared = dict.fromkeys(member.site for member in self._members if member.character != "deaf")
        return tuple(shared)[:2]

    def _wait_until_up(self) -> float | None:
        began_s = elapsed_s()
        names = {member.worker for member in self._members}
        busy = {member.worker for member in self._members if member.character == "deaf"}

        def up() -> bool:
            seen = {row.worker_id: row for row in self._engine.backend.observe().workers if row.state == "live"}
            return names <= seen.keys() and all(seen[worker].in_flight for worker in busy)

        if not _until(up, _UP_WITHIN_S):
            self._say(f"not all of {len(names)} workers came up within {_UP_WITHIN_S:.0f} s")
            return None
        took_s = elapsed_s() - began_s
        self._say(f"up: {len(names)} workers after {took_s:.2f} s")
        return took_s

    def _stop(
        self, selectors: Sequence[Selector], covered: Sequence[Member], *, expect_missing: Sequence[str]
    ) -> Played:
        scope = scope_text(selectors)
        self._say(f"stopping {scope}: {len(covered)} of {len(self._members)} workers")
        invocation = self._engine.invocation
        order = new_order(selectors, reason="demo incident", actor=invocation.actor, door="cli")
        outcome = followed(fire(order, url=self._fleet.url), invocation.settings, wait=True)
        for line in outcome.document().lines:
            self._say(line)
        stopped = [member.worker for member in covered if member.worker not in outcome.missing]
        others = [member.worker for member in self._members if member.worker not in stopped]
        before, before_others = self._fleet.steps(stopped), self._fleet.steps(others)
        time.sleep(self._pause_s)  # what still runs would take steps meanwhile
        steps, steps_of_others = self._fleet.steps(stopped) - before, self._fleet.steps(others) - before_others
        self._say(
            f"for {self._pause_s:.1f} s: {steps} steps by the {len(stopped)} stopped, {steps_of_others} by others"
        )
        again_s = self._recover(outcome, stopped)
        time.sleep(self._pause_s)
        return Played(
            scope=scope,
            result=outcome.result,
            took_s=round(outcome.took_s, 3),
            acked=outcome.acked,
            of=outcome.of,
            missing=outcome.missing,
            watched_s=round(self._pause_s, 3),
            steps_of_stopped=steps,
            steps_of_others=steps_of_others,
            again_after_s=again_s,
            as_told=self._as_told(outcome, covered, expect_missing, steps) and again_s is not None,
        )

    def _recover(self, outcome: Outcome, stopped: Sequence[str]) -> float | None:
        """Recover the emergency; seconds until one of the stopped works again, None when none does."""
        assert outcome.emergency_id is not None, "a recorded stop has its emergency"
        emergency = self._engine.backend.state().emergencies[outcome.emergency_id]
        confirm = scope_text(emergency.selectors)
        before, began_s = self._fleet.steps(stopped), elapsed_s()
        if services_of(self._engine.backend.state(), emergency):
            if self._in_steps(emergency.emergency_id) is None:
                return None
        else:
            recover = Recover(emergency_id=emergency.emergency_id, reason="end of the drill", confirm=confirm)
            self._engine.submit(recover)
        if not _until(lambda: self._fleet.steps(stopped) > before, _AGAIN_WITHIN_S):
            self._say(f"recovered {emergency.emergency_id}, but nobody works again")
            return None
        again_s = round(elapsed_s() - began_s, 3)
        self._say(f"recovered {emergency.emergency_id}: working again after {again_s:.2f} s")
        return again_s

    def _as_told(self, outcome: Outcome, covered: Sequence[Member], expect_missing: Sequence[str], steps: int) -> bool:
        expected = "partial" if expect_missing else "verified"
        named = tuple(sorted(outcome.missing)) == tuple(sorted(expect_missing))
        stop = self._engine.backend.state().stops.get(outcome.fired.order.stop_id)
        listed = len(covered) + (len(stop.services) if stop else 0)
        return (outcome.result, outcome.of) == (expected, listed) and named and steps == 0

    def _summary(
        self, up_s: float | None, stops: Sequence[Played], fired: Fired | None, took_s: float, *, as_told: bool
    ) -> Document:
        data: dict[str, Any] = {
            "workers": len(self._members),
            "up_s": None if up_s is None else round(up_s, 3),
            "took_s": round(took_s, 3),
            "stops": [asdict(stop) | {"missing": list(stop.missing)} for stop in stops],
            "trigger": None if fired is None else asdict(fired) | {"services": list(fired.services)},
            "as_told": as_told,
        }
        lines = [f"{len(self._members)} worker processes, {took_s:.1f} s"]
        for stop in stops:
            lines += [
                f"stop of {stop.scope}: {stop.result}, {stop.acked}/{stop.of} acknowledged in {stop.took_s:.2f} s",
                f"  not known to have stopped: {', '.join(stop.missing) or 'nobody'}",
                f"  steps taken by those that acknowledged: {stop.steps_of_stopped} in {stop.watched_s:.1f} s",
                f"  steps taken meanwhile by all others: {stop.steps_of_others}",
                "  working again after the recovery: "
                + ("never" if stop.again_after_s is None else f"after {stop.again_after_s:.2f} s"),
            ]
        if fired is not None:
            back = "never" if fired.back_after_s is None else f"after {fired.back_after_s:.2f} s"
            lines += [
                f"trigger {fired.trigger}: {fired.value}; {len(fired.services)} services {fired.result}",
                f"  brought back in steps: {back}",
            ]
        lines.append("it went as it should" if as_told else "NOT as it should: see above")
        return Document(data, lines)


def _until(condition: Callable[[], bool], within_s: float) -> bool:
    """Wait for a condition; False when it did not come true in time."""
    deadline_s = elapsed_s() + within_s
    while not condition():
        if elapsed_s() >= deadline_s:
            return False
        time.sleep(0.02)  # it comes true in other processes
    return True
