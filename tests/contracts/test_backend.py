"""What the faces may rely on: every promise of `core.ports.Backend`, on memory, SQLite and PostgreSQL.

Two runtimes on one database stand for two processes.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from backends.runtime import Runtime
from core import checkpoint
from core.audit import event_of
from core.capabilities.configuration import ApplyConfiguration, Configuration, NameEntry
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import ExpireHolds, PlaceHold, ReleaseHolds
from core.capabilities.names import AddName
from core.capabilities.rate_limits import ResetLimit, SetLimit
from core.capabilities.recovery import Recover
from core.capabilities.workers import ForgetWorkers, ReportWorkers
from core.engine import fold
from core.errors import BackendUnavailable, CommandRejected, RevisionConflict, UnknownName
from core.messages import Recorded
from core.ports import Arrival, Backend, Cursor
from core.state import State
from core.triggers.sample import Sample
from opsgate import latch
from opsgate.order import Order
from opsgate.paths import ALL_FLEETS, fleet_of_url
from opsgate.selector import EVERYTHING, Selector
from tests.support.fleets import BEN, KEEPER, START, Clock, say, worker
from tests.support.places import FLEET, Place
from tests.support.waiting import eventually

PAUSE = PlaceHold(selectors=(EVERYTHING,), reason="too warm")
RESUME = ReleaseHolds(selectors=(EVERYTHING,), reason="cool again")


def kinds(backend: Backend, after: int = 17) -> list[str]:
    """The kinds of the events behind a revision; the first 17 begin the fleet."""
    return [row.kind for row in backend.journal(after=after)]


def test_a_new_fleet_has_its_flags_limits_and_workflows_and_no_site(anywhere: Place) -> None:
    state = anywhere.seat().state()

    assert (state.fleet, state.revision) == (FLEET, 17)
    assert [len(state.names_of(dimension)) for dimension in ("operation", "workflow", "site")] == [6, 6, 0]
    assert (len(state.limits), len(state.holds)) == (4, 0)


def test_opening_a_fleet_again_begins_nothing(anywhere: Place) -> None:
    anywhere.seat()

    assert anywhere.seat().state().revision == 17


class TestCommands:
    """submit"""

    def test_a_command_is_carried_out_and_recorded_when_its_receipt_is_there(self, anywhere: Place) -> None:
        ours, others = anywhere.seat(), anywhere.seat()

        receipt = ours.submit(say(PAUSE))

        assert (receipt.revision, receipt.changed, receipt.durable) == (18, True, "database")
        assert receipt.hold_ids == ("H-18",)
        assert others.state().holds["H-18"].reason == "too warm"

    def test_a_rehearsed_command_leaves_nothing_behind_and_may_be_given_afterwards(self, place: Place) -> None:
        ours, others = place.runtime(), place.runtime()
        envelope = say(PAUSE)

        ours.rehearse(envelope)

        assert ours.state() == others.state()
        assert (others.state().revision, kinds(others)) == (17, [])
        assert ours.submit(envelope).revision == 18

    def test_the_same_command_again_gets_the_same_receipt_and_does_nothing(self, everywhere: Place) -> None:
        ours, others = everywhere.seat(), everywhere.seat()
        envelope = say(PAUSE)
        first = ours.submit(envelope)
        ours.submit(say(RESUME))

        assert ours.submit(envelope) == first
        assert others.submit(envelope) == first
        assert kinds(ours) == ["hold.placed", "hold.released"]

    def test_the_same_command_that_changed_nothing_gets_the_same_receipt_too(self, anywhere: Place) -> None:
        ours = anywhere.seat()
        envelope = say(RESUME)
        first = ours.submit(envelope)
        ours.submit(say(PAUSE))

        assert ours.submit(envelope) == first
        assert not first.changed
        assert len(ours.state().holds) == 1, "a repeated release releases nothing that came after it"

    def test_the_same_command_given_at_two_places_at_once_is_carried_out_once(self, everywhere: Place) -> None:
        seats = everywhere.seat(), everywhere.seat()
        envelopes = [say(AddName(dimension="site", name=f"s{number}")) for number in range(10)]

        with ThreadPoolExecutor(4) as pool:
            twice = [[pool.submit(seat.submit, each, timeout_s=60) for seat in seats] for each in envelopes]

        assert all(ours.result() == others.result() for ours, others in twice)
        assert kinds(seats[0]) == ["name.added"] * 10

    def test_a_command_id_that_was_used_for_another_command_is_refused(self, anywhere: Place) -> None:
        ours = anywhere.seat()
        envelope = say(PAUSE)
        ours.submit(envelope)

        with pytest.raises(CommandRejected) as refused:
            ours.submit(say(RESUME, command_id=envelope.command_id))

        assert refused.value.code == "command-id-reused"
        assert len(ours.state().holds) == 1

    def test_a_refusal_is_recorded_with_who_tried_what(self, place: Place) -> None:
        ours, others = place.runtime(), place.runtime()

        with pytest.raises(CommandRejected, match="needs a reason"):
            ours.submit(say(ReleaseHolds(selectors=(EVERYTHING,), reason=" "), by=BEN))

        recorded = event_of(others.journal(after=17)[0])
        assert (recorded.header.actor, recorded.event.kind) == (BEN, "command.refused")
        assert "release-holds" in recorded.event.model_dump_json()

    def test_a_release_is_refused_where_another_process_placed_a_hold_since_it_was_looked_at(
        self, everywhere: Place
    ) -> None:
        ours, others = everywhere.seat(), everywhere.seat()
        ours.submit(say(PAUSE))
        looked_at = ours.state().control_revision
        others.submit(say(OrderStop(stop_id="stop-1", selectors=(EVERYTHING,))))

        with pytest.raises(RevisionConflict):
            ours.submit(say(RESUME, expected_revision=looked_at))

        assert len(others.state().holds) == 2
        assert kinds(others)[-1] == "command.refused"

    def test_a_loop_that_finds_nothing_to_do_writes_nothing(self, place: Place) -> None:
        ours = place.runtime()
        envelope = say(ExpireHolds(), by=KEEPER)

        assert not ours.submit(envelope).changed

        with ours.store.write(timeout_s=60) as transaction:
            assert transaction.receipt(envelope.command_id) is None
        assert ours.state().revision == 17

    def test_a_stop_freezes_the_list_of_workers_that_are_alive(self, place: Place) -> None:
        """Alive is who was heard of in the last 15 s and has not left; a lost one is shown apart."""
        clock = Clock()
        ours = place.runtime(clock)
        ours.put_workers(
            [
                worker("alive", START - timedelta(seconds=14)),
                worker("lost", START - timedelta(seconds=16)),
                worker("left", START, state="left"),
            ]
        )

        receipt = ours.submit(say(OrderStop(stop_id="stop-1", selectors=(EVERYTHING,))))

        assert receipt.stop_id == "stop-1"
        assert ours.state().stops["stop-1"].of == ("alive",)

    def test_a_stop_lists_a_worker_whom_nobody_could_hear_and_nobody_calls_lost(self, place: Place) -> None:
        """While no keeper and no server ran nobody was heard: that silence proves nothing."""
        ours, long_ago = place.runtime(Clock()), START - timedelta(hours=1)
        ours.put_workers([worker("unheard", long_ago), worker("lost", long_ago)])
        ours.put_workers([worker("left", long_ago, state="left")])
        ours.submit(say(ReportWorkers(heard=("unheard", "lost", "left")), by=KEEPER))
        ours.submit(say(ReportWorkers(lost=("lost",)), by=KEEPER))

        ours.submit(say(OrderStop(stop_id="stop-1", selectors=(EVERYTHING,))))

        assert ours.state().stops["stop-1"].of == ("unheard",)
        ours.submit(say(ForgetWorkers(workers=("unheard",))))
        assert ours.state().stops["stop-1"].of == (), "and a person may say that it is gone"

    def test_expiry_that_fell_due_before_the_keeper_came_up_is_shown_and_not_done(self, place: Place) -> None:
        clock = Clock()
        keeper = place.runtime(clock)
        for site in ("s1", "s2"):
            keeper.submit(say(AddName(dimension="site", name=site)))
        keeper.submit(say(_pause("s1", clock, 60)))
        keeper.submit(say(_pause("s2", clock, 600)))
        clock.pass_(300)
        keeper.keeper_since = clock.now
        clock.pass_(400)

        keeper.submit(say(ExpireHolds(), by=KEEPER))

        assert [(str(hold.selector), hold.overdue) for hold in keeper.state().holds.values()] == [("site=s1", True)]

    def test_a_command_waits_for_its_turn_no_longer_than_it_was_told(self, place: Place) -> None:
        ours, others = place.runtime(), place.runtime()

        with others.store.write(timeout_s=60), pytest.raises(BackendUnavailable, match="locked"):
            ours.submit(say(PAUSE), timeout_s=0.1)

        assert ours.submit(say(PAUSE)).revision == 18

    def test_whoever_only_looks_is_not_held_up_by_a_command_that_waits_for_its_turn(self, place: Place) -> None:
        ours, others = place.runtime(), place.runtime()
        with ThreadPoolExecutor(1) as pool:
            with others.store.write(timeout_s=60):
                waiting = pool.submit(ours.submit, say(PAUSE), timeout_s=60)
                eventually(lambda: ours._turns.is_taken)
                assert ours.state(timeout_s=1).revision == 17
                assert not waiting.done()
            assert waiting.result(60).revision == 18

    def test_commands_of_many_threads_are_each_recorded_and_published_once(self, everywhere: Place) -> None:
        ours, others = everywhere.seat(), everywhere.seat()
        arrivals = _Arrivals()
        ours.follow(arrivals)
        commands = [say(AddName(dimension="site", name=f"s{number}")) for number in range(40)]

        with ThreadPoolExecutor(8) as pool:
            writers = [(ours, others)[number % 2] for number in range(40)]
            receipts = list(pool.map(lambda writer, command: writer.submit(command, timeout_s=60), writers, commands))

        assert sorted(receipt.revision for receipt in receipts) == list(range(18, 58))
        eventually(lambda: arrivals.revision == 57)
        assert [recorded.revision for recorded in arrivals.events] == list(range(18, 58))
        assert ours.state() == others.state()

    def test_recovery_removes_the_latches_of_its_stops_wherever_they_lie(self, place: Place) -> None:
        """Under the fleet's id, under the hash of the URL while the id was unknown, and under all."""
        ours = place.runtime()
        order = Order(stop_id="stop-1", ordered_at=START)
        folders = (FLEET, fleet_of_url(ours.url), ALL_FLEETS)
        for folder in folders:
            latch.place(order, folder)
        stopped = ours.submit(say(OrderStop(stop_id="stop-1", selectors=(EVERYTHING,))))
        assert latch.in_force(folders), "a stop leaves its latch in force"
        assert stopped.emergency_id is not None

        ours.submit(say(Recover(emergency_id=stopped.emergency_id, reason="mended", confirm="all")))

        assert latch.in_force(folders) == ()


