"""The embedded database: one SQLite file in WAL mode, written durably before anything is acknowledged.

Python's own SQLite library is the only one in the process, and nothing else opens the file: either would drop the
locks. Only the keeper checkpoints the write-ahead log (``checkpoints=True``), so that no two processes ever do so at
once; when the last connection closes, SQLite does it by itself.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Final, cast
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from backends.local.identity import Identity
from backends.local.line import Direct, Line
from backends.local.log_watch import LogWatch
from backends.local.rows import Damaged, read_head
from backends.local.sqlite_faults import explain
from backends.local.store import SqlStore
from backends.local.upgrade import Columns, is_behind, require_shape, upgrade, version_of
from backends.milestones import Milestone, passing
from core.errors import BackendUnavailable, NotOurDatabase, OpsError
from core.ports import Head

POLL_S: Final = 0.1
"""Seconds between two looks at the write-ahead log while somebody follows: others' changes are seen within twice that,
and a console that is left open for days wakes as seldom as that allows."""

UNTOLD_S: Final = 1.0
"""Seconds after which it is looked at though the kernel has told of nothing."""

_PATIENCE: Final = "patience_ms"
"""What is remembered with a connection: for how long it was told to wait for a lock."""

Sign = tuple[int, int, int] | None
"""What a commit changes of the log as the file system knows it: which file it is, its size, and when it was written."""


class SqliteStore(SqlStore):
    """A store of `core.ports` in one file. Thread-safe."""

    def __init__(self, path: Path, *, checkpoints: bool = False, timeout_s: float = 5.0) -> None:
        self._path = path
        self._checkpoints = checkpoints
        super().__init__(timeout_s)
        self._log = path.with_name(f"{path.name}-wal")
        self._sign: Sign = None
        self._once_more = False
        self._looked_s = 0.0
        self._woken = threading.Event()
        self._log_watch: LogWatch | None = None
        self._opening = threading.Lock()
        self._engine = create_engine(
            "sqlite+pysqlite://", creator=self._connect, poolclass=QueuePool, pool_size=4, pool_timeout=timeout_s
        )
        event.listen(self._engine, "begin", _begin)
        with self._explained():
            self._watch = self._connect()
        self._watching = threading.Lock()
        self._adopted = 0
        self._seen_version: tuple[int, int] | None = None
        self._identity = Identity(path)
        self._fleet = ""

    @property
    def url(self) -> str:
        """The canonical URL of the file."""
        return f"sqlite:///{self._path}"

    def prepare(self, *, new_fleet: str | None) -> None:
        """Make sure that the file holds a fleet of this version: upgrade an older one, begin one in an empty file.

        Raises `NotOurDatabase` for a file that holds something else, and without ``new_fleet`` for an empty one.
        """
        with self._explained():
            columns, strangers, version = self._look()
            if version is None and new_fleet is None:
                raise NotOurDatabase("no-fleet", f"{self.url} is empty: it has no fleet yet", "'opsconsole' begins one")
            if self._watch.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                self._watch.execute("PRAGMA journal_mode = WAL")
            if is_behind(version):
                self._upgrade(new_fleet)
                columns, strangers, _ = self._look()
            require_shape(columns, strangers, self.url)
            with self._listening() as line:
                self._fleet = read_head(line).fleet
        self._identity = Identity(self._path)

    def version(self) -> tuple[int, int]:
        """SQLite's own counter of what other connections committed, of a connection that commits nothing."""
        self._find()
        with self._watching, self._explained():
            return self._adopted, self._watch.execute("PRAGMA data_version").fetchone()[0]

    def moved(self) -> bool:
        """Whether anything was committed since the last call."""
        known, self._seen_version = self._seen_version, self.version()
        return self._seen_version != known

    def wait(self, timeout_s: float) -> None:
        """There is no push between processes, but every commit writes to the log, and the kernel tells of that; where
        it does not, asking for its time is cheap.

        That time moves in steps of some milliseconds, a log that begins again keeps its size, and what is written is
        committed a moment later. So what is told is looked for once more.
        """
        end_s = monotonic() + timeout_s
        if self._log_watch is None:
            self._log_watch = LogWatch(self._log)
        while (left_s := end_s - monotonic()) > 0:
            if self._is_woken(left_s) or self._has_written(end_s):
                return

    def wake(self) -> None:
        """End a wait."""
        self._woken.set()
        if self._log_watch is not None:
            self._log_watch.ring()

    def _is_woken(self, left_s: float) -> bool:
        """Rest from one look to the next, unless somebody wakes it."""
        rests_s = self._looked_s + POLL_S - monotonic()
        woken = self._woken.wait(min(left_s, rests_s)) if rests_s > 0 else self._woken.is_set()
        self._woken.clear()
        return woken

    def _has_written(self, end_s: float) -> bool:
        """Whether the log has changed, or is to be looked at once more. A ring ends this, too."""
        assert self._log_watch is not None, "made by whoever waits"
        if not self._once_more and self._log_watch.hears:
            told = self._log_watch.wait(max(0.0, min(end_s - monotonic(), UNTOLD_S)))
        else:
            told = False
        self._looked_s = monotonic()
        before, self._sign = self._sign, _sign(self._log)
        again, self._once_more = self._once_more, told or self._sign != before
        return again or self._once_more

    def close(self) -> None:
        """End connections."""
        self._engine.dispose()
        self._watch.close()
        if self._log_watch is not None:
            self._log_watch.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=rw",
            uri=True,
            timeout=self._timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._settle(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _settle(self, connection: sqlite3.Connection) -> None:
        if sys.version_info >= (3, 12):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what was erased or sealed does not lie on in free pages
        if not self._checkpoints:
            connection.execute("PRAGMA wal_autocheckpoint = 0")

    def _look(self) -> tuple[Columns, tuple[str, ...], str | None]:
        with self._engine.connect() as connection:
            columns, strangers = _shape(connection)
            return columns, strangers, version_of(connection, columns, self.url)

    def _upgrade(self, new_fleet: str | None) -> None:
        with self._engine.connect() as connection:
            _be_patient(connection.connection, self._timeout_s)
            connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                version = version_of(connection, _shape(connection)[0], self.url)
                if is_behind(version):
                    upgrade(connection, version, new_fleet)
                    self.begun = version is None

    @contextmanager
    def _driven(self, patience_s: float | None = None) -> Iterator[sqlite3.Connection]:
        """One of the pool's connections, without the layer above the driver, that waits for the lock of another writer
        for ``patience_s``, where anybody says so."""
        pooled = self._engine.raw_connection()
        try:
            if patience_s is not None:
                _be_patient(pooled, patience_s)
            yield cast(sqlite3.Connection, pooled.driver_connection)
        finally:
            pooled.close()  # back into the pool, and rolled back

    @contextmanager
    def _listening(self) -> Iterator[Line]:
        with self._driven() as driver:
            yield Direct(driver)

    @contextmanager
    def _writing(self, timeout_s: float) -> Iterator[Line]:
        with self._driven(timeout_s) as driver:
            driver.execute("BEGIN IMMEDIATE")
            passing(Milestone.TRANSACTION_BEGUN)
            yield Direct(driver)
            passing(Milestone.TRANSACTION_WRITTEN)
            driver.execute("COMMIT")
            passing(Milestone.TRANSACTION_COMMITTED)

    def _locked_head(self, line: Line) -> Head:
        return read_head(line)

    def _announce(self, line: Line) -> None:
        """The change counter of the file tells the others by itself."""

    def _find(self) -> None:
        if self._identity.is_same():
            return
        if self._identity.is_replaced():
            self._adopt()
        self._identity.require_same()

    def _require_unmoved(self) -> None:
        self._identity.require_same()

    def _adopt(self) -> None:
        """Go over to the file that lies at the path now, if it is the same fleet: somebody put a backup back.

        What the runtime knows of the old one is compared with it there. Closing the old connections leaves the new
        file's log alone, because SQLite looks whether its own file has moved.
        """
        with self._opening:
            if not self._identity.is_replaced():
                return  # another thread was first
            known = self._fleet
            self._engine.dispose()
            with self._watching, self._explained():
                self._watch.close()
                self._watch = self._connect()
                self._adopted += 1  # each connection counts from a number of its own
            self.prepare(new_fleet=None)
            if self._fleet != known:
                raise NotOurDatabase(
                    "another-fleet",
                    f"the file {self._path} was replaced by that of fleet {self._fleet}, this is {known}",
                    "put the right file back, or start again on this one",
                )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        with super()._explained():
            try:
                yield
            except sqlite3.Error as error:
                raise explain(error, self._path) from error
            except UnicodeDecodeError as error:  # the driver's, for a name or a message out of a damaged page
                raise Damaged(f"something in it is no text ({error.reason})") from error

    def _fault(self, error: DBAPIError) -> OpsError:
        assert isinstance(error.orig, sqlite3.Error), "the engine uses Python's own driver"
        return explain(error.orig, self._path)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner can read, in a directory of its own where there was none."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass  # somebody else begins the same fleet; the transaction decides who does
    except OSError as error:
        raise BackendUnavailable(
            "cannot-create", f"{path} cannot be made: {error.strerror}", "name another file with --backend"
        ) from error


def _sign(log: Path) -> Sign:
    try:
        found = log.stat()
    except OSError:
        return None  # it is not there: looking says what that means
    return found.st_ino, found.st_size, found.st_mtime_ns


def _begin(connection: Connection) -> None:
    """Python's driver is kept out of transactions; the engine says how each one begins."""
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _be_patient(pooled: PoolProxiedConnection, timeout_s: float) -> None:
    """Have it wait so long, to the next tenth of a second, for the lock of another writer. It is told where it was told
    something else before: each statement gives other threads the interpreter, and that takes longer than it does."""
    patience_ms = max(1, ceil(timeout_s * 10)) * 100
    if pooled.info.get(_PATIENCE) != patience_ms:
        cast(sqlite3.Connection, pooled.driver_connection).execute(f"PRAGMA busy_timeout = {patience_ms}")
        pooled.info[_PATIENCE] = patience_ms


def _shape(connection: Connection) -> tuple[Columns, tuple[str, ...]]:
    """Tables with their columns, and the triggers and views that are there."""
    found = connection.exec_driver_sql(
        "SELECT m.type, m.name, p.name FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) p ON m.type = 'table'"
        " WHERE m.type IN ('table', 'trigger', 'view') AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    ).all()
    columns: dict[str, set[str]] = {}
    for kind, table, column in found:
        if kind == "table":
            columns.setdefault(table, set()).add(column)
    strangers = tuple(sorted({f"the {kind} {name}" for kind, name, _ in found if kind != "table"}))
    return {table: frozenset(names) for table, names in columns.items()}, strangers
