"""What SQLite does silently, and what it says when something is wrong: each as one sentence with the next step."""

import os
import pwd
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from backends import open_backend, open_runtime
from backends.local.sqlite import SqliteStore, make_file
from backends.local.steps import CURRENT
from core.capabilities.holds import PlaceHold
from core.capabilities.names import AddName
from core.errors import BackendUnavailable, NotOurDatabase, OpsError
from core.ports import Arrival, Backend
from opsgate.selector import EVERYTHING
from tests.support.fleets import START, say, worker
from tests.support.waiting import eventually

PAUSE = PlaceHold(selectors=(EVERYTHING,), reason="too warm")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a fleet lives that was begun and closed."""
    path = tmp_path / "fleets" / "fleet.db"
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        backend.submit(say(AddName(dimension="site", name="s1")))
    return path


def refusal_of(path: Path, *, create: bool = False) -> OpsError:
    """How opening the fleet fails."""
    with pytest.raises((BackendUnavailable, NotOurDatabase)) as refused:
        open_backend(f"sqlite:///{path}", create=create, timeout_s=0.2)
    assert refused.value.hint, "every fault names the next step"
    return refused.value


class TestTheFile:
    """where it is and who may read it"""

    def test_a_new_database_is_for_its_owner_alone(self, path: Path) -> None:
        assert oct(path.stat().st_mode & 0o777) == "0o600"
        assert oct(path.parent.stat().st_mode & 0o777) == "0o700"

    def test_its_log_is_for_its_owner_alone_too(self, path: Path) -> None:
        with closing(open_backend(f"sqlite:///{path}")):
            assert oct(path.with_name("fleet.db-wal").stat().st_mode & 0o777) == "0o600"

    def test_an_odd_path_is_only_a_path(self, tmp_path: Path) -> None:
        odd = tmp_path / "a b%20c#d&e'f.db"

        with closing(open_backend(f"sqlite:///{odd}")) as backend:
            backend.submit(say(PAUSE))

        assert odd.exists()

    def test_a_missing_database_is_made_only_where_that_was_asked_for(self, tmp_path: Path) -> None:
        missing = tmp_path / "none.db"

        assert refusal_of(missing).code == "no-database"
        assert not missing.exists()

    def test_an_empty_file_becomes_a_fleet_only_where_that_was_asked_for(self, tmp_path: Path) -> None:
        """A creation that was interrupted leaves one."""
        empty = tmp_path / "empty.db"
        empty.touch()
        assert refusal_of(empty).code == "no-fleet"

        with closing(open_backend(f"sqlite:///{empty}")) as backend:
            assert backend.state().revision == 17

    def test_a_directory_is_no_database(self, tmp_path: Path) -> None:
        assert refusal_of(tmp_path, create=True).code == "not-a-file"

    def test_a_place_that_cannot_be_written_to_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        assert refusal_of(tmp_path / "file" / "fleet.db", create=True).code == "cannot-create"

    def test_another_fleets_database_is_refused_where_one_is_expected(self, path: Path) -> None:
        with pytest.raises(NotOurDatabase) as refused:
            open_backend(f"sqlite:///{path}", expect_fleet="f-000000000000")

        assert refused.value.code == "another-fleet"


class TestGoneFromUnderUs:
    """an unlinked file goes on accepting rows that vanish with it (measured)"""

    def test_sqlite_itself_does_not_notice(self, path: Path) -> None:
        """Why the identity of the file is looked at: without that, this commit would be acknowledged."""
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("SELECT * FROM gate_head").fetchall()
            path.unlink()
            connection.execute("UPDATE gate_head SET revision = 99")
            assert connection.execute("SELECT revision FROM gate_head").fetchone() == (99,)

    def test_nothing_is_acknowledged_once_the_file_is_removed(self, path: Path) -> None:
        with closing(open_backend(f"sqlite:///{path}")) as backend:
            path.unlink()

            with pytest.raises(BackendUnavailable) as refused:
                backend.submit(say(PAUSE))

            assert refused.value.code == "database-gone"
            assert "nothing was recorded" in refused.value.message
            assert backend.contact().word == "interrupted"
            assert backend.latest().revision == 18

    def test_nothing_is_acknowledged_that_was_committed_into_a_file_removed_meanwhile(self, path: Path) -> None:
        store = SqliteStore(path)
        with closing(store):
            store.prepare(new_fleet=None)

            def commits_while_somebody_removes_it() -> None:
                with store.write(timeout_s=1) as transaction:
                    transaction.drop_workers(["w"])
                    path.unlink()

            with pytest.raises(BackendUnavailable, match="removed"):
                commits_while_somebody_removes_it()

    def test_nothing_is_acknowledged_once_the_log_is_removed(self, path: Path) -> None:
        with closing(open_backend(f"sqlite:///{path}")) as backend:
            backend.submit(say(PAUSE))
            path.with_name("fleet.db-wal").unlink()

            with pytest.raises(BackendUnavailable, match="write-ahead log"):
                backend.submit(say(PAUSE))

    def test_a_file_that_was_moved_away_and_back_is_the_same(self, path: Path) -> None:
        with closing(open_backend(f"sqlite:///{path}")) as backend:
            path.rename(path.with_name("elsewhere.db"))
            with pytest.raises(BackendUnavailable):
                backend.state()

            path.with_name("elsewhere.db").rename(path)

            assert backend.submit(say(PAUSE)).revision == 19
            assert backend.contact().word == "valid"

    def test_the_file_of_another_fleet_in_its_place_is_refused(self, path: Path, tmp_path: Path) -> None:
        other = tmp_path / "other.db"
        open_backend(f"sqlite:///{other}").close()

        with closing(open_backend(f"sqlite:///{path}")) as backend:
            other.replace(path)
            with pytest.raises(NotOurDatabase) as refused:
                backend.submit(say(PAUSE))

        assert refused.value.code == "another-fleet"

    def test_who_follows_learns_that_the_database_is_gone_and_that_it_is_back(self, path: Path) -> None:
        with closing(open_backend(f"sqlite:///{path}")) as backend, closing(open_backend(f"sqlite:///{path}")) as other:
            arrivals = list[Arrival]()
            backend.follow(arrivals.append)
            path.rename(path.with_name("elsewhere.db"))
            eventually(lambda: backend.contact().word == "interrupted")
            assert "was removed" in backend.contact().detail

            path.with_name("elsewhere.db").rename(path)
            other.submit(say(PAUSE))

            eventually(lambda: backend.contact().word == "valid")
            eventually(lambda: [arrival.state.revision for arrival in arrivals] == [19])


class TestLocks:
    """one library in the process, and nothing else that opens the file"""

    def test_a_gate_that_reads_in_the_same_process_takes_no_lock_away(self, path: Path) -> None:
        """It uses Python's library as the runtime does. A plain open and close of the file would drop the lock."""
        with closing(open_runtime(f"sqlite:///{path}")) as runtime:
            with runtime.store.write(timeout_s=1):
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as gate:
                    assert gate.execute("SELECT revision FROM gate_head").fetchone() == (18,)
                assert _is_locked_for_other_processes(path)
            assert not _is_locked_for_other_processes(path)

    def test_looking_at_the_identity_of_the_file_takes_no_lock_away(self, path: Path) -> None:
        with closing(open_runtime(f"sqlite:///{path}")) as runtime, runtime.store.write(timeout_s=1):
            runtime.store.head()  # looks at the file as every call does

            assert _is_locked_for_other_processes(path)

    def test_a_locked_database_is_said_to_be_locked_and_is_there_again_afterwards(self, path: Path) -> None:
        with closing(open_backend(f"sqlite:///{path}")) as backend:
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(BackendUnavailable) as refused:
                    backend.submit(say(PAUSE), timeout_s=0.1)
                assert backend.state().revision == 18, "reading needs no lock"

            assert refused.value.code == "database-locked"
            assert "opsconsole stop --local" in refused.value.hint
            assert backend.submit(say(PAUSE)).revision == 19

    def test_an_exclusive_lock_on_the_whole_file_is_said_to_be_a_lock(self, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("UPDATE gate_head SET format = format")

            assert refusal_of(path).code == "database-locked"


def _is_locked_for_other_processes(path: Path) -> bool:
    """Whether another process can begin to write."""
    probe = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 0 or "database is locked" in result.stderr
    return result.returncode != 0


class TestSettings:
    """what every connection is told"""

    def test_every_connection_writes_durably_and_only_the_keeper_moves_the_log(self, path: Path) -> None:
        with closing(SqliteStore(path)) as console, closing(SqliteStore(path, checkpoints=True)) as keeper:
            assert _settings(console) == {
                "journal_mode": "wal",
                "synchronous": 2,  # FULL
                "wal_autocheckpoint": 0,
                "foreign_keys": 1,
                "trusted_schema": 0,
            }
            assert _settings(keeper) == _settings(console) | {"wal_autocheckpoint": 1000}

    def test_without_a_keeper_nobody_moves_the_log_while_it_is_used(self, path: Path) -> None:
        size = path.stat().st_size
        with closing(open_backend(f"sqlite:///{path}")) as backend:
            for number in range(180):
                backend.submit(say(AddName(dimension="site", name=f"more-{number}")))
            assert path.stat().st_size == size
            assert path.with_name("fleet.db-wal").stat().st_size > 1000 * 4096

        assert path.stat().st_size > size, "the last one to close does it"
        assert not path.with_name("fleet.db-wal").exists()


def _settings(store: SqliteStore) -> dict[str, object]:
    names = ("journal_mode", "synchronous", "wal_autocheckpoint", "foreign_keys", "trusted_schema")
    with store._reading() as connection:
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}


