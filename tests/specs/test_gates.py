"""Metric gates: a recovery goes on only while what is measured says so, and proves it by samples."""

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from core import checkpoint
from core.capabilities.procedures import SetProcedure
from core.capabilities.recovery import ContinueRecovery, HoldRecovery
from core.capabilities.restoring import Seen
from core.engine import fold
from core.gates import MetricGate, judged
from core.procedures import BUILT_IN, GateOn, Procedure, RampStep, described, metrics_of
from core.state import State
from core.triggers.definition import Definition
from core.watched import Curve, curves, listened
from tests.specs.test_recovery_steps import Incident

ERRORS = MetricGate("err_rate", "<", 0.01, min_samples=3)


@pytest.mark.parametrize(
    ("gate", "values", "is_well", "detail"),
    [
        (ERRORS, [0.0, 0.005, 0.01], True, "0.005 by 3 samples"),
        (ERRORS, [0.0, 0.0, 0.03], False, "0.01 by 3 samples"),
        (ERRORS, [0.5, 0.5], None, "2 of 3 samples"),
        (ERRORS, [], None, "0 of 3 samples"),
        (MetricGate("err_rate", "<", 0.01, missing="pass"), [], True, "0 of 1 samples, and may pass"),
        (MetricGate("err_rate", "<", 0.01, missing="pass"), [0.5], False, "0.5 by 1 samples"),
        (MetricGate("score", ">=", 80.0, "least"), [90.0, 79.0, 90.0], False, "79 by 3 samples"),
        (MetricGate("score", ">=", 80.0, "last"), [10.0, 80.0], True, "80 by 2 samples"),
        (MetricGate("latency", "<=", 2.0, "most"), [1.0, 2.0], True, "2 by 2 samples"),
    ],
)
def test_a_gate_says_yes_no_or_that_nothing_proves_it(
    gate: MetricGate, values: list[float], is_well: bool | None, detail: str
) -> None:
    found = judged(gate, values)

    assert (found.is_well, found.detail) == (is_well, detail)
    assert (found.value is None) == ("samples" in detail and " by " not in detail)


def test_what_was_measured_before_its_step_is_not_looked_at() -> None:
    assert ERRORS.since_s(step_at_s=100.0, now_s=110.0) == 100.0
    assert ERRORS.since_s(step_at_s=100.0, now_s=190.0) == 130.0


@pytest.mark.parametrize(
    ("must", "name"),
    [
        ("err_rate < 0.01", "err_rate < 0.01"),
        ("healthScore>=80", "healthScore >= 80"),
        ("queue:depth.p99   <=   -1.5", "queue:depth.p99 <= -1.5"),
    ],
)
def test_a_gate_is_written_as_it_is_said(must: str, name: str) -> None:
    assert GateOn(must=must).gate().name == name


@pytest.mark.parametrize(
    "must", ["", "err_rate", "err_rate < ", "err_rate = 1", "0.01 > err_rate", "a < 1 b", "a < inf"]
)
def test_what_compares_no_metric_with_a_number_is_no_gate(must: str) -> None:
    with pytest.raises(ValidationError, match="compares no metric with a number"):
        GateOn(must=must)


WATCHED = Procedure(
    name="watched",
    metrics=(GateOn(must="err_rate < 0.01", min_samples=3),),
    ramp=(
        RampStep(admit=0.05, wait_s=30.0, metrics=(GateOn(must="latency < 2", measure="most"),)),
        RampStep(admit=1.0, wait_s=0.0, metrics=(GateOn(must="score >= 80", account="a1"),)),
    ),
)

GOOD = Seen(name="err_rate < 0.01", verdict="good", detail="0.002 by 9 samples", value=0.002)


@pytest.fixture
def engine() -> Incident:
    engine = Incident()
    engine.do(SetProcedure(procedure=WATCHED))
    return engine


def see(engine: Incident, *seen: Seen, watched_s: float = 1e6) -> None:
    """Everything runs and is well, and this was measured."""
    for name in ("db", "api", "web"):
        engine.report(name, "running", recovery_id=engine.recovery(engine.emergency_id).recovery_id)
    well = Seen(name="health of web", verdict="good")
    engine.advance(engine.emergency_id, well, *seen, watched_s=watched_s)


def at_the_ramp(engine: Incident) -> None:
    engine.begin("watched")
    while engine.recovery(engine.emergency_id).present.kind != "admit":
        engine.see()


def good(engine: Incident) -> list[Seen]:
    """All that is measured in the present step is good."""
    gates = engine.recovery(engine.emergency_id).present.metrics
    return [Seen(name=gate.name, verdict="good", value=0.0) for gate in gates]


def test_gates_hold_in_their_step_those_of_the_procedure_in_all_and_the_last_ones_to_the_end(engine: Incident) -> None:
    at_the_ramp(engine)
    steps = engine.recovery(engine.emergency_id).steps

    assert [described(step) for step in steps[-3:]] == [
        "admit 5% of the work, watch for 30 s while err_rate < 0.01, most latency < 2",
        "admit 100% of the work while err_rate < 0.01, score of a1 >= 80",
        "watch for 300 s while err_rate < 0.01, score of a1 >= 80, then release its holds",
    ]
    assert not any(step.metrics for step in steps[:-3])


