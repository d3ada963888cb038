"""What happens by itself, turn by turn, with both clocks in the hands of the test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from backends import spool
from backends.keeper.attendance import Attendance, Register
from backends.keeper.beats import Beat
from backends.keeper.conclusions import Conclusions, Countdown
from backends.keeper.expiry import Expiry
from backends.keeper.leader import LEASE_S
from backends.keeper.loops import TURN_S, Loops, pause_after
from backends.keeper.outbox import HTTP
from backends.keeper.peers import Peer
from backends.keeper.upkeep import Upkeep
from backends.observing import KEEPER
from core.ack_times import AckTimes
from core.capabilities.holds import PlaceHold
from core.capabilities.recovery import Recover
from core.capabilities.workers import ForgetWorkers
from core.errors import BackendUnavailable
from core.messages import Receipt
from core.state import Stop
from opsgate.order import Level, Order
from opsgate.selector import EVERYTHING, Selector
from opsgate.wire import LOST_AFTER_S
from tests.keeper.parts import Parts
from tests.support.fleets import say, worker


@pytest.fixture
def parts() -> Iterator[Parts]:
    """A keeper's parts over a fleet in memory."""
    made = Parts()
    yield made
    made.close()


def fire(parts: Parts, stop_id: str = "S-1", *selectors: Selector, level: Level = "immediate") -> None:
    """Record a stop of whoever is live by the rows."""
    parts.write()
    order = Order(stop_id, parts.now().at, selectors or (EVERYTHING,), level)
    spool.record(order, parts.runtime, timeout_s=1.0)


def found(parts: Parts, stop_id: str = "S-1") -> Stop:
    return parts.state.stops[stop_id]


# ------------------------------------------------------------------------------------------------------ conclusions
def test_a_stop_is_verified_in_the_turn_after_its_last_acknowledgement(parts: Parts) -> None:
    parts.hear("a")
    parts.hear("b")
    fire(parts)
    conclusions = Conclusions(parts.office, lambda _addresses: None)

    parts.hear("a", "S-1")
    conclusions.turn(parts.now(), parts.state)
    assert found(parts).result == "pending"
    parts.hear("b", "S-1")
    conclusions.turn(parts.now(), parts.state)

    assert (found(parts).result, found(parts).acked) == ("verified", ("a", "b"))


def test_the_conclusion_says_how_long_each_took_though_heartbeats_came_after_the_acknowledgements(parts: Parts) -> None:
    for name in ("a", "b", "c"):
        parts.hear(name)
    fire(parts)
    conclusions = Conclusions(parts.office, lambda _addresses: None)
    for name, seconds in (("a", 0.1), ("b", 0.3), ("c", 1.6)):
        parts.pass_(seconds)
        parts.hear(name, "S-1")
        conclusions.turn(parts.now(), parts.state)
        parts.hear("a", "S-1")
        conclusions.turn(parts.now(), parts.state)

    assert found(parts).ack_times == AckTimes(3, 0.4, 2.0, 2.0, "c")


def test_who_had_acknowledged_before_this_keeper_looked_is_not_timed(parts: Parts) -> None:
    for name in ("a", "b"):
        parts.hear(name)
    fire(parts, level="graceful")
    parts.pass_(9)
    parts.hear("a", "S-1")
    conclusions = Conclusions(parts.office, lambda _addresses: None)
    conclusions.turn(parts.now(), parts.state)
    parts.pass_(1)
    parts.hear("b", "S-1")
    conclusions.turn(parts.now(), parts.state)

    assert found(parts).ack_times == AckTimes(1, 10.0, 10.0, 10.0, "b")


def test_a_countdown_is_over_with_the_last_acknowledgement_in_whatever_order_they_come(parts: Parts) -> None:
    for name in ("a", "b", "c"):
        parts.hear(name)
    countdown = Countdown(lambda: parts.state, lambda: parts.roster.entries)
    parts.hear("a", "S-1")
    assert not countdown.is_over("S-1"), "it is not in the journal yet"

    fire(parts)

    assert not countdown.is_over("S-1")
    parts.hear("c", "S-1")
    assert not countdown.is_over("S-1")
    parts.hear("b", "S-1", S_1=1)
    assert not countdown.is_over("S-1"), "work still runs in one of them"
    parts.hear("b", "S-1")
    assert countdown.is_over("S-1")


