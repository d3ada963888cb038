"""The roster: who is live, who is lost, who has left, and whose word counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.keeper.beats import Ack, Beat
from backends.keeper.peers import Peer
from backends.keeper.roster import Heard, Instant, Roster, acknowledged
from core.ports import WorkerRow
from core.state import Stop
from opsgate.selector import EVERYTHING
from opsgate.wire import LOST_AFTER_S

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def after(seconds: float) -> Instant:
    return Instant(NOON + timedelta(seconds=seconds), 1000.0 + seconds)


class Host:
    """The processes of a host that exists in this test only: number → when it started."""

    def __init__(self, **processes: str) -> None:
        self.processes = {int(pid.removeprefix("p")): start for pid, start in processes.items()}

    def started(self, pid: int) -> str:
        return self.processes.get(pid, "")

    def is_running(self, pid: int, start: str) -> bool:
        return start != "" and self.processes.get(pid) == start


def roster_on(host: Host) -> Roster:
    return Roster(host.is_running, host.started)


def beat(worker: str = "w1", **fields: object) -> Beat:
    return Beat.of({"worker": worker, **fields})


def peer(pid: int, address: str = "") -> Peer:
    return Peer(0, pid, address or f"\0{pid}")


def row(worker: str, *, pid: int = 0, started: str = "", at: datetime = NOON, state: str = "live") -> WorkerRow:
    return WorkerRow(worker, "", {}, pid, started, at, at, 0, (), {}, 0, state)


def stop_of(*workers: str) -> Stop:
    return Stop("S-1", "E-1", "immediate", (EVERYTHING,), (), workers, NOON, "ada", NOON)


def test_a_worker_is_live_until_its_heartbeats_stay_away() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7), after(0))

    entry = roster.entries["w1"]

    assert entry.is_live(after(LOST_AFTER_S - 0.1).elapsed_s)
    assert not entry.is_live(after(LOST_AFTER_S).elapsed_s)


def test_a_wall_clock_that_jumps_makes_nobody_lost() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7), Instant(NOON, 1000.0))

    roster.beat(beat(), peer(7), Instant(NOON + timedelta(days=3650), 1005.0))
    roster.beat(beat(), peer(7), Instant(NOON - timedelta(hours=1), 1010.0))

    assert [entry.row.worker_id for entry in roster.live(1011.0)] == ["w1"]


def test_another_process_cannot_speak_for_a_worker_whose_process_runs() -> None:
    """Not even when the worker has been silent for long: a hung process must not be declared stopped by a stranger."""
    roster = roster_on(Host(p7="a", p8="b"))
    roster.beat(beat(), peer(7), after(0))

    heard = roster.beat(beat(stops=["S-1"]), peer(8), after(3600))

    assert heard.refused == "worker w1 is process 7, not 8"
    assert acknowledged(stop_of("w1"), {"w1": roster.entries["w1"].row}) == ()


def test_a_restarted_worker_takes_its_name_over_from_the_process_that_is_gone() -> None:
    host = Host(p7="a")
    roster = roster_on(host)
    roster.beat(beat(), peer(7), after(0))

    host.processes = {8: "b"}
    heard = roster.beat(beat(), peer(8), after(1))

    assert heard == Heard(fresh=True)
    assert (roster.entries["w1"].row.pid, roster.entries["w1"].row.started) == (8, "b")
    assert roster.entries["w1"].row.registered_at == after(1).at


def test_a_process_number_that_was_used_again_is_another_process() -> None:
    host = Host(p7="a")
    roster = roster_on(host)
    roster.beat(beat(), peer(7, "one"), after(0))

    host.processes = {7: "b"}

    assert not roster.beat(beat(), peer(7, "two"), after(1)).refused
    assert roster.entries["w1"].row.started == "b"


def test_a_process_may_open_another_socket() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7, "one"), after(0))

    heard = roster.beat(beat(), peer(7, "two"), after(1))

    assert heard == Heard(fresh=True)
    assert roster.entries["w1"].address == "two"
    assert roster.entries["w1"].row.registered_at == NOON


def test_a_worker_in_another_process_namespace_belongs_to_its_socket() -> None:
    roster = roster_on(Host())
    roster.beat(beat(pid=1), peer(0, "one"), after(0))

    assert roster.beat(beat(pid=1), peer(0, "two"), after(1)).refused
    assert not roster.beat(beat(pid=1), peer(0, "one"), after(2)).refused
    assert not roster.beat(beat(pid=1), peer(0, "two"), after(2 + LOST_AFTER_S)).refused


def test_a_worker_has_acknowledged_when_it_has_seen_the_stop_and_nothing_of_it_runs() -> None:
    roster = roster_on(Host(p1="a", p2="b", p3="c", p4="d"))
    roster.beat(beat("done", stops=["S-1"]), peer(1), after(0))
    roster.beat(beat("busy", stops=["S-1"], draining={"S-1": 2}), peer(2), after(0))
    roster.beat(beat("deaf"), peer(3), after(0))
    roster.beat(beat("gone"), peer(4), after(0))
    roster.leave("gone", peer(4), after(1))

    rows = {worker: entry.row for worker, entry in roster.entries.items()}

    assert acknowledged(stop_of("busy", "deaf", "done", "gone", "never-heard"), rows) == ("done", "gone")


def test_only_what_a_beat_says_newly_about_stops_is_an_acknowledgement() -> None:
    roster = roster_on(Host(p7="a"))

    said = [
        roster.beat(beat(**fields), peer(7), after(0)).acknowledged
        for fields in (
            {},
            {"stops": ["S-1"], "draining": {"S-1": 1}},
            {"stops": ["S-1"], "draining": {"S-1": 1}, "in_flight": 4},
            {"stops": ["S-1"]},
            {"stops": ["S-1"]},
        )
    ]

    assert said == [False, True, False, True, False]


def test_nobody_says_goodbye_for_another() -> None:
    roster = roster_on(Host(p7="a", p8="b"))
    roster.beat(beat(), peer(7), after(0))

    assert not roster.leave("w1", peer(8), after(1))
    assert not roster.leave("nobody", peer(7), after(1))
    assert roster.entries["w1"].is_live(after(1).elapsed_s)
    assert roster.leave("w1", peer(7), after(1))
    assert not roster.entries["w1"].is_live(after(1).elapsed_s)


def obeyed(roster: Roster) -> set[str]:
    """The stops under which nothing of worker w1 runs any more."""
    row = roster.entries["w1"].row
    return {stop_id for stop_id in ("S-0", "S-1", "S-2") if row.has_stopped(stop_id)}


def by_http(credential: str = "T-1") -> Peer:
    return Peer(0, 0, "http:w1", credential)


def test_a_restart_behind_http_takes_its_name_over_at_once_by_the_credential_of_the_one_before() -> None:
    roster = roster_on(Host())
    roster.beat(beat(boot="one", pid=1), by_http(), after(0))

    assert not roster.beat(beat(boot="two", pid=1), by_http(), after(1)).refused

    late = roster.beat(beat(boot="one", pid=1), by_http(), after(2))
    assert (late.replaced, "later start" in late.refused) == (True, True)
    assert roster.entries["w1"].starts.boot == "two"
    assert not roster.beat(beat(boot="three", pid=1), by_http(), after(3)).refused
    for boot in ("one", "two"):
        assert roster.beat(beat(boot=boot, pid=1), by_http(), after(60)).replaced, "also when the last one is long lost"


@pytest.mark.parametrize(
    ("first", "second", "credential"),
    [("one", "two", "T-2"), ("one", "two", ""), ("", "two", "T-1"), ("one", "", "T-1")],
    ids=["another credential", "none", "an older worker before it", "an older worker after it"],
)
def test_without_two_boots_and_one_credential_a_restart_waits_until_the_one_before_is_lost(
    first: str, second: str, credential: str
) -> None:
    roster = roster_on(Host())
    roster.beat(beat(boot=first, pid=1, started="5"), by_http(), after(0))
    restarted = beat(boot=second, pid=2, started="9")

    heard = roster.beat(restarted, by_http(credential), after(1))
    assert (bool(heard.refused), heard.replaced) == (True, False)
    assert not roster.beat(restarted, by_http(credential), after(LOST_AFTER_S + 1)).refused


def test_what_ran_before_a_restart_counts_as_running_until_it_would_have_been_lost() -> None:
    """Nobody saw it end: a stop is not obeyed any sooner because somebody else speaks for the worker now."""
    roster = roster_on(Host())
    roster.beat(beat(boot="one", in_flight=3, stops=["S-0", "S-1"], draining={"S-1": 2}), by_http(), after(0))
    now_obeys = beat(boot="two", stops=["S-0", "S-1", "S-2"])

    roster.beat(now_obeys, by_http(), after(1))
    assert obeyed(roster) == {"S-0"}

    roster.beat(now_obeys, by_http(), after(LOST_AFTER_S + 1))
    assert obeyed(roster) == {"S-0", "S-1", "S-2"}


def test_what_a_start_may_have_begun_after_its_last_word_counts_too() -> None:
    """That nothing ran in it was seconds ago, and no stop had told it to begin nothing."""
    roster = roster_on(Host())
    roster.beat(beat(boot="one", in_flight=0), by_http(), after(0))

    roster.beat(beat(boot="two", stops=["S-1"]), by_http(), after(4))

    assert obeyed(roster) == set()


@pytest.mark.parametrize("restarts", [1, 40], ids=["one restart", "more than are remembered"])
def test_a_goodbye_of_the_last_start_is_none_of_those_before_it(restarts: int) -> None:
    """They were not seen to end: the worker is lost in time, and has not left."""
    roster = roster_on(Host())
    roster.beat(beat(boot="boot-0", in_flight=3), by_http(), after(0))
    for number in range(1, restarts + 1):
        roster.beat(beat(boot=f"boot-{number}", stops=["S-1"]), by_http(), after(number / 10))

    for again in (5, 6, 60):
        assert roster.leave("w1", by_http(), after(again), f"boot-{restarts}")
        assert (roster.entries["w1"].row.state, obeyed(roster)) == ("live", set())
    assert not roster.entries["w1"].is_live(after(5 + LOST_AFTER_S).elapsed_s)


def test_a_worker_has_left_when_all_its_starts_have_said_so() -> None:
    roster = roster_on(Host())
    for second, boot in enumerate(("one", "two", "three")):
        roster.beat(beat(boot=boot, in_flight=1), by_http(), after(second))

    states = []
    for boot in ("three", "one", "two"):
        roster.leave("w1", by_http(), after(4), boot)
        states.append(roster.entries["w1"].row.state)

    assert states == ["live", "live", "left"]


def test_after_a_goodbye_that_others_owe_the_worker_may_start_again() -> None:
    roster = roster_on(Host())
    roster.beat(beat(boot="one", in_flight=1), by_http(), after(0))
    roster.beat(beat(boot="two"), by_http(), after(1))
    roster.leave("w1", by_http(), after(2), "two")

    assert not roster.beat(beat(boot="two", stops=["S-1"]), by_http(), after(3)).refused, "in the same process"
    assert obeyed(roster) == set()
    roster.leave("w1", by_http(), after(4), "two")
    assert not roster.beat(beat(boot="three", stops=["S-1"]), by_http(), after(5)).refused
    assert obeyed(roster) == set()
    assert roster.beat(beat(boot="one"), by_http(), after(6)).replaced
    roster.beat(beat(boot="three", stops=["S-1"]), by_http(), after(LOST_AFTER_S))
    assert obeyed(roster) == {"S-1"}, "of a start that said goodbye nothing is uncertain"


def test_a_goodbye_without_a_boot_ends_no_start_that_has_one() -> None:
    """It is that of an older process, which was lost for a while."""
    roster = roster_on(Host())
    roster.beat(beat(), by_http(), after(0))
    roster.beat(beat(boot="two"), by_http(), after(LOST_AFTER_S))

    assert not roster.leave("w1", by_http(), after(LOST_AFTER_S + 1))
    assert roster.entries["w1"].is_live(after(LOST_AFTER_S + 1).elapsed_s)


def test_a_start_that_was_replaced_says_goodbye_for_itself_alone() -> None:
    roster = roster_on(Host())
    roster.beat(beat(boot="one", in_flight=3), by_http(), after(0))
    roster.beat(beat(boot="two", stops=["S-1"]), by_http(), after(1))

    assert not roster.leave("w1", by_http("T-2"), after(2), "one")
    roster.beat(beat(boot="two", stops=["S-1"]), by_http(), after(2))
    assert not roster.entries["w1"].row.has_stopped("S-1"), "said by somebody else"

    assert not roster.leave("w1", by_http(), after(3), "one")
    roster.beat(beat(boot="two", stops=["S-1"]), by_http(), after(3))

    assert roster.entries["w1"].row.state == "live"
    assert roster.entries["w1"].row.has_stopped("S-1"), "what ran in it is over"
    assert roster.leave("w1", by_http(), after(4), "two")
    assert not roster.beat(beat(boot="two"), by_http(), after(5)).refused, "it may come back"


def test_of_starts_without_end_the_last_are_remembered() -> None:
    roster = roster_on(Host())
    for number in range(40):
        roster.beat(beat(boot=f"boot-{number}"), by_http(), after(number))

    assert set(roster.entries["w1"].starts.replaced) == {f"boot-{number}" for number in range(23, 39)}


def kept(roster: Roster) -> list[WorkerRow]:
    """What a server writes down, for the others."""
    rows = roster.unwritten()
    roster.written(rows)
    return rows


def seeded(rows: list[WorkerRow], at: Instant) -> Roster:
    roster = roster_on(Host())
    roster.seed(rows, at)
    return roster


def test_a_restart_takes_its_name_over_at_a_server_that_was_restarted_too() -> None:
    """By the credential of the start before it, and by no other; and what was replaced before stays so."""
    first = roster_on(Host())
    first.beat(beat(boot="zero", pid=1), by_http(), after(0))
    first.beat(beat(boot="one", pid=1, in_flight=2), by_http(), after(1))
    rows = kept(first)

    stranger = seeded(rows, after(2)).beat(beat(boot="two", pid=2), by_http("T-2"), after(3))
    assert (bool(stranger.refused), stranger.replaced) == (True, False)

    second = seeded(rows, after(2))
    assert not second.beat(beat(boot="two", pid=2, stops=["S-1"]), by_http(), after(3)).refused
    assert obeyed(second) == set(), "nobody saw the end of what ran in the one before"
    for boot in ("zero", "one"):
        assert second.beat(beat(boot=boot, pid=1), by_http(), after(4)).replaced
    second.beat(beat(boot="two", pid=2, stops=["S-1"]), by_http(), after(3 + LOST_AFTER_S))
    assert obeyed(second) == {"S-1"}


@pytest.mark.parametrize("skew_s", [-3600, 0, 3600])
def test_what_was_uncertain_stays_so_for_its_time_at_a_server_with_another_clock(skew_s: float) -> None:
    first = roster_on(Host())
    first.beat(beat(boot="one", pid=1), by_http(), after(0))
    first.beat(beat(boot="two", pid=2), by_http(), after(5))

    def at(seconds: float) -> Instant:
        return Instant(NOON + timedelta(seconds=seconds + skew_s), 77.0 + seconds)

    second = seeded(kept(first), at(6))
    second.beat(beat(boot="two", pid=2, stops=["S-1"]), by_http(), at(7))
    assert obeyed(second) == set()
    second.beat(beat(boot="two", pid=2, stops=["S-1"]), by_http(), at(6 + LOST_AFTER_S - 5))
    assert obeyed(second) == {"S-1"}, "at its last heartbeat 10 s were left"


def test_what_is_long_over_is_uncertain_nowhere() -> None:
    first = roster_on(Host())
    first.beat(beat(boot="one", pid=1), by_http(), after(0))
    for second in (5, 60):
        first.beat(beat(boot="two", pid=2), by_http(), after(second))
    first.leave("w1", by_http(), after(61), "one")

    second_server = seeded(kept(first), after(62))
    second_server.beat(beat(boot="two", pid=2, stops=["S-1"]), by_http(), after(63))

    assert obeyed(second_server) == {"S-1"}


def test_of_two_starts_at_two_servers_the_later_one_has_the_name() -> None:
    """The second server knew nothing of the first start when the second one came to it."""
    first, second = roster_on(Host()), roster_on(Host())
    first.beat(beat(boot="one", pid=1), by_http(), after(0))
    second.beat(beat(boot="two", pid=2, stops=["S-1"]), by_http(), after(1))
    from_first, from_second = kept(first), kept(second)

    first.learn(from_second, after(2))
    second.learn(from_first, after(2))

    assert first.beat(beat(boot="one", pid=1), by_http(), after(3)).replaced
    second.beat(beat(boot="two", pid=2, stops=["S-1"]), by_http(), after(3))
    assert obeyed(second) == set(), "nobody saw the end of what ran in the first one"
    assert not first.beat(beat(boot="two", pid=2), by_http(), after(4)).refused, "it may speak to either"


def test_a_server_that_never_read_of_the_first_start_hears_of_it_from_the_other() -> None:
    """Its own row had taken the place of the other one's by then."""
    first, second = roster_on(Host()), roster_on(Host())
    first.beat(beat(boot="one", pid=1), by_http(), after(0))
    second.beat(beat(boot="two", pid=2, stops=["S-1"]), by_http(), after(1))

    first.learn(kept(second), after(2))
    second.learn(kept(first), after(3))

    assert second.beat(beat(boot="one", pid=1), by_http(), after(4)).replaced
    assert obeyed(second) == set(), "nobody saw the end of what ran in the first one"


