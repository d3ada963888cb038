"""Connections to PostgreSQL whose every answer has a deadline, and the channel on which servers hint at news.

A server that hangs, or a network that swallows packets, sends no error: libpq would wait for ever. Here each wait ends,
and the connection with it, for it is in the middle of something.
"""

from __future__ import annotations

import json
import logging
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict

_log = logging.getLogger("opsconsole.postgres")

CHANNEL: Final = "opsconsole"
"""What a commit notifies. The payload is empty: the head row says the rest."""

PATIENCE_S: Final = 10.0
"""Seconds that one answer may take where nobody gave a deadline."""

PING_S: Final = 1.0
"""Seconds that a connection of before has to answer that it is still there."""

_NOTICED: Final = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
"""When the kernel looks whether the other side of a silent connection is there (seconds), and for how long what was
sent may stay unacknowledged (milliseconds)."""

BLIND_S: Final = 0.25
"""Seconds between two looks at the head while no hints can be heard."""

T = TypeVar("T")


class NoAnswer(psycopg.OperationalError):
    """The deadline passed before the server answered; what it was asked to do may still be done."""


_deadline_s: ContextVar[float | None] = ContextVar("deadline_s", default=None)


@contextmanager
def within(timeout_s: float, *, at_most: bool = False) -> Iterator[None]:
    """Give whatever this thread asks of any connection inside the block ``timeout_s`` altogether; ``at_most`` no more
    than it has anyway."""
    deadline_s, known_s = monotonic() + timeout_s, _deadline_s.get()
    token = _deadline_s.set(min(deadline_s, known_s) if at_most and known_s is not None else deadline_s)
    try:
        yield
    finally:
        _deadline_s.reset(token)


def time_left_s() -> float:
    """What is left of the time of `within`; that for one answer where nobody gave a deadline."""
    deadline_s = _deadline_s.get()
    return PATIENCE_S if deadline_s is None else deadline_s - monotonic()


class TimedConnection(psycopg.Connection[Any]):
    """A connection that gives up at the deadline of `within`, or after `PATIENCE_S` for one answer."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for an answer; past the deadline close the connection and raise `NoAnswer`."""
        deadline_s = _deadline_s.get()
        limited = _limited(gen, monotonic() + PATIENCE_S if deadline_s is None else deadline_s)
        try:
            return super().wait(limited, interval) if timeout is None else super().wait(limited, interval, timeout)
        except NoAnswer:
            self.pgconn.finish()
            raise


def connect(conninfo: str, **options: Any) -> TimedConnection:
    """A connection whose other end is found to be gone within seconds, unless the URL says otherwise."""
    said = conninfo_to_dict(conninfo)
    return TimedConnection.connect(
        conninfo, **{name: value for name, value in (_NOTICED | options).items() if name not in said}
    )


def be_noticed_when_gone(connection: psycopg.Connection[Any]) -> None:
    """Have the server look after us the same way: it would keep a session for hours whose client has been cut off, and
    has a limited number of them."""
    connection.execute(
        "SELECT set_config(name, %s::jsonb ->> name, false) FROM pg_settings WHERE %s::jsonb ? name",
        (
            text := json.dumps({f"tcp_{name.removeprefix('tcp_')}": str(value) for name, value in _NOTICED.items()}),
            text,
        ),
        prepare=False,
    )


def _limited(gen: PQGen[T], deadline_s: float) -> PQGen[T]:
    """The driver asks its generator again every interval in which nothing came; that is where the time is looked at."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and monotonic() >= deadline_s:
                raise NoAnswer("no answer in time")
            wanted = gen.send(ready)
    except StopIteration as end:
        result: T = end.value
        return result


def is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """Whether a pooler stands between: another process serves us than the one that greeted us.

    Where it hands on single transactions, nobody hears notifications, and a statement that was prepared is unknown to
    the next process. Nothing here relies on either then, nor on a session in any other way.
    """
    found = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    return found is not None and found[0] != connection.info.backend_pid


class Hints:
    """Waits for notifications on a connection of its own; without one it only waits. ``wake`` ends a wait.

    ``wait`` is for one thread, ``wake`` and ``close`` for any.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._listening: TimedConnection | None = None
        self._deaf = False
        self._ear, self._mouth = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def wait(self, timeout_s: float) -> None:
        """Return at a notification, at `wake`, or after ``timeout_s``; sooner while no notification can come."""
        try:
            if self._listening is None and not self._deaf:
                self._listening = self._listen()
                return  # what was committed before it listened has to be looked for
            if self._listening is None:
                _readable(min(timeout_s, BLIND_S), self._ear)
                self._hush()
                return
            heard = self._listening.fileno()
            if heard in _readable(timeout_s, self._ear, heard):
                for _ in self._listening.notifies(timeout=0):
                    pass
        except (psycopg.Error, OSError):
            self._drop()
            _readable(min(timeout_s, BLIND_S), self._ear)
        self._hush()

    def wake(self) -> None:
        """End a wait that is going on, or the next one."""
        try:
            os.write(self._mouth, b"!")
        except OSError:
            pass  # the pipe is full, so it wakes anyway; or closed, so nobody waits

    def close(self) -> None:
        """Close the connection and the pipe; nobody may wait any more."""
        self._drop()
        os.close(self._ear)
        os.close(self._mouth)

    def _listen(self) -> TimedConnection | None:
        """A connection that hears notifications; None where a pooler would keep them from us."""
        connection = connect(self._conninfo, autocommit=True, connect_timeout=5)
        if is_pooled(connection):
            connection.close()
            self._deaf = True
            _log.warning(
                "a connection pooler stands before the database: changes of others are looked for four times a second "
                "instead of being told at once; name the database itself, or give this program a pool by session"
            )
            return None
        connection.execute(f"LISTEN {CHANNEL}")
        return connection

    def _drop(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def _hush(self) -> None:
        try:
            os.read(self._ear, 4096)
        except BlockingIOError:
            pass  # nobody woke us


def _readable(timeout_s: float, *descriptors: int) -> set[int]:
    """Those of some descriptors that have something to read, or have ended, at the latest after ``timeout_s``. Not by
    `select`, which knows no descriptor above a thousand, and a server has more connections than that."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poller.poll(timeout_s * 1000)}
