"""What can be said of a fleet with the standard library alone: its status, and one decision."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsgate import Gate, latch
from opsgate.hold import timestamp
from opsgate.order import Order
from opsgate.paths import last_known_home
from opsgate.selector import Selector
from opsgate.status import decide_once, read_status
from tests.gate.world import AT, Fleet, emergency, hold
from tests.support.waiting import eventually

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
RECENT, LONG_AGO = NOW - timedelta(seconds=14), NOW - timedelta(seconds=16)
STOPPED, NOTICE = emergency("S-1")


def status(fleet: Fleet) -> dict[str, Any]:
    document = read_status(fleet.url, NOW).as_dict()
    assert 0 <= document.pop("age_s") < 10
    return document


WELL: dict[str, list[Any]] = {"failing_channels": []}
NOBODY = {"live": 0, "lost": 0, "acked": 0, "missing": []}


def test_a_fleet_in_which_nothing_is_held_runs(fleet: Fleet) -> None:
    assert status(fleet) == {"state": "running", "revision": 1, "holds": 0, "workers": NOBODY, "stops": [], **WELL}


@pytest.mark.parametrize(
    ("placed", "state"),
    [
        ([hold(site="s1")], "partly"),
        ([hold(source="flag", operation="site_creation")], "partly"),
        ([hold()], "stopped"),
        ([hold(), hold(site="s1")], "stopped"),
        ([hold(source="limit", operation="site_creation")], "partly"),
    ],
)
def test_a_hold_on_everything_stops_it_and_a_narrower_one_a_part(fleet: Fleet, placed: list[Any], state: str) -> None:
    fleet.commit(placed=placed)

    assert read_status(fleet.url, NOW).state == state


def test_a_worker_without_a_heartbeat_is_lost_and_one_that_left_is_neither(fleet: Fleet) -> None:
    fleet.worker("w1", heartbeat_at=RECENT)
    fleet.worker("w2", heartbeat_at=LONG_AGO)
    fleet.worker("w3", heartbeat_at=RECENT, state="left")

    assert status(fleet)["workers"] == NOBODY | {"live": 1, "lost": 1}


def test_a_stop_that_was_recorded_as_verified_misses_nobody_though_heartbeats_are_written_later(fleet: Fleet) -> None:
    fleet.commit(placed=[STOPPED])
    fleet.record_stop(NOTICE, of=["w1"], result="verified")
    fleet.worker("w1", heartbeat_at=RECENT)

    (stop,) = status(fleet)["stops"]

    assert (stop["result"], stop["acked"], stop["of"], stop["missing"]) == ("verified", 1, 1, [])


def test_a_stop_counts_whom_it_waits_for(fleet: Fleet) -> None:
    fleet.commit(placed=[STOPPED])
    fleet.record_stop(NOTICE, of=["w1", "w2", "w3", "w4", "w5"])
    fleet.worker("w1", heartbeat_at=RECENT, stops=["S-1"])
    fleet.worker("w2", heartbeat_at=RECENT, stops=["S-1"], draining={"S-1": 2})
    fleet.worker("w3", heartbeat_at=RECENT, stops=["S-0"])
    fleet.worker("w4", heartbeat_at=RECENT, state="left")

    missing = ["w2", "w3", "w5"]
    assert status(fleet) == {
        "state": "partly",
        "revision": 3,
        "holds": 1,
        "workers": {"live": 3, "lost": 0, "acked": 2, "missing": missing},
        "stops": [
            {
                "stop_id": "S-1",
                "emergency_id": "E-1",
                "level": "immediate",
                "result": "pending",
                "acked": 2,
                "of": 5,
                "missing": missing,
                "deadline_at": timestamp(AT),
            }
        ],
        **WELL,
    }


def test_a_channel_that_fails_is_named_with_why_and_since_when(fleet: Fleet) -> None:
    """A cursor of something else is no channel, and one that nobody can read has not been said to fail."""
    failing = '{"state": "failing", "since": "2026-11-22T14:00:00Z", "why": "no route"}'
    cursors = (("notify/mail", failing), ("notify/system", '{"state": "ok"}'), ("notify/odd", "?"), ("other", failing))
    for name, detail in cursors:
        fleet.execute(f"INSERT INTO outbox_cursor VALUES ('{name}', 1, '', '{detail}')")

    assert status(fleet)["failing_channels"] == [{"name": "mail", "since": "2026-11-22T14:00:00Z", "why": "no route"}]


def test_a_database_that_knows_no_channels_has_none_that_fail(fleet: Fleet) -> None:
    fleet.execute("DROP TABLE outbox_cursor")

    assert status(fleet)["failing_channels"] == []


def test_a_fleet_is_stopped_once_nobody_is_missing(fleet: Fleet) -> None:
    fleet.commit(placed=[STOPPED])
    fleet.record_stop(NOTICE, of=["w1"], result="verified")
    fleet.worker("w1", heartbeat_at=RECENT, stops=["S-1"])

    assert status(fleet)["state"] == "stopped"
    assert status(fleet)["workers"] == {"live": 1, "lost": 0, "acked": 1, "missing": []}


def test_a_stop_with_nobody_to_wait_for_misses_nobody(fleet: Fleet) -> None:
    fleet.commit(placed=[STOPPED])
    fleet.record_stop(NOTICE, of=[], result="verified")

    assert status(fleet)["state"] == "stopped"


def test_a_latch_that_the_journal_does_not_know_is_a_stop_in_force(fleet: Fleet) -> None:
    fleet.worker("w1", heartbeat_at=RECENT, scope={"site": ["s1"]})
    fleet.worker("w2", heartbeat_at=RECENT, scope={"site": ["s2"]})
    fleet.worker("w3", heartbeat_at=LONG_AGO)
    latch.place(Order("S-9", AT, (Selector.of(site="s1"),)), "f-one")

    found = status(fleet)

    assert (found["state"], found["holds"]) == ("partly", 1)
    assert found["stops"] == [
        {
            "stop_id": "S-9",
            "emergency_id": "",
            "level": "immediate",
            "result": "pending",
            "acked": 0,
            "of": 1,
            "missing": ["w1"],
            "deadline_at": None,
        }
    ]


def test_a_latch_whose_stop_is_recorded_is_counted_once(fleet: Fleet) -> None:
    fleet.commit(placed=[STOPPED])
    fleet.record_stop(NOTICE, of=[])
    latch.place(Order("S-1", AT), "f-one")

    assert [stop["stop_id"] for stop in status(fleet)["stops"]] == ["S-1"]
    assert status(fleet)["holds"] == 1


def test_a_fleet_that_cannot_be_read_is_unknown_and_shows_what_was_last_known(fleet: Fleet) -> None:
    fleet.commit(placed=[hold()])
    with Gate.open(fleet.url) as gate:
        eventually(lambda: gate.freshness == "valid")
    fleet.path.rename(fleet.path.with_suffix(".away"))

    found = read_status(fleet.url)

    assert (found.state, found.revision, found.holds, found.fleet) == ("unknown", 2, 1, "f-one")
    assert "does not exist" in found.fault
    assert found.age_s is not None


def test_nothing_known_at_all_is_unknown_without_an_age(home: object) -> None:
    found = read_status("sqlite:////nowhere/at/all.db")

    assert (found.state, found.revision, found.as_dict()["age_s"]) == ("unknown", 0, None)


def test_a_last_known_state_that_cannot_be_read_is_part_of_the_fault_and_closes_routine_work(fleet: Fleet) -> None:
    with Gate.open(fleet.url) as gate:
        eventually(lambda: gate.freshness == "valid")
    (last_known_home() / "f-one.json").write_text("{")
    fleet.path.rename(fleet.path.with_suffix(".away"))

    found, decision = read_status(fleet.url), decide_once(fleet.url, {"site": "s1"})

    assert (found.state, found.revision, found.age_s) == ("unknown", 0, None)
    assert "nor can what was last known of the fleet be read" in found.fault
    assert (decision.allowed, decision.outcome) == (False, "unknown")


def test_one_decision_needs_no_thread_and_is_the_gates_own(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(site="s1")])

    blocked, allowed = decide_once(fleet.url, {"site": "s1"}), decide_once(fleet.url, {"site": "s2"})
    with Gate.open(fleet.url) as gate:
        asked = gate.check(site="s1").as_dict()

    assert blocked.as_dict() | {"age_s": 0} == asked | {"age_s": 0}
    assert (allowed.allowed, allowed.decided_by) == (True, "live")


def test_one_decision_on_an_unknown_name_follows_the_policy(fleet: Fleet) -> None:
    assert decide_once(fleet.url, {"site": "s9"}).allowed
    assert decide_once(fleet.url, {"site": "s9"}, strict=True).outcome == "blocked"


def test_one_decision_that_rests_on_nothing_is_unknown() -> None:
    decision = decide_once("sqlite:////nowhere/at/all.db", {"site": "s1"}, strict=True)

    assert (decision.outcome, decision.decided_by, decision.age_s) == ("unknown", "default", None)


def test_one_decision_with_a_latch_and_nothing_else_is_blocked() -> None:
    latch.place(Order("S-9", AT), "all")

    assert decide_once("sqlite:////nowhere/at/all.db", {"site": "s1"}).outcome == "blocked"


def test_a_url_that_is_no_file_is_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="names no file"):
        read_status("postgresql://db/ops")


def test_status_and_one_decision_load_neither_an_engine_nor_threads(fleet: Fleet) -> None:
    probe = """
import sys, threading
from opsgate.status import decide_once, read_status
read_status(sys.argv[1]); decide_once(sys.argv[1], {"site": "s1"})
heavy = {"sqlalchemy", "pydantic", "textual", "click", "asyncio", "ctypes", "core", "backends", "opsgate.gate"}
print(sorted(heavy & set(sys.modules)), threading.active_count())
"""

    found = subprocess.run([sys.executable, "-c", probe, fleet.url], capture_output=True, text=True, check=False)

    assert (found.stdout, found.stderr) == ("[] 1\n", "")