def test_a_start_that_another_server_has_replaced_has_no_name_here_any_more() -> None:
    first = roster_on(Host())
    first.beat(beat(boot="one", pid=1), by_http(), after(0))
    second = seeded(kept(first), after(1))
    second.beat(beat(boot="two", pid=2), by_http(), after(2))

    first.learn(kept(second), after(3))

    assert first.beat(beat(boot="one", pid=1), by_http(), after(4)).replaced


def test_a_worker_that_spoke_to_another_server_is_known_by_what_that_wrote_down() -> None:
    first, second = roster_on(Host()), roster_on(Host())
    first.beat(beat(boot="one", pid=1), by_http(), after(0))
    second.learn(kept(first), after(1))

    for again in (2, 3):
        assert second.beat(beat(boot="two", pid=2), by_http("T-2"), after(again)).refused, "by another credential"
    assert "w1" not in second.entries
    second.learn(kept(first), after(10))
    assert not second.beat(beat(boot="two", pid=2), by_http(), after(10)).refused


def test_what_nobody_can_read_of_starts_is_none() -> None:
    for text in ("", "{", "[]", '{"replaced": 3}', '{"replaced": {"one": {"until_at": "soon"}}}'):
        roster = seeded([replace(row("w1", started="http:1"), boots=text)], after(0))

        assert roster.beat(beat(boot="two", pid=2), by_http(), after(1)).refused, "as for a worker that draws no names"


