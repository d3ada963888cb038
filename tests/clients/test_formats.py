"""What clients that exist already are answered, whatever state the fleet is in."""

import json
from typing import Any

import pytest

from backends import open_backend
from backends.clients import alertmanager, keys, ofrep, settings, unleash, workflow_controls
from backends.clients.alertmanager import Alert, Notification
from backends.clients.settings import Features, Pausing
from backends.clients.workflow_controls import Toggle
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import AddName
from core.capabilities.switches import SetSwitch
from core.messages import Command
from core.ports import Backend
from core.state import State
from opsgate.selector import EVERYTHING, Selector
from tests.support.fleets import START, say


@pytest.fixture
def fleet() -> Backend:
    """A fleet with one site."""
    backend = open_backend("memory://")
    backend.submit(say(AddName(dimension="site", name="s1")))
    return backend


def after(fleet: Backend, *commands: Command) -> State:
    """The state once these commands were carried out."""
    for command in commands:
        fleet.submit(say(command))
    return fleet.state()


def flag(state: State, key: str, context: dict[str, Any]) -> dict[str, Any]:
    """What a client of OpenFeature is answered."""
    answer = keys.answer(state.table(), key, context)
    assert answer is not None
    return ofrep.evaluation(answer, state.revision)


class TestOpenFeature:
    """The evaluation protocol."""

    def test_what_may_run_is_true(self, fleet: Backend) -> None:
        found = flag(fleet.state(), "enableSiteCreation", {})

        assert (found["value"], found["variant"], found["reason"]) == (True, "on", "STATIC")
        assert found["metadata"] == {"revision": fleet.state().revision, "holdCount": 0}

    @pytest.mark.parametrize(
        "key", ["enableSiteCreation", "site_creation", "allow.site_creation", "workflow.xml-import"]
    )
    def test_what_is_stopped_is_an_explicit_false_and_never_disabled(self, fleet: Backend, key: str) -> None:
        """A client that is told DISABLED takes its own default, which may be true."""
        state = after(fleet, OrderStop(stop_id="S-1", selectors=(EVERYTHING,), reason="smoke"))

        found = flag(state, key, {})

        assert (found["value"], found["variant"], found["reason"]) == (False, "off", "STATIC")
        assert found["metadata"]["blockedBy"] == "emergency"
        assert "smoke" in found["metadata"]["reasonText"]

    def test_the_context_narrows_the_work(self, fleet: Backend) -> None:
        state = after(fleet, PlaceHold(selectors=(Selector.of(site="s1"),)))

        held = flag(state, "allow.site_creation", {"site": "s1", "plan": "gold", "targetingKey": "x"})
        free = flag(state, "allow.site_creation", {"site": "s2"})

        assert (held["value"], held["reason"], free["value"]) == (False, "TARGETING_MATCH", True)

    def test_metadata_holds_plain_values_only(self, fleet: Backend) -> None:
        state = after(
            fleet, PlaceHold(selectors=(EVERYTHING,)), SetSwitch(dimension="workflow", names=("xml-import",), on=False)
        )

        table = state.table()
        answers = [keys.answer(table, key) for key in keys.keys(table)]
        answer = ofrep.bulk(filter(None, answers), state.revision, "/ofrep/v1/events")

        plain = [value for each in answer["flags"] for value in each["metadata"].values()]
        assert all(isinstance(value, str | int | float | bool) for value in plain)
        assert len(answer["flags"]) == len(answers) == 18

    def test_a_key_that_nobody_registered_is_not_found(self, fleet: Backend) -> None:
        assert keys.answer(fleet.state().table(), "enableFlying", {}) is None
        assert ofrep.not_found("enableFlying")["errorCode"] == "FLAG_NOT_FOUND"

    def test_a_tag_is_of_one_revision_and_one_context(self) -> None:
        tags = [ofrep.etag("7"), ofrep.etag("8"), ofrep.etag("7", {"site": "s1"}), ofrep.etag("7", {"site": "s2"})]

        assert len(set(tags)) == 4
        assert ofrep.etag("7", {"site": "s1", "env": "dev"}) == ofrep.etag("7", {"env": "dev", "site": "s1"})
        assert [ofrep.revision_of(tag) for tag in (*tags, "W/" + tags[2], "7+f00d", "", "x", "*")] == [
            *(7, 8, 7, 7, 7, 7),
            *(0, 0, 0),
        ]

    @pytest.mark.parametrize("body", [[], "x", {"context": []}, {"context": "x"}, 3])
    def test_a_body_that_is_none_is_refused(self, body: Any) -> None:
        with pytest.raises(ValueError, match="context"):
            ofrep.context_of(body)

    def test_a_body_may_be_missing(self) -> None:
        assert ofrep.context_of(None) == ofrep.context_of({}) == {}


