"""Services: registered by an administrator, stopped by drivers, and said to have stopped by nobody but who looked."""

import json
from typing import Any
from unittest.mock import ANY

import pytest

from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold
from core.capabilities.names import RemoveName
from core.capabilities.ownership import AcknowledgeEmergency, OwnEmergency
from core.capabilities.service_reports import ReportServices, ServiceReport, ServiceStopAttempted
from core.capabilities.services import CONFIG_MAX, AddService, RemoveService
from core.facts import emergencies
from core.services import cycle
from tests.specs.engine import Engine, on, said


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.service("db", criticality=4)
    engine.service("web", "db")
    return engine


# -------------------------------------------------------------------------------------------------------- the registry


def test_a_service_is_registered_with_its_name_and_what_its_driver_is_told(engine: Engine) -> None:
    receipt = engine.do(AddService(name="mail", driver="http", config={"url": "http://127.0.0.1/", "b": 1}, title="M"))

    assert engine.kinds(receipt) == ["name.added", "service.added"]
    mail = engine.state.services["mail"]
    assert (mail.driver, mail.config, mail.health) == ("http", '{"b":1,"url":"http://127.0.0.1/"}', "")
    assert (mail.standing, mail.observed_at) == ("unknown", None)
    assert ("service", "mail") in engine.state.names


def test_the_same_definition_again_changes_nothing_and_another_one_keeps_what_was_observed(engine: Engine) -> None:
    engine.report("web", "running")

    assert not engine.service("web", "db").changed
    assert engine.kinds(engine.service("web", "db", criticality=3)) == ["service.changed"]
    assert (engine.state.services["web"].criticality, engine.state.services["web"].standing) == (3, "running")


def test_dependencies_are_known_and_go_in_no_ring(engine: Engine) -> None:
    engine.service("api", "web")

    assert engine.refused(AddService(name="x", driver="process", depends_on=("bd",))) == "unknown-service"
    for ring in (("web",), ("api",), ("db",)):
        assert engine.refused(AddService(name="db", driver="process", depends_on=ring)) == "dependency-cycle"
    assert cycle(engine.state.services, "db", ["api"]) == ("db", "api", "web", "db")


def test_what_a_driver_is_told_has_a_bound(engine: Engine) -> None:
    wanted = AddService(name="x", driver="process", config={"long": "x" * CONFIG_MAX})

    assert engine.refused(wanted) == "config-too-long"


def test_a_service_is_removed_only_when_nothing_points_at_it(engine: Engine) -> None:
    assert engine.refused(RemoveService(name="dbx")) == "unknown-service"
    assert engine.refused(RemoveService(name="db")) == "service-needed"
    assert engine.refused(RemoveName(dimension="service", name="db")) == "name-served"
    engine.do(PlaceHold(selectors=(on(service="web"),)))
    assert engine.refused(RemoveService(name="web")) == "name-held"
    engine.resume(on(service="web"))
    engine.stop("S-1", on(service="db"))
    engine.stop("S-2")
    assert engine.refused(RemoveService(name="web")) == "service-stopped"

    engine.wait(20)
    engine.recover(str(engine.stopped("S-2").emergency_id), confirm="all", procedure="direct_recovery")
    assert engine.kinds(engine.do(RemoveService(name="web"))) == ["service.removed", "name.removed"]


# --------------------------------------------------------------------------------------------------------------- stops


def test_a_stop_lists_its_services_and_is_not_verified_before_they_were_seen_to_stop(engine: Engine) -> None:
    receipt = engine.stop("S-1")
    stop = engine.stopped("S-1")

    assert [step.service for step in stop.services] == ["web", "db"]
    assert [step.tier for step in stop.services] == [0, 1]
    assert (stop.result, stop.missing) == ("pending", ("service:web", "service:db"))
    assert engine.kinds(receipt)[-1] == "stop.ordered"

    engine.report("web", "stopped", action="stop", took_s=0.4, stop_id="S-1")
    assert engine.stopped("S-1").result == "pending"
    engine.wait(1.5)
    done = engine.report("db", "stopped", action="stop", took_s=1.2, stop_id="S-1")

    assert engine.kinds(done) == ["service.stop-attempted", "service.observed", "stop.concluded"]
    stop = engine.stopped("S-1")
    assert (stop.result, stop.missing, stop.took_ms) == ("verified", (), 1500)
    assert [(a.action, a.outcome, a.took_s) for a in stop.services[1].actions] == [("stop", "done", 1.2)]


def test_the_facts_of_a_stop_say_how_long_it_took_whether_it_succeeded_and_what_each_service_did(
    engine: Engine,
) -> None:
    engine.stop("S-1")
    (pending,) = next(emergencies(engine.state))["stops"]
    assert (pending["success"], pending["took_ms"], pending["services"][0]["took_ms"]) == (None, None, None)
    engine.report("web", "stopped", action="stop", took_s=0.4, stop_id="S-1")
    engine.wait(1.5)
    engine.report("db", "stopped", action="stop", took_s=1.2, stop_id="S-1")

    (emergency,) = emergencies(engine.state)
    (stop,) = emergency["stops"]

    assert (stop["success"], stop["took_ms"]) == (True, 1500)
    assert stop["correlation_id"] == emergency["correlation_id"]
    assert [(one["service"], one["success"], one["took_ms"]) for one in stop["services"]] == [
        ("web", True, 0),
        ("db", True, 1500),
    ]
    (taken,) = stop["services"][1]["actions"]
    assert taken == {"action": "stop", "outcome": "done", "at": ANY, "took_ms": 1200, "detail": ""}
    assert taken["at"] == stop["concluded_at"]


