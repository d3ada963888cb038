"""Blocks of a limit: few questions, and never more than the limit."""

import threading
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from backends.local.memory import Memory, MemoryStore
from backends.runtime import Runtime
from core.capabilities.rate_limits import SetLimit
from opsgate import leases
from opsgate.leases import LEASE_S, SETTLED_AFTER_S, Leases, Taken
from opsgate.permits import Reservation
from tests.support.fleets import START, Clock, say

WINDOW_S = 3600.0


class Server:
    """Who counts: the real rules over a database in memory, and a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.asked: list[tuple[int, float]] = []
        self.is_away = self.is_mute = False
        self.window_s = WINDOW_S
        self.runtime = Runtime(MemoryStore(Memory("f-one")), clock=self.clock)

    def take(self, limit: str, units: int, lease_s: float) -> Taken:
        self.asked.append((units, lease_s))
        if self.is_away:
            return Taken(False, retry_after_s=5.0, reason="away")
        taken = self.runtime.reserve(limit, units, lease_s=lease_s)
        if self.is_mute:
            return Taken(False, retry_after_s=5.0, reason="no answer", unanswered=taken.reservation_id)
        grant = taken.grant
        return Taken(
            grant.granted, taken.reservation_id, grant.used, grant.limit, grant.retry_after_s, window_s=self.window_s
        )

    def give_back(self, reservation_id: str, keep: int) -> bool | None:
        return None if self.is_away or self.is_mute else self.runtime.refund(reservation_id, keep=keep)

    def elapsed_s(self) -> float:
        return (self.clock.now - START) / timedelta(seconds=1)

    def worker(self) -> Leases:
        return Leases(self.take, self.give_back, lambda: self.runtime.latest().revision, lambda: None)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(leases, "elapsed_s", server.elapsed_s)
    return server


def use(worker: Leases, times: int, limit: str = "content_pages") -> list[Reservation]:
    return [worker.reserve(limit, 1) for _ in range(times)]


def used(server: Server, limit: str = "content_pages") -> int:
    return next(usage.used for usage in server.runtime.observe().usage if usage.name == limit)


def test_a_slow_worker_asks_for_each_unit(server: Server) -> None:
    worker = server.worker()

    for _ in range(10):
        assert worker.reserve("content_pages", 1)
        server.clock.pass_(0.5)

    assert server.asked == [(1, 0.0)] * 10


def test_a_fast_worker_asks_for_blocks_of_what_it_used_within_a_second(server: Server) -> None:
    worker = server.worker()

    granted = use(worker, 40)

    assert all(granted)
    assert len(server.asked) < 15
    assert max(units for units, _ in server.asked) <= 100 // 10


def test_what_is_left_of_a_block_is_given_back_at_its_end(server: Server) -> None:
    worker = server.worker()
    use(worker, 8)
    assert used(server) > 8

    assert worker.sweep() == pytest.approx(LEASE_S)
    server.clock.pass_(LEASE_S)
    assert worker.sweep() is None

    assert used(server) == 8


def test_at_its_own_end_a_worker_gives_all_blocks_back(server: Server) -> None:
    worker = server.worker()
    use(worker, 8)

    worker.sweep(all_of_them=True)

    assert used(server) == 8


def test_a_block_ends_with_any_change_because_its_limit_may_have_been_lowered(server: Server) -> None:
    worker = server.worker()
    use(worker, 8)

    server.runtime.submit(say(SetLimit(name="content_pages", limit=0)))
    refused = worker.reserve("content_pages", 1)

    assert not refused
    assert refused.reason == f"Max content pages per hour reached ({used(server)}/0)"


def test_a_unit_of_a_block_can_be_given_back_before_and_after_the_blocks_end(server: Server) -> None:
    worker = server.worker()
    granted = use(worker, 8)

    assert granted[7].refund()
    worker.sweep(all_of_them=True)
    assert used(server) == 7
    assert granted[6].refund()
    assert granted[0].refund()
    assert not granted[6].refund()
    assert used(server) == 5


def test_while_nobody_counts_a_block_is_used_up_and_nothing_more(server: Server) -> None:
    worker = server.worker()
    use(worker, 8)
    server.is_away = True
    left = used(server) - 8

    assert sum(map(bool, use(worker, left + 5))) == left
    refused = worker.reserve("content_pages", 1)
    assert (refused.retry_after_s, refused.reason) == (5.0, "away")
    server.clock.pass_(LEASE_S + 1)
    worker.sweep()
    assert used(server) == 8 + left


def test_what_is_left_of_a_block_is_given_back_when_somebody_counts_again(server: Server) -> None:
    worker = server.worker()
    use(worker, 8)
    server.is_away = True
    server.clock.pass_(LEASE_S)
    assert worker.sweep() == LEASE_S, "it is tried again"

    server.is_away = False

    assert worker.sweep() is None
    assert used(server) == 8


def test_a_block_that_died_with_its_worker_counts_for_a_window_and_no_longer(server: Server) -> None:
    died, other = server.worker(), server.worker()
    units = len(use(died, 8))
    lost = used(server) - units
    assert lost > 0

    assert sum(map(bool, use(other, 200))) == 100 - units - lost
    server.clock.pass_(WINDOW_S + LEASE_S)
    assert sum(map(bool, use(other, 200))) == 100


@pytest.mark.parametrize("ahead_s", [-3600.0, 3600.0])
def test_a_clock_that_is_an_hour_off_lets_no_worker_use_more_and_keeps_no_block_for_longer(
    server: Server, monkeypatch: pytest.MonkeyPatch, ahead_s: float
) -> None:
    monkeypatch.setattr(leases, "elapsed_s", lambda: server.elapsed_s() + ahead_s)
    worker, other = server.worker(), server.worker()
    use(worker, 8)

    server.clock.pass_(LEASE_S - 0.1)
    late = len(use(worker, 1))
    server.clock.pass_(0.1)
    assert worker.sweep() is None
    assert used(server) == 8 + late
    server.clock.pass_(WINDOW_S - LEASE_S)
    assert sum(map(bool, use(other, 200))) <= 100 - late
    server.clock.pass_(LEASE_S + 0.1)
    assert used(server) + sum(map(bool, use(other, 200))) == 100


def test_what_was_given_and_never_heard_of_is_given_back_once_no_server_can_give_it_any_more(server: Server) -> None:
    worker = server.worker()
    server.is_mute = True
    refused = [worker.reserve("content_pages", 20), worker.reserve("content_pages", 30)]
    server.is_mute = False

    assert [(each.granted, each.reason) for each in refused] == [(False, "no answer")] * 2
    assert worker.sweep() == pytest.approx(SETTLED_AFTER_S)
    assert used(server) == 50, "until then it counts, for it may be under way still"
    server.clock.pass_(SETTLED_AFTER_S)
    assert worker.sweep() is None
    assert used(server) == 0


def test_at_its_own_end_a_worker_gives_back_what_it_never_heard_of_too(server: Server) -> None:
    worker = server.worker()
    server.is_mute = True
    worker.reserve("content_pages", 20)
    server.is_mute = False

    worker.sweep(all_of_them=True)

    assert used(server) == 0


def test_a_reservation_that_is_asked_for_again_by_its_name_counts_once_and_from_then_on(server: Server) -> None:
    first = server.runtime.reserve("content_pages", 60, named="one", owner="w1")
    server.clock.pass_(10.0)

    again = server.runtime.reserve("content_pages", 60, named="one", owner="w1")
    others = server.runtime.reserve("content_pages", 40, named="one", owner="w2")

    assert (first.reservation_id, again.grant) == (again.reservation_id, first.grant)
    assert others.grant.granted
    assert used(server) == 100
    server.clock.pass_(WINDOW_S - 5.0)
    assert used(server) == 100
    server.clock.pass_(5.0)
    assert server.runtime.reserve("content_pages", 60, named="one", owner="w1").grant.granted, "it has left its window"


def test_the_last_units_are_taken_one_by_one(server: Server) -> None:
    worker, other = server.worker(), server.worker()

    assert sum(map(bool, use(worker, 200))) + sum(map(bool, use(other, 5))) == 100
    assert used(server) == 100
    refused = worker.reserve("content_pages", 1)
    assert refused.retry_after_s is not None
    assert refused.reason == "Max content pages per hour reached (100/100)"


def test_what_was_used_late_out_of_a_block_counts_for_a_window_from_then(server: Server) -> None:
    worker, other = server.worker(), server.worker()
    use(worker, 4)
    server.clock.pass_(LEASE_S - 0.1)
    late = len(use(worker, 3))
    assert [lease_s for _, lease_s in server.asked] == [0.0] * 3 + [LEASE_S]

    server.clock.pass_(WINDOW_S - LEASE_S + 0.2)

    assert sum(map(bool, use(other, 200))) <= 100 - late


def test_of_a_short_window_no_blocks_are_taken(server: Server) -> None:
    server.window_s = 30.0

    use(server.worker(), 20)

    assert {units for units, _ in server.asked} == {1}


def test_many_threads_of_one_worker_share_its_blocks(server: Server) -> None:
    worker = server.worker()
    granted: list[Reservation] = []

    def run() -> None:
        granted.extend(use(worker, 25))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    worker.sweep(all_of_them=True)

    assert sum(map(bool, granted)) == 100 == used(server)


class Fleet(RuleBasedStateMachine):
    """Some workers, whatever they do, use no more than the limit within any window."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(leases, "elapsed_s", self.server.elapsed_s)
        self.workers = [self.server.worker() for _ in range(3)]
        self.in_use: list[tuple[float, Reservation]] = []

    @rule(worker=st.integers(0, 2), cost=st.integers(1, 3), times=st.integers(1, 12))
    def work(self, worker: int, cost: int, times: int) -> None:
        for _ in range(times):
            if reservation := self.workers[worker].reserve("content_pages", cost):
                self.in_use.append((self.server.elapsed_s(), reservation))

    @rule(seconds=st.sampled_from([0.1, 0.9, 1.5, LEASE_S, SETTLED_AFTER_S, 1795.0, WINDOW_S - LEASE_S, WINDOW_S]))
    def wait(self, seconds: float) -> None:
        self.server.clock.pass_(seconds)

    @rule(worker=st.integers(0, 2), at_its_end=st.booleans())
    def sweep(self, worker: int, at_its_end: bool) -> None:
        self.workers[worker].sweep(all_of_them=at_its_end)

    @rule(number=st.integers(0, 200))
    def refund(self, number: int) -> None:
        if number < len(self.in_use):
            self.in_use.pop(number)[1].refund()

    @rule(is_away=st.booleans(), is_mute=st.booleans())
    def go(self, is_away: bool, is_mute: bool) -> None:
        self.server.is_away, self.server.is_mute = is_away, is_mute

    @invariant()
    def no_window_sees_more_than_the_limit(self) -> None:
        now_s = self.server.elapsed_s()
        within = sum(reservation.cost for at_s, reservation in self.in_use if at_s > now_s - WINDOW_S)
        assert within <= 100

    def teardown(self) -> None:
        self.patch.undo()
        self.server.runtime.close()


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
