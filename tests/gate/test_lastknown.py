"""The last known state on disk: what a worker starts from, shared by all workers of a host."""

import json
import logging
import multiprocessing
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from opsgate.clock import elapsed_s
from opsgate.known import Known
from opsgate.lastknown import RENEWED_S, Illegible, LastKnown, Remembered
from opsgate.order import Lying, Order
from opsgate.paths import last_known_home
from opsgate.snapshot import Snapshot
from tests.gate.world import AT, emergency, hold
from tests.gate.writers import write_often

STOPPED, NOTICE = emergency("S-1")
NAMES = {"site": frozenset({"s1"})}


def known_at(revision: int, **changes: object) -> Known:
    return Known().read(replace(Snapshot("f-one", revision, names=NAMES), **changes))  # type: ignore[arg-type] # by test


def loaded() -> Known:
    found = LastKnown("uabc").load()
    assert isinstance(found, Remembered)
    return found.known


def test_what_was_kept_comes_back_whole() -> None:
    kept = hold()
    known = known_at(7, holds=(STOPPED, hold(site="s1")), stops=(NOTICE,)).ordered(Order("S-2", AT)).keeping([kept], [])

    LastKnown("uabc").save(known, elapsed_s())

    assert loaded().snapshot == known.snapshot
    assert loaded().orders == known.orders
    assert loaded().kept == (kept,)
    assert loaded().table().by_id == known.table().by_id


def test_a_latch_is_kept_for_the_case_that_its_folder_goes_while_nobody_runs() -> None:
    place = Path("latch/f-one/S-2")
    LastKnown("uabc").save(known_at(7).found(Lying({place: Order("S-2", AT)})), elapsed_s())

    assert list(loaded().found(Lying({}, missing=frozenset({place.parent}))).stops()) == ["S-2"]
    assert loaded().found(Lying({})).stops() == {}, "taken away while nobody ran"


def test_a_latch_with_a_name_that_is_no_id_is_kept_too() -> None:
    place = Path("latch/f-one/stop it, now")
    LastKnown("uabc").save(known_at(7).found(Lying({place: Order(place.name, AT)})), elapsed_s())

    adrift = loaded().found(Lying({}, missing=frozenset({place.parent})))
    LastKnown("uabc").save(adrift, elapsed_s())

    assert list(loaded().stops()) == [place.name]


def test_a_latch_that_another_worker_has_kept_need_not_be_written_again() -> None:
    place = Path("latch/f-one/S-2")
    LastKnown("uabc").save(known_at(7).found(Lying({place: Order("S-2", AT)})), elapsed_s())
    written = (last_known_home() / "f-one.json").read_bytes()

    LastKnown("uabc").save(known_at(7), elapsed_s())

    assert (last_known_home() / "f-one.json").read_bytes() == written


def test_the_age_of_a_kept_state_goes_on_growing() -> None:
    LastKnown("uabc").save(known_at(7), elapsed_s() - 100)

    found = LastKnown("uabc").load()

    assert isinstance(found, Remembered)
    assert 100 <= elapsed_s() - found.confirmed_at_s < 160


def test_after_a_restart_of_the_host_a_state_is_at_least_as_old_as_the_host_is_up() -> None:
    """The wall clock may have been set back in between."""
    LastKnown("uabc").save(known_at(7), elapsed_s())
    path = last_known_home() / "f-one.json"
    path.write_text(path.read_text().replace('"boot_id": "', '"boot_id": "another-'))

    found = LastKnown("uabc").load()

    assert isinstance(found, Remembered)
    assert found.confirmed_at_s <= 0


def test_a_worker_that_lags_behind_takes_no_stop_back() -> None:
    LastKnown("uabc").save(known_at(8, holds=(STOPPED,), stops=(NOTICE,)), elapsed_s())

    LastKnown("uabc").save(known_at(7), elapsed_s())

    assert loaded().revision == 8
    assert list(loaded().stops()) == ["S-1"]


def test_orders_that_only_some_workers_heard_are_kept_for_all() -> None:
    LastKnown("uabc").save(known_at(8).ordered(Order("S-1", AT)), elapsed_s())
    LastKnown("uabc").save(known_at(8).ordered(Order("S-2", AT)), elapsed_s())
    LastKnown("uabc").save(known_at(7).ordered(Order("S-3", AT)), elapsed_s())

    assert set(loaded().stops()) == {"S-1", "S-2", "S-3"}