def test_a_worker_that_left_gives_up_its_name() -> None:
    roster = roster_on(Host(p7="a", p8="b"))
    roster.beat(beat(), peer(7), after(0))
    roster.leave("w1", peer(7), after(1))

    assert not roster.beat(beat(), peer(8), after(2)).refused
    assert not roster.leave("w1", peer(7), after(3))
    assert roster.entries["w1"].is_live(after(3).elapsed_s)


def test_a_worker_that_left_may_come_back() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7), after(0))
    roster.leave("w1", peer(7), after(1))

    roster.beat(beat(), peer(7), after(2))

    assert roster.entries["w1"].row.state == "live"
    assert roster.entries["w1"].row.registered_at == after(2).at


def test_after_a_restart_workers_that_run_count_as_heard_of_and_the_others_have_time_to_speak() -> None:
    """Nobody could hear them while no keeper ran, and a stop must leave none of them out."""
    roster = roster_on(Host(p7="a"))
    long_ago = NOON - timedelta(hours=2)

    roster.seed(
        [
            row("runs", pid=7, started="a", at=long_ago),
            row("gone", pid=8, started="b", at=long_ago),
            row("left", pid=9, started="c", at=long_ago, state="left"),
        ],
        after(0),
    )

    assert {worker: entry.row.heartbeat_at for worker, entry in roster.entries.items()} == {
        "runs": NOON,
        "gone": long_ago,
        "left": long_ago,
    }
    assert {entry.row.worker_id for entry in roster.live(after(1).elapsed_s)} == {"runs", "gone"}
    assert roster.live(after(LOST_AFTER_S).elapsed_s) == []
    assert [unwritten.worker_id for unwritten in roster.unwritten()] == ["runs"]