def test_work_that_still_runs_is_no_acknowledgement(parts: Parts) -> None:
    parts.hear("a")
    fire(parts)
    conclusions = Conclusions(parts.office, lambda _addresses: None)

    parts.hear("a", "S-1", S_1=2)
    conclusions.turn(parts.now(), parts.state)

    assert found(parts).result == "pending"


def test_at_the_deadline_the_missing_are_named_once_and_later_turns_add_only_news(parts: Parts) -> None:
    for name in "abc":
        parts.hear(name)
    fire(parts)
    parts.hear("a", "S-1")
    conclusions = Conclusions(parts.office, lambda _addresses: None)

    parts.pass_(4.9)
    conclusions.turn(parts.now(), parts.state)
    assert conclusions.next_deadline_at == found(parts).deadline_at
    parts.pass_(0.2)
    for _ in range(3):
        conclusions.turn(parts.now(), parts.state)
    assert (found(parts).result, found(parts).missing) == ("partial", ("b", "c"))
    parts.hear("b", "S-1")
    conclusions.turn(parts.now(), parts.state)
    assert (found(parts).result, found(parts).missing) == ("partial", ("c",))
    parts.hear("c", "S-1")
    conclusions.turn(parts.now(), parts.state)

    assert found(parts).result == "verified"
    assert parts.kinds().count("stop.concluded") == 3


def test_a_draining_stop_that_uses_up_its_budget_halts_and_then_has_the_time_of_a_halt(parts: Parts) -> None:
    parts.hear("a")
    fire(parts, level="graceful")
    conclusions = Conclusions(parts.office, lambda _addresses: None)

    parts.pass_(60.1)
    conclusions.turn(parts.now(), parts.state)
    assert (found(parts).result, found(parts).level) == ("pending", "immediate")
    assert {hold.mode for hold in parts.state.holds.values()} == {"halt"}
    parts.pass_(5.1)
    conclusions.turn(parts.now(), parts.state)

    assert found(parts).result == "unverified"


def test_a_time_of_day_that_goes_back_puts_off_neither_the_halt_nor_the_end_of_a_stop(parts: Parts) -> None:
    parts.hear("a")
    fire(parts, level="graceful")
    conclusions = Conclusions(parts.office, lambda _addresses: None)
    conclusions.turn(parts.now(), parts.state)

    parts.jump(-3600.0)
    parts.pass_(59.0)
    conclusions.turn(parts.now(), parts.state)
    assert (found(parts).result, found(parts).level) == ("pending", "graceful")
    parts.pass_(1.1)
    conclusions.turn(parts.now(), parts.state)
    assert (found(parts).result, found(parts).level) == ("pending", "immediate")
    conclusions.turn(parts.now(), parts.state)
    parts.jump(-3600.0)
    parts.pass_(5.1)
    conclusions.turn(parts.now(), parts.state)

    assert found(parts).result == "unverified"


def test_a_keeper_that_comes_after_the_time_of_day_went_back_gives_a_stop_no_more_than_its_budget(parts: Parts) -> None:
    parts.hear("a")
    fire(parts)
    parts.jump(-3600.0)
    conclusions = Conclusions(parts.office, lambda _addresses: None)
    conclusions.turn(parts.now(), parts.state)
    parts.pass_(5.1)
    conclusions.turn(parts.now(), parts.state)

    assert found(parts).result == "unverified"


def test_whoever_has_not_seen_a_stop_is_reminded_now_and_then_but_not_in_its_first_moment(parts: Parts) -> None:
    reminded: list[list[bytes | str]] = []
    parts.hear("a")
    parts.hear("deaf")
    fire(parts)
    parts.hear("a", "S-1")
    conclusions = Conclusions(parts.office, reminded.append)

    for _ in range(3):
        conclusions.turn(parts.now(), parts.state)
        parts.pass_(0.2)
    assert reminded == [], "it may be about to answer"

    for _ in range(9):
        conclusions.turn(parts.now(), parts.state)
        parts.pass_(0.2)
    assert reminded == [["\0deaf"]] * 3


def test_while_acknowledgements_come_in_nothing_else_has_its_turn(parts: Parts) -> None:
    loops = Loops(parts.office, parts.now, remind=lambda _addresses: None)
    parts.hear("a")
    parts.hear("b")
    fire(parts)
    parts.hear("a", "S-1")

    loops.turn(parts.now())
    assert parts.roster.backlog == 2

    parts.pass_(0.6)
    loops.turn(parts.now())
    assert parts.roster.backlog == 0


