"""What the keeper of a seeded fleet says of services and recoveries, from how the script has them stand. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, get_args

from core.capabilities.restoring import AdvanceRecovery, Seen
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.messages import Actor
from core.recoveries import Recovery
from core.recovery_work import asked, work_of
from core.services import Action, Standing
from core.state import State
from core.triggers.suppression import ACTOR

STANDINGS: Final[tuple[Standing, ...]] = get_args(Standing)

TOOK_S: Final = 0.4
"""How long whatever a driver does takes here."""

KEEPER: Final = Actor(name="keeper", kind="system")


def actor_of(name: str) -> Actor:
    """Who acts: the keeper and triggers are the engine's own, everybody else is a person."""
    return Actor(name=name, kind="system" if name == KEEPER.name or name.startswith(ACTOR) else "person")


def going(state: State) -> list[Recovery]:
    """The recoveries that something is still to be done for."""
    found = (emergency.recovery for emergency in state.active_emergencies())
    return [recovery for recovery in found if recovery is not None and recovery.is_active]


def reports(state: State, standings: Mapping[str, Standing], names: Iterable[str]) -> Iterator[ReportServices]:
    """How these services were seen to stand: by the stop that drives them, or by the recovery that brings them back."""
    left = [name for name in names if name in standings and name in state.services]
    for recovery in going(state):
        mine = [name for name in left if name in recovery.services]
        work = work_of(state, recovery)
        yield from _reported(standings, {name: _action(name, work.start, work.stop) for name in mine}, recovery)
        left = [name for name in left if name not in mine]
    for stop in state.active_stops():
        mine = [step.service for step in stop.services if step.service in left]
        if mine:
            said = tuple(_report(name, "stop", standings[name]) for name in mine)
            yield ReportServices(stop_id=stop.stop_id, reports=said)
        left = [name for name in left if name not in mine]
    yield from _reported(standings, dict.fromkeys(left, "observe"))


def advance(state: State, recovery: Recovery, now: datetime) -> AdvanceRecovery:
    """What it looked at is good: a script says what is not by how its services stand."""
    good = tuple(Seen(name=name, verdict="good") for name in sorted(asked(state, recovery)))
    watched_s = max(0.0, (now - recovery.step_at).total_seconds())
    return AdvanceRecovery(recovery_id=recovery.recovery_id, step=recovery.step, checks=good, watched_s=watched_s)


def _reported(
    standings: Mapping[str, Standing], actions: Mapping[str, Action], recovery: Recovery | None = None
) -> Iterator[ReportServices]:
    if actions:
        said = tuple(_report(name, action, standings[name]) for name, action in actions.items())
        yield ReportServices(recovery_id=recovery.recovery_id if recovery else None, reports=said)


def _action(name: str, start: Iterable[str], stop: Iterable[str]) -> Action:
    return "start" if name in start else "stop" if name in stop else "observe"


def _report(name: str, action: Action, standing: Standing) -> ServiceReport:
    took_s = 0.0 if action == "observe" else TOOK_S
    return ServiceReport(service=name, action=action, standing=standing, took_s=took_s, observed_by="keeper")