def test_a_restart_does_not_make_a_running_worker_anyones() -> None:
    roster = roster_on(Host(p7="a", p8="b"))
    roster.seed([row("w1", pid=7, started="a")], after(0))

    assert roster.beat(beat(), peer(8), after(1)).refused
    assert not roster.beat(beat(), peer(7), after(1)).refused


def test_what_was_heard_while_rows_were_written_is_written_next() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7), after(0))
    taken = roster.unwritten()

    roster.beat(beat(in_flight=3), peer(7), after(1))
    roster.written(taken)

    assert [unwritten.in_flight for unwritten in roster.unwritten()] == [3]
    roster.written(roster.unwritten())
    assert roster.unwritten() == []


def test_a_stop_waits_only_for_rows_that_would_change_its_list() -> None:
    roster = roster_on(Host(p7="a", p8="b"))
    roster.beat(beat(), peer(7), after(0))
    roster.written(roster.unwritten())

    roster.beat(beat(in_flight=3), peer(7), after(1))
    assert [owed.worker_id for owed in roster.unwritten()] == ["w1"]
    assert roster.owed_to_a_stop(after(1)) == []

    roster.beat(beat(worker="w2", pid=8), peer(8), after(2))
    assert [owed.worker_id for owed in roster.owed_to_a_stop(after(2))] == ["w2"]
    roster.beat(beat(stops=("S-1",)), peer(7), after(3))
    assert [owed.worker_id for owed in roster.owed_to_a_stop(after(3))] == ["w2"], "who obeys it is on its list"
    roster.beat(beat(env="test"), peer(7), after(4))
    assert [owed.worker_id for owed in roster.owed_to_a_stop(after(4))] == ["w1", "w2"]


