"""PostgreSQL: for fleets whose consoles and servers run on several hosts.

Every writer locks the one head row first, so revisions have no gaps and whoever tails the journal misses nothing (a
sequence would commit out of order). Notifications hint at news; polling the head is the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import psycopg
from sqlalchemy import Connection, Text, bindparam, create_engine, event, func, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.pool import QueuePool

from backends.local import schema
from backends.local.line import Line, Spoken
from backends.local.postgres_faults import explain
from backends.local.postgres_link import (
    CHANNEL,
    PING_S,
    Hints,
    NoAnswer,
    TimedConnection,
    be_noticed_when_gone,
    connect,
    is_pooled,
    time_left_s,
    within,
)
from backends.local.rows import read_head
from backends.local.store import SqlStore
from backends.local.upgrade import Columns, is_behind, require_shape, upgrade, version_of
from core.errors import NotOurDatabase, OpsError
from core.ports import Head
from opsgate.paths import canonical_url

UPGRADE_S: Final = 60.0
"""Seconds that an upgrade may take, with the wait for somebody else's."""

STILL_S: Final = 8.0
"""Seconds that a writer may stand still in its transaction, frozen or cut off from the network, before the server ends
its session: until then nobody else can write."""

_PATIENCE: Final = select(
    func.set_config("lock_timeout", bindparam("wait_ms", type_=Text), True),
    func.set_config("idle_in_transaction_session_timeout", bindparam("still_ms", type_=Text), True),
)
"""How long a transaction waits for a lock, and how long it may stand still."""

_NEWS: Final = select(func.pg_notify(CHANNEL, ""))

_SLACK_S: Final = 0.5
"""Seconds that a server's own timeout comes before ours, so that its clear error is heard."""


class PostgresStore(SqlStore):
    """A store of `core.ports` in one PostgreSQL database. Thread-safe."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self._conninfo = url
        self._url = canonical_url(url)
        super().__init__(timeout_s)
        self._seen_revision = -1
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=4,
            pool_timeout=timeout_s,
        )
        event.listen(self._engine, "checkout", self._require_answer)
        self._hints = Hints(url)

    @property
    def url(self) -> str:
        """The canonical URL, without user and password, by which this host knows the fleet."""
        return self._url

    def prepare(self, *, new_fleet: str | None) -> None:
        """Make sure that the database holds a fleet of this version: upgrade an older one, begin one in an empty one.

        Raises `NotOurDatabase` for one that holds something else, and without ``new_fleet`` for an empty one.
        """
        columns, strangers, version = self._look()
        if version is None and new_fleet is None:
            raise NotOurDatabase("no-fleet", f"{self.url} has no fleet yet", "'opsconsole' begins one")
        if is_behind(version):
            self._upgrade(new_fleet)
            columns, strangers, _ = self._look()
        require_shape(columns, strangers, self.url)

    def version(self) -> None:
        """The server counts commits of all its databases only, and late: what was seen is read again."""

    def moved(self) -> bool:
        """Whether the head is another than at the last call."""
        known, self._seen_revision = self._seen_revision, self.head().revision
        return self._seen_revision != known

    def wait(self, timeout_s: float) -> None:
        """Return at a notification, or at the latest after ``timeout_s``."""
        self._hints.wait(timeout_s)

    def wake(self) -> None:
        """End a wait."""
        self._hints.wake()

    def close(self) -> None:
        """End connections."""
        self._engine.dispose()
        self._hints.close()

    def _connect(self) -> TimedConnection:
        timeout_s = max(2, int(min(self._timeout_s, time_left_s())))  # the driver takes whole seconds and at least two
        connection = connect(self._conninfo, connect_timeout=timeout_s, application_name="opsconsole")
        if is_pooled(connection):
            connection.prepare_threshold = None
        else:
            be_noticed_when_gone(connection)
        connection.commit()  # a setting that is rolled back was never made
        return connection

    def _require_answer(self, connection: DBAPIConnection, *_pool: object) -> None:
        """Look whether a connection still leads to the server before anything is asked of it. One that was cut off
        without a word must not use up the time of whoever asks: where one has gone, all have."""
        try:
            with within(PING_S, at_most=True):
                self._engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    def _look(self) -> tuple[Columns, tuple[str, ...], str | None]:
        with self._reading() as connection:
            columns, strangers = _shape(connection)
            return columns, strangers, version_of(connection, columns, self.url)

    def _upgrade(self, new_fleet: str | None) -> None:
        with self._explained(), self._within(UPGRADE_S), self._engine.begin() as connection:
            still_ms = str(int(UPGRADE_S * 1000))
            connection.execute(select(func.set_config("idle_in_transaction_session_timeout", still_ms, True)))
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(CHANNEL))))
            version = version_of(connection, _shape(connection)[0], self.url)
            if is_behind(version):
                upgrade(connection, version, new_fleet)
                self.begun = version is None

    def _within(self, timeout_s: float) -> AbstractContextManager[None]:
        return within(timeout_s + _SLACK_S)

    @contextmanager
    def _listening(self) -> Iterator[Line]:
        with self._engine.connect() as connection:
            yield Spoken(connection)

    @contextmanager
    def _writing(self, timeout_s: float) -> Iterator[Line]:
        with self._engine.begin() as connection:
            line = Spoken(connection)
            line.ask(_PATIENCE, {"wait_ms": str(max(1, int(timeout_s * 1000))), "still_ms": str(int(STILL_S * 1000))})
            yield line

    def _locked_head(self, line: Line) -> Head:
        return read_head(line, locked=True)

    def _announce(self, line: Line) -> None:
        line.ask(_NEWS)

    def _find(self) -> None:
        """A server answers for its own files."""

    def _require_unmoved(self) -> None:
        """A server answers for its own files."""

    def _fault(self, error: DBAPIError) -> OpsError:
        assert isinstance(error.orig, psycopg.Error), "the engine uses psycopg"
        return explain(error.orig, self.url, late=isinstance(error.orig, NoAnswer))


def _shape(connection: Connection) -> tuple[Columns, tuple[str, ...]]:
    """The tables of the schema with their columns, and the triggers and rules on ours."""
    columns: dict[str, set[str]] = {}
    for table, column in connection.exec_driver_sql(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    ):
        columns.setdefault(table, set()).add(column)
    acting = connection.exec_driver_sql(
        "SELECT 'the trigger ' || t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
        " UNION ALL SELECT 'the rule ' || rulename, tablename FROM pg_rules WHERE schemaname = current_schema()"
    )
    strangers = tuple(sorted(what for what, table in acting if table in schema.metadata.tables))
    return {table: frozenset(names) for table, names in columns.items()}, strangers