class TestUnleash:
    """The client API."""

    def test_every_name_is_listed_whether_or_not_it_is_held(self, fleet: Backend) -> None:
        """A toggle that is missing is off to an Unleash client."""
        state = after(fleet, SetSwitch(dimension="operation", names=("site_creation",), on=False))

        found = {each["name"]: each["enabled"] for each in unleash.features(state.table())["features"]}

        assert (found["enableSiteCreation"], found["enableABTesting"], found["workflow.xml-import"]) == (
            False,
            True,
            True,
        )
        assert all(each["strategies"] == [] for each in unleash.features(state.table())["features"])

    def test_what_lets_a_share_of_the_work_through_is_off_for_there_is_nothing_to_choose_it_by(
        self, fleet: Backend
    ) -> None:
        state = after(fleet, PlaceHold(selectors=(Selector.of(operation="ab_testing"),), admit=0.99))

        assert unleash.feature(state.table(), "enableABTesting") == {
            **(unleash.feature(fleet.state().table(), "enableSiteCreation") or {}),
            "name": "enableABTesting",
            "enabled": False,
        }

    def test_metrics_say_what_a_client_saw(self) -> None:
        bucket = {"toggles": {"enableABTesting": {"yes": 3, "no": 1, "variants": {}}}}

        assert unleash.evaluated({"bucket": bucket}) == {"enableABTesting": (3, 1)}
        assert unleash.evaluated({"bucket": None}) == {}, "a client that has counted nothing"

    @pytest.mark.parametrize("metrics", [{}, {"bucket": 3}, {"bucket": {"toggles": {"x": {"yes": -1, "no": 0}}}}])
    def test_what_are_no_metrics_is_refused(self, metrics: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="no metrics"):
            unleash.evaluated(metrics)


class TestSettings:
    """S0's panel."""

    def test_the_panel_shows_who_paused_everything_and_why(self, fleet: Backend) -> None:
        state = after(fleet, settings.pause(Pausing(pausedBy="test_admin", pauseReason="Testing")))

        shown = settings.settings(state)

        assert shown["allAutonomousProcessesPaused"] is True
        assert shown["pausedBy"] == "ana", "who acted is who the credential says"
        assert shown["pauseReason"] == "Testing (noted: test_admin)"
        assert (shown["maxSitesPerHour"], shown["maxOpportunityScansPerDay"]) == (10, 50)

    def test_resuming_needs_no_body(self, fleet: Backend) -> None:
        state = after(fleet, settings.pause(Pausing()), settings.resume(Pausing()))

        assert settings.settings(state)["allAutonomousProcessesPaused"] is False

    def test_a_flag_is_on_only_where_nobody_holds_exactly_it(self, fleet: Backend) -> None:
        state = after(
            fleet,
            *Features(enableSiteCreation=False, enableABTesting=False).commands(),
            PlaceHold(selectors=(Selector.of(operation="ab_testing"),)),
            *Features(enableSiteCreation=True, enableABTesting=True).commands(),
        )

        assert settings.flags(state)["enableSiteCreation"] is True
        assert settings.flags(state)["enableABTesting"] is False

    def test_what_is_to_stop_is_stopped_first(self) -> None:
        commands = Features(enableSiteCreation=True, enableABTesting=False).commands()

        assert [command.on for command in commands] == [False, True]

    def test_a_resume_says_resumed_only_where_nothing_holds_it_any_more(self, fleet: Backend) -> None:
        after(fleet, OrderStop(stop_id="S-1", selectors=(EVERYTHING,)), settings.pause(Pausing()))
        on_site = Selector.of(site="s1")

        stopped = settings.resumed(EVERYTHING, fleet.submit(say(settings.resume(Pausing()))))
        site = settings.resumed(on_site, fleet.submit(say(settings.resume(Pausing(), on_site))))

        assert (stopped["success"], stopped["changed"], stopped["paused"]) == (True, True, True)
        assert stopped["message"].startswith("Everything stays paused by emergency E-")
        assert site["message"].startswith("Site s1 stays paused by emergency E-")
        assert [hold["source"] for hold in stopped["remaining_holds"]] == ["emergency"]

    def test_flags_are_answered_as_they_are_now_and_not_as_they_were_wanted(self, fleet: Backend) -> None:
        after(fleet, PlaceHold(selectors=(Selector.of(operation="ab_testing"),)))
        wanted = Features(enableSiteCreation=True, enableABTesting=True)
        receipt = fleet.submit(say(wanted.commands()[0]))

        answer = settings.changed(wanted, fleet.state(), receipt)

        assert answer["featureFlags"] == {"enableSiteCreation": True, "enableABTesting": False}
        assert [hold["owner"] for hold in answer["remaining_holds"]] == ["ana"]

    @pytest.mark.parametrize(
        "body",
        [
            '{"enableSiteCreation": null}',
            '{"enableSiteCreation": "false"}',
            '{"enableFlying": true}',
            '{"enableABTesting": 1}',
        ],
    )
    def test_what_is_no_flag_or_no_boolean_is_refused(self, body: str) -> None:
        with pytest.raises(ValueError, match="validation error"):
            Features.model_validate_json(body)

    def test_a_site_is_shown_as_the_panel_keeps_it(self, fleet: Backend) -> None:
        state = after(fleet, settings.pause(Pausing(pauseReason="Maintenance"), Selector.of(site="s1")))

        assert settings.site(state, "s1")["autonomousProcessesPaused"] is True
        assert settings.settings(state)["allAutonomousProcessesPaused"] is False