def _pause(site: str, clock: Clock, for_s: float) -> PlaceHold:
    return PlaceHold(selectors=(Selector.of(site=site),), expires_at=clock.now + timedelta(seconds=for_s))


class TestFollowing:
    """follow, latest, contact"""

    def test_whoever_follows_hears_of_every_event_once_and_in_order(self, everywhere: Place) -> None:
        ours, others = everywhere.seat(), everywhere.seat()
        before, arrivals = ours.latest(), _Arrivals()
        ours.follow(arrivals)

        for number in range(40):
            writer = ours if number % 2 else others
            writer.submit(say(AddName(dimension="site", name=f"s{number}")))
        eventually(lambda: arrivals.revision == 57)

        assert [recorded.revision for recorded in arrivals.events] == list(range(18, 58))
        assert fold(before, arrivals.events) == arrivals.state == ours.latest()

    def test_what_another_process_commits_arrives_without_anybody_asking(self, everywhere: Place) -> None:
        ours, others = everywhere.seat(), everywhere.seat()
        arrivals = _Arrivals()
        ours.follow(arrivals)

        others.submit(say(PAUSE))

        eventually(lambda: arrivals.revision == 18)
        assert ours.latest().holds["H-18"].owner == "ana"

    def test_a_listener_that_fails_keeps_nothing_from_the_others(self, anywhere: Place) -> None:
        ours = anywhere.seat()
        arrivals = _Arrivals()

        def fails(_arrival: Arrival) -> None:
            raise ZeroDivisionError

        ours.follow(fails)
        ours.follow(arrivals)
        ours.submit(say(PAUSE))
        eventually(lambda: arrivals.revision == 18)
        ours.submit(say(RESUME))
        eventually(lambda: arrivals.revision == 19)

    def test_who_leaves_hears_no_more(self, anywhere: Place) -> None:
        ours = anywhere.seat()
        leaver, stayer = _Arrivals(), _Arrivals()
        leave = ours.follow(leaver)
        ours.follow(stayer)
        ours.submit(say(PAUSE))
        eventually(lambda: leaver.revision == stayer.revision == 18)

        leave()
        ours.submit(say(RESUME))

        eventually(lambda: stayer.revision == 19)
        assert leaver.revision == 18

    def test_a_slow_listener_gets_fewer_and_larger_arrivals_and_misses_none(self, anywhere: Place) -> None:
        ours = anywhere.seat()
        arrivals = _Arrivals()

        def slow(arrival: Arrival) -> None:
            while ours.latest().revision < 67:
                eventually(lambda: ours.latest().revision == 67)
            arrivals(arrival)

        ours.follow(slow)
        for number in range(50):
            ours.submit(say(AddName(dimension="site", name=f"s{number}")))

        eventually(lambda: arrivals.revision == 67)
        assert [recorded.revision for recorded in arrivals.events] == list(range(18, 68))
        assert arrivals.count <= 3

    def test_the_latest_state_is_what_was_last_seen_and_asks_nobody(self, anywhere: Place) -> None:
        ours, others = anywhere.seat(), anywhere.seat()
        others.submit(say(PAUSE))

        assert ours.latest().revision == 17
        assert ours.state().revision == 18
        assert ours.latest().revision == 18

    def test_contact_is_valid_while_it_answers_and_off_when_closed(self, anywhere: Place) -> None:
        ours = anywhere.seat()
        ours.state()
        assert ours.contact().word == "valid"
        assert ours.contact().age_s < 60

        ours.close()

        assert ours.contact().word == "off"
        with pytest.raises(BackendUnavailable, match="closed"):
            ours.submit(say(PAUSE))