def test_an_order_leaves_the_disk_with_the_first_worker_that_saw_it_end() -> None:
    LastKnown("uabc").save(known_at(8).ordered(Order("S-1", AT)), elapsed_s())

    LastKnown("uabc").save(known_at(8).without_stops(["S-1"]), elapsed_s())

    assert loaded().stops() == {}


def test_the_same_state_is_not_written_again_until_its_age_needs_it() -> None:
    now_s = elapsed_s()
    LastKnown("uabc").save(known_at(8), now_s)
    path = last_known_home() / "f-one.json"
    written = path.stat().st_ino

    LastKnown("uabc").save(known_at(8), now_s + RENEWED_S - 1)
    assert path.stat().st_ino == written

    LastKnown("uabc").save(known_at(8), now_s + RENEWED_S + 1)
    assert path.stat().st_ino != written


def test_a_settled_shorter_history_replaces_the_longer_one() -> None:
    LastKnown("uabc").save(known_at(100, holds=(STOPPED,), stops=(NOTICE,)), elapsed_s())

    LastKnown("uabc").save(replace(known_at(50), line=1), elapsed_s())
    assert (loaded().revision, loaded().line) == (50, 1)

    LastKnown("uabc").save(known_at(101), elapsed_s())
    assert loaded().revision == 50


def test_files_are_for_their_owner_alone() -> None:
    LastKnown("uabc").save(known_at(8), elapsed_s())

    assert stat.S_IMODE(last_known_home().stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in last_known_home().iterdir() if path.is_file()} == {0o600}


OF_ANOTHER_FLEET = json.dumps({"header": {}, "snapshot": Snapshot("f-two", 9).as_dict()}).encode()


@pytest.mark.parametrize("name", ["f-one.json", "uabc.json"])
@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"header": 1, "snapshot": 2}', b"\xff\xfe", OF_ANOTHER_FLEET])
def test_a_file_that_is_there_and_cannot_be_read_is_said_once_and_is_not_nothing(
    name: str, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Something was known of this fleet, and perhaps that it was stopped. What is known next is written over it."""
    LastKnown("uabc").save(known_at(8), elapsed_s())
    (last_known_home() / name).write_bytes(text)

    assert isinstance(LastKnown("uabc").load(), Illegible)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]

    LastKnown("uabc").save(known_at(9), elapsed_s())
    assert loaded().revision == 9


def test_a_state_of_another_fleet_is_not_the_last_known_one_of_this(caplog: pytest.LogCaptureFixture) -> None:
    LastKnown("uabc").save(known_at(8), elapsed_s())
    LastKnown("uxyz").save(replace(known_at(9), snapshot=Snapshot("f-two", 9)), elapsed_s())
    (last_known_home() / "f-one.json").write_bytes((last_known_home() / "f-two.json").read_bytes())

    assert isinstance(LastKnown("uabc").load(), Illegible)
    assert "it is of fleet f-two" in caplog.text


@pytest.mark.parametrize("gone", ["f-one.json", "uabc.json"])
def test_a_file_that_somebody_took_away_is_no_history(gone: str, caplog: pytest.LogCaptureFixture) -> None:
    LastKnown("uabc").save(known_at(8), elapsed_s())
    (last_known_home() / gone).unlink()

    assert LastKnown("uabc").load() is None
    assert not caplog.records


def test_a_disk_that_refuses_is_said_once_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    last_known_home().parent.mkdir(parents=True, exist_ok=True)
    last_known_home().write_text("a file where a folder should be")
    last_known = LastKnown("uabc")

    assert [last_known.save(known_at(8), elapsed_s()) for _ in range(3)] == [True] * 3

    assert [record.getMessage()[:44] for record in caplog.records] == ["the last known state cannot be kept on disk:"]


def test_many_workers_at_once_leave_the_latest_state() -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_often, args=(first,)) for first in (1, 2, 3, 4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    assert [writer.exitcode for writer in writers] == [0] * 4
    assert loaded().revision == 200
    document = json.loads((last_known_home() / "f-one.json").read_text())
    assert document["snapshot"]["revision"] == document["header"]["revision"] == 200
    assert not [path for path in last_known_home().iterdir() if path.name.startswith(".")]
