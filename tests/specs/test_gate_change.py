"""What gates are told of a commit: everything that changed for them, and nothing that did not."""

import pytest

from core.capabilities.explaining import ExplainStop
from core.capabilities.names import AddName, RemoveName
from core.capabilities.rate_limits import ResetLimit, SetLimit
from core.capabilities.workers import ForgetWorkers, ReportWorkers
from core.engine import evolve
from core.messages import Command
from core.policy import GateChange, gate_change
from core.state import State, Stop
from opsgate.selector import EVERYTHING
from opsgate.snapshot import Delta
from tests.specs.engine import Engine, Kind, on
from tests.specs.test_journal import STORY


@pytest.fixture
def engine() -> Engine:
    return Engine()


class Watched:
    """What changed for gates while the block ran."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.before, self.seen = engine, engine.state, len(engine.journal)

    def change(self) -> GateChange:
        return gate_change(self.before, self.engine.state, self.engine.journal[self.seen :])


def told(engine: Engine, command: Command, kind: Kind = "person") -> GateChange:
    watched = Watched(engine)
    engine.do(command, kind=kind)
    return watched.change()


def test_a_hold_that_was_placed_changed_or_released_is_told(engine: Engine) -> None:
    watched = Watched(engine)
    hold_id = engine.pause(on(site="s1")).hold_ids[0]
    assert watched.change().delta.placed == (engine.hold(hold_id),)

    watched = Watched(engine)
    engine.pause(on(site="s1"), mode="halt")
    assert [hold.mode for hold in watched.change().delta.placed] == ["halt"]

    watched = Watched(engine)
    engine.resume(on(site="s1"))
    assert watched.change().delta.released == (hold_id,)


def test_what_came_and_went_in_one_commit_is_not_told(engine: Engine) -> None:
    watched = Watched(engine)
    engine.pause(on(site="s1"))
    engine.resume(on(site="s1"))

    assert watched.change().delta == Delta(watched.before.revision, engine.state.revision)


def test_a_limit_is_told_when_it_becomes_zero_and_when_it_leaves_it_and_not_in_between(engine: Engine) -> None:
    assert told(engine, SetLimit(name="sites", limit=5)).delta.placed == ()
    assert [hold.hold_id for hold in told(engine, SetLimit(name="sites", limit=0)).delta.placed] == ["limit:sites"]
    assert told(engine, ResetLimit(name="sites")).delta.placed == ()
    assert told(engine, SetLimit(name="sites", limit=5)).delta.released == ("limit:sites",)


def test_names_are_told_when_they_come_and_go_and_not_when_they_are_retitled(engine: Engine) -> None:
    added = told(engine, AddName(dimension="site", name="s3"))
    assert (added.names_added, added.names_removed) == ((("site", "s3"),), ())
    retitled = told(engine, AddName(dimension="site", name="s3", title="Third"))
    assert (retitled.names_added, retitled.names_removed) == ((), ())
    removed = told(engine, RemoveName(dimension="site", name="s3"))
    assert (removed.names_added, removed.names_removed) == ((), (("site", "s3"),))


def test_a_stop_is_ordered_once_and_its_row_follows_its_result(engine: Engine) -> None:
    engine.workers("w1", "w2")
    watched = Watched(engine)
    receipt = engine.stop("S-1")
    change = watched.change()
    assert [notice.stop_id for notice in change.delta.ordered] == ["S-1"]
    assert change.stops == (engine.stopped("S-1"),)

    watched = Watched(engine)
    engine.count("S-1", "w1", "w2")
    change = watched.change()
    assert change.delta.ordered == ()
    assert [stop.result for stop in change.stops] == ["verified"]

    watched = Watched(engine)
    engine.recover(str(receipt.emergency_id))
    change = watched.change()
    assert change.delta.ended == ("S-1",)
    assert change.delta.released == receipt.hold_ids
    assert change.stops == ()


def test_a_reason_that_comes_later_reaches_the_holds_of_the_stop(engine: Engine) -> None:
    engine.stop("S-1", EVERYTHING)

    change = told(engine, ExplainStop(stop_id="S-1", reason="why"))

    assert [hold.reason for hold in change.delta.placed] == ["why"]
    assert [stop.reason for stop in change.stops] == ["why"]


def test_a_forgotten_worker_changes_the_stops_that_waited_for_it_and_no_others(engine: Engine) -> None:
    engine.workers("w1", "w2", site="s1")
    engine.stop("S-1", on(site="s1"))
    engine.workers("w3", site="s2")
    engine.live = engine.live[2:]
    engine.stop("S-2", on(site="s2"))
    engine.live = ()

    change = told(engine, ForgetWorkers(workers=("w2",)))

    assert [stop.stop_id for stop in change.stops] == ["S-1"]
    assert change.stops[0].of == ("w1",)


def test_workers_that_come_and_go_are_nothing_to_a_gate(engine: Engine) -> None:
    engine.workers("w1")
    engine.stop("S-1")

    change = told(engine, ReportWorkers(heard=("w1", "w2")), kind="system")

    assert change.stops == ()
    assert change.delta == Delta(change.delta.since, engine.state.revision)


def test_over_a_whole_story_the_changes_lead_from_picture_to_picture() -> None:
    state, stops = State(), dict[str, Stop]()
    picture = state.snapshot()
    for recorded in STORY.journal:
        before, state = state, evolve(state, recorded)
        change = gate_change(before, state, [recorded])

        followed = picture.changed(change.delta)
        assert followed is not None
        picture = followed
        stops |= {stop.stop_id: stop for stop in change.stops}
        stops = {stop_id: stop for stop_id, stop in stops.items() if stop_id not in change.delta.ended}

        whole = state.snapshot()
        assert {hold.hold_id: hold for hold in picture.holds} == {hold.hold_id: hold for hold in whole.holds}
        assert {notice.stop_id: notice for notice in picture.stops} == {n.stop_id: n for n in whole.stops}
        assert stops == {stop.stop_id: stop for stop in state.active_stops()}