def test_workers_of_another_keeper_count_by_their_rows(parts: Parts) -> None:
    parts.runtime.put_workers([worker("far", parts.now().at)])
    fire(parts)
    conclusions = Conclusions(parts.office, lambda _addresses: None)
    conclusions.turn(parts.now(), parts.state)

    parts.runtime.put_workers([worker("far", parts.now().at, stops=("S-1",))])
    parts.pass_(1.0)
    conclusions.turn(parts.now(), parts.state)

    assert found(parts).result == "verified"


def test_a_forgotten_worker_is_waited_for_no_longer(parts: Parts) -> None:
    parts.hear("a")
    parts.hear("gone")
    fire(parts)
    parts.pass_(LOST_AFTER_S)
    parts.hear("a", "S-1")
    parts.runtime.submit(say(ForgetWorkers(workers=("gone",))))

    Conclusions(parts.office, lambda _addresses: None).turn(parts.now(), parts.state)

    assert found(parts).result == "verified"


# ------------------------------------------------------------------------------------------------------- attendance
def test_who_came_and_went_is_reported_in_one_command(parts: Parts) -> None:
    attendance = Attendance(parts.office, parts.now())
    for number in range(100):
        parts.hear(f"w{number}")

    attendance.turn(parts.now(), parts.state)
    parts.pass_(1.0)
    attendance.turn(parts.now(), parts.state)

    rows = parts.runtime.journal(after=17)
    assert [row.kind for row in rows] == ["worker.registered"] * 100
    assert len({row.command_id for row in rows}) == 1


def test_silence_makes_a_worker_lost_and_its_next_word_brings_it_back(parts: Parts) -> None:
    attendance = Attendance(parts.office, parts.now())
    parts.hear("a")
    attendance.turn(parts.now(), parts.state)

    for _ in range(8):
        parts.pass_(2.0)
        attendance.turn(parts.now(), parts.state)
    parts.hear("a")
    parts.pass_(0.2)
    attendance.turn(parts.now(), parts.state)

    assert parts.kinds() == ["worker.registered", "worker.lost", "worker.returned"]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_worker_that_says_goodbye_to_another_server_has_left_and_is_not_lost(parts: Parts, where: str) -> None:
    """It speaks HTTP, to whichever server is nearest."""
    attendance, elsewhere, peer = Attendance(parts.office, parts.now()), Parts(parts.memory), Peer(0, 0, f"{HTTP}w1")
    spoken_to, beat = (parts if where == "here" else elsewhere), Beat.of({"worker": "w1", "pid": 7, "started": "a"})
    spoken_to.roster.beat(beat, peer, spoken_to.now())
    spoken_to.write()
    attendance.turn(parts.now(), parts.state)

    for one in (parts, elsewhere):
        one.pass_(6.0)
    elsewhere.roster.seed(elsewhere.runtime.store.workers(), elsewhere.now())
    assert elsewhere.roster.leave("w1", peer, elsewhere.now())
    elsewhere.write()
    attendance.turn(parts.now(), parts.state)
    assert parts.kinds() == ["worker.registered", "worker.left"]

    parts.pass_(0.2)
    parts.roster.beat(beat, peer, parts.now())
    attendance.turn(parts.now(), parts.state)
    for _ in range(3):
        parts.pass_(0.2)
        attendance.turn(parts.now(), parts.state)
    assert parts.kinds()[2:] == ["worker.registered"], "it came back, and what it said before counts no more"
    elsewhere.close()


def test_a_new_keeper_calls_nobody_lost_before_it_has_listened_for_long_enough(parts: Parts) -> None:
    parts.hear("a")
    Attendance(parts.office, parts.now()).turn(parts.now(), parts.state)
    parts.pass_(3600.0)

    later = Attendance(parts.office, parts.now())
    later.turn(parts.now(), parts.state)
    assert parts.kinds() == ["worker.registered"]
    for _ in range(8):
        parts.pass_(2.0)
        later.turn(parts.now(), parts.state)

    assert parts.kinds() == ["worker.registered", "worker.lost"]


def test_a_keeper_that_was_frozen_has_heard_nobody_and_proves_nothing(parts: Parts) -> None:
    attendance = Attendance(parts.office, parts.now())
    parts.hear("a")
    for _ in range(8):
        parts.hear("a")
        attendance.turn(parts.now(), parts.state)
        parts.pass_(2.0)

    parts.pass_(60.0)
    attendance.turn(parts.now(), parts.state)

    assert parts.kinds() == ["worker.registered"]