class TestWhatIsInIt:
    """newer, planted, foreign, damaged"""

    def test_a_newer_schema_is_refused_and_left_alone(self, path: Path) -> None:
        _alter(path, "UPDATE alembic_version SET version_num = 'pre_0999'")
        _alter(path, "UPDATE schema_reader SET oldest = 'pre_0998'")

        refused = refusal_of(path, create=True)

        assert (refused.code, type(refused)) == ("newer-schema", NotOurDatabase)
        assert "pre_0999" in refused.message
        assert CURRENT in refused.message

    @pytest.mark.parametrize(
        "planted",
        [
            "CREATE TRIGGER undo AFTER INSERT ON gate_hold BEGIN DELETE FROM gate_hold; END",
            "CREATE VIEW holds AS SELECT * FROM gate_hold",
        ],
    )
    def test_a_trigger_or_a_view_that_somebody_planted_is_refused_by_name(self, path: Path, planted: str) -> None:
        _alter(path, planted)

        refused = refusal_of(path)

        assert refused.code == "planted-object"
        assert "undo" in refused.message or "holds" in refused.message

    def test_a_table_of_a_backup_program_disturbs_nobody(self, path: Path) -> None:
        _alter(path, "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")

        open_backend(f"sqlite:///{path}").close()

    def test_a_missing_column_is_named(self, path: Path) -> None:
        _alter(path, "ALTER TABLE worker DROP COLUMN env")

        assert "worker.env" in refusal_of(path).message

    def test_a_database_of_something_else_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        foreign = tmp_path / "foreign.db"
        _alter(foreign, "CREATE TABLE notes (text)")
        before = foreign.read_bytes()

        assert refusal_of(foreign, create=True).code == "not-a-fleet"
        assert foreign.read_bytes() == before

    def test_a_file_that_is_no_database_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        text = tmp_path / "notes.txt"
        text.write_text("remember the milk\n" * 1000)

        assert refusal_of(text, create=True).code == "not-a-database"
        assert text.read_text().startswith("remember the milk")

    def test_a_damaged_database_says_so_and_never_answers_with_another_state(
        self, path: Path, seed: int, tmp_path: Path
    ) -> None:
        """Bytes are changed at random: each time it opens with the same state, or is refused with a sentence."""
        chance = random.Random(seed)
        with closing(open_backend(f"sqlite:///{path}")) as backend:
            backend.submit(say(PAUSE))
            whole = backend.state()
        content, refused = path.read_bytes(), list[OpsError]()
        for number in range(60):
            damaged = bytearray(content)
            for _ in range(chance.choice((1, 4, 64))):
                damaged[chance.randrange(100, len(damaged))] = chance.randrange(256)
            copy = tmp_path / f"damaged-{number}.db"
            copy.write_bytes(damaged)
            try:
                with closing(open_backend(f"sqlite:///{copy}", create=False, timeout_s=0.2)) as backend:
                    backend.observe()
                    assert backend.state() == whole, f"seed {seed}, number {number}"
            except (BackendUnavailable, NotOurDatabase) as error:
                refused.append(error)
        assert refused, "some of the damage must have been found"
        assert [error for error in refused if not error.hint] == []

    @pytest.mark.parametrize("value", ["NULL", "x'ff00'"])
    @pytest.mark.parametrize(
        ("table", "column"),
        [
            ("gate_head", "fleet"),
            ("journal_anchor", "chain"),
            ("journal", "at"),
            ("journal", "salt"),
            ("journal", "body"),
        ],
    )
    def test_what_is_no_value_of_its_column_is_refused_with_a_sentence(
        self, path: Path, table: str, column: str, value: str
    ) -> None:
        """A damaged page answers with whatever its bytes then mean, whatever the schema promises."""
        _alter(path, "PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '')")
        _alter(path, f"UPDATE {table} SET {column} = {value} WHERE rowid = (SELECT max(rowid) FROM {table})")

        assert refusal_of(path).code in {"database-corrupt", "not-a-fleet"}

    def test_a_changed_event_in_the_journal_is_found_before_it_is_believed(self, path: Path) -> None:
        _alter(path, "UPDATE journal SET body = replace(body, 's1', 's2') WHERE revision = 18")

        refused = refusal_of(path)

        assert refused.code == "journal-damaged"
        assert "event 18" in refused.message

    def test_a_head_that_claims_more_than_the_journal_has_is_found_by_verifying(self, path: Path) -> None:
        with closing(open_backend(f"sqlite:///{path}")) as backend:
            _alter(path, "DELETE FROM journal WHERE revision = 18")

            fault = backend.verify().fault

        assert fault is not None
        assert fault.revision == 18