def test_a_drivers_word_stops_nothing(engine: Engine) -> None:
    engine.stop("S-1", on(service="web"))

    engine.report("web", None, action="stop", outcome="done", stop_id="S-1")
    engine.report("web", "running", action="kill", outcome="done", stop_id="S-1")
    engine.wait(5)
    engine.count("S-1")

    stop = engine.stopped("S-1")
    assert (stop.result, stop.missing) == ("unverified", ("service:web",))
    assert isinstance(engine.journal[-4].event, ServiceStopAttempted)


def test_what_was_seen_before_the_order_proves_nothing_after_it(engine: Engine) -> None:
    engine.report("web", "stopped")
    engine.stop("S-1", on(service="web"))
    assert engine.stopped("S-1").missing == ("service:web",)

    seen = engine.report("web", "stopped")

    assert engine.kinds(seen) == ["service.observed", "stop.concluded"]
    assert engine.stopped("S-1").result == "verified"


def test_workers_and_services_are_both_waited_for() -> None:
    engine = Engine()
    engine.service("web")
    engine.workers("w1")
    engine.stop("S-1")

    engine.count("S-1", "w1")
    assert engine.stopped("S-1").result == "pending"
    engine.wait(5)
    engine.count("S-1", "w1")
    assert engine.stopped("S-1").result == "partial"
    assert engine.stopped("S-1").missing == ("service:web",)

    engine.report("web", "stopped")
    assert engine.stopped("S-1").result == "verified"


def test_services_that_stop_first_leave_it_to_the_count_of_the_workers() -> None:
    engine = Engine()
    engine.service("web")
    engine.workers("w1")
    engine.stop("S-1")

    engine.report("web", "stopped")
    assert engine.stopped("S-1").result == "pending"
    engine.count("S-1", "w1")
    assert engine.stopped("S-1").result == "verified"


def test_a_service_that_runs_again_makes_a_verified_stop_partial(engine: Engine) -> None:
    engine.stop("S-1", on(service="web"), on(service="db"))
    engine.report("web", "stopped")
    engine.report("db", "stopped")

    engine.report("web", "running", detail="restarted by its supervisor")

    assert engine.stopped("S-1").result == "partial"
    assert engine.stopped("S-1").missing == ("service:web",)


def test_a_stopped_service_that_nobody_can_see_any_more_is_not_verified_until_it_is_seen_stopped_again(
    engine: Engine,
) -> None:
    engine.stop("S-1", on(service="web"), on(service="db"))
    engine.report("web", "stopped", stop_id="S-1")
    engine.report("db", "stopped", stop_id="S-1")

    lost = engine.report("web", "unknown", stop_id="S-1", detail="no file names it")

    assert engine.kinds(lost) == ["service.observed", "stop.concluded"]
    assert (engine.stopped("S-1").result, engine.stopped("S-1").missing) == ("partial", ("service:web",))
    assert not engine.report("web", "unknown", stop_id="S-1", detail="no file names it").changed
    engine.report("web", "stopped", stop_id="S-1")
    assert engine.stopped("S-1").result == "verified"


@pytest.mark.parametrize("changed", [{"config": {"pidfile": "/run/new"}}, {"host": "h2"}])
def test_what_was_seen_of_a_service_says_nothing_of_what_its_name_means_now(
    engine: Engine, changed: dict[str, Any]
) -> None:
    """It stopped, and then its name was given to something else, at which nobody has looked."""
    engine.stop("S-1", on(service="web"))
    engine.report("web", "stopped", stop_id="S-1")
    assert engine.stopped("S-1").result == "verified"

    receipt = engine.service("web", "db", **changed)

    assert engine.kinds(receipt) == ["service.changed", "stop.concluded"]
    assert (engine.stopped("S-1").result, engine.stopped("S-1").missing) == ("unverified", ("service:web",))
    assert engine.state.services["web"].standing == "unknown"
    engine.report("web", "stopped", stop_id="S-1")
    assert engine.stopped("S-1").result == "verified"


def test_another_title_leaves_a_stop_verified(engine: Engine) -> None:
    engine.stop("S-1", on(service="web"))
    engine.report("web", "stopped", stop_id="S-1")

    engine.service("web", "db", title="Web")

    assert engine.stopped("S-1").result == "verified"


def test_a_draining_stop_whose_services_hang_halts_first(engine: Engine) -> None:
    engine.stop("S-1", on(service="web"), level="graceful")
    engine.wait(60)
    engine.count("S-1")

    stop = engine.stopped("S-1")
    assert (stop.level, stop.result) == ("immediate", "pending")