def test_a_jump_of_the_time_of_day_loses_nobody(parts: Parts) -> None:
    attendance, register = Attendance(parts.office, parts.now()), Register(parts.office)
    for number in range(12):
        parts.hear("a")
        register.turn(parts.now(), parts.state)
        attendance.turn(parts.now(), parts.state)
        parts.pass_(2.0)
        parts.jump(3600.0 if number % 2 else -7200.0)

    assert parts.kinds() == ["worker.registered"]


def test_plain_heartbeats_are_written_once_a_second_and_news_ten_times(parts: Parts) -> None:
    register = Register(parts.office)
    written = []
    parts.runtime.put_workers = lambda rows, **_: written.append(list(rows))  # type: ignore[method-assign]  # kept

    for _ in range(100):
        parts.hear("a")
        register.turn(parts.now(), parts.state)
        parts.pass_(0.05)
    plain, written[:] = len(written), []
    for _ in range(250):
        parts.hear("a")
        register.news = True
        register.turn(parts.now(), parts.state)
        parts.pass_(0.02)

    assert plain == 5
    assert 40 <= len(written) <= 50


def test_the_news_of_a_large_fleet_are_gathered_for_longer_but_never_longer_than_a_heartbeat(parts: Parts) -> None:
    register = Register(parts.office)
    for number in range(300):
        parts.hear(f"w{number}")
    register.news = True
    register.turn(parts.now(), parts.state)
    for number in range(300):
        parts.hear(f"w{number}", "S-1")
    register.news = True

    parts.pass_(0.25)
    register.turn(parts.now(), parts.state)
    assert len(parts.roster.unwritten()) == 300
    parts.pass_(0.1)
    register.turn(parts.now(), parts.state)
    assert parts.roster.unwritten() == []


def test_the_last_word_of_a_keeper_that_ends_is_written_however_fresh_the_writing_before_it(parts: Parts) -> None:
    loops = Loops(parts.office, parts.now, remind=lambda _addresses: None)
    parts.hear("a")
    loops.turn(parts.now())  # the clock of the test stands still: the rows were written "just now"
    parts.hear("a", "S-last-word")

    loops.close()  # before its thread has begun
    loops.run()

    assert [row.stops for row in parts.runtime.store.workers()] == [("S-last-word",)]


# ----------------------------------------------------------------------------------------------------------- expiry
def pause(parts: Parts, seconds: float, selector: Selector = EVERYTHING) -> None:
    """Place a hold that ends by itself."""
    expires_at = parts.now().at + timedelta(seconds=seconds)
    parts.runtime.submit(say(PlaceHold(selectors=(selector,), reason="x", expires_at=expires_at, create=True)))


def watch(parts: Parts, expiry: Expiry, seconds: float) -> None:
    """Let time pass with a turn now, every other second, and at the end."""
    expiry.turn(parts.now(), parts.state)
    while seconds > 0.0:
        parts.pass_(min(2.0, seconds))
        seconds -= 2.0
        expiry.turn(parts.now(), parts.state)


def test_a_hold_ends_when_its_time_has_come(parts: Parts) -> None:
    expiry = Expiry(parts.office)
    pause(parts, 60.0)

    watch(parts, expiry, 59.0)
    assert parts.state.holds
    watch(parts, expiry, 1.0)

    assert parts.kinds() == ["hold.placed", "hold.expired"]


def test_what_fell_due_while_the_keeper_was_frozen_is_shown_and_not_done(parts: Parts) -> None:
    """A stopped process or a suspended machine watches nothing, whatever its start says."""
    expiry = Expiry(parts.office)
    pause(parts, 60.0)
    watch(parts, expiry, 50.0)

    parts.pass_(22.0)
    watch(parts, expiry, 10.0)

    assert parts.kinds() == ["hold.placed", "hold.expiry-missed"]
    assert [hold.overdue for hold in parts.state.holds.values()] == [True]


