"""Recovery in steps: everything is looked at before, between and after; what fails turns back, and a stop wins."""

from datetime import timedelta

import pytest

from core.ack_times import AckTimes, ack_times
from core.automatic import RETRY_AFTER, automatic_recoveries
from core.capabilities.emergencies import OrderStop
from core.capabilities.firing import ClearTrigger, FireTrigger
from core.capabilities.procedures import RemoveProcedure, SetProcedure
from core.capabilities.recovery import (
    AbortRecovery,
    ContinueRecovery,
    HoldRecovery,
    Recover,
    RollBackRecovery,
    plan_of,
    why_not_automatic,
)
from core.capabilities.restoring import AdvanceRecovery, Seen
from core.capabilities.triggers import AddTrigger, RemoveTrigger, SetTrigger
from core.emergency_rules import Rules
from core.engine import Facts, RemoveLatch, WorkerFact, step
from core.errors import CommandRejected
from core.messages import Actor, Envelope
from core.procedures import Procedure, RampStep, described
from core.recoveries import PHASES, Phase
from core.recovery_work import Work, work_of
from opsgate.order import Level
from tests.specs.engine import Engine, on, said

GOOD = Seen(name="dependencies", verdict="good")
BAD = Seen(name="dependencies", verdict="bad", detail="dns is down")


class Incident(Engine):
    """Three services are stopped and seen to be: web needs api, api needs db."""

    def __init__(self, level: Level = "graceful") -> None:
        super().__init__()
        self.service("db")
        self.service("api", "db")
        self.service("web", "api", health={"kind": "tcp"})
        self.emergency_id = str(self.stop("S-1", level=level).emergency_id)
        for name in ("web", "api", "db"):
            self.report(name, "stopped")
        self.hold_id = self.stopped("S-1").hold_ids[0]

    def begin(self, procedure: str | None = None) -> None:
        """Recover it in steps."""
        self.recover(self.emergency_id, procedure=procedure)

    def see(self, *, watched_s: float = 1e6, **standings: str) -> None:
        """The keeper looks at each service, and at the step. What is not said runs once it has been started."""
        recovery = self.recovery(self.emergency_id)
        work = work_of(self.state, recovery)
        for name in work.observe:
            usual = "stopped" if recovery.present.kind == "prepare" or work.stop else "running"
            self.report(name, standings.get(name, usual), recovery_id=recovery.recovery_id)  # type: ignore[arg-type] # a standing
        health = (Seen(name=f"health of {name}", verdict="good") for name in work.health)
        asked = (GOOD,) if recovery.present.kind == "check" else ()
        if self.recovery(self.emergency_id).is_active:
            self.advance(self.emergency_id, *asked, *health, watched_s=watched_s)

    def until(self, phase: Phase) -> None:
        """Go on to the first step of a phase."""
        while self.recovery(self.emergency_id).phase != phase:
            self.see()

    @property
    def status(self) -> str:
        """Of the recovery."""
        return self.recovery(self.emergency_id).status

    @property
    def attention(self) -> str:
        """What the emergency says to people."""
        return self.state.emergencies[self.emergency_id].attention


@pytest.fixture
def engine() -> Incident:
    return Incident()


# ------------------------------------------------------------------------------------------------------------ the plan


def test_the_plan_has_the_five_phases_and_brings_services_back_in_reverse(engine: Incident) -> None:
    emergency = engine.state.emergencies[engine.emergency_id]
    plan = plan_of(engine.state, emergency, "standard_recovery")

    assert tuple(dict.fromkeys(step.phase for step in plan)) == PHASES
    assert [described(step) for step in plan] == [
        "check dependencies, within 30 s",
        "see that db, api, web are stopped, within 30 s",
        "start db, within 60 s, then watch for 2 s",
        "start api, within 60 s, then watch for 2 s",
        "start web, within 60 s, then watch for 2 s",
        "admit 5% of the work, watch for 30 s",
        "admit 25% of the work, watch for 30 s",
        "admit 100% of the work",
        "watch for 300 s, then release its holds",
    ]