def test_what_is_known_already_is_no_event_and_unknown_services_are_passed_over(engine: Engine) -> None:
    engine.report("web", "running")

    assert not engine.report("web", "running").changed
    unknown = engine.report("gone", "running")
    assert (unknown.changed, said(unknown)) == (False, "no service is called gone")


def test_only_the_engine_reports(engine: Engine) -> None:
    assert engine.refused(ReportServices(reports=(ServiceReport(service="web"),))) == "system-only"


def test_saved_state_is_remembered(engine: Engine) -> None:
    engine.stop("S-1", on(service="web"), level="maintenance")
    engine.report("web", None, action="save-state", saved="file:/saved/web", stop_id="S-1")

    assert engine.state.services["web"].saved == "file:/saved/web"


def test_a_stop_keeps_the_latest_of_many_attempts(engine: Engine) -> None:
    engine.stop("S-1", on(service="web"))
    for number in range(30):
        engine.report("web", None, action="kill", outcome="failed", detail=str(number), stop_id="S-1")

    assert [action.detail for action in engine.stopped("S-1").services[0].actions][::19] == ["10", "29"]


# ------------------------------------------------------------------------------------------------- triggers and owners


FIRED = OrderStop(
    stop_id="S-1",
    selectors=(on(account="a1"),),
    level="graceful",
    trigger="T-1",
    cause="healthScore 12 < 30",
    account="a1",
    auto_recover=True,
)


def test_an_emergency_says_which_trigger_fired_it_and_the_value_that_did(engine: Engine) -> None:
    receipt = engine.do(FIRED, by="trigger:T-1", kind="automation")

    emergency = engine.emergency(receipt)
    assert (emergency.trigger, emergency.cause, emergency.account) == ("T-1", "healthScore 12 < 30", "a1")
    assert (engine.stopped("S-1").trigger, engine.stopped("S-1").auto_recover) == ("T-1", True)


def test_a_stop_that_was_recorded_before_anybody_said_what_fired_it_is_told_afterwards(engine: Engine) -> None:
    plain = OrderStop(stop_id="S-1", selectors=FIRED.selectors, level="graceful")
    receipt = engine.do(plain, by="trigger:T-1", kind="automation")

    told = engine.do(FIRED, by="trigger:T-1", kind="automation")

    assert engine.kinds(told) == ["stop.attributed"]
    assert (engine.emergency(receipt).trigger, engine.stopped("S-1").auto_recover) == ("T-1", True)
    assert not engine.do(FIRED, by="trigger:T-1", kind="automation").changed


def test_a_person_cannot_say_that_their_stop_recovers_by_itself(engine: Engine) -> None:
    engine.do(FIRED)

    assert not engine.stopped("S-1").auto_recover


def test_an_emergency_is_acknowledged_once_and_owned_by_whoever_takes_it_last(engine: Engine) -> None:
    emergency_id = str(engine.stop("S-1").emergency_id)

    engine.do(AcknowledgeEmergency(emergency_id=emergency_id), by="ben")
    again = engine.do(AcknowledgeEmergency(emergency_id=emergency_id), by="cleo")
    engine.do(OwnEmergency(emergency_id=emergency_id), by="cleo")
    engine.do(OwnEmergency(emergency_id=emergency_id, owner="dan"), by="cleo")

    emergency = engine.state.emergencies[emergency_id]
    assert said(again) == f"{emergency_id} was acknowledged by ben"
    assert (emergency.acked_by, emergency.owner) == ("ben", "dan")
    assert not engine.do(OwnEmergency(emergency_id=emergency_id, owner="dan")).changed


def test_nobody_owns_what_is_over_or_was_never_there(engine: Engine) -> None:
    assert engine.refused(OwnEmergency(emergency_id="E-9")) == "unknown-emergency"
    emergency_id = str(engine.stop("S-1", on(operation="payout"), create=True).emergency_id)
    engine.recover(emergency_id, "operation=payout")
    assert engine.refused(AcknowledgeEmergency(emergency_id=emergency_id)) == "emergency-over"
    assert engine.refused(OwnEmergency(emergency_id=emergency_id), kind="system") == "person-only"


def test_a_configuration_is_kept_as_canonical_text(engine: Engine) -> None:
    one = AddService(name="x", driver="process", config={"b": [1, {"d": None, "c": "é"}], "a": True})
    engine.do(one)

    assert json.loads(engine.state.services["x"].config) == one.config
    assert engine.state.services["x"].config == '{"a":true,"b":[1,{"c":"\\u00e9","d":null}]}'


def test_a_look_that_a_stop_has_overtaken_counts_for_nothing(engine: Engine) -> None:
    """It was made before the order, and says nothing of what came of that."""
    looked_at = engine.state.revision
    engine.stop("S-1", on(service="web"))
    seen = ReportServices(reports=(ServiceReport(service="web", standing="stopped"),))

    assert engine.refused(seen, by="keeper", kind="system", looked_at=looked_at) == "state-moved"
    assert engine.state.stops["S-1"].missing == ("service:web",)
    assert engine.do(seen, by="keeper", kind="system", looked_at=engine.state.revision).changed
