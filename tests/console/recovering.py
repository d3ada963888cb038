"""A fleet with services, stopped by a trigger, in every place that its recovery can come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from core.capabilities.firing import FireTrigger
from core.capabilities.recovery import AbortRecovery, HoldRecovery, Recover, RollBackRecovery
from core.capabilities.restoring import AdvanceRecovery, Seen
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.capabilities.services import AddService
from core.capabilities.triggers import AddTrigger
from core.messages import Actor
from core.recoveries import Recovery
from core.recovery_work import asked, work_of
from core.services import Standing
from core.state import Emergency
from core.triggers.sample import Input
from opsgate.selector import scope_text
from tests.console.desk import small_fleet
from tests.console.fleet import KEEPER, Fleet

WORKERS = [f"w-{number:02}" for number in range(1, 13)]
EVALUATOR = Actor(name="trigger:health", kind="system")
HEALTH = (81.0, 80.0, 78.0, 61.0, 55.0, 48.0, 44.0, 36.0, 31.0, 25.0)

SERVICES: Mapping[str, AddService] = {
    each.name: each
    for each in (
        AddService(name="db", driver="systemd", criticality=4, health={"kind": "tcp", "port": 5432}),
        AddService(name="cache", driver="process", criticality=2, depends_on=("db",)),
        AddService(name="api", driver="http", criticality=3, depends_on=("db", "cache"), health={"kind": "http"}),
        AddService(name="web", driver="http", criticality=3, depends_on=("api",)),
        AddService(name="mailer", driver="process", criticality=1, depends_on=("db",), host="mail-1"),
    )
}


def with_services() -> Fleet:
    """Five services that depend on each other, all running, and a trigger that watches their health."""
    fleet = small_fleet()
    for command in SERVICES.values():
        fleet.do(command)
    stand(fleet, dict.fromkeys(SERVICES, "running"))
    fleet.do(
        AddTrigger(
            name="health",
            trigger_type="health_score_critical",
            thresholds={"healthScore": 30.0},
            clear={"healthScore": 50.0},
            stop_level="cascading",
            priority=4,
        )
    )
    fleet.pass_time(60)
    return fleet


def fire(fleet: Fleet, stop_id: str = "S-1") -> None:
    """The trigger fires for the health that has fallen."""
    at = [fleet.now - timedelta(seconds=6 * number) for number in reversed(range(len(HEALTH)))]
    inputs = tuple(
        Input(metric="healthScore", value=value, at=moment, source="probe-1")
        for value, moment in zip(HEALTH, at, strict=True)
    )
    said = "healthScore 25 (threshold 30, last)"
    fleet.do(
        FireTrigger(trigger="health", stop_id=stop_id, value=said, samples=len(inputs), inputs=inputs), by=EVALUATOR
    )


def stand(fleet: Fleet, standings: Mapping[str, str], *, stop_id: str | None = None, action: str = "observe") -> None:
    """Somebody looks at services."""
    reports = tuple(
        ServiceReport.model_validate(
            {"service": name, "standing": standing, "action": action, "took_s": 0.4, "observed_by": "pidfd"}
        )
        for name, standing in standings.items()
    )
    recovery = recovery_of(fleet) if stop_id is None else None
    recovery_id = recovery.recovery_id if recovery and recovery.is_active else None
    fleet.do(ReportServices(reports=reports, stop_id=stop_id, recovery_id=recovery_id), by=KEEPER)


def stopping() -> Fleet:
    """Seven seconds into the stop: two tiers have stopped, the database hangs."""
    fleet = with_services()
    fire(fleet)
    fleet.pass_time(2)
    stand(fleet, {"web": "stopped", "mailer": "stopped"}, stop_id="S-1", action="stop")
    fleet.pass_time(5)
    stand(fleet, {"api": "stopped"}, stop_id="S-1", action="stop")
    stand(fleet, {"cache": "running"}, stop_id="S-1", action="stop")
    fleet.acknowledge(*WORKERS)
    return fleet


def stopped() -> Fleet:
    """All of it has stopped."""
    fleet = stopping()
    stand(fleet, {"cache": "stopped", "db": "stopped"}, stop_id="S-1", action="kill")
    fleet.conclude()
    fleet.pass_time(180)
    return fleet


def emergency_of(fleet: Fleet) -> Emergency:
    """The one emergency."""
    return max(fleet.latest().emergencies.values(), key=lambda each: each.opened_at)


def recovery_of(fleet: Fleet) -> Recovery | None:
    """Its recovery."""
    return emergency_of(fleet).recovery if fleet.latest().emergencies else None


def begin(fleet: Fleet, **said: object) -> None:
    """A person recovers it."""
    emergency = emergency_of(fleet)
    fleet.do(
        Recover.model_validate(
            {
                "emergency_id": emergency.emergency_id,
                "reason": "the probe was wrong",
                "confirm": scope_text(emergency.selectors),
                **said,
            }
        )
    )


def present(fleet: Fleet) -> Recovery:
    """The recovery that goes on."""
    recovery = recovery_of(fleet)
    assert recovery is not None
    assert recovery.is_active
    return recovery


def look(fleet: Fleet, standing: Standing | None = None) -> None:
    """What the present step is about is seen to be as it should, or to stand so."""
    recovery = present(fleet)
    work = work_of(fleet.latest(), recovery)
    wanted = "stopped" if recovery.present.kind == "prepare" or recovery.status == "rolling-back" else "running"
    if work.observe:
        stand(fleet, dict.fromkeys(work.observe, standing or wanted), action="start" if work.start else "observe")


def advance(fleet: Fleet, *, bad: str = "") -> None:
    """The keeper says what it saw: all is good, or `bad` is not."""
    recovery = present(fleet)
    checks = [Seen(name=name, verdict="good", detail="200 in 4 ms") for name in sorted(asked(fleet.latest(), recovery))]
    checks += [Seen(name=bad, verdict="bad", detail="503 Service Unavailable")] if bad else []
    watched_s = (fleet.now - recovery.step_at).total_seconds()
    fleet.do(
        AdvanceRecovery(
            recovery_id=recovery.recovery_id, step=recovery.step, checks=tuple(checks), watched_s=watched_s
        ),
        by=KEEPER,
    )


def through(fleet: Fleet, step: int) -> None:
    """Go on, everything being good, until this step begins."""
    while present(fleet).step < step:
        look(fleet)
        fleet.pass_time(present(fleet).present.wait_s)
        advance(fleet)


def at(kind: str, *, of: int = 0, passed_s: float = 5.0) -> Fleet:
    """A recovery at its first step of this kind, or one `of` those behind it, some seconds after it began."""
    fleet = stopped()
    begin(fleet)
    steps = [number for number, step in enumerate(present(fleet).steps) if step.kind == kind]
    through(fleet, steps[of])
    fleet.pass_time(passed_s)
    return fleet


def starting() -> Fleet:
    """The database is back, and what depends on it is on its way."""
    fleet = at("start", of=1, passed_s=1)
    stand(fleet, {"cache": "starting"}, action="start")
    fleet.pass_time(3)
    return fleet


def admitting() -> Fleet:
    """A quarter of the work runs."""
    fleet = at("admit", of=1, passed_s=10)
    look(fleet)
    fleet.pass_time(2)
    return fleet


def watching() -> Fleet:
    """All of it runs and is watched."""
    fleet = at("watch", passed_s=0)
    look(fleet)
    fleet.pass_time(100)
    return fleet


def held() -> Fleet:
    """A person has it stay where it is."""
    fleet = admitting()
    fleet.do(HoldRecovery(emergency_id=emergency_of(fleet).emergency_id, reason="look at the queue first"))
    fleet.pass_time(30)
    return fleet


def turning_back() -> Fleet:
    """A health check failed, and what was started is being stopped."""
    fleet = admitting()
    advance(fleet, bad="health of api")
    fleet.pass_time(4)
    stand(fleet, {"web": "stopped", "mailer": "stopped"}, action="stop")
    return fleet


def failed() -> Fleet:
    """It was turned back to its end, and waits for a person."""
    fleet = turning_back()
    stand(fleet, dict.fromkeys(("api", "cache", "db"), "stopped"), action="stop")
    advance(fleet)
    fleet.conclude()
    fleet.pass_time(60)
    return fleet


def rolled_back() -> Fleet:
    """A person turned it back on purpose, before anything was started."""
    fleet = at("check")
    fleet.do(RollBackRecovery(emergency_id=emergency_of(fleet).emergency_id, reason="not yet"))
    return fleet


def aborted() -> Fleet:
    """A person ended it."""
    fleet = at("check")
    fleet.do(AbortRecovery(emergency_id=emergency_of(fleet).emergency_id))
    return fleet


def completed() -> Fleet:
    """It came to its end."""
    fleet = watching()
    fleet.pass_time(300)
    look(fleet)
    advance(fleet)
    fleet.pass_time(60)
    return fleet


PHASES: Mapping[str, Callable[[], Fleet]] = {
    "stopping": stopping,
    "stopped": stopped,
    "validation": lambda: at("check"),
    "preparation": lambda: at("prepare"),
    "starting": starting,
    "admitting": admitting,
    "full-restore": lambda: at("admit", of=2, passed_s=0),
    "monitoring": watching,
    "held": held,
    "turning-back": turning_back,
    "failed": failed,
    "aborted": aborted,
    "rolled-back": rolled_back,
    "completed": completed,
}
"""Every place that a recovery can come to, by a word for it."""