def test_what_falls_due_after_the_keeper_was_frozen_ends_as_ever(parts: Parts) -> None:
    expiry = Expiry(parts.office)
    pause(parts, 60.0)
    watch(parts, expiry, 10.0)

    parts.pass_(22.0)
    watch(parts, expiry, 29.0)

    assert parts.kinds() == ["hold.placed", "hold.expired"]


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_freeze_is_told_by_the_clock_that_never_jumps(parts: Parts, jump_s: float) -> None:
    """The time of day alone would show a freeze that was none, or hide one."""
    expiry = Expiry(parts.office)
    pause(parts, 60.0)
    watch(parts, expiry, 50.0)
    parts.jump(jump_s)
    expiry.turn(parts.now(), parts.state)
    parts.jump(-jump_s)

    watch(parts, expiry, 11.0)

    assert parts.kinds() == ["hold.placed", "hold.expired"]


def test_a_keeper_that_stood_by_has_watched_nothing_before_it_led(parts: Parts) -> None:
    parts.runtime.take_lease(KEEPER, "somebody else", 70.0)
    loops = Loops(parts.office, parts.now, remind=lambda _addresses: None)
    pause(parts, 60.0)
    pause(parts, 90.0, Selector.of(site="s1"))

    for _ in range(50):
        loops.turn(parts.now())
        parts.pass_(2.0)

    assert parts.kinds()[-2:] == ["hold.expiry-missed", "hold.expired"]


@pytest.mark.parametrize("jump_s", [3600.0, 10 * 365 * 86_400.0])
def test_a_time_of_day_that_jumps_ahead_ends_nothing_early(parts: Parts, jump_s: float) -> None:
    expiry = Expiry(parts.office)
    pause(parts, 60.0)
    expiry.turn(parts.now(), parts.state)

    parts.jump(jump_s)
    watch(parts, expiry, 59.0)
    assert parts.kinds() == ["hold.placed"]
    watch(parts, expiry, 1.0)

    assert parts.kinds() == ["hold.placed", "hold.expired"]


def test_a_time_of_day_that_goes_back_ends_nothing_early(parts: Parts) -> None:
    expiry = Expiry(parts.office)
    pause(parts, 60.0)
    expiry.turn(parts.now(), parts.state)

    parts.jump(-3600.0)
    watch(parts, expiry, 61.0)

    assert parts.kinds() == ["hold.placed"]


def test_a_pause_that_was_made_longer_is_due_later(parts: Parts) -> None:
    expiry = Expiry(parts.office)
    pause(parts, 60.0)
    watch(parts, expiry, 30.0)
    pause(parts, 60.0)

    watch(parts, expiry, 40.0)
    assert parts.state.holds
    watch(parts, expiry, 21.0)

    assert not parts.state.holds


def test_a_hold_without_end_and_the_holds_of_an_emergency_never_expire(parts: Parts) -> None:
    expiry = Expiry(parts.office)
    parts.runtime.submit(say(PlaceHold(selectors=(Selector.of(site="s1"),), reason="x", create=True)))
    fire(parts)

    parts.pass_(10 * 365 * 86_400.0)
    expiry.turn(parts.now(), parts.state)

    assert len(parts.state.holds) == 2


# ------------------------------------------------------------------------------------------------------- leadership
def test_one_leads_until_it_is_silent_and_the_next_one_has_a_higher_token(parts: Parts) -> None:
    other = Parts(parts.memory)
    parts.leader.renew(parts.elapsed_s)
    first = parts.leader.lease
    other.leader.renew(other.elapsed_s)

    assert (parts.leader.leads(parts.elapsed_s), other.leader.leads(other.elapsed_s)) == (True, False)
    other.pass_(LEASE_S + 0.1)
    other.leader.renew(other.elapsed_s)
    assert other.leader.leads(other.elapsed_s)
    assert first is not None
    assert other.leader.lease is not None
    assert other.leader.lease.token > first.token
    other.close()


def test_a_leader_that_slept_through_its_lease_knows_it_before_it_asks(parts: Parts) -> None:
    parts.leader.renew(parts.elapsed_s)

    parts.pass_(LEASE_S - 1.9)

    assert not parts.leader.leads(parts.elapsed_s)


def test_a_leader_that_is_fenced_off_writes_nothing_more(parts: Parts) -> None:
    """It checked its lease, slept, and goes on as if no time had passed."""
    parts.hear("a")
    parts.leader.renew(parts.elapsed_s)
    other = Parts(parts.memory)
    other.pass_(LEASE_S + 0.1)
    other.leader.renew(other.elapsed_s)

    with pytest.raises(BackendUnavailable, match="somebody else's"):
        Attendance(parts.office, parts.now()).turn(parts.now(), parts.state)

    assert parts.kinds() == []
    other.close()