@pytest.mark.parametrize(
    ("level", "procedure"),
    [
        ("immediate", "critical_recovery"),
        ("maintenance", "maintenance_recovery"),
        ("graceful", "standard_recovery"),
        ("cascading", "standard_recovery"),
    ],
)
def test_the_procedure_is_chosen_by_the_level(level: Level, procedure: str) -> None:
    engine = Incident(level)
    engine.begin()

    assert engine.recovery(engine.emergency_id).procedure == procedure


def test_what_is_set_for_the_keeper_goes_where_a_procedure_says_nothing(engine: Incident) -> None:
    emergency = engine.state.emergencies[engine.emergency_id]
    rules = Rules(validation_timeout_s=7.0, monitor_s=11.0)
    engine.do(SetProcedure(procedure=Procedure(name="own", monitor_s=5.0)))

    standard = plan_of(engine.state, emergency, "standard_recovery", rules)
    own = plan_of(engine.state, emergency, "own", rules)

    assert (standard[0].timeout_s, standard[-1].wait_s) == (7.0, 11.0)
    assert (own[0].timeout_s, own[-1].wait_s) == (7.0, 5.0)


def test_a_fleets_own_procedure_goes_before_a_built_in_one_and_may_be_taken_away(engine: Incident) -> None:
    quick = Procedure(name="standard_recovery", ramp=(RampStep(admit=1.0, wait_s=0.0),))
    engine.do(SetProcedure(procedure=quick))
    emergency = engine.state.emergencies[engine.emergency_id]

    assert len(plan_of(engine.state, emergency, "standard_recovery")) == 7
    assert not engine.do(SetProcedure(procedure=quick)).changed
    engine.do(RemoveProcedure(name="standard_recovery"))
    assert len(plan_of(engine.state, emergency, "standard_recovery")) == 9
    assert engine.refused(RemoveProcedure(name="standard_recovery")) == "procedure-built-in"
    assert engine.refused(RemoveProcedure(name="nonsense")) == "unknown-procedure"
    confirmed = Recover(emergency_id=engine.emergency_id, reason="x", confirm="all", procedure="nonsense")
    assert engine.refused(confirmed) == "unknown-procedure"


@pytest.mark.parametrize("shares", [(0.5,), (0.5, 0.5, 1.0), (0.5, 0.25, 1.0)])
def test_a_ramp_rises_to_all_of_it(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="rises with every step and ends"):
        Procedure(name="x", ramp=tuple(RampStep(admit=share, wait_s=0.0) for share in shares))


def test_no_procedure_takes_the_name_of_the_one_without_steps() -> None:
    with pytest.raises(ValueError, match="has no steps"):
        Procedure(name="direct_recovery")


# ------------------------------------------------------------------------------------------------------------ the way


def test_a_recovery_goes_through_its_phases_and_ends_the_emergency(engine: Incident) -> None:
    engine.begin()
    admitted, phases = [], []
    while engine.state.emergencies[engine.emergency_id].status == "active":
        phases.append(engine.recovery(engine.emergency_id).phase)
        admitted.append(engine.hold(engine.hold_id).admit)
        assert not engine.effects
        engine.see()

    assert tuple(dict.fromkeys(phases)) == PHASES
    assert admitted == [0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.25, 1.0, 1.0]
    assert engine.status == "completed"
    assert engine.runs(site="s1")
    assert engine.effects == [RemoveLatch("S-1")]
    assert engine.hold_id not in engine.state.holds


def test_services_start_one_tier_after_the_other_and_each_is_seen_to_run_first(engine: Incident) -> None:
    engine.begin()
    engine.until("gradual_restore")
    order = []
    while work := work_of(engine.state, engine.recovery(engine.emergency_id)).start:
        order.append(work)
        engine.advance(engine.emergency_id)
        assert work_of(engine.state, engine.recovery(engine.emergency_id)).start == work
        engine.see()

    assert order == [("db",), ("api",), ("web",)]


def test_an_observation_from_before_a_step_proves_nothing_in_it(engine: Incident) -> None:
    engine.begin()
    engine.until("preparation")

    engine.advance(engine.emergency_id)

    assert engine.recovery(engine.emergency_id).phase == "preparation"