def _alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


class TestTheDisk:
    """full, read-only, too small a quota"""

    def test_a_disk_that_is_full_is_said_to_be_and_nothing_was_recorded(self, tmp_path: Path) -> None:
        with _small_disk(tmp_path) as disk:
            with closing(open_backend(f"sqlite:///{disk}/fleet.db")) as backend:
                with pytest.raises(BackendUnavailable) as refused:
                    _fill(backend)

                assert refused.value.code in {"disk-full", "disk-failed"}
                assert "opsconsole stop --local" in refused.value.hint
                revision = backend.state().revision
                assert backend.verify().fault is None
            with closing(open_backend(f"sqlite:///{disk}/fleet.db", create=False)) as again:
                assert again.state().revision == revision

    def test_a_file_that_may_only_be_read_is_read_and_not_written(self, path: Path) -> None:
        read_only = _as_somebody_else(path, folder=0o777, file=0o444)
        with read_only as copy, closing(open_backend(f"sqlite:///{copy}")) as backend:
            assert backend.state().revision == 18
            with pytest.raises(BackendUnavailable) as refused:
                backend.submit(say(PAUSE))

        assert refused.value.code == "database-read-only"

    def test_a_folder_that_may_only_be_read_is_named_as_the_reason(self, path: Path) -> None:
        with _as_somebody_else(path, folder=0o555, file=0o444) as read_only:
            refused = refusal_of(read_only)

        assert refused.code in {"cannot-open", "database-read-only"}
        assert "read-only" in refused.message

    def test_a_folder_that_may_not_be_entered_is_said_to_be_closed(self, path: Path) -> None:
        with _as_somebody_else(path, folder=0o000, file=0o444) as closed:
            refused = refusal_of(closed)

        assert refused.code in {"cannot-open", "no-database"}