def test_a_row_that_could_pass_for_lost_is_owed_to_a_stop() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7), after(0))
    roster.written(roster.unwritten())

    roster.beat(beat(), peer(7), after(14))

    assert [owed.worker_id for owed in roster.owed_to_a_stop(after(14))] == ["w1"]


def test_after_a_jump_of_the_clock_rows_say_in_the_new_time_when_a_worker_was_heard() -> None:
    """The list of a stop is frozen from rows: a jump must not take a live worker off it, nor put a silent one on."""
    roster = roster_on(Host(p7="a", p8="b"))
    roster.seed([row("never-met", pid=9, started="c")], after(0))
    roster.beat(beat("w1"), peer(7), after(0))
    roster.beat(beat("w2"), peer(8), after(3))
    roster.written(roster.unwritten())
    an_hour_later = NOON + timedelta(hours=1)

    roster.correct(Instant(an_hour_later, after(4).elapsed_s))

    assert {unwritten.worker_id: unwritten.heartbeat_at for unwritten in roster.unwritten()} == {
        "w1": an_hour_later - timedelta(seconds=4),
        "w2": an_hour_later - timedelta(seconds=1),
    }


def test_while_the_clocks_agree_nothing_is_corrected() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7), after(0))
    roster.written(roster.unwritten())

    roster.correct(after(12))

    assert roster.unwritten() == []