def test_a_step_is_over_only_when_it_was_watched_for_long_enough_without_a_break(engine: Incident) -> None:
    engine.begin()
    engine.until("monitoring")
    engine.wait(10_000)
    engine.see(watched_s=299.9)
    assert engine.status == "running"

    engine.see(watched_s=300)
    assert engine.status == "completed"


def test_the_health_that_a_procedure_asks_for_must_be_said(engine: Incident) -> None:
    engine.begin()
    engine.until("monitoring")
    for name in ("db", "api", "web"):
        engine.report(name, "running", recovery_id=engine.recovery(engine.emergency_id).recovery_id)

    engine.advance(engine.emergency_id)
    assert engine.status == "running"
    engine.advance(engine.emergency_id, Seen(name="health of web", verdict="waiting"))
    assert engine.status == "running"
    engine.advance(engine.emergency_id, Seen(name="health of web", verdict="good"))
    assert engine.status == "completed"


def test_what_is_about_another_step_changes_nothing(engine: Incident) -> None:
    engine.begin()
    recovery_id = engine.recovery(engine.emergency_id).recovery_id
    before = engine.state

    for wrong in ({"step": 1}, {"recovery_id": "R-1"}):
        seen = {"recovery_id": recovery_id, "step": 0, "checks": (BAD,)} | wrong
        late = engine.do(AdvanceRecovery.model_validate(seen), by="keeper", kind="system")
        assert not late.changed
    assert engine.state is before


def test_a_recovery_brings_back_work_alone_where_no_service_was_stopped() -> None:
    engine = Engine()
    emergency_id = str(engine.stop("S-1").emergency_id)
    engine.recover(emergency_id, procedure="standard_recovery")
    shares = []
    while engine.state.emergencies[emergency_id].status == "active":
        engine.advance(emergency_id, GOOD)
        shares += [hold.admit for hold in engine.state.holds.values()]

    assert sorted(set(shares)) == [0.0, 0.05, 0.25, 1.0]


def test_a_second_recovery_does_not_begin_beside_the_first(engine: Incident) -> None:
    engine.begin()
    again = Recover(emergency_id=engine.emergency_id, reason="x", confirm="all")

    assert engine.refused(again) == "recovery-running"


def test_only_the_engine_advances(engine: Incident) -> None:
    engine.begin()

    assert engine.refused(AdvanceRecovery(recovery_id="R-1", step=0)) == "system-only"


# -------------------------------------------------------------------------------------------------------- turning back


@pytest.mark.parametrize("phase", PHASES)
def test_a_step_that_fails_turns_back_holds_first_and_says_that_a_person_is_needed(phase: Phase) -> None:
    engine = Incident()
    engine.begin()
    engine.until(phase)
    begun = engine.recovery(engine.emergency_id).attempted

    engine.advance(engine.emergency_id, BAD)

    assert not engine.runs(site="s1")
    assert engine.hold(engine.hold_id).admit == 0.0
    if begun:
        assert engine.status == "rolling-back"
        assert set(engine.stopped("S-1").missing) == {f"service:{name}" for name in begun}
        while engine.status == "rolling-back":
            engine.see()
    assert engine.status == "failed"
    assert engine.attention == "manual intervention needed: dependencies: dns is down"
    assert (engine.stopped("S-1").result, engine.stopped("S-1").missing) == ("verified", ())
    assert engine.state.emergencies[engine.emergency_id].status == "active"


def test_what_was_restored_stops_again_dependants_first(engine: Incident) -> None:
    engine.begin()
    engine.until("full_restore")
    engine.advance(engine.emergency_id, BAD)

    turns = []
    while engine.status == "rolling-back":
        turns.append(work_of(engine.state, engine.recovery(engine.emergency_id)).stop)
        engine.see()

    assert turns == [("web",), ("api",), ("db",)]


