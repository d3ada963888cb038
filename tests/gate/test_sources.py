"""The tables of a database, read by Python's own library: never written, never an exception but one."""

import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from opsgate.snapshot import FORMAT, Snapshot
from opsgate.sources import SourceError, SqliteSource
from tests.gate.world import Fleet, emergency, hold


def read(path: Path) -> Snapshot:
    """One look at all that is read of a database."""
    with closing(SqliteSource(path)) as source:
        return source.survey()[0]


def test_it_reads_holds_stops_and_names(fleet: Fleet) -> None:
    paused, (stopped, notice) = hold(site="s1"), emergency("S-1")
    fleet.commit(placed=[paused, stopped], ordered=[notice])

    with closing(SqliteSource(fleet.path)) as source:
        snapshot = source.read()

    assert (snapshot.fleet, snapshot.revision) == ("f-one", 2)
    assert set(snapshot.holds) == {paused, stopped}
    assert snapshot.stops == (notice,)
    assert snapshot.names["site"] == {"s1", "s2"}


def test_where_nothing_moved_the_very_same_state_comes_back(fleet: Fleet) -> None:
    with closing(SqliteSource(fleet.path)) as source:
        first = source.read()
        assert source.read(first) is first

        fleet.commit(placed=[hold(site="s1")])
        second = source.read(first)
        assert second.names is first.names

        fleet.name("site", "s3")
        assert "s3" in source.read(second).names["site"]


def test_holds_that_have_not_changed_are_not_parsed_again(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(7, site="s1")])

    with closing(SqliteSource(fleet.path)) as source:
        first = source.read()
        fleet.commit(placed=[hold(8, site="s2")])
        second = source.read(first)

    assert len(second.holds) == 2
    assert first.holds[0] in second.holds
    assert any(held is first.holds[0] for held in second.holds)


def test_it_never_writes(fleet: Fleet) -> None:
    fleet.close()
    before = fleet.path.read_bytes()

    with closing(SqliteSource(fleet.path)) as source:
        source.read()
        source.survey()

    assert fleet.path.read_bytes() == before


def test_a_locked_database_is_said_to_be_locked(fleet: Fleet) -> None:
    fleet.execute("PRAGMA journal_mode = DELETE")
    with (
        closing(sqlite3.connect(fleet.path, isolation_level=None)) as other,
        closing(SqliteSource(fleet.path)) as source,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError, match=r"fleet\.db is locked by another program: trying again"):
            source.read()

        other.execute("ROLLBACK")
        assert source.read().revision == 1


def test_a_writer_in_the_middle_of_its_work_holds_no_reader_up(fleet: Fleet) -> None:
    with (
        closing(sqlite3.connect(fleet.path, isolation_level=None)) as other,
        closing(SqliteSource(fleet.path)) as source,
    ):
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE gate_head SET revision = 99")

        assert source.read().revision == 1


def test_a_file_that_is_not_there_is_said_to_be_missing_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.db does not exist: is the URL right"):
        read(tmp_path / "nowhere.db")

    assert list(tmp_path.iterdir()) == []


def test_a_file_put_in_the_place_of_another_is_read_instead(fleet: Fleet, tmp_path: Path) -> None:
    """An unlinked database would be read happily for ever, and no stop would ever be seen in it."""
    with closing(SqliteSource(fleet.path)) as source:
        source.read()
        other = Fleet(tmp_path / "other.db", "f-two", revision=5)
        other.execute("PRAGMA journal_mode = DELETE")
        other.close()
        fleet.close()
        for rest in ("-wal", "-shm"):
            (tmp_path / f"fleet.db{rest}").unlink(missing_ok=True)
        (tmp_path / "other.db").replace(fleet.path)

        assert source.read().fleet == "f-two"

        fleet.path.unlink()
        with pytest.raises(SourceError, match="does not exist"):
            source.read()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"not a database at all, but long enough to look", "is damaged"), (b"", r"is not a database of ours \(no such")],
)
def test_a_file_of_another_kind_is_said_to_be_that(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "fleet.db").write_bytes(content)

    with pytest.raises(SourceError, match=rf"fleet\.db {sentence}"):
        read(tmp_path / "fleet.db")


def test_a_page_that_was_overwritten_is_a_sentence_and_no_traceback(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(site="s1") for _ in range(200)])
    fleet.execute("PRAGMA journal_mode = DELETE")
    fleet.close()
    with fleet.path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(60_000))

    with pytest.raises(SourceError, match=r"damaged|cannot be read|not a database of ours"):
        read(fleet.path)


def test_a_database_without_a_fleet_says_what_to_do(fleet: Fleet) -> None:
    fleet.execute("DELETE FROM gate_head")

    with pytest.raises(SourceError, match="holds no fleet yet: start the console on it once"):
        read(fleet.path)


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_its_own_format_and_one_back_and_forth_are_read(fleet: Fleet, step: int) -> None:
    fleet.execute(f"UPDATE gate_head SET format = {FORMAT + step}")

    with closing(SqliteSource(fleet.path)) as source:
        assert source.read().revision == 1


def test_a_format_of_a_later_age_is_refused_in_one_sentence(fleet: Fleet) -> None:
    fleet.execute(f"UPDATE gate_head SET format = {FORMAT + 2}")

    with pytest.raises(SourceError, match=f"is of format {FORMAT + 2}, and this opsgate reads {FORMAT}"):
        read(fleet.path)


def test_a_hold_that_cannot_be_read_holds_everything(fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody placed it to hold something; half a row is no reason to go on."""
    fleet.execute("INSERT INTO gate_hold VALUES ('H-9', '{\"source\":')")

    with closing(SqliteSource(fleet.path)) as source:
        (held,) = source.read().holds

    assert (held.hold_id, held.is_global, held.source) == ("H-9", True, "safety")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_hold_on_a_dimension_of_a_later_version_covers_no_work_here(fleet: Fleet) -> None:
    document = json.dumps(hold(9, site="s1").as_dict() | {"selector": {"galaxy": "andromeda"}})
    fleet.execute(f"INSERT INTO gate_hold VALUES ('H-9', '{document}')")

    with closing(SqliteSource(fleet.path)) as source:
        assert source.read().holds == ()


def test_a_hold_from_a_source_of_a_later_version_holds_all_the_same(fleet: Fleet) -> None:
    fleet.commit(placed=[replace(hold(9, site="s1"), source="oracle")])

    with closing(SqliteSource(fleet.path)) as source:
        assert source.read().holds[0].source == "oracle"


def test_a_database_on_ground_that_nobody_may_write_is_read_all_the_same(fleet: Fleet) -> None:
    """As another user, because no mode keeps root out."""
    fleet.commit(placed=[hold(site="s1")])
    fleet.close()
    probe = """
import os, sqlite3, sys
from pathlib import Path
from opsgate.sources import SqliteSource
if os.getuid() == 0:
    os.setuid(65534)
print(len(SqliteSource(Path(sys.argv[1])).read().holds))
"""
    with tempfile.TemporaryDirectory() as name:
        ground = Path(name)
        copy = Path(shutil.copy(fleet.path, ground))
        copy.chmod(0o444)
        ground.chmod(0o555)
        found = subprocess.run([sys.executable, "-c", probe, copy], capture_output=True, text=True, check=False)
        ground.chmod(0o700)

    assert (found.stdout, found.stderr) == ("1\n", "")