def test_a_row_that_was_overtaken_while_it_was_written_is_written_again() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7), after(0))
    older = roster.unwritten()
    roster.beat(beat(stops=["S-1"]), peer(7), after(1))
    newer = roster.unwritten()

    roster.written(newer)
    roster.written(older)

    assert roster.unwritten() == newer


def test_a_forgotten_worker_is_gone_until_it_speaks_again() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7), after(0))

    roster.forget(["w1", "never-heard"])

    assert (dict(roster.entries), roster.unwritten()) == ({}, [])
    assert roster.beat(beat(), peer(7), after(1)).fresh


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"worker": 7},
        {"worker": "../etc"},
        {"worker": "w" * 129},
        {"worker": "w", "stops": 3},
        {"worker": "w", "scope": ["site"]},
        {"worker": "w", "draining": ["S-1"]},
        {"worker": "w", "revision": "many"},
        {"worker": "w", "in_flight": None},
        {"worker": "w", "stops": ["S"] * 10_001},
        {"worker": "w", "pid": 2**31},
        {"worker": "w", "pid": -1},
        {"worker": "w", "revision": 2**63},
        {"worker": "w", "in_flight": float("inf")},
        {"worker": "w", "draining": {"S-1": 10**30}},
        {"worker": "w", "env": "prod\0"},
        {"worker": "w", "env": "p" * 129},
        {"worker": "w", "started": "\ud800"},
    ],
)
def test_a_malformed_beat_is_the_workers_fault(message: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        Beat.of(message)


@given(
    st.lists(
        st.tuples(st.sampled_from([7, 8, 9]), st.sampled_from(["beat", "bye", "die"]), st.floats(0.0, 20.0)),
        max_size=30,
    )
)
def test_the_last_beat_of_a_live_worker_is_always_from_the_process_that_owns_its_name(
    steps: list[tuple[int, str, float]],
) -> None:
    host = Host(p7="a", p8="b", p9="c")
    roster = roster_on(host)
    owner: int | None = None
    now_s = 0.0
    for pid, what, pause_s in steps:
        now_s += pause_s
        if what == "die":
            host.processes.pop(pid, None)
        elif pid in host.processes and what == "bye":
            assert roster.leave("w1", peer(pid), after(now_s)) == (owner == pid)
            owner = None if owner == pid else owner
        elif pid in host.processes:
            heard = roster.beat(beat(), peer(pid), after(now_s))
            assert bool(heard.refused) == (owner is not None and owner != pid and owner in host.processes)
            owner = owner if heard.refused else pid
        if owner is not None:
            assert roster.entries["w1"].row.pid == owner


def test_rows_are_replaced_never_changed() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(), peer(7), after(0))
    before = roster.entries

    roster.beat(beat(in_flight=1), peer(7), after(1))

    assert before["w1"].row == replace(roster.entries["w1"].row, heartbeat_at=NOON, in_flight=0)