def _fill(backend: Backend) -> None:
    """Write until it fails."""
    for number in range(100_000):
        backend.submit(say(AddName(dimension="site", name=f"site-{number}", title="x" * 300)))
    raise AssertionError("the disk was not small")


@contextmanager
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB where one can be mounted; elsewhere a limit on how large a file may grow."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, timeout=30, check=False
    )
    if mounted.returncode == 0:
        try:
            yield disk
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True, timeout=30)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        yield disk
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _as_somebody_else(path: Path, *, folder: int, file: int) -> Iterator[Path]:
    """A copy of the fleet that this process has no right to write, also when it is root."""
    place = Path(tempfile.mkdtemp(prefix="ops-ro-"))
    copy = place / "there" / "fleet.db"
    copy.parent.mkdir()
    shutil.copy(path, copy)
    copy.chmod(file)
    copy.parent.chmod(folder)
    place.chmod(0o755)
    root = os.geteuid() == 0
    if root:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield copy
    finally:
        if root:
            os.seteuid(0)
        copy.parent.chmod(0o700)
        shutil.rmtree(place)


@pytest.mark.parametrize("tells", [True, False])
def test_a_commit_is_heard_of_whether_or_not_the_kernel_tells_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tells: bool
) -> None:
    if not tells:
        monkeypatch.setattr("backends.local.log_watch._watch", lambda _folder: -1)
    make_file(tmp_path / "fleet.db")
    with closing(SqliteStore(tmp_path / "fleet.db")) as waits, closing(SqliteStore(tmp_path / "fleet.db")) as writes:
        waits.prepare(new_fleet="f-0123456789ab")
        writes.prepare(new_fleet=None)
        for _ in range(3):
            waits.wait(0.15)
        waits.moved()
        with writes.write(timeout_s=60) as transaction:
            transaction.put_workers([worker("w1", START)])
        waits.wait(60)
        assert waits.moved()
