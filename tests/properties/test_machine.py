"""The engine against a plain model of sets and dicts: whatever people and programs do in whatever order.

Four invariants stand at every step: replaying the journal gives the same state, the revision counts the events, a gate
that only followed the changes agrees with the model on all work, and whoever sees only a part of the fleet and follows
it has exactly that part.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import core.capabilities  # noqa: F401 - registers commands and events
from core import checkpoint
from core.audit import GENESIS, event_of, verify
from core.capabilities.emergencies import ConcludeStop, OrderStop
from core.capabilities.explaining import ExplainStop
from core.capabilities.holds import ExpireHolds, PlaceHold, ReleaseHolds
from core.capabilities.names import AddName, RemoveName
from core.capabilities.rate_limits import AddLimit, SetLimit
from core.capabilities.recovery import Recover
from core.capabilities.switches import SetSwitch
from core.capabilities.workers import ForgetWorkers, ReportWorkers
from core.engine import evolve, fold
from core.errors import OpsError
from core.messages import Actor, Command, Receipt
from core.scope import Scope
from core.showing import Veil, showing
from core.sight import Sight
from core.state import State
from opsgate.evaluate import Table, evaluate
from opsgate.hold import Mode
from opsgate.names import FLAG_OF_OPERATION, OPERATIONS, WORKFLOWS
from opsgate.order import MODE_OF_LEVEL, Level
from opsgate.selector import Selector, scope_text
from tests.properties.desks import Desk, EngineDesk, SqliteDesk
from tests.properties.model import Model, Pairs
from tests.simulation.harness import rounds, tell
from tests.support.fleets import say

pytestmark = pytest.mark.timeout(600)

OPERATION = "ab_testing"
PAIRS = [("site", "s1"), ("site", "s2"), ("operation", OPERATION), ("workflow", "xml-import"), ("env", "dev")]
SELECTORS = [
    {},
    *({dimension: value} for dimension, value in PAIRS),
    {"site": "s1", "operation": OPERATION},
    {"site": "s2", "env": "dev"},
]
WORKS = [
    {},
    {"site": "s1"},
    {"site": "s2", "operation": FLAG_OF_OPERATION[OPERATION]},
    {"site": "s1", "operation": OPERATION, "env": "dev"},
    {"workflow": "xml-import", "env": "prod"},
    {"site": "nobody-knows-it"},
]

PEOPLE = st.sampled_from(["ana", "ben"])
SCOPES = st.lists(st.sampled_from(SELECTORS), min_size=1, max_size=2, unique_by=lambda scope: tuple(scope.items()))
ENDS = st.none() | st.sampled_from([10.0, 60.0])
MODES: st.SearchStrategy[Mode] = st.sampled_from(["drain", "halt"])
WORKERS = st.sets(st.sampled_from(["w1", "w2", "w3"]))
KEEPER = Actor(name="keeper", kind="system")

SIGHTS = [
    Sight(Scope(frozenset({"s1"})), frozenset({"w1"})),
    Sight(Scope(frozenset({"s2"}), frozenset({"prod"})), frozenset({"w2", "w3"})),
    Sight(Scope(envs=frozenset({"dev"})), frozenset({"w1", "w2", "w3"})),
]
"""What some people see of it who do not see everything."""


def selector(scope: dict[str, str]) -> Selector:
    return Selector.from_mapping(scope)


def pairs(scope: dict[str, str]) -> Pairs:
    return frozenset(selector(scope).items)


class Fleet(RuleBasedStateMachine):
    """People, programs, workers, a keeper and a clock."""

    open_desk: Callable[[], Desk] = EngineDesk

    def __init__(self) -> None:
        super().__init__()
        self.desk = type(self).open_desk()
        self.model = Model(
            now=self.desk.clock.now,
            names={("operation", name) for name in OPERATIONS} | {("workflow", name) for name in WORKFLOWS},
            limits={"maxSitesPerHour": (10, "site_creation"), "tests": (1, OPERATION)},
        )
        self.replayed, self.chain = State(), GENESIS
        self.followed, self.parts = State(), [State()] * len(SIGHTS)
        self.looked_at = 0
        self.stops = 0
        for name in ("s1", "s2"):
            self.model.add(("site", name))
            self.send(AddName(dimension="site", name=name), None)
        self.send(AddLimit(name="tests", limit=1, operation=OPERATION), None)

    def send(
        self, command: Command, due: str | None, *, by: Actor | None = None, looked_at: int | None = None
    ) -> Receipt:
        """Send a command, which must be refused with the code ``due``, or carried out where that is None."""
        receipt, code = Receipt(revision=0, changed=False), None
        try:
            receipt = self.desk.send(say(command, by=by or Actor(name="ana"), expected_revision=looked_at))
        except OpsError as error:
            code = error.code
        assert code == due, f"{command}: the model says {due or 'carried out'}"
        return receipt

    # ------------------------------------------------------------------------------------------------------- people

    @rule(scopes=SCOPES, person=PEOPLE, mode=MODES, for_s=ENDS, create=st.booleans())
    def pause(self, scopes: list[dict[str, str]], person: str, mode: Mode, for_s: float | None, create: bool) -> None:
        due = self.model.place([*map(pairs, scopes)], "operator", person, mode, for_s, create=create)
        end = None if for_s is None else self.desk.clock.now + timedelta(seconds=for_s)
        wanted = PlaceHold(selectors=tuple(map(selector, scopes)), mode=mode, expires_at=end, create=create)
        self.send(wanted, due, by=Actor(name=person))

    @rule(scope=st.sampled_from(SELECTORS), person=PEOPLE, force=st.booleans(), looks=st.booleans())
    def resume(self, scope: dict[str, str], person: str, force: bool, looks: bool) -> None:
        looked_at = self.looked_at if looks else None
        moved = looked_at is not None and self.desk.state().control_revision > looked_at
        due = self.model.release(pairs(scope), force=force, moved=moved)
        wanted = ReleaseHolds(selectors=(selector(scope),), reason="done", force=force)
        self.send(wanted, due, by=Actor(name=person), looked_at=looked_at)

    @rule()
    def look(self) -> None:
        self.looked_at = self.desk.state().revision

    @rule(to=st.booleans(), name=st.sampled_from([OPERATION, "enableABTesting"]))
    def switch(self, to: bool, name: str) -> None:
        due = self.model.switch(OPERATION, to=to)
        self.send(SetSwitch(dimension="operation", names=(name,), on=to), due)

    @rule(limit=st.sampled_from([0, 0, 1, 5]))
    def set_limit(self, limit: int) -> None:
        self.model.limits["tests"] = (limit, OPERATION)
        self.send(SetLimit(name="tests", limit=limit), None)

    @rule(pair=st.sampled_from(PAIRS[:4]), there=st.booleans())
    def register(self, pair: tuple[str, str], there: bool) -> None:
        fields: Any = {"dimension": pair[0], "name": pair[1]}
        if there:
            self.model.add(pair)
            self.send(AddName(**fields), None)
        else:
            self.send(RemoveName(**fields), self.model.remove(pair))

    # --------------------------------------------------------------------------------------------------- automation

    @rule(scope=st.sampled_from(SELECTORS[1:3]), cause=st.sampled_from(["disk", "cpu"]))
    def alarm(self, scope: dict[str, str], cause: str) -> None:
        due = self.model.place([pairs(scope)], "alert", cause, "drain", None, create=True)
        wanted = PlaceHold(selectors=(selector(scope),), source="alert", owner=cause, create=True)
        self.send(wanted, due, by=Actor(name="watcher", kind="automation"))

    @rule(scope=st.sampled_from(SELECTORS[1:3]), cause=st.sampled_from(["disk", "cpu"]))
    def all_clear(self, scope: dict[str, str], cause: str) -> None:
        self.model.release_own(pairs(scope), "alert", cause)
        wanted = ReleaseHolds(selectors=(selector(scope),), reason="resolved", source="alert", owner=cause)
        self.send(wanted, None, by=Actor(name="watcher", kind="automation"))

    # ---------------------------------------------------------------------------------------------- time and workers

    @rule(seconds=st.sampled_from([0.0, 1.0, 5.0, 14.0, 60.0, -30.0]))
    def time_passes(self, seconds: float) -> None:
        self.desk.clock.pass_(seconds)
        self.model.now = self.desk.clock.now

    @rule()
    def keeper_starts(self) -> None:
        self.model.keeper_since = self.desk.keeper_starts()

    @rule()
    def sweep(self) -> None:
        self.model.sweep()
        self.send(ExpireHolds(), None, by=KEEPER)

    @rule(workers=WORKERS)
    def beat(self, workers: set[str]) -> None:
        self.desk.beat(workers)
        self.model.heartbeats |= dict.fromkeys(workers, self.model.now)

    @rule(heard=WORKERS, lost=WORKERS, left=WORKERS)
    def report(self, heard: set[str], lost: set[str], left: set[str]) -> None:
        seen = ReportWorkers(heard=tuple(sorted(heard)), lost=tuple(sorted(lost)), left=tuple(sorted(left)))
        self.send(seen, None, by=KEEPER)
        self.model.registered = (self.model.registered | heard) - left
        assert set(self.desk.state().workers) == self.model.registered

    @rule(worker=st.sampled_from(["w1", "w2", "w3"]))
    def forget(self, worker: str) -> None:
        self.send(ForgetWorkers(workers=(worker,)), self.model.forget(worker))

    # -------------------------------------------------------------------------------------------------------- stops

    @rule(scopes=SCOPES, level=st.sampled_from(list(MODE_OF_LEVEL)), create=st.booleans())
    def stop(self, scopes: list[dict[str, str]], level: Level, create: bool) -> None:
        self.stops += 1
        stop_id, wide = f"S-{self.stops}", [*map(pairs, scopes)]
        due = "unknown-name" if self.model.unknown(wide) and not create else None
        wanted = OrderStop(stop_id=stop_id, selectors=tuple(map(selector, scopes)), level=level, create=create)
        emergency_id = self.send(wanted, due).emergency_id
        if emergency_id is not None:
            met = self.model.meets(wide)
            assert emergency_id in met if met else emergency_id not in self.model.scopes
            self.model.stop(stop_id, emergency_id, wide, MODE_OF_LEVEL[level])
            assert set(self.desk.state().stops[stop_id].of) == self.model.listed[stop_id]

    @precondition(lambda self: self.model.listed)
    @rule(data=st.data(), workers=WORKERS)
    def count(self, data: st.DataObject, workers: set[str]) -> None:
        stop_id = data.draw(st.sampled_from(sorted(self.model.listed)))
        self.send(ConcludeStop(stop_id=stop_id, acked=tuple(sorted(workers))), None, by=KEEPER)
        stop = self.desk.state().stops[stop_id]
        if stop.result == "verified":
            assert not stop.missing
        if stop.result in {"partial", "unverified"}:
            assert stop.missing
        assert set(stop.of) == self.model.listed[stop_id], "the list is frozen"

    @precondition(lambda self: self.model.listed)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        stop_id = data.draw(st.sampled_from(sorted(self.model.listed)))
        assert not self.send(OrderStop(stop_id=stop_id, selectors=(selector({}),)), None).changed

    @precondition(lambda self: self.model.listed)
    @rule(data=st.data(), reason=st.text(max_size=5))
    def explain(self, data: st.DataObject, reason: str) -> None:
        stop_id = data.draw(st.sampled_from(sorted(self.model.listed)))
        self.send(ExplainStop(stop_id=stop_id, reason=reason), None)

    @precondition(lambda self: self.model.scopes)
    @rule(data=st.data())
    def recover(self, data: st.DataObject) -> None:
        emergency_id = data.draw(st.sampled_from(sorted(self.model.scopes)))
        emergency = self.desk.state().emergencies[emergency_id]
        counting = [self.desk.state().stops[stop_id] for stop_id in emergency.stop_ids]
        late = self.desk.clock.now - timedelta(seconds=10)
        pending = any(stop.result == "pending" and stop.deadline_at >= late for stop in counting)
        wanted = Recover(emergency_id=emergency_id, reason="mended", confirm=scope_text(emergency.selectors))
        self.send(wanted, "recovery-check-failed" if pending else None)
        if not pending:
            self.model.recover(emergency_id)

    # --------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def replaying_the_journal_gives_the_same_state(self) -> None:
        rows = self.desk.rows(self.replayed.revision)
        fault, _, self.chain = verify(rows, self.replayed.revision, self.chain)
        assert fault is None
        self.replayed = fold(self.replayed, map(event_of, rows))
        assert self.replayed == self.desk.state()

    @invariant()
    def following_a_part_gives_that_part(self) -> None:
        for row in self.desk.rows(self.followed.revision):
            recorded, before = event_of(row), self.followed
            self.followed = after = evolve(before, recorded)
            veil = Veil(before.revision, "", after.revision, "", after.control_revision, after.names_revision)
            for number, sight in enumerate(SIGHTS):
                shown, part = showing(sight, recorded, before, after), self.parts[number]
                match shown:
                    case "whole":
                        part = evolve(part, recorded)
                    case "veiled":
                        part = veil.drawn(part)
                    case "anew":
                        part = sight.state(after)
                assert part == sight.state(after), (shown, recorded)
                self.parts[number] = part

    @invariant()
    def the_revision_counts_the_events(self) -> None:
        assert self.desk.state().revision == len(self.desk.rows(0))

    @invariant()
    def the_gate_agrees_with_the_model_on_all_work(self) -> None:
        snapshot = self.desk.gate()
        table = Table(snapshot.holds, snapshot.names)
        for work in WORKS:
            found = {
                (frozenset(hold.selector.items), hold.source, hold.owner) for hold in evaluate(table, work).blockers
            }
            assert found == self.model.blockers(pairs(work)), work

    @invariant()
    def the_gate_knows_what_the_engine_knows(self) -> None:
        gate, engine = self.desk.gate(), self.desk.state().snapshot()
        assert (gate.revision, gate.names, gate.names_revision) == (
            engine.revision,
            engine.names,
            engine.names_revision,
        )
        assert {hold.hold_id: hold for hold in gate.holds} == {hold.hold_id: hold for hold in engine.holds}
        assert {notice.stop_id: notice for notice in gate.stops} == {notice.stop_id: notice for notice in engine.stops}

    @invariant()
    def modes_and_ends_are_those_of_the_model(self) -> None:
        for hold in self.desk.state().holds.values():
            plain = self.model.holds[frozenset(hold.selector.items), hold.source, hold.owner]
            assert (hold.expires_at, hold.overdue) == (plain.expires_at, plain.missed)
            if hold.source != "emergency":  # those are hardened by time and by harder stops
                assert hold.mode == plain.mode

    @invariant()
    def a_checkpoint_is_the_state(self) -> None:
        assert checkpoint.load(checkpoint.dump(self.desk.state())) == self.desk.state()

    def teardown(self) -> None:
        self.desk.close()


class FleetOnSqlite(Fleet):
    """The same, on a database file and a gate that reads it."""

    open_desk = SqliteDesk


def run(machine: type[Fleet], seed: int, *, quick: int, full: int, steps: int) -> None:
    """Run that many batches of ten examples. Each has a seed of its own, which follows
    from that of the whole run, so that what failed can be run again."""
    limits = settings(max_examples=10, stateful_step_count=steps, suppress_health_check=[HealthCheck.too_slow])
    done = 0
    for number in rounds(quick, full):
        run_state_machine_as_test(with_seed(seed + number)(machine), settings=limits)
        done += 1
    tell(f"{done} batches of ten examples of {machine.__name__}; seed {seed}")


def test_a_fleet_is_what_the_model_says(seed: int) -> None:
    run(Fleet, seed, quick=3, full=100, steps=40)


def test_a_fleet_on_sqlite_is_what_the_model_says(seed: int) -> None:
    run(FleetOnSqlite, seed, quick=1, full=20, steps=30)