def test_one_that_cannot_be_stopped_again_holds_up_no_other_and_is_named(engine: Incident) -> None:
    engine.begin()
    engine.until("full_restore")
    engine.advance(engine.emergency_id, BAD)
    recovery = engine.recovery(engine.emergency_id)

    assert work_of(engine.state, recovery, {"web"}) == Work(observe=("web", "api"), stop=("web", "api"))
    for name, standing in (("web", "not-stopped"), ("api", "stopped"), ("db", "stopped")):
        engine.report(name, standing, recovery_id=recovery.recovery_id)  # type: ignore[arg-type] # a standing
    engine.advance(engine.emergency_id)
    assert engine.status == "rolling-back"
    engine.advance(engine.emergency_id, given_up=True)

    assert engine.status == "failed"
    assert engine.recovery(engine.emergency_id).left == ("web",)
    assert engine.attention.endswith("; NOT STOPPED again: web")
    assert (engine.stopped("S-1").result, engine.stopped("S-1").missing) == ("partial", ("service:web",))


def test_a_step_that_takes_too_long_fails_and_names_what_it_waited_for(engine: Incident) -> None:
    engine.begin()
    engine.until("gradual_restore")
    engine.wait(61.9)
    engine.advance(engine.emergency_id, Seen(name="db", verdict="waiting", detail="starting"))
    assert engine.status == "running"
    engine.wait(0.1)
    engine.advance(engine.emergency_id, Seen(name="db", verdict="waiting", detail="starting"))

    assert engine.status == "rolling-back"
    assert engine.recovery(engine.emergency_id).why == "step 3 took over 60 s: db: starting"


def test_a_service_that_falls_while_it_is_watched_turns_all_of_it_back(engine: Incident) -> None:
    engine.begin()
    engine.until("monitoring")
    engine.report("api", "failed")
    engine.advance(engine.emergency_id)

    assert engine.status == "rolling-back"
    assert engine.recovery(engine.emergency_id).why == "api is seen failed"


def test_a_critical_recovery_wants_every_stop_verified() -> None:
    engine = Incident("immediate")
    engine.report("db", "running")
    engine.begin()
    engine.advance(engine.emergency_id, GOOD)

    assert engine.attention == "manual intervention needed: verified: S-1 is partial"


def test_maintenance_comes_back_with_the_state_that_was_saved() -> None:
    engine = Incident("maintenance")
    engine.begin()
    engine.advance(engine.emergency_id, GOOD)
    assert engine.attention.endswith("saved-state: db has saved none")

    for name in ("db", "api", "web"):
        engine.report(name, None, action="save-state", saved=f"/saved/{name}", stop_id="S-1")
    engine.begin()
    assert engine.attention == ""
    engine.until("monitoring")
    assert all(step.restores for step in engine.recovery(engine.emergency_id).steps if step.kind == "start")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("verb", "ends_as"), [(AbortRecovery, "aborted"), (RollBackRecovery, "rolled-back")])
def test_a_person_turns_it_back_in_any_phase(
    phase: Phase, verb: type[AbortRecovery] | type[RollBackRecovery], ends_as: str
) -> None:
    engine = Incident()
    engine.begin()
    engine.until(phase)

    engine.do(verb(emergency_id=engine.emergency_id))
    again = engine.do(verb(emergency_id=engine.emergency_id)) if engine.status == "rolling-back" else None
    while engine.status == "rolling-back":
        engine.see()

    assert again is None or not again.changed
    assert engine.status == ends_as
    assert engine.attention == ""
    assert not engine.runs()
    assert engine.refused(verb(emergency_id=engine.emergency_id)) == "no-recovery"


def test_a_recovery_that_is_held_stays_where_it_is_and_is_watched_all_the_same(engine: Incident) -> None:
    engine.begin()
    engine.until("full_restore")
    engine.do(HoldRecovery(emergency_id=engine.emergency_id, reason="lunch"))
    step = engine.recovery(engine.emergency_id).step
    engine.wait(1e6)
    engine.see()
    assert (engine.status, engine.recovery(engine.emergency_id).step) == ("held", step)

    engine.do(ContinueRecovery(emergency_id=engine.emergency_id))
    engine.advance(engine.emergency_id)
    assert engine.recovery(engine.emergency_id).step == step  # nobody has looked since it went on
    engine.see()
    assert engine.recovery(engine.emergency_id).step == step + 1
    engine.do(HoldRecovery(emergency_id=engine.emergency_id))
    engine.advance(engine.emergency_id, BAD)
    assert engine.status == "rolling-back"


