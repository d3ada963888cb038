"""What the random harnesses share: their length, and what must be true of a database whatever happened to it."""

from __future__ import annotations

import os
import sys
from contextlib import closing

from backends import open_backend
from core.audit import event_of
from core.engine import fold
from core.state import State
from opsgate.paths import sqlite_path
from opsgate.sources import SqliteSource

FULL = bool(os.environ.get("OPSCONSOLE_FULL"))


def rounds(quick: int, full: int) -> range:
    """Number the rounds: ``full`` of them at full length, else ``quick``. They are counted and not timed: on a busy
    machine they take longer, and prove as much."""
    return range(full if FULL else quick)


def tell(sentence: str) -> None:
    """Say what was found; pytest shows it with ``-s`` or ``-rP``."""
    sys.stdout.write(f"{sentence}\n")


def require_whole(url: str) -> State:
    """The state, after checking that the chain verifies, that events alone give the same state, and that the tables
    of the gates are its picture."""
    state = require_picture(url)
    with closing(open_backend(url, create=False)) as backend:
        report = backend.verify()
        assert report.fault is None, report.fault
        events = [event_of(row) for row in backend.journal(limit=state.revision)]
    assert [recorded.revision for recorded in events] == list(range(1, state.revision + 1))
    assert fold(State(), events) == state
    return state


def require_picture(url: str) -> State:
    """The state, after checking that the tables of the gates are its picture; in a long journal that costs no more
    than in a short one."""
    with closing(open_backend(url, create=False)) as backend:
        state = backend.state()
    with closing(SqliteSource(sqlite_path(url))) as source:
        snapshot, expected = source.read(), state.snapshot()
    assert {hold.hold_id: hold for hold in snapshot.holds} == {hold.hold_id: hold for hold in expected.holds}
    assert {notice.stop_id: notice for notice in snapshot.stops} == {n.stop_id: n for n in expected.stops}
    assert (snapshot.revision, snapshot.names) == (expected.revision, expected.names)
    return state