class TestThePast:
    """journal, state_at, verify, retention"""

    def test_the_journal_is_read_in_pieces(self, anywhere: Place) -> None:
        ours = anywhere.seat()

        assert [row.revision for row in ours.journal(after=3, limit=5)] == [4, 5, 6, 7, 8]
        assert ours.journal(after=17) == []

    def test_the_state_at_a_past_time_is_the_fold_up_to_there(self, place: Place) -> None:
        ours, clock = _with_history(place)

        placed, released = ours.state_at(START + timedelta(hours=1)), ours.state_at(START + timedelta(hours=3))

        assert [hold.hold_id for hold in placed.holds.values()] == ["H-18"]
        assert (len(released.holds), released.revision) == (0, 19)
        assert ours.state_at(START - timedelta(days=1)) == State()
        assert ours.state_at(clock.now + timedelta(days=1)) == ours.state()

    def test_the_journal_verifies_from_its_beginning_to_its_head(self, place: Place) -> None:
        ours, _ = _with_history(place)

        report = ours.verify()

        assert (report.since, report.revision, report.fault) == (0, 20, None)
        assert report.chain == ours.store.head().chain

    def test_retention_drops_old_events_and_the_rest_still_folds_and_verifies(self, place: Place) -> None:
        ours, clock = _with_history(place)
        before = ours.state()

        dropped = ours.retain(START + timedelta(hours=3))

        assert dropped == 19
        report, again = ours.verify(), place.runtime(clock)
        assert (report.since, report.revision, report.fault) == (19, 20, None)
        assert again.state() == before
        assert again.state_at(START + timedelta(hours=4)).revision == 20
        with pytest.raises(CommandRejected, match="begins behind revision 19"):
            ours.state_at(START + timedelta(hours=1))
        assert ours.retain(START + timedelta(hours=3)) == 0, "the second time there is nothing to drop"

    def test_a_process_that_lagged_behind_retention_reads_the_state_anew(self, place: Place) -> None:
        """It cannot be handed the dropped events, and nothing was lost: no hold is placed for it."""
        lagging = place.runtime()
        arrivals = _Arrivals()
        ours, clock = _with_history(place)

        ours.retain(clock.now + timedelta(days=1))
        lagging.follow(arrivals)

        assert lagging.state() == ours.state()
        assert lagging.state().revision == 20
        eventually(lambda: arrivals.revision == 20)

    def test_a_long_journal_is_opened_from_a_stored_state(self, place: Place) -> None:
        ours = place.runtime()
        sites = {f"s{number}": NameEntry() for number in range(checkpoint.EVERY)}

        ours.submit(say(ApplyConfiguration(configuration=Configuration(sites=sites))))
        ours.submit(say(PAUSE))

        found = ours.store.load_checkpoint()
        assert found is not None
        assert found[0] == checkpoint.EVERY + 17
        assert checkpoint.dump(place.runtime().state()) == checkpoint.dump(ours.state())

    def test_a_damaged_checkpoint_is_passed_over(self, place: Place) -> None:
        ours = place.runtime()
        ours.submit(say(PAUSE))
        with ours.store.write(timeout_s=60) as transaction:
            transaction.put_checkpoint(18, ours.store.head().chain, checkpoint.dump(State(revision=18)), "wrong")

        assert place.runtime().state() == ours.state()