def test_a_program_continues_nothing(engine: Incident) -> None:
    engine.begin()
    engine.do(HoldRecovery(emergency_id=engine.emergency_id), kind="automation")

    assert engine.refused(ContinueRecovery(emergency_id=engine.emergency_id), kind="automation") == "person-only"


# -------------------------------------------------------------------------------------------------------- a stop wins


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("scope", [{}, {"service": "db"}, {"site": "s1"}])
def test_a_stop_in_any_phase_turns_the_recovery_back_in_the_same_decision(phase: Phase, scope: dict[str, str]) -> None:
    engine = Incident()
    engine.begin()
    engine.until(phase)
    revision = engine.state.revision

    receipt = engine.stop("S-2", on(**scope))

    assert "recovery.aborted" in engine.kinds(receipt)
    assert receipt.revision == revision + len(receipt.events)
    assert not any(hold.admit for hold in engine.state.holds.values())
    assert not engine.runs(site="s1")
    assert engine.status in {"rolling-back", "aborted"}
    assert engine.recovery(engine.emergency_id).why == "stop S-2 came"
    while engine.status == "rolling-back":
        engine.see()
    assert engine.status == "aborted"


def test_the_new_stop_counts_what_it_drives_while_the_recovery_turns_back(engine: Incident) -> None:
    engine.begin()
    engine.until("monitoring")
    engine.stop("S-2")
    assert set(engine.stopped("S-2").missing) == {"service:db", "service:api", "service:web"}

    for name in ("web", "api", "db"):
        engine.report(name, "stopped", action="kill", stop_id="S-2")

    assert engine.stopped("S-2").result == "verified"
    engine.advance(engine.emergency_id)
    assert engine.status == "aborted"


def test_what_was_let_through_has_to_stop_as_well_once_nothing_is_let_through_any_more(engine: Incident) -> None:
    """Workers acknowledged the work that ran when they were stopped. What the ramp admitted runs since."""
    engine.live = (WorkerFact("w1"),)
    assert engine.stop("S-2", level="graceful").emergency_id == engine.emergency_id
    for name in ("web", "api", "db"):
        engine.report(name, "stopped", stop_id="S-2")
    engine.count("S-2", "w1")
    assert engine.stopped("S-2").result == "verified"
    engine.begin("standard_recovery")
    while not engine.recovery(engine.emergency_id).admit:
        engine.see()

    engine.do(AbortRecovery(emergency_id=engine.emergency_id))
    engine.count("S-2", "w1", since=0)

    anew = engine.stopped("S-2")
    assert (anew.result, anew.unacked) == ("pending", ("w1",)), "that was said of what ran before"
    while engine.status == "rolling-back":
        engine.see()
    engine.count("S-2", "w1")
    assert engine.stopped("S-2").unacked == ()


def test_a_stop_that_is_counted_anew_keeps_how_long_it_took_to_be_acknowledged(engine: Incident) -> None:
    """Acknowledgements of work that a recovery let through come long after the order, which says nothing of workers."""
    engine.live = (WorkerFact("w1"),)
    engine.stop("S-2", level="graceful")
    for name in ("web", "api", "db"):
        engine.report(name, "stopped", stop_id="S-2")
    engine.count("S-2", "w1", times=ack_times({"w1": 0.4}))
    engine.begin("standard_recovery")
    while not engine.recovery(engine.emergency_id).admit:
        engine.see()
    engine.do(AbortRecovery(emergency_id=engine.emergency_id))
    while engine.status == "rolling-back":
        engine.see()

    engine.count("S-2", "w1", times=ack_times({"w1": 41.0}))

    anew = engine.stopped("S-2")
    assert (anew.result, anew.unacked, anew.ack_times) == ("verified", (), AckTimes(1, 0.4, 0.4, 0.4, "w1"))
    assert anew.took_ms is None, "nor does it say how long the stop took, and no average counts it"


def test_an_acknowledgement_stands_where_nothing_was_let_through(engine: Incident) -> None:
    engine.begin()
    engine.until("gradual_restore")
    before = engine.stopped("S-1").recounted_revision

    engine.do(AbortRecovery(emergency_id=engine.emergency_id))

    assert engine.stopped("S-1").recounted_revision == before


