"""Cut off: what a gate does without its database, at its start and in the middle of its life."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgate import Gate, latch, reader
from opsgate.alarms import Alarms
from opsgate.clock import elapsed_s
from opsgate.failsafe import CLASSES, Policy
from opsgate.known import RESTORED
from opsgate.order import Order
from opsgate.paths import last_known_home
from opsgate.reader import POLL_S, RETRIES_S, pause_s
from opsgate.sources import SourceError, SqliteSource
from opsgate.vigil import Vigil
from tests.gate.world import AT, Fleet, Keeper, emergency, hold
from tests.support.waiting import eventually

STOPPED, NOTICE = emergency("S-1")
POLICY = {"payout": "hazardous", "content_generation": "guarded"}
NOWHERE = "sqlite:////nowhere/at/all.db"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass for questions, by the gate's own clock."""
    passed = [0.0]
    monkeypatch.setattr("opsgate.gate.elapsed_s", lambda: elapsed_s() + passed[0])

    def pass_(seconds: float) -> None:
        passed[0] += seconds

    return pass_


def remember(fleet: Fleet) -> None:
    """Let a worker come and go, so that the host knows the fleet."""
    with Gate.open(fleet.url, worker="w0") as gate:
        eventually(lambda: gate.freshness == "valid")
    assert (last_known_home() / "f-one.json").exists()


def hide(fleet: Fleet) -> None:
    """Take the database away."""
    fleet.path.rename(fleet.path.with_suffix(".away"))


# ------------------------------------------------------------------------------------------------------ cold start
@pytest.mark.parametrize(
    ("operation", "waits_s", "allowed"),
    [("site_creation", 2.0, True), ("content_generation", 30.0, False), ("payout", 0.0, False)],
)
def test_a_cold_start_with_nothing_known_waits_and_then_the_class_decides(
    operation: str, waits_s: float, allowed: bool, later: Callable[[float], None]
) -> None:
    with Gate.open(NOWHERE, policy=POLICY) as gate:
        eventually(lambda: gate.freshness == "interrupted")
        later(waits_s + 1)

        decision = gate.check(operation=operation)

    assert (decision.allowed, decision.outcome, decision.decided_by) == (allowed, "unknown", "default")
    assert (decision.age_s, decision.revision, decision.unknown_names) == (None, 0, ())