def test_a_step_with_a_gate_does_not_go_on_before_the_gate_is_said_to_be_good(engine: Incident) -> None:
    at_the_ramp(engine)
    before = engine.recovery(engine.emergency_id).step

    see(engine)
    see(engine, GOOD, Seen(name="most latency < 2", verdict="waiting", detail="0 of 1 samples"))
    assert engine.recovery(engine.emergency_id).step == before

    see(engine, *good(engine))
    assert engine.recovery(engine.emergency_id).step == before + 1


def test_a_gate_without_samples_waits_for_its_time_and_then_has_the_recovery_held_for_a_person(
    engine: Incident,
) -> None:
    at_the_ramp(engine)
    latency = Seen(name="most latency < 2", verdict="good")

    def missing(seconds: float) -> Seen:
        return Seen(name="err_rate < 0.01", verdict="waiting", detail="0 of 3 samples", missing_s=seconds)

    see(engine, latency, missing(599.0))
    assert engine.recovery(engine.emergency_id).status == "running"
    see(engine, latency, missing(600.0))

    recovery = engine.recovery(engine.emergency_id)
    assert (recovery.status, recovery.admit) == ("held", 0.05)
    assert recovery.why == "err_rate < 0.01: 0 of 3 samples, and no more for 600 s"
    engine.do(ContinueRecovery(emergency_id=engine.emergency_id), by="ana")
    assert (engine.recovery(engine.emergency_id).status, engine.recovery(engine.emergency_id).why) == ("running", "")


def test_what_waits_for_a_second_look_at_a_gate_is_no_lack_of_samples(engine: Incident) -> None:
    at_the_ramp(engine)

    see(engine, Seen(name="err_rate < 0.01", verdict="waiting", detail="0.2 by 9 samples", value=0.2))

    assert engine.recovery(engine.emergency_id).status == "running"


def test_the_journal_has_the_value_with_which_a_step_was_done(engine: Incident) -> None:
    at_the_ramp(engine)
    see(engine, GOOD, Seen(name="most latency < 2", verdict="good", detail="1.5 by 4 samples", value=1.5))

    done = engine.journal[-2].event.model_dump()

    assert done["kind"] == "recovery.step-done" or engine.journal[-3].event.kind == "recovery.step-done"
    assert "[ok] err_rate < 0.01: 0.002 by 9 samples" in engine.recovery(engine.emergency_id).checks


@pytest.mark.parametrize("held", [False, True])
def test_a_gate_that_fails_turns_the_recovery_back_even_in_monitoring_and_when_it_is_held(
    engine: Incident, held: bool
) -> None:
    at_the_ramp(engine)
    while engine.recovery(engine.emergency_id).phase != "monitoring":
        see(engine, *good(engine))
    if held:
        engine.do(HoldRecovery(emergency_id=engine.emergency_id))
    bad = Seen(name="err_rate < 0.01", verdict="bad", detail="0.2 by 34 samples", value=0.2)

    see(engine, bad, watched_s=0.0)

    recovery = engine.recovery(engine.emergency_id)
    assert (recovery.status, recovery.why) == ("rolling-back", "err_rate < 0.01: 0.2 by 34 samples")
    assert engine.hold(engine.hold_id).admit == 0.0
    assert "[XX] err_rate < 0.01: 0.2 by 34 samples" in recovery.checks


def test_a_checkpoint_and_the_journal_keep_the_gates_of_a_recovery(engine: Incident) -> None:
    at_the_ramp(engine)

    assert checkpoint.load(checkpoint.dump(engine.state)) == engine.state
    assert fold(State(), engine.journal) == engine.state
    document = json.loads(checkpoint.dump(engine.state))
    recovery = next(field for field in document["emergencies"][0] if isinstance(field, list) and len(field) > 15)
    for step in next(field for field in recovery if isinstance(field, list) and field and isinstance(field[0], list)):
        del step[-1]
    older = checkpoint.read(document)
    assert older is not None
    steps = older.emergencies[engine.emergency_id].recovery.steps  # type: ignore[union-attr] # it is under way
    assert not any(step.metrics for step in steps)


def test_metrics_are_kept_that_triggers_or_gates_look_at(engine: Incident) -> None:
    assert listened(engine.state) == {"err_rate", "latency", "score"} == metrics_of(WATCHED)
    assert not any(map(metrics_of, BUILT_IN.values()))


def test_what_an_emergency_shows_is_what_the_gates_of_its_recovery_look_at(engine: Incident) -> None:
    assert curves(engine.state) == ()
    at_the_ramp(engine)
    assert curves(engine.state) == (
        Curve(engine.emergency_id, "err_rate", None),
        Curve(engine.emergency_id, "latency", None),
        Curve(engine.emergency_id, "score", "a1"),
    )
    engine.now += timedelta(seconds=1)
    assert Definition.model_fields["time_window_ms"].default == 60_000