@pytest.mark.parametrize("how", ["a stop", "a person"])
def test_what_was_seen_before_it_was_turned_back_does_not_say_that_anything_has_stopped(
    engine: Incident, how: str
) -> None:
    """A service that was being started was looked at before it ran, and that is reported when nothing may run."""
    engine.begin()
    engine.until("gradual_restore")
    looked = engine.recovery(engine.emergency_id)

    if how == "a stop":
        engine.stop("S-2", on(service="db"))
    else:
        engine.do(AbortRecovery(emergency_id=engine.emergency_id))
    engine.report("db", "stopped", recovery_id=looked.recovery_id, step_revision=looked.step_revision)
    engine.advance(engine.emergency_id, step_revision=looked.step_revision)

    assert engine.status == "rolling-back"
    assert "service:db" in engine.stopped("S-1").missing
    assert how == "a person" or engine.stopped("S-2").missing == ("service:db",)
    turned = engine.recovery(engine.emergency_id)
    engine.report("db", "stopped", recovery_id=turned.recovery_id, step_revision=turned.step_revision)
    engine.advance(engine.emergency_id, step_revision=turned.step_revision)
    assert engine.status == "aborted"
    assert engine.stopped("S-1").result == "verified"


def test_that_something_runs_is_believed_however_late_it_is_said(engine: Incident) -> None:
    engine.begin()
    engine.until("gradual_restore")
    looked = engine.recovery(engine.emergency_id)
    engine.do(AbortRecovery(emergency_id=engine.emergency_id))
    engine.see()
    assert (engine.status, engine.stopped("S-1").result) == ("aborted", "verified")

    for standing in ("stopped", "running", "stopped"):
        engine.report("db", standing, recovery_id=looked.recovery_id, step_revision=looked.step_revision)

    assert engine.stopped("S-1").result == "partial"


def test_what_was_watched_before_a_step_began_anew_does_not_count_in_it(engine: Incident) -> None:
    engine.begin()
    engine.until("monitoring")
    before = engine.recovery(engine.emergency_id).step_revision
    engine.do(HoldRecovery(emergency_id=engine.emergency_id))
    engine.do(ContinueRecovery(emergency_id=engine.emergency_id))
    for name in ("db", "api", "web"):
        engine.report(name, "running", recovery_id=engine.recovery(engine.emergency_id).recovery_id)
    health = Seen(name="health of web", verdict="good")

    engine.advance(engine.emergency_id, health, step_revision=before)

    assert engine.status == "running"
    engine.advance(engine.emergency_id, health, step_revision=engine.recovery(engine.emergency_id).step_revision)
    assert engine.status == "completed"


def test_a_stop_of_something_else_leaves_a_recovery_alone() -> None:
    engine = Engine()
    engine.service("web", labels={"site": "s1"})
    emergency_id = str(engine.stop("S-1", on(site="s1")).emergency_id)
    engine.report("web", "stopped")
    engine.recover(emergency_id, "site=s1")

    engine.stop("S-2", on(site="s2"))

    assert engine.recovery(emergency_id).status == "running"


# ------------------------------------------------------------------------------------------------------------ by itself


HIGH = AddTrigger(name="T-1", trigger_type="health_score_critical", thresholds={"healthScore": 30}, auto_recover=True)


def fired(engine: Engine, **fields: object) -> str:
    """An emergency that a trigger fired which may recover, and has come back from; everything is seen to be stopped."""
    emergency_id = ordered(engine, **fields)
    if not fields:
        engine.do(FireTrigger(trigger="T-1", stop_id="S-1", value="12 < 30"), kind="system")
        engine.do(ClearTrigger(trigger="T-1", value="40", sampled=True), kind="system")
    return emergency_id


def ordered(engine: Engine, **fields: object) -> str:
    """The same, where nobody has recorded yet that the trigger fired."""
    engine.service("web")
    engine.do(HIGH)
    said = {"stop_id": "S-1", "selectors": (on(),), "level": "graceful", "trigger": "T-1", "auto_recover": True}
    wanted = OrderStop.model_validate(said | fields)
    receipt = engine.do(wanted, by="trigger:T-1", kind="automation")
    engine.report("web", "stopped")
    return str(receipt.emergency_id)