def _with_history(place: Place) -> tuple[Runtime, Clock]:
    """A hold placed after an hour, released after two and a half, a site added after four."""
    clock = Clock()
    ours = place.runtime(clock)
    for hours, command in ((1.0, PAUSE), (1.0, RESUME), (2.0, AddName(dimension="site", name="s1"))):
        clock.pass_(hours * 3600)
        ours.submit(say(command))
    return ours, clock


class TestLimits:
    """reserve, refund, usage"""

    def test_a_limit_grants_what_it_allows_and_says_when_to_try_again(self, place: Place) -> None:
        clock = Clock()
        ours = place.runtime(clock)
        first = ours.reserve("sites", 7)
        clock.pass_(600)

        refused = ours.reserve("maxSitesPerHour", 4).grant

        assert (first.grant.granted, first.grant.used, first.grant.limit) == (True, 7, 10)
        assert (refused.granted, refused.used, refused.retry_after_s) == (False, 7, 3000.0)
        assert ours.reserve("sites", 3).grant.granted

    def test_a_limit_is_shared_by_all_processes_and_survives_them(self, anywhere: Place) -> None:
        ours, others = anywhere.seat(), anywhere.seat()
        ours.reserve("sites", 6)
        ours.close()

        assert not others.reserve("sites", 5).grant.granted
        assert anywhere.seat().reserve("sites", 4).grant.used == 10

    def test_what_is_refunded_can_be_reserved_again_once(self, anywhere: Place) -> None:
        ours, others = anywhere.seat(), anywhere.seat()
        reservation = ours.reserve("sites", 10)

        assert others.refund(reservation.reservation_id)
        assert not others.refund(reservation.reservation_id)
        assert others.reserve("sites", 10).grant.granted

    def test_of_a_block_what_was_not_used_can_be_reserved_again_and_never_more_than_that(self, anywhere: Place) -> None:
        ours, others = anywhere.seat(), anywhere.seat()
        block = ours.reserve("sites", 8, lease_s=2.0)

        assert others.refund(block.reservation_id, keep=5)
        assert not others.refund(block.reservation_id, keep=6), "what was given back is somebody else's by now"
        assert others.reserve("sites", 5).grant.used == 10
        assert not ours.reserve("sites", 1).grant.granted

    def test_a_block_counts_for_a_window_from_the_last_moment_in_which_it_may_be_used(self, place: Place) -> None:
        clock = Clock()
        ours = place.runtime(clock)
        ours.reserve("sites", 10, lease_s=2.0)

        clock.pass_(3600)
        refused = ours.reserve("sites", 1).grant

        assert (refused.granted, refused.retry_after_s) == (False, 2.0)

    def test_a_lowered_limit_acts_at_once_in_every_process_and_zero_grants_nothing(self, anywhere: Place) -> None:
        ours, others = anywhere.seat(), anywhere.seat()
        ours.reserve("sites", 3)

        others.submit(say(_limit(4)))
        assert not ours.reserve("sites", 2).grant.granted
        assert ours.reserve("sites", 1).grant.granted
        others.submit(say(_limit(0)))
        refused = ours.reserve("sites", 1).grant

        assert (refused.granted, refused.retry_after_s) == (False, None)

    def test_a_limit_that_is_reset_counts_from_nothing(self, anywhere: Place) -> None:
        ours, others = anywhere.seat(), anywhere.seat()
        ours.reserve("sites", 10)
        ours.reserve("content_pages", 10)

        others.submit(say(_reset("maxSitesPerHour")))

        assert ours.reserve("sites", 10).grant.granted
        assert ours.reserve("content_pages", 1).grant.used == 11

    def test_a_window_that_was_made_longer_still_knows_what_was_used(self, place: Place) -> None:
        clock = Clock()
        ours = place.runtime(clock)
        ours.reserve("sites", 8)
        clock.pass_(2 * 3600)
        ours.reserve("sites", 1)

        ours.submit(say(_limit(10, window_s=4 * 3600.0)))

        assert ours.reserve("sites", 2).grant.used == 9

    def test_an_unknown_limit_and_a_cost_of_nothing_are_refused(self, anywhere: Place) -> None:
        ours = anywhere.seat()

        with pytest.raises(UnknownName):
            ours.reserve("nothing")
        with pytest.raises(CommandRejected, match="reserve"):
            ours.reserve("sites", 0)

    def test_usage_is_observed_with_its_history_over_the_window(self, place: Place) -> None:
        clock = Clock()
        ours = place.runtime(clock)
        ours.reserve("sites", 2)
        clock.pass_(1800)
        ours.reserve("sites", 3)
        clock.pass_(600)

        usage = {usage.name: usage for usage in ours.observe().usage}

        assert usage["sites"].used == 5
        assert usage["sites"].history == (0, 0, 0, 2, 0, 0, 0, 0, 3, 0)
        assert usage["content_pages"].used == 0


