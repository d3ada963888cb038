"""Databases that older versions wrote are opened, upgraded, and say what they said then."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backends import open_backend
from backends.local.steps import CURRENT, STEPS
from core import checkpoint
from core.audit import event_of
from core.capabilities.names import AddName
from core.engine import fold
from core.state import State
from tests.migrations.keep import FLEET, SAMPLES
from tests.support.fleets import say

ADDED = AddName(dimension="site", name="s9")
KEPT = sorted(path.stem for path in SAMPLES.glob("*.sql"))


@pytest.fixture(params=KEPT)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database as one of the steps left it."""
    path = tmp_path / "fleet.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((SAMPLES / f"{request.param}.sql").read_text())
    return path


def test_there_is_a_database_of_every_step() -> None:
    """For a new one: `python -m tests.migrations.keep`."""
    assert sorted(STEPS) == KEPT


def test_an_older_database_says_what_it_said_then(path: Path) -> None:
    with closing(open_backend(f"sqlite:///{path}", expect_fleet=FLEET)) as backend:
        state = backend.state()

        assert {str(hold.selector) for hold in state.holds.values() if hold.source == "emergency"} == {"site=s1", "all"}
        assert {stop_id: stop.of for stop_id, stop in state.stops.items()} == {
            "stop-1": ("w1", "w2"),
            "stop-2": ("w1", "w2"),
        }
        assert state.stops["stop-2"].reason == "smoke in the hall"
        assert state.limits["sites"].limit == 5
        assert [name.name for name in state.names_of("site")] == ["s1"]
        assert {row.worker_id for row in backend.observe().workers} == {"w1", "w2"}
        assert backend.verify().fault is None


def test_its_stored_state_and_its_journal_agree(path: Path) -> None:
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        folded = fold(State(), map(event_of, backend.journal(limit=10_000)))

        assert checkpoint.dump(folded) == checkpoint.dump(backend.state())


def test_it_goes_on_from_there_and_is_of_this_version_afterwards(path: Path) -> None:
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        before = backend.state().revision
        assert backend.submit(say(ADDED, command_id="after-the-upgrade")).revision == before + 1

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(CURRENT,)]