def automatic(emergency_id: str) -> Recover:
    return Recover(emergency_id=emergency_id, reason="it is over", automatic=True)


def test_an_emergency_recovers_by_itself_where_its_trigger_may() -> None:
    engine = Engine()
    emergency_id = fired(engine)

    engine.do(automatic(emergency_id), by="keeper", kind="system")

    assert engine.recovery(emergency_id).automatic
    assert engine.refused(automatic(emergency_id), kind="automation") == "system-only"


def test_what_is_named_directly_never_happens_by_itself() -> None:
    engine = Engine()
    emergency_id = fired(engine)
    wanted = automatic(emergency_id).model_copy(update={"procedure": "direct_recovery"})

    engine.do(wanted, by="keeper", kind="system")

    assert engine.recovery(emergency_id).procedure == "standard_recovery"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"auto_recover": False}, "not every stop of it was fired by a trigger that may recover"),
        ({"trigger": None}, "not every stop of it was fired by a trigger that may recover"),
        ({"level": "immediate"}, "an immediate stop is recovered by people"),
    ],
)
def test_some_never_do(fields: dict[str, object], why: str) -> None:
    engine = Engine()
    emergency_id = fired(engine, **fields)

    assert why_not_automatic(engine.state, engine.state.emergencies[emergency_id]) == why
    assert engine.refused(automatic(emergency_id), kind="system") == "not-automatic"


def test_a_persons_stop_that_joins_is_recovered_by_people() -> None:
    engine = Engine()
    emergency_id = fired(engine)
    engine.stop("S-2", on(site="s1"))

    assert why_not_automatic(engine.state, engine.state.emergencies[emergency_id]).startswith("not every stop")


def test_nothing_recovers_before_its_trigger_has_come_back_nor_once_that_may_not_any_more() -> None:
    engine = Engine()
    emergency_id = fired(engine)
    engine.do(FireTrigger(trigger="T-1", stop_id="S-2", value="12 < 30"), kind="system")
    emergency = engine.state.emergencies[emergency_id]
    assert why_not_automatic(engine.state, emergency) == "T-1 has not come back"

    engine.do(ClearTrigger(trigger="T-1", value="40", sampled=True), kind="system")
    assert why_not_automatic(engine.state, emergency) == ""
    engine.do(RemoveTrigger(trigger="T-1"))
    assert why_not_automatic(engine.state, emergency).startswith("not every stop")


def test_a_trigger_that_is_changed_or_switched_off_has_not_come_back() -> None:
    """What it crossed for may go on: nobody has seen that it does not."""
    engine = Engine()
    emergency_id = fired(engine)
    engine.do(FireTrigger(trigger="T-1", stop_id="S-2", value="12 < 30"), kind="system")
    emergency = engine.state.emergencies[emergency_id]

    engine.do(HIGH.model_copy(update={"title": "Health"}))
    assert why_not_automatic(engine.state, emergency) == "T-1 has not come back"
    engine.do(SetTrigger(trigger="T-1", active=False))
    assert why_not_automatic(engine.state, emergency) == "T-1 is switched off: nobody sees whether it has come back"
    engine.do(SetTrigger(trigger="T-1", active=True))
    assert why_not_automatic(engine.state, emergency) == "T-1 has not come back"
    engine.do(ClearTrigger(trigger="T-1", value="40", sampled=True), kind="system")
    assert why_not_automatic(engine.state, emergency) == ""


def test_silence_is_no_reason_to_recover_and_neither_is_a_crossing_that_nobody_has_recorded() -> None:
    """What has stopped sends nothing. A good sample after that is what is waited for."""
    engine = Engine()
    emergency_id = ordered(engine)
    emergency = engine.state.emergencies[emergency_id]
    unseen = "no sample says that T-1 has come back"
    assert why_not_automatic(engine.state, emergency) == unseen

    engine.do(FireTrigger(trigger="T-1", stop_id="S-1", value="12 < 30"), kind="system")
    engine.do(ClearTrigger(trigger="T-1"), kind="system")
    assert engine.state.triggers["T-1"].crossed_since is None
    assert why_not_automatic(engine.state, emergency) == unseen
    assert engine.refused(automatic(emergency_id), kind="system") == "not-automatic"

    engine.do(ClearTrigger(trigger="T-1", value="40", sampled=True), kind="system")
    assert why_not_automatic(engine.state, emergency) == ""
    engine.do(automatic(emergency_id), by="keeper", kind="system")
    assert engine.recovery(emergency_id).automatic