@pytest.mark.parametrize("operation", ["site_creation", "content_generation", "payout"])
def test_a_last_known_state_that_cannot_be_read_closes_every_class_until_the_fleet_can(
    fleet: Fleet, operation: str, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have said that everything is stopped, and a stop never becomes a run by a disk that fails."""
    monkeypatch.setattr(reader, "RETRIES_S", (0.05,))
    remember(fleet)
    hide(fleet)
    (last_known_home() / "f-one.json").write_text("{")
    with Gate.open(fleet.url, policy=POLICY) as gate:
        eventually(lambda: gate.freshness == "interrupted")
        later(31)

        decision = gate.check(operation=operation)

        assert (decision.allowed, decision.outcome, decision.decided_by) == (False, "unknown", "default")
        assert "what was last known of the fleet cannot be read" in decision.headline
        later(-31)
        fleet.path.with_suffix(".away").rename(fleet.path)
        eventually(lambda: gate.check(operation=operation))


def test_a_check_that_comes_too_early_waits_for_the_first_state(fleet: Fleet) -> None:
    hide(fleet)
    with Gate.open(fleet.url, policy=POLICY) as gate:
        eventually(lambda: gate.freshness == "interrupted")
        answers: list[bool] = []
        asking = threading.Thread(target=lambda: answers.append(gate.check(operation="content_generation").allowed))
        asking.start()

        fleet.path.with_suffix(".away").rename(fleet.path)
        asking.join(60)

    assert answers == [True]


def test_a_latch_stops_a_cold_start_of_every_class(later: Callable[[float], None]) -> None:
    latch.place(Order("S-9", AT), "all")
    with Gate.open(NOWHERE, policy=POLICY) as gate:
        eventually(lambda: gate.freshness == "interrupted")
        later(31)

        for operation in ("site_creation", "content_generation", "payout"):
            assert gate.check(operation=operation).outcome == "blocked"


# ---------------------------------------------------------------------------------------------------- from the disk
def test_a_restart_without_the_database_goes_on_from_what_was_last_known(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(site="s1")])
    remember(fleet)
    hide(fleet)

    with Gate.open(fleet.url) as gate:
        blocked, allowed = gate.check(site="s1"), gate.check(site="s2")

    assert (blocked.outcome, blocked.decided_by, blocked.revision) == ("blocked", "disk", 2)
    assert (allowed.allowed, allowed.decided_by) == (True, "disk")


def test_a_stop_never_becomes_a_run_by_a_restart_in_an_outage(fleet: Fleet) -> None:
    fleet.commit(placed=[STOPPED], ordered=[NOTICE])
    remember(fleet)
    hide(fleet)

    with Gate.open(fleet.url) as gate:
        assert gate.check(site="s1").outcome == "blocked"


def test_a_stop_that_came_by_datagram_alone_survives_the_worker(fleet: Fleet, keeper: Keeper) -> None:
    with Gate.open(fleet.url) as gate:
        keeper.hear("beat", revision=1)
        keeper.say("order", order=Order("S-5", AT).as_dict())
        keeper.hear("beat", stops=["S-5"])
        assert gate.fleet == "f-one"
    hide(fleet)

    with Gate.open(fleet.url) as again:
        assert again.check(site="s1").outcome == "blocked"
        assert "S-5" in str(again.check(site="s1").headline)


def test_what_is_on_disk_is_not_believed_while_the_tables_can_be_read(fleet: Fleet) -> None:
    """A pause that was placed while no worker ran holds from the first check on."""
    remember(fleet)
    fleet.commit(placed=[hold(site="s1")])

    with Gate.open(fleet.url) as gate:
        assert gate.check(site="s1").outcome == "blocked"


def test_a_release_that_nobody_could_see_leaves_it_stopped_until_somebody_can(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "RETRIES_S", (0.05,))
    paused = hold(site="s1")
    fleet.commit(placed=[paused])
    remember(fleet)
    fleet.commit(released=[paused.hold_id])
    hide(fleet)

    with Gate.open(fleet.url) as gate:
        assert not gate.check(site="s1")
        fleet.path.with_suffix(".away").rename(fleet.path)
        eventually(lambda: gate.check(site="s1"))


def test_an_older_copy_of_the_database_releases_no_stop_until_a_person_has_looked(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "POLL_S", 0.05)
    fleet.execute("PRAGMA journal_mode = DELETE")
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(fleet.path)) as source, closing(sqlite3.connect(older)) as copy:
        source.backup(copy)
    fleet.commit(placed=[STOPPED], ordered=[NOTICE])
    with Gate.open(fleet.url) as gate:
        assert not gate.check(site="s1")

        fleet.close()
        older.replace(fleet.path)

        eventually(lambda: "the database went back from revision 2 to 1" in caplog.text)
        assert gate.check(site="s1").outcome == "blocked"
        fleet.commit(placed=[hold(7, source="safety", owner=RESTORED)])
        eventually(lambda: gate.revision == 2)
        fleet.commit(released=["H-7"])
        eventually(lambda: gate.check(site="s1"))
    hide(fleet)
    with Gate.open(fleet.url) as again:
        assert again.check(site="s1"), "what a person has settled is settled for the next worker too"


def test_a_database_of_another_fleet_under_a_running_worker_is_not_believed(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "POLL_S", 0.05)
    fleet.execute("PRAGMA journal_mode = DELETE")
    fleet.commit(placed=[hold(site="s1")])
    with Gate.open(fleet.url) as gate:
        assert not gate.check(site="s1")
        other = Fleet(tmp_path / "other.db", "f-two")
        other.execute("PRAGMA journal_mode = DELETE")
        other.close()
        fleet.close()
        other.path.replace(fleet.path)

        eventually(lambda: "belongs to fleet f-two now and not to f-one" in caplog.text)
        assert not gate.check(site="s1")

    with Gate.open(fleet.url) as again:
        eventually(lambda: again.fleet == "f-two")
        assert again.check(site="s1")


# -------------------------------------------------------------------------------------------------------- back-off
@given(st.integers(0, 1000))
def test_a_look_that_failed_is_repeated_sooner_at_first_and_never_later_than_the_longest(failures: int) -> None:
    longest = RETRIES_S[min(failures, len(RETRIES_S)) - 1] if failures else POLL_S

    assert longest * 0.8 <= pause_s(failures) <= longest <= RETRIES_S[-1]
    assert list(RETRIES_S) == sorted(RETRIES_S)


def test_chance_only_shortens_the_wait_so_that_a_fleet_does_not_look_at_once() -> None:
    waits = [pause_s(0) for _ in range(500)]

    assert max(waits) <= POLL_S
    assert max(waits) - min(waits) > POLL_S / 10


def test_a_dead_database_is_not_asked_again_by_checks(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """S2 asked it once for each check, and a fleet of workers asked it to death."""
    monkeypatch.setattr(reader, "RETRIES_S", (600.0,))
    looks: list[float] = []

    def look(source: SqliteSource, known: object = None) -> None:
        looks.append(elapsed_s())
        raise SourceError(f"{source.path} does not exist")

    monkeypatch.setattr(SqliteSource, "read", look)
    with Gate.open(fleet.url) as gate:
        eventually(lambda: gate.freshness == "interrupted")
        for _ in range(200):
            gate.check(site="s1")

        assert len(looks) == 1
    assert len([record for record in caplog.records if "does not exist" in record.getMessage()]) == 1


def test_a_disk_that_hangs_holds_up_no_stop(fleet: Fleet, keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, stuck = threading.Event(), threading.Event()
    read = SqliteSource.read

    def hang(self: SqliteSource, known: object = None) -> object:
        if known is not None:
            stuck.set()
            hanging.wait(30)
        return read(self, known)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(SqliteSource, "read", hang)
    monkeypatch.setattr(reader, "POLL_S", 0.01)
    with Gate.open(fleet.url) as gate:
        keeper.hear("beat", revision=1)
        assert stuck.wait(30)

        keeper.say("order", order=Order("S-5", AT).as_dict())
        keeper.hear("beat", stops=["S-5"])
        assert not gate.check(site="s1")
        hanging.set()


# ---------------------------------------------------------------------------------------------------------- alarms
def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    caplog.clear()
    return lines


def test_each_turn_for_the_worse_and_for_the_better_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    alarms = Alarms("fleet.db", Policy(POLICY).rules)

    for second in range(0, 400, 5):
        alarms.failed("fleet.db is locked", float(second), known=True)
        alarms.aged(float(second), 1000.0, emergency=False)

    assert said(caplog) == [
        ("WARNING", "fleet.db is locked; going on with the last known state"),
        ("ERROR", "the state is 20 s old: hazardous work is closed"),
        (
            "ERROR",
            "the state is 65 s old: routine work goes on and cannot be stopped from here; use its latch or its driver",
        ),
        ("ERROR", "the state is 305 s old: guarded work is closed"),
    ]
    alarms.read(400.0)
    alarms.read(405.0)
    alarms.aged(0.0, 1000.0, emergency=False)
    assert said(caplog) == [("WARNING", "fleet.db can be read again after 400 s")]


def test_an_emergency_that_closes_everything_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    alarms = Alarms("fleet.db", Policy(POLICY).rules)

    for second in (10.0, 20.0, 400.0):
        alarms.aged(second, 1000.0, emergency=True)

    assert [line for _, line in said(caplog)] == [
        "the state is 20 s old and an emergency was in force: everything is closed until it can be read again"
    ]


def test_a_worker_that_never_knew_anything_says_what_it_does_about_it(caplog: pytest.LogCaptureFixture) -> None:
    alarms = Alarms("fleet.db", tuple(CLASSES.values()))

    alarms.failed("fleet.db does not exist", 0.0, known=False)
    for open_s in (0.5, 3.0, 10.0, 31.0, 100.0):
        alarms.aged(None, open_s, emergency=False)

    assert [line for _, line in said(caplog)] == [
        "fleet.db does not exist; nothing is known of the fleet",
        "nothing is known of the fleet: hazardous work is refused",
        "nothing is known of the fleet: routine work runs all the same",
        "nothing is known of the fleet: guarded work is refused",
    ]


def test_a_worker_that_cannot_read_what_was_known_says_that_everything_is_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alarms = Alarms("fleet.db", tuple(CLASSES.values()))

    for open_s in (0.5, 3.0, 100.0):
        alarms.aged(None, open_s, emergency=False, illegible=True)

    assert [line for _, line in said(caplog)] == [
        "what was last known of the fleet cannot be read: everything is closed until the fleet can be"
    ]


def test_a_fault_of_our_own_leaves_no_worker_deaf(
    fleet: Fleet, keeper: Keeper, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Gate.open(fleet.url) as gate:
        keeper.hear("beat", revision=1)
        with monkeypatch.context() as broken:
            broken.setattr("opsgate.known.Known.ordered", lambda *_: 1 // 0)
            keeper.say("order", order=Order("S-5", AT).as_dict())
            eventually(lambda: "a fault of its own" in caplog.text)

        keeper.say("order", order=Order("S-6", AT).as_dict())
        keeper.hear("beat", stops=["S-6"])
        assert not gate.check(site="s1")
    assert [record.levelno for record in caplog.records if "fault" in record.getMessage()] == [logging.ERROR]


def test_the_time_of_day_decides_nothing(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set makes nothing old and releases nothing."""
    fleet.commit(placed=[hold(site="s1")])
    with Gate.open(fleet.url, policy=POLICY) as gate:
        assert not gate.check(site="s1")
        monkeypatch.setattr("time.time", lambda: datetime(2099, 1, 1, tzinfo=UTC).timestamp())

        assert not gate.check(site="s1")
        assert gate.check(site="s2", operation="payout").decided_by == "live"


def test_a_process_without_a_thread_left_decides_by_what_the_host_knows_and_tries_again(
    fleet: Fleet,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    later: Callable[[float], None],
) -> None:
    fleet.commit(placed=[hold(site="s1")])
    remember(fleet)
    with monkeypatch.context() as exhausted:

        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        exhausted.setattr(threading.Thread, "start", refuse)
        exhausted.setattr("opsgate.gate._FIRST_READING_S", 2.0)  # nobody reads
        gate = Gate.open(fleet.url)
        later(3)

        assert gate.check(site="s1").decided_by == "disk"
        assert not gate.check(site="s1")
        assert gate.check(site="s2")

    assert [line for _, line in said(caplog)] == [
        "the gate cannot listen (can't start new thread): deciding by what is known"
    ]
    later(6)
    gate.check(site="s1")
    eventually(lambda: gate.freshness == "valid")
    gate.close()


def test_a_worker_that_can_reach_nothing_at_all_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[float] = []
    sleep = Vigil.sleep

    def count(vigil: Vigil, until_s: float) -> list[bytes]:
        turns.append(elapsed_s())
        return sleep(vigil, until_s)

    monkeypatch.setattr(Vigil, "sleep", count)
    monkeypatch.setattr("opsgate.watcher._KEEP_WITHIN_S", (0.0, 0.01))
    with Gate.open(NOWHERE) as gate:
        eventually(lambda: gate.freshness == "interrupted" and elapsed_s() - turns[0] > 1.0)

    assert len(turns) < 20, "each second it tries its keeper once, and its database once or twice"