class TestWorkflowControls:
    """S2's switches."""

    def test_each_workflow_is_listed_with_its_last_change(self, fleet: Backend) -> None:
        state = after(fleet, Toggle(enabled=False).command("xml-import"))

        found = {each["name"]: each for each in workflow_controls.controls(state)}

        assert len(found) == 6
        assert (found["xml-import"]["enabled"], found["xml-import"]["updated_by"]) == (False, "ana")
        assert found["status-sync"]["enabled"] is True

    def test_switching_on_what_somebody_else_holds_answers_false_and_says_who(self, fleet: Backend) -> None:
        fleet.submit(say(PlaceHold(selectors=(Selector.of(workflow="xml-import"),))))
        receipt = fleet.submit(say(Toggle(enabled=True).command("xml-import")))

        answer = workflow_controls.toggled(fleet.state(), "xml-import", receipt.remaining_holds)

        assert (answer["enabled"], answer["success"]) == (False, True)
        assert answer["remaining_holds"][0]["owner"] == "ana"


class TestAlertmanager:
    """The webhook."""

    def test_an_alert_holds_and_only_its_own_hold_is_released_when_it_is_resolved(self) -> None:
        firing, resolved = told("firing"), told("resolved")

        placed, released = asked(firing), asked(resolved)

        assert isinstance(placed, PlaceHold)
        assert isinstance(released, ReleaseHolds)
        assert (placed.source, placed.owner, str(placed.selectors[0])) == ("alert", "f00d~am", "site=s1")
        assert (released.source, released.owner, released.force) == ("alert", "f00d~am", False)

    def test_a_repetition_is_the_same_command(self) -> None:
        first, again = told("firing"), told("firing")

        assert alertmanager.ordered(first.alerts[0], "am", START) == alertmanager.ordered(again.alerts[0], "am", START)

    def test_an_alert_that_stops_is_not_taken_back_by_its_end(self) -> None:
        stop = asked(told("firing", opsconsole_action="stop", opsconsole_level="graceful"))

        assert isinstance(stop, OrderStop)
        assert stop.level == "graceful"
        assert asked(told("resolved", opsconsole_action="stop")) is None

    def test_an_alert_without_a_scope_is_none_of_ours(self) -> None:
        notification = Notification(version="4", groupKey="g", alerts=[alert("firing", {"alertname": "Disk"})])

        assert alertmanager.ordered(notification.alerts[0], "am", START) is None

    @pytest.mark.parametrize(
        "labels", [{"opsconsole_scope": "everything"}, {"opsconsole_action": "release"}, {"opsconsole_level": "hard"}]
    )
    def test_labels_that_make_no_sense_are_said_to_whoever_wrote_the_rule(self, labels: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="opsconsole_"):
            asked(told("firing", **{"opsconsole_action": "stop", **labels}))


def alert(status: str, labels: dict[str, str]) -> Alert:
    """One alert."""
    return Alert.model_validate_json(
        json.dumps({"status": status, "labels": labels, "startsAt": "2026-11-22T14:00:00Z", "fingerprint": "f00d"})
    )


def told(status: str, **labels: str) -> Notification:
    """A notification of one alert about site s1."""
    return Notification(version="4", groupKey="g", alerts=[alert(status, {"opsconsole_scope": "site=s1", **labels})])


def asked(notification: Notification) -> Command | None:
    """What its alert asks for."""
    found = alertmanager.ordered(notification.alerts[0], "am", START)
    return found.command if found else None
