"""Recovery: the only way back from an emergency, and a dear one."""

import pytest

from core.capabilities.holds import ReleaseHolds
from core.capabilities.recovery import Recover, recovery_checks
from core.capabilities.switches import SetSwitch
from core.engine import RemoveLatch
from core.errors import ConfirmationNeeded, RevisionConflict
from core.policy import run_state
from core.state import ENDED_KEPT
from tests.specs.engine import Engine, Kind, on, said


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.workers("w1", "w2", "w3")
    return engine


def test_recovery_releases_that_emergencys_holds_and_asks_for_its_latches_to_be_removed(engine: Engine) -> None:
    engine.stop("S-1", on(site="s1"))
    receipt = engine.stop("S-2", on(site="s1"), on(site="s2"))
    engine.count("S-1", "w1", "w2", "w3")
    engine.count("S-2", "w1", "w2", "w3")

    recovered = engine.recover(str(receipt.emergency_id), confirm="site=s1 or site=s2")

    assert engine.kinds(recovered) == ["hold.released", "hold.released", "emergency.ended"]
    assert engine.effects == [RemoveLatch("S-1"), RemoveLatch("S-2")]
    assert engine.runs(site="s1")
    assert run_state(engine.state) == "running"
    emergency = engine.emergency(receipt)
    assert (emergency.status, emergency.ended_by, emergency.ended_at) == ("ended", "ana", engine.now)


@pytest.mark.parametrize("typed", ["", "ALL", "site=s1", "site=s2"])
def test_recovery_wants_the_scope_typed_as_it_is_printed(engine: Engine, typed: str) -> None:
    receipt = engine.stop("S-1")
    engine.count("S-1", "w1", "w2", "w3")

    with pytest.raises(ConfirmationNeeded, match=f"type the scope of {receipt.emergency_id}: all"):
        engine.recover(str(receipt.emergency_id), confirm=typed)
    assert not engine.runs()


def test_recovery_wants_a_reason(engine: Engine) -> None:
    receipt = engine.stop("S-1")
    wanted = Recover(emergency_id=str(receipt.emergency_id), reason=" ", confirm="all")

    assert engine.refused(wanted) == "reason-needed"


def test_recovery_is_refused_when_the_state_moved(engine: Engine) -> None:
    receipt = engine.stop("S-1")
    engine.count("S-1", "w1", "w2", "w3")
    looked_at = engine.state.revision
    engine.stop("S-2", by="ben")

    wanted = Recover(emergency_id=str(receipt.emergency_id), reason="x", confirm="all")
    with pytest.raises(RevisionConflict):
        engine.do(wanted, looked_at=looked_at)


@pytest.mark.parametrize("kind", ["automation", "system"])
def test_no_program_recovers_by_itself(engine: Engine, kind: Kind) -> None:
    receipt = engine.stop("S-1")
    engine.count("S-1", "w1", "w2", "w3")

    wanted = Recover(emergency_id=str(receipt.emergency_id), reason="x", confirm="all")
    assert engine.refused(wanted, kind=kind) == "person-only"


def test_an_unknown_emergency_cannot_be_recovered(engine: Engine) -> None:
    assert engine.refused(Recover(emergency_id="E-9", reason="x")) == "unknown-emergency"


def test_recovering_twice_changes_nothing_and_says_who_did_it(engine: Engine) -> None:
    receipt = engine.stop("S-1")
    engine.count("S-1", "w1", "w2", "w3")
    engine.recover(str(receipt.emergency_id))

    again = engine.recover(str(receipt.emergency_id))

    assert not again.changed
    assert "was recovered at" in said(again)
    assert "by ana" in said(again)


def test_recovery_waits_for_the_count_but_not_for_a_keeper_that_is_gone(engine: Engine) -> None:
    receipt = engine.stop("S-1")
    wanted = Recover(emergency_id=str(receipt.emergency_id), reason="x", confirm="all")

    assert engine.refused(wanted) == "recovery-check-failed"
    engine.wait(15)
    assert engine.refused(wanted) == "recovery-check-failed"
    engine.wait(0.1)
    assert engine.do(wanted).changed


def test_a_recovery_shows_who_is_not_known_to_have_stopped_and_what_holds_on(engine: Engine) -> None:
    theirs = engine.pause(on(site="s1"), by="ben").hold_ids[0]
    receipt = engine.stop("S-1")
    emergency_id = str(receipt.emergency_id)
    before = recovery_checks(engine.state, engine.state.emergencies[emergency_id])
    engine.wait(5)
    engine.count("S-1", "w1")

    after = recovery_checks(engine.state, engine.state.emergencies[emergency_id], engine.now)

    assert [check.verdict for check in before] == ["fail", "warn"]
    assert list(map(str, after)) == [
        "[!!] S-1: 1/3 acknowledged, partial; not known to have stopped: w2, w3",
        f"[!!] still held afterwards by {theirs} of operator ben",
    ]
    recovered = engine.recover(emergency_id)
    assert not engine.runs(site="s1")
    assert engine.runs(site="s2")
    assert [hold["owner"] for hold in recovered.remaining_holds] == ["ben"]


def test_a_recovery_names_three_of_many_holds_that_stay(engine: Engine) -> None:
    for person in ("ben", "cleo", "dan", "eve", "flo"):
        engine.pause(on(site="s1"), by=person)
    receipt = engine.stop("S-1")
    engine.count("S-1", "w1", "w2", "w3")

    ok, others = recovery_checks(engine.state, engine.emergency(receipt))

    assert str(ok) == "[ok] S-1: 3/3 acknowledged, verified"
    assert others.detail.endswith("and 2 more")


def test_nothing_else_ends_an_emergency_hold(engine: Engine) -> None:
    hold_id = engine.stop("S-1", on(operation="ab_testing")).hold_ids[0]
    selectors = (on(operation="ab_testing"),)

    engine.resume(*selectors)
    engine.do(SetSwitch(dimension="operation", names=("ab_testing",), on=True))
    engine.wait(1e9)
    engine.keeper_starts()
    engine.sweep()

    assert engine.refused(ReleaseHolds(selectors=selectors, reason="x", force=True)) == "emergency-hold"
    assert engine.refused(ReleaseHolds(selectors=selectors, reason="x", hold_id=hold_id)) == "emergency-hold"
    assert hold_id in engine.state.holds
    assert engine.hold(hold_id).expires_at is None


def test_an_old_order_that_comes_again_after_recovery_does_not_stop_again_and_says_so(engine: Engine) -> None:
    receipt = engine.stop("S-1")
    engine.count("S-1", "w1", "w2", "w3")
    engine.recover(str(receipt.emergency_id))

    again = engine.stop("S-1")

    assert not again.changed
    assert said(again) == "stop S-1 was in force and has been recovered: order another one"
    assert engine.runs()


def test_the_last_fifty_ended_emergencies_are_kept_with_their_stops(engine: Engine) -> None:
    engine.live = ()
    for number in range(ENDED_KEPT + 2):
        engine.recover(str(engine.stop(f"S-{number}").emergency_id))
        engine.wait(1)

    assert len(engine.state.emergencies) == len(engine.state.stops) == ENDED_KEPT
    assert "S-1" not in engine.state.stops
    assert "S-2" in engine.state.stops
    assert engine.state.active_stops() == ()
