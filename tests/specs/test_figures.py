"""S1's figures: how often triggers fired, how stops and recoveries went, and how long stops took."""

import pytest

from core.capabilities.firing import FireTrigger
from core.capabilities.recovery import AbortRecovery, RollBackRecovery
from core.capabilities.restoring import Seen
from core.capabilities.triggers import AddTrigger
from core.figures import figures
from tests.specs.engine import Engine


def incident(stop_id: str = "S-1") -> tuple[Engine, str]:
    """One service that was stopped and is seen to be, a second and a half after the order."""
    engine = Engine()
    engine.service("db")
    emergency_id = str(engine.stop(stop_id, level="graceful").emergency_id)
    engine.wait(1.5)
    engine.report("db", "stopped", stop_id=stop_id)
    engine.count(stop_id)
    return engine, emergency_id


def test_where_nothing_happened_there_is_no_average_and_no_rate() -> None:
    found = figures(Engine().state)

    assert (found.total_triggers, found.successful_stops, found.active_emergencies) == (0, 0, 0)
    assert (found.average_stop_time_ms, found.recovery_success_rate) == (None, None)


def test_a_stop_is_successful_when_it_was_verified_and_took_from_its_order_to_its_result() -> None:
    engine, _ = incident()

    found = figures(engine.state)

    assert (found.successful_stops, found.failed_stops, found.average_stop_time_ms) == (1, 0, 1500.0)
    assert found.active_emergencies == 1


def test_a_recovery_that_a_step_turned_back_has_failed_and_one_that_ended_its_emergency_has_not() -> None:
    engine, emergency_id = incident()
    engine.recover(emergency_id, procedure="standard_recovery")
    engine.advance(emergency_id, Seen(name="dependencies", verdict="bad"))

    assert figures(engine.state).recovery_success_rate == 0.0

    engine.recover(emergency_id, procedure="direct_recovery")

    found = figures(engine.state)
    assert (found.successful_recoveries, found.failed_recoveries) == (1, 1)
    assert found.as_dict()["recovery_success_rate"] == 0.5


@pytest.mark.parametrize("turn_back", [AbortRecovery, RollBackRecovery])
def test_what_a_person_turned_back_counts_as_failed_only_where_something_was_left_running(
    turn_back: type[AbortRecovery] | type[RollBackRecovery],
) -> None:
    engine, emergency_id = incident()
    engine.recover(emergency_id, procedure="standard_recovery")
    engine.do(turn_back(emergency_id=emergency_id))

    assert figures(engine.state).recovery_success_rate is None

    engine.recover(emergency_id, procedure="standard_recovery")
    engine.advance(emergency_id, Seen(name="dependencies", verdict="good"))
    engine.report("db", "stopped", recovery_id=engine.recovery(emergency_id).recovery_id)
    engine.advance(emergency_id)
    engine.do(turn_back(emergency_id=emergency_id))
    engine.advance(emergency_id, given_up=True)

    assert engine.recovery(emergency_id).left == ("db",)
    assert figures(engine.state).failed_recoveries == 1


def test_triggers_count_by_how_often_they_fired() -> None:
    engine = Engine()
    engine.do(AddTrigger(name="health", trigger_type="health_score_critical", thresholds={"healthScore": 30.0}))
    engine.do(FireTrigger(trigger="health", stop_id="S-9", value="29"), by="trigger:health", kind="system")

    found = figures(engine.state)

    assert (found.active_triggers, found.total_triggers) == (1, 1)