def test_it_begins_a_minute_after_all_has_stopped_and_a_minute_after_a_try_that_failed() -> None:
    engine = Engine()
    emergency_id = fired(engine)
    stopped_at = engine.stopped("S-1").concluded_at
    assert stopped_at is not None
    assert list(automatic_recoveries(engine.state, stopped_at + RETRY_AFTER - timedelta(seconds=1))) == []

    (wanted,) = automatic_recoveries(engine.state, stopped_at + RETRY_AFTER)

    assert (wanted.emergency_id, wanted.reason, wanted.automatic) == (emergency_id, "T-1 came back", True)
    engine.wait(3600)
    engine.do(wanted, by="keeper", kind="system")
    engine.advance(emergency_id, BAD)
    failed_at = engine.recovery(emergency_id).ended_at
    assert failed_at is not None
    assert list(automatic_recoveries(engine.state, failed_at + RETRY_AFTER - timedelta(seconds=1))) == []
    assert list(automatic_recoveries(engine.state, failed_at + RETRY_AFTER)) == [wanted]


def test_a_stop_that_is_not_verified_recovers_by_nobody_but_people() -> None:
    engine = Engine()
    fired(engine)
    engine.report("web", "running")

    assert list(automatic_recoveries(engine.state, engine.now + timedelta(hours=1))) == []


def test_it_is_tried_three_times_and_then_waits_for_a_person() -> None:
    engine = Engine()
    emergency_id = fired(engine)
    for number in (1, 2, 3):
        engine.do(automatic(emergency_id), by="keeper", kind="system")
        assert engine.state.emergencies[emergency_id].tries == number
        engine.advance(emergency_id, BAD)

    assert engine.refused(automatic(emergency_id), kind="system") == "not-automatic"
    assert why_not_automatic(engine.state, engine.state.emergencies[emergency_id]) == "it was tried 3 times"
    engine.recover(emergency_id)
    assert engine.recovery(emergency_id).by == "ana"


@pytest.mark.parametrize("verb", [AbortRecovery, RollBackRecovery])
def test_what_a_person_turned_back_is_not_tried_again(verb: type[AbortRecovery] | type[RollBackRecovery]) -> None:
    engine = Engine()
    emergency_id = fired(engine)
    engine.do(automatic(emergency_id), by="keeper", kind="system")
    engine.do(verb(emergency_id=emergency_id))

    assert "a person has decided" in why_not_automatic(engine.state, engine.state.emergencies[emergency_id])


def test_what_could_not_be_stopped_again_waits_for_a_person() -> None:
    engine = Engine()
    emergency_id = fired(engine)
    engine.do(automatic(emergency_id), by="keeper", kind="system")
    engine.advance(emergency_id, GOOD)
    engine.report("web", "stopped", recovery_id=engine.recovery(emergency_id).recovery_id)
    engine.advance(emergency_id)
    engine.advance(emergency_id, BAD)
    engine.advance(emergency_id, given_up=True)

    assert why_not_automatic(engine.state, engine.state.emergencies[emergency_id]) == "web could not be stopped again"


def test_the_setting_is_a_permission() -> None:
    engine = Engine()
    emergency_id = fired(engine)
    envelope = Envelope(
        command_id="c1", actor=Actor(name="keeper", kind="system"), door="keeper", command=automatic(emergency_id)
    )

    with pytest.raises(CommandRejected, match="automatic recovery is off"):
        step(engine.state, envelope, engine.now, Facts(rules=Rules(automatic_recovery=False)))


def test_recovering_twice_says_who_did_it_and_a_clock_that_goes_back_ends_nothing_early(engine: Incident) -> None:
    engine.begin()
    engine.until("monitoring")
    engine.now -= timedelta(hours=1)
    engine.see(watched_s=10)
    assert engine.status == "running"
    engine.see()

    assert "was recovered at" in said(engine.recover(engine.emergency_id))
