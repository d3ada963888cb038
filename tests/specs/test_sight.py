"""What a scope lets be seen. That following it gives exactly that part is a law of `tests/properties/test_machine.py`;
here is what the part is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from core import checkpoint
from core.capabilities.emergencies import ConcludeStop, OrderStop
from core.capabilities.firing import FireTrigger
from core.capabilities.fleet import CreateFleet
from core.capabilities.holds import PlaceHold
from core.capabilities.names import AddName
from core.capabilities.recovery import Recover
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.capabilities.services import AddService
from core.capabilities.triggers import AddTrigger
from core.capabilities.workers import ForgetWorkers, ReportWorkers
from core.engine import CommandRefused, Facts, WorkerFact, evolve, step
from core.messages import EVENTS, Actor, Command, Event, Header, Recorded
from core.scope import EVERYWHERE, Scope
from core.showing import KNOWN, Showing, Veil, showing
from core.sight import Sight, elsewhere
from core.state import ENDED_KEPT, State
from opsgate.selector import EVERYTHING, Selector
from tests.support.fleets import ANA, KEEPER, START, say

OURS, THEIRS = Selector.of(site="s1"), Selector.of(site="secret")
SIGHT = Sight(Scope(frozenset({"s1"})), frozenset({"w1"}))
LIVE = Facts(
    (WorkerFact("w1", "", (("site", ("s1",)),)), WorkerFact("secret-w", "", (("site", ("secret",)),))),
    keeper_since=START,
)


class Story:
    """A fleet, and how each of its events was shown."""

    def __init__(self) -> None:
        self.state = State()
        self.part = SIGHT.state(self.state)
        self.now = START
        self.shown: list[tuple[str, Showing]] = []
        self.tell(CreateFleet(fleet="f-0123456789ab"))
        for name in ("s1", "secret"):
            self.tell(AddName(dimension="site", name=name))

    def tell(self, command: Command, *, by: Actor = ANA) -> list[tuple[str, Showing]]:
        """Carry out a command; how its events were shown. The part that was followed has to be the part."""
        outcome = step(self.state, say(command, by=by), self.now, LIVE)
        told = [self._follow(recorded) for recorded in outcome.events]
        self.shown += told
        return told

    def _follow(self, recorded: Recorded) -> tuple[str, Showing]:
        before, after = self.state, evolve(self.state, recorded)
        shown = showing(SIGHT, recorded, before, after)
        if shown == "whole":
            self.part = evolve(self.part, recorded)
        elif shown == "veiled":
            self.part = Veil(0, "", after.revision, "", after.control_revision, after.names_revision).drawn(self.part)
        else:
            self.part = SIGHT.state(after)
        self.state = after
        assert self.part == SIGHT.state(after), (recorded, shown)
        return recorded.event.kind, shown


def stop(stop_id: str, *selectors: Selector, **fields: Any) -> OrderStop:
    return OrderStop(stop_id=stop_id, selectors=selectors, **fields)


def kinds(told: Iterable[tuple[str, Showing]], showing: Showing) -> set[str]:
    return {kind for kind, shown in told if shown == showing}


def test_whoever_reaches_everything_sees_everything() -> None:
    story = Story()
    assert Sight(EVERYWHERE).state(story.state) is story.state


@pytest.mark.parametrize(
    ("scope", "selector", "seen"),
    [
        (Scope(frozenset({"s1"})), EVERYTHING, True),
        (Scope(frozenset({"s1"})), Selector.of(operation="ab_testing"), True),
        (Scope(frozenset({"s1"})), OURS, True),
        (Scope(frozenset({"s1"})), THEIRS, False),
        (Scope(frozenset({"s1"})), Selector.of(site="secret", operation="ab_testing"), False),
        (Scope(envs=frozenset({"prod"})), THEIRS, True),
        (Scope(envs=frozenset({"prod"})), Selector.of(env="dev"), False),
        (Scope(frozenset({"s1"}), frozenset({"prod"})), Selector.of(site="s1", env="dev"), False),
    ],
)
def test_what_touches_the_scope_is_seen_and_what_lies_wholly_outside_is_not(
    scope: Scope, selector: Selector, seen: bool
) -> None:
    assert scope.touches(selector) is seen


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_an_event_of_a_kind_that_was_not_decided_upon_is_hidden(kind: str) -> None:
    """It is read anew where it changed something visible, whatever it was."""
    if EVENTS[kind] in KNOWN:
        return
    state = Story().state
    happened = EVENTS[kind].model_construct(kind=kind)
    recorded = Recorded(Header(state.revision + 1, START, ANA, "test", "c", "c"), happened)
    moved = state._replace(revision=state.revision + 1)
    held = step(state, say(PlaceHold(selectors=(OURS,))), START).state

    assert showing(SIGHT, recorded, state, moved) == "veiled"
    assert showing(SIGHT, recorded, state, held) == "anew"


def test_tokens_and_refusals_are_not_among_what_may_be_seen() -> None:
    hidden = {kind for kind, cls in EVENTS.items() if cls not in KNOWN}
    assert {"token.created", "token.revoked", CommandRefused.model_fields["kind"].default} <= hidden
    assert all(issubclass(cls, Event) for cls in KNOWN)


def test_a_part_of_the_state_that_was_not_decided_upon_is_hidden() -> None:
    """The visible state is made of what is named, so that whatever is added to states is not in it."""
    decided = {"fleet", "revision", "control_revision", "names_revision", "holds", "by_selector", "reach", "names"}
    decided |= {"limits", "workers", "stops", "emergencies", "services", "triggers"}
    seen = SIGHT.state(Story().state)

    for name in set(State._fields) - decided:
        assert getattr(seen, name) == State._field_defaults[name]


def test_a_name_is_hidden_from_when_a_service_elsewhere_has_it() -> None:
    story = Story()
    story.tell(AddName(dimension="service", name="db"))
    assert ("service", "db") in story.part.names

    story.tell(AddService(name="db", driver="process", labels={"site": "secret"}))
    assert ("service", "db") not in story.part.names


def test_a_server_decides_by_the_names_that_the_gates_of_a_scope_know() -> None:
    story = Story()
    for site in ("s1", "secret"):
        story.tell(AddService(name=f"db-{site}", driver="process", labels={"site": site}))

    table = SIGHT.table(story.state.table(), story.state)

    assert table.names["service"] == {"db-s1"}
    assert table.names["site"] == {"s1"}
    assert {name: known for name, known in SIGHT.snapshot(story.state).table().names.items() if known} == {
        name: known for name, known in table.names.items() if known
    }


def test_a_stop_elsewhere_is_not_seen_and_one_of_everything_counts_others_without_their_names() -> None:
    story = Story()
    story.tell(ReportWorkers(heard=("w1", "secret-w")), by=KEEPER)

    elsewhere_only = story.tell(stop("S-secret", THEIRS, reason="secret"))
    assert {showing for _, showing in elsewhere_only} == {"veiled"}
    story.tell(stop("S-all", EVERYTHING, reason="all"))
    seen = story.part.stops["S-all"]

    assert set(story.part.stops) == {"S-all"}
    assert (seen.of, seen.missing) == (("w1", elsewhere(1)), ("w1", elsewhere(1)))
    story.tell(ConcludeStop(stop_id="S-all", acked=("secret-w",)), by=KEEPER)
    story.now += timedelta(seconds=6)
    story.tell(ConcludeStop(stop_id="S-all", acked=("secret-w",)), by=KEEPER)
    assert (story.part.stops["S-all"].result, story.part.stops["S-all"].missing) == ("partial", ("w1",))
    assert "secret" not in checkpoint.dump(story.part), "nor who opened it and why, nor under which correlation id"


def test_a_stop_within_the_scope_is_told_event_by_event() -> None:
    story = Story()
    told = story.tell(stop("S-1", OURS))
    told += story.tell(ConcludeStop(stop_id="S-1", acked=("w1",)), by=KEEPER)
    told += story.tell(Recover(emergency_id=story.state.stops["S-1"].emergency_id, reason="x", confirm="site=s1"))

    assert {showing for _, showing in told} == {"whole"}
    assert kinds(told, "whole") >= {"stop.ordered", "stop.concluded", "emergency.ended", "hold.released"}


def test_the_end_of_a_wider_emergency_is_seen_and_what_was_checked_elsewhere_is_not() -> None:
    story = Story()
    story.tell(PlaceHold(selectors=(THEIRS,), reason="secret"))
    story.tell(stop("S-all", EVERYTHING))
    story.tell(ConcludeStop(stop_id="S-all", acked=("w1", "secret-w")), by=KEEPER)
    told = story.tell(Recover(emergency_id=story.state.stops["S-all"].emergency_id, reason="x", confirm="all"))

    assert ("emergency.ended", "anew") in told
    assert [case.status for case in story.part.emergencies.values()] == ["ended"]


def test_what_is_forgotten_of_ended_emergencies_is_forgotten_in_the_part_too() -> None:
    story = Story()
    for number in range(ENDED_KEPT + 3):
        selector = OURS if number % 3 == 0 else THEIRS
        story.tell(stop(f"S-{number}", selector))
        story.tell(ConcludeStop(stop_id=f"S-{number}", acked=("w1", "secret-w")), by=KEEPER)
        emergency_id = story.state.stops[f"S-{number}"].emergency_id
        story.tell(Recover(emergency_id=emergency_id, reason="x", confirm=str(selector)))

    assert len(story.state.emergencies) == ENDED_KEPT


def test_a_worker_elsewhere_that_is_forgotten_is_counted_no_more() -> None:
    story = Story()
    story.tell(stop("S-all", EVERYTHING))
    story.now += timedelta(seconds=6)
    story.tell(ConcludeStop(stop_id="S-all", acked=("w1",)), by=KEEPER)
    outcome = step(story.state, say(ForgetWorkers(workers=("secret-w",))), story.now)
    for recorded in outcome.events:
        story._follow(recorded)

    assert story.part.stops["S-all"].of == ("w1",)
    assert story.part.stops["S-all"].result == "verified"


def test_nothing_stands_for_a_worker_that_could_be_one() -> None:
    assert not elsewhere(1)[0].isalnum()


def trigger(name: str, *selectors: Selector, services: tuple[str, ...] = ("all",)) -> AddTrigger:
    return AddTrigger(
        name=name,
        trigger_type="health_score_critical",
        thresholds={"healthScore": 30},
        scope=selectors,
        target_services=services,
    )


def test_a_trigger_is_seen_by_those_within_whose_scope_all_of_its_stops_lie() -> None:
    """A service is where its labels say, wherever a trigger thinks it is."""
    story = Story()
    for site in ("s1", "secret"):
        story.tell(AddService(name=f"db-{site}", driver="process", labels={"site": site}))

    story.tell(trigger("ours", OURS))
    story.tell(trigger("ours-db", services=("db-s1",)))
    hidden = [
        trigger("theirs", THEIRS),
        trigger("theirs-db", services=("db-secret",)),
        trigger("their-db-as-ours", OURS, services=("db-secret",)),
        trigger("both", OURS, THEIRS),
        trigger("everything"),
    ]
    for each in hidden:
        assert kinds(story.tell(each), "veiled") == {"trigger.added"}
    assert set(story.part.triggers) == {"ours", "ours-db"}

    story.tell(AddService(name="db-s1", driver="process", labels={"site": "secret"}))
    assert set(story.part.triggers) == {"ours"}, "its service has gone elsewhere"


def test_a_trigger_that_fires_is_followed_by_those_who_see_it_and_by_nobody_else() -> None:
    story = Story()
    story.tell(trigger("ours", OURS))
    story.tell(trigger("theirs", THEIRS))
    by = {name: Actor(name=f"trigger:{name}", kind="system") for name in ("ours", "theirs")}

    told = story.tell(FireTrigger(trigger="theirs", stop_id="S-theirs", value="12"), by=by["theirs"])
    assert {showing for _, showing in told} == {"veiled"}

    story.tell(FireTrigger(trigger="ours", stop_id="S-ours", value="13"), by=by["ours"])
    assert (story.part.triggers["ours"].fired, story.part.triggers["ours"].stop_id) == (1, "S-ours")
    assert set(story.part.stops) == {"S-ours"}


def test_a_recovery_is_seen_by_those_who_reach_all_of_it() -> None:
    story = Story()
    for site, scope, worker in (("s1", OURS, "w1"), ("secret", THEIRS, "secret-w")):
        story.tell(AddService(name=f"db-{site}", driver="process", labels={"site": site}))
        story.tell(stop(f"S-{site}", scope))
        seen = ServiceReport(service=f"db-{site}", standing="stopped")
        story.tell(ReportServices(stop_id=f"S-{site}", reports=(seen,)), by=KEEPER)
        story.tell(ConcludeStop(stop_id=f"S-{site}", acked=(worker,)), by=KEEPER)
        case = story.state.stops[f"S-{site}"].emergency_id
        told = story.tell(Recover(emergency_id=case, reason="mended", confirm=str(scope)))
        assert ("recovery.started" in kinds(told, "veiled")) == (site == "secret")

    assert all(case.recovery is not None for case in story.state.emergencies.values())
    assert [case.recovery is not None for case in story.part.emergencies.values()] == [True]