def _limit(units: int, window_s: float | None = None) -> SetLimit:
    return SetLimit(name="sites", limit=units, window_s=window_s)


def _reset(name: str) -> ResetLimit:
    return ResetLimit(name=name)


class TestObservations:
    """observe, workers, leases"""

    def test_workers_are_observed_as_they_last_spoke(self, place: Place) -> None:
        clock = Clock()
        ours, others = place.runtime(clock), place.runtime(clock)
        others.put_workers([worker("w2", START), worker("w1", START)])
        others.drop_workers(["w2"])

        observed = ours.observe()

        assert (observed.at, observed.workers) == (START, (worker("w1", START),))
        assert ours.state().revision == 17, "heartbeats are no events"

    def test_a_keeper_is_alive_while_its_lease_runs(self, place: Place) -> None:
        clock = Clock()
        ours, others = place.runtime(clock), place.runtime(clock)
        assert not ours.observe().keeper

        others.take_lease("keeper", "host-1", 10)
        assert ours.observe().keeper
        clock.pass_(10)

        assert not ours.observe().keeper

    def test_one_holder_at_a_time_has_a_lease_and_each_new_one_a_higher_token(self, place: Place) -> None:
        clock = Clock()
        ours, others = place.runtime(clock), place.runtime(clock)

        first = ours.take_lease("keeper", "host-1", 10)
        assert first is not None
        assert others.take_lease("keeper", "host-2", 10) is None
        clock.pass_(5)
        renewed = ours.take_lease("keeper", "host-1", 10)
        assert renewed is not None
        assert (renewed.token, renewed.expires_at) == (first.token, START + timedelta(seconds=15))

        clock.pass_(10)
        second = others.take_lease("keeper", "host-2", 10)
        assert second is not None
        assert second.token == first.token + 1
        assert ours.take_lease("keeper", "host-1", 10) is None

    def test_a_cursor_is_moved_only_under_the_lease_that_is_held(self, place: Place) -> None:
        clock = Clock()
        ours, others = place.runtime(clock), place.runtime(clock)
        first = ours.take_lease("keeper", "host-1", 10)
        assert ours.advance(Cursor("mail", 17, START), None, first)
        clock.pass_(11)
        with pytest.raises(BackendUnavailable, match="not renewed"):
            ours.advance(Cursor("mail", 18, START), 17, first)

        second = others.take_lease("keeper", "host-2", 10)
        with pytest.raises(BackendUnavailable, match="somebody else's"):
            ours.advance(Cursor("mail", 18, START), 17, first)

        assert others.advance(Cursor("mail", 19, START), 17, second)
        assert ours.store.cursors() == [Cursor("mail", 19, START)]

    def test_samples_are_observed_and_forgotten_without_an_event(self, place: Place) -> None:
        ours, others = place.runtime(), place.runtime()
        others.put_samples([Sample("spend", at_s, 1.5) for at_s in (1.0, 2.0)])

        assert ours.drop_samples(2.0) == 1

        assert ours.store.samples("spend", 0.0) == [Sample("spend", 2.0, 1.5)]
        assert ours.state().revision == 17

    def test_kept_samples_are_read_by_metric_as_far_back_as_is_asked_and_the_latest_of_them(self, place: Place) -> None:
        clock = Clock()
        ours = place.runtime(clock)
        now_s = clock.now.timestamp()
        kept = [Sample("spend", now_s - age, float(age), "a1", source="w1") for age in (30, 20, 10)]
        ours.put_samples([*kept, Sample("other", now_s, 1.0)])

        assert ours.samples("spend", last_s=25) == kept[1:]
        assert ours.samples("spend", last_s=3600, most=1) == kept[2:]
        assert ours.samples("nothing", last_s=3600) == []

    def test_a_lease_that_was_given_back_is_free_at_once(self, place: Place) -> None:
        ours, others = place.runtime(), place.runtime()
        ours.take_lease("keeper", "host-1", 10)
        others.drop_lease("keeper", "host-2")
        assert others.take_lease("keeper", "host-2", 10) is None

        ours.drop_lease("keeper", "host-1")

        assert others.take_lease("keeper", "host-2", 10) is not None


class _Arrivals:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.count = 0
        self.state = State()
        self.events: list[Recorded] = []

    def __call__(self, arrival: Arrival) -> None:
        self.count += 1
        self.state = arrival.state
        self.events.extend(arrival.events)

    @property
    def revision(self) -> int:
        """The last revision that arrived."""
        return self.state.revision