def obeys(roster: Roster, ack: Ack, sender: Peer, now: Instant) -> bool:
    """Let somebody acknowledge; whether it is believed and news."""
    return roster.acknowledge([(ack, sender)], now) == {ack.stop_id}


def test_an_acknowledgement_adds_one_stop_to_what_its_sender_said_last() -> None:
    roster = roster_on(Host(p7="a"))
    roster.beat(beat(stops=["S-1"], revision=5), peer(7), after(0))

    assert obeys(roster, Ack("w1", "S-2", 3), peer(7), after(1))
    assert not obeys(roster, Ack("w1", "S-2", 3), peer(7), after(2)), "it says nothing new"

    known = roster.entries["w1"]
    assert (known.row.stops, known.row.draining, known.row.revision) == (("S-1", "S-2"), {"S-2": 3}, 5)
    assert (known.row.heartbeat_at, known.heard_s) == (after(1).at, after(1).elapsed_s)
    assert not known.row.has_stopped("S-2")
    assert [row.worker_id for row in roster.unwritten()] == ["w1"]


def test_acknowledgements_that_come_together_are_heard_together() -> None:
    roster = roster_on(Host(p7="a", p8="b"))
    roster.beat(beat(), peer(7), after(0))
    roster.beat(beat("w2"), peer(8), after(0))

    acks = [(Ack("w1", "S-1", 0), peer(7)), (Ack("w2", "S-1", 0), peer(7)), (Ack("w1", "S-2", 0), peer(7))]

    assert roster.acknowledge(acks, after(1)) == {"S-1", "S-2"}
    assert roster.entries["w1"].row.stops == ("S-1", "S-2")
    assert roster.entries["w2"].row.stops == (), "nobody acknowledges for another process"


def test_an_acknowledgement_from_another_process_namespace_counts_by_its_socket() -> None:
    roster = roster_on(Host())
    roster.beat(beat(pid=7), peer(0, "one"), after(0))

    assert not obeys(roster, Ack("w1", "S-1", 0), peer(0, "two"), after(1))
    assert obeys(roster, Ack("w1", "S-1", 0), peer(0, "one"), after(1))
    assert roster.entries["w1"].row.stops == ("S-1",)


def test_an_acknowledgement_counts_only_from_the_process_that_beats() -> None:
    roster = roster_on(Host(p7="a", p8="b"))
    roster.beat(beat(), peer(7), after(0))
    roster.beat(beat("w2"), peer(8), after(0))
    roster.leave("w2", peer(8), after(1))

    assert not obeys(roster, Ack("w1", "S-1", 0), peer(8), after(1))
    assert not obeys(roster, Ack("w1", "S-1", 0), peer(8, "\x007"), after(1))
    assert not obeys(roster, Ack("w2", "S-1", 0), peer(8), after(1))
    assert not obeys(roster, Ack("nobody", "S-1", 0), peer(7), after(1))
    assert roster.entries["w1"].row.stops == ()


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"worker": "w1", "stop": "S-1"},
        {"worker": "w1", "stop": "S-1", "running": {}},
        {"worker": "w1", "stop": "S-1", "running": float("inf")},
    ],
)
def test_what_lacks_a_part_is_no_acknowledgement(message: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Ack.of(message)