def freeze_before_the_next_write(parts: Parts, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Stop the process (SIGSTOP) between the decision of its turn and the transaction, and wake it later."""
    submit = parts.runtime.submit

    def frozen(*args: Any, **named: Any) -> Receipt:
        monkeypatch.setattr(parts.runtime, "submit", submit)
        parts.pass_(seconds)
        return submit(*args, **named)

    monkeypatch.setattr(parts.runtime, "submit", frozen)


def test_a_keeper_frozen_in_the_turn_that_ends_a_pause_ends_nothing_after_another_took_over(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.leader.renew(parts.elapsed_s)
    pause(parts, 60.0)
    expiry = Expiry(parts.office)
    for _ in range(59):
        expiry.turn(parts.now(), parts.state)
        parts.pass_(1.0)
        parts.leader.renew(parts.elapsed_s)
    parts.pass_(1.0)
    other = Parts(parts.memory)
    other.clock.now = parts.clock.now + timedelta(seconds=LEASE_S + 1)

    other.leader.renew(other.elapsed_s)
    freeze_before_the_next_write(parts, monkeypatch, LEASE_S + 2)
    with pytest.raises(BackendUnavailable, match="somebody else's"):
        expiry.turn(parts.now(), parts.state)

    assert other.leader.leads(other.elapsed_s)
    assert parts.kinds() == ["hold.placed"]
    other.close()


def test_a_keeper_frozen_beyond_its_lease_writes_nothing_though_nobody_took_over(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.leader.renew(parts.elapsed_s)
    pause(parts, 5.0)
    expiry = Expiry(parts.office)
    watch(parts, expiry, 4.5)
    parts.pass_(0.5)
    freeze_before_the_next_write(parts, monkeypatch, LEASE_S)

    with pytest.raises(BackendUnavailable, match="not renewed in time"):
        expiry.turn(parts.now(), parts.state)

    assert parts.kinds() == ["hold.placed"]


def test_what_fell_due_while_the_keeper_was_frozen_in_that_turn_is_shown_and_not_done(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause that was due before is ended, late; the other one nobody watched."""
    pause(parts, 5.0, Selector.of(site="s1"))
    pause(parts, 60.0, Selector.of(site="s2"))
    expiry = Expiry(parts.office)
    watch(parts, expiry, 4.5)
    parts.pass_(0.5)
    freeze_before_the_next_write(parts, monkeypatch, 3600.0)

    expiry.turn(parts.now(), parts.state)
    assert parts.kinds()[-1:] == ["hold.expired"]
    expiry.turn(parts.now(), parts.state)

    assert parts.kinds()[-2:] == ["hold.expired", "hold.expiry-missed"]


def test_nobody_waits_for_the_lease_of_a_dead_process_of_this_host(parts: Parts) -> None:
    dead = parts.leader.holder.split("/")
    dead[1] = "4194303"  # no process has this number
    parts.runtime.take_lease(KEEPER, "/".join(dead), LEASE_S)

    parts.leader.renew(parts.elapsed_s)

    assert parts.leader.leads(parts.elapsed_s)


@pytest.mark.parametrize("holder", ["elsewhere:1/4194303/7/abc", "nonsense", "a/b/c/d"])
def test_the_lease_of_a_process_that_cannot_be_seen_runs_out_first(parts: Parts, holder: str) -> None:
    parts.runtime.take_lease(KEEPER, holder, LEASE_S)

    parts.leader.renew(parts.elapsed_s)

    assert not parts.leader.leads(parts.elapsed_s)


def test_whoever_does_not_lead_writes_down_its_workers_and_nothing_else(parts: Parts) -> None:
    parts.runtime.take_lease(KEEPER, "somebody else", 3600.0)
    loops = Loops(parts.office, parts.now, remind=lambda _addresses: None)
    parts.hear("a")
    pause(parts, 1.0)
    parts.pass_(2.0)

    loops.turn(parts.now())

    assert [row.worker_id for row in parts.runtime.observe().workers] == ["a"]
    assert parts.kinds() == ["hold.placed"]


def test_loops_go_on_when_the_database_comes_back(parts: Parts) -> None:
    loops = Loops(parts.office, parts.now, remind=lambda _addresses: None)
    write = parts.runtime.store.write

    def away(*, timeout_s: float) -> None:
        raise BackendUnavailable("database-locked", "locked", "")

    parts.runtime.store.write = away  # type: ignore[method-assign, assignment]  # in its place
    parts.hear("a")
    loops.turn(parts.now())
    seen: list[str] = [loops.database]
    parts.runtime.store.write = write  # type: ignore[method-assign]  # as it was
    parts.pass_(4.0)
    loops.turn(parts.now())
    seen.append(loops.database)

    assert seen == ["away", "here"]
    assert parts.kinds() == ["worker.registered"]


class Rests:
    """In place of what the loops wait by: lets the time of the test pass, and ends them when it is over."""

    def __init__(self, parts: Parts, loops: Loops, seconds: float) -> None:
        self.count = 0
        self._parts, self._loops, self._until_s = parts, loops, parts.elapsed_s + seconds

    def wait(self, timeout_s: float) -> None:
        self.count += 1
        self._parts.pass_(timeout_s)
        if self._parts.elapsed_s >= self._until_s:
            self._loops.close()

    def clear(self) -> None:
        """Nobody wakes it."""

    set = clear


@pytest.mark.parametrize("fate", ["its database is away", "somebody else leads"])
def test_whoever_cannot_conclude_a_stop_whose_time_is_up_tries_no_oftener_for_that(
    parts: Parts, fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops = Loops(parts.office, parts.now, remind=lambda _addresses: None)
    parts.hear("deaf")
    fire(parts)
    loops.turn(parts.now())

    def away(*, timeout_s: float) -> None:
        raise BackendUnavailable("database-gone", "gone", "")

    if fate == "its database is away":
        monkeypatch.setattr(parts.runtime.store, "write", away)
    else:
        parts.leader.resign()
        parts.runtime.take_lease(KEEPER, "somebody else", 3600.0)
    rests = Rests(parts, loops, seconds=60.0)
    monkeypatch.setattr(loops, "_wake", rests)
    loops.run()

    assert found(parts).result == "pending"
    assert rests.count <= 60.0 / TURN_S + 2


# ----------------------------------------------------------------------------------------------------------- upkeep
def test_the_journal_is_shortened_by_the_clock_that_never_jumps(parts: Parts) -> None:
    """A time of day that is years ahead must not cost the journal."""
    upkeep = Upkeep(parts.office, parts.now(), keep_days=30)

    parts.jump(10 * 365 * 86_400.0)
    parts.pass_(400.0)
    upkeep.turn(parts.now(), parts.state)
    assert len(parts.kinds(after=0)) == 17
    for _ in range(32):
        parts.pass_(86_400.0)
        upkeep.turn(parts.now(), parts.state)

    assert parts.kinds(after=0) == []
    assert parts.runtime.verify().fault is None


def test_workers_that_left_are_forgotten_in_time_but_not_while_a_stop_has_them_on_its_list(parts: Parts) -> None:
    upkeep, attendance = Upkeep(parts.office, parts.now(), keep_days=30), Attendance(parts.office, parts.now())
    for name in ("a", "b"):
        parts.hear(name)
    attendance.turn(parts.now(), parts.state)
    fire(parts, "S-1", Selector.of(site="s1"))
    for name in ("a", "b"):
        assert parts.roster.leave(name, Peer(0, 7, f"\0{name}"), parts.now())
    parts.write()
    parts.pass_(0.2)
    attendance.turn(parts.now(), parts.state)

    parts.pass_(2 * 3600.0)
    upkeep.turn(parts.now(), parts.state)
    kept = {row.worker_id for row in parts.runtime.observe().workers}
    Conclusions(parts.office, lambda _addresses: None).turn(parts.now(), parts.state)
    (emergency,) = parts.state.active_emergencies()
    parts.runtime.submit(say(Recover(emergency_id=emergency.emergency_id, reason="over", confirm="site=s1")))
    parts.pass_(3600.0)
    upkeep.turn(parts.now(), parts.state)

    assert kept == {"a", "b"}
    assert parts.runtime.observe().workers == ()
    assert not parts.roster.entries


def test_the_rest_after_a_turn_grows_with_the_turn_but_not_with_the_absence_of_the_database() -> None:
    assert pause_after(0.1) == 0.2
    assert pause_after(0.2) == 0.4
    assert pause_after(5.0) == pause_after(50.0) == 1.0
