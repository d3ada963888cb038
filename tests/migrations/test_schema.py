"""The schema is what its steps add up to, an interruption leaves the old one or the new one, and a start is cheap."""

import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event

from backends import open_backend
from backends.local import schema
from backends.local.sqlite import SqliteStore, make_file
from backends.local.steps import CURRENT, STEPS
from tests.support.warm import ROOT


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A database that a fleet was begun in."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/fleet.db"
        driver = url
    else:
        url = request.getfixturevalue("postgres_url")
        driver = url.replace("postgresql:", "postgresql+psycopg:")
    open_backend(url).close()
    return sqlalchemy.create_engine(driver, poolclass=sqlalchemy.NullPool)


def steps() -> ScriptDirectory:
    """The steps as Alembic finds them."""
    config = Config()
    config.set_main_option("script_location", "backends.local:migrations")
    return ScriptDirectory.from_config(config)


def test_the_steps_add_up_to_the_tables_that_the_store_uses(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, schema.metadata) == []


def test_the_version_that_a_start_compares_is_the_last_step() -> None:
    assert steps().get_heads() == [CURRENT]
    assert list(STEPS) == [step.revision for step in reversed(list(steps().walk_revisions()))]


def test_each_step_says_by_its_name_when_it_may_run() -> None:
    for step in steps().walk_revisions():
        name = Path(step.path).stem
        assert name.startswith(("pre_", "post_")), name
        assert name.startswith(step.revision)
        assert step.doc


STATEMENTS = 26
"""How many it takes to begin a fleet; a test below says so when it becomes another number."""


@pytest.mark.parametrize("number", range(1, STATEMENTS + 1))
def test_a_beginning_that_fails_at_any_statement_leaves_nothing(tmp_path: Path, number: int) -> None:
    path = tmp_path / "fleet.db"
    make_file(path)
    with closing(SqliteStore(path)) as store:
        counter = _FailsAt(store._engine, number)
        with pytest.raises(ZeroDivisionError):
            store.prepare(new_fleet="f-1")
        counter.stop()

        assert _tables(path) == []
        store.prepare(new_fleet="f-1")
        assert store.head().fleet == "f-1"


def test_those_are_all_the_statements_there_are(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    make_file(path)
    with closing(SqliteStore(path)) as store:
        counter = _FailsAt(store._engine, STATEMENTS + 1)
        store.prepare(new_fleet="f-1")
        assert counter.left == 1


class _FailsAt:
    """Makes the nth statement that changes anything fail."""

    def __init__(self, engine: Engine, number: int) -> None:
        self._engine = engine
        self.left = number
        event.listen(engine, "before_cursor_execute", self._count)

    def stop(self) -> None:
        """Let everything pass again."""
        event.remove(self._engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().startswith(("CREATE", "INSERT", "UPDATE", "ALTER")):
            self.left -= 1
            if self.left == 0:
                raise ZeroDivisionError(statement)


@pytest.mark.parametrize("number", [1, 9, STATEMENTS])
def test_a_beginning_that_is_killed_leaves_nothing_and_can_be_begun_again(tmp_path: Path, number: int) -> None:
    path = tmp_path / "fleet.db"
    killed = f"""
import os, signal
from sqlalchemy import event
from backends.local.sqlite import SqliteStore, make_file
from pathlib import Path
path, left = Path({str(path)!r}), {number}
make_file(path)
store = SqliteStore(path)
def count(connection, cursor, statement, *rest):
    global left
    if statement.lstrip().startswith(("CREATE", "INSERT", "UPDATE", "ALTER")):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
event.listen(store._engine, "after_cursor_execute", count)
store.prepare(new_fleet="f-1")
"""
    result = subprocess.run([sys.executable, "-c", killed], cwd=ROOT / "src", timeout=60, check=False)

    assert result.returncode == -9
    assert _tables(path) == []
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        assert backend.state().revision == 17


def test_several_processes_that_begin_a_fleet_at_once_begin_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        backends = list(pool.map(open_backend, [f"sqlite:///{tmp_path}/fleet.db"] * 4))

    assert len({backend.state().fleet for backend in backends}) == 1
    assert {backend.state().revision for backend in backends} == {17}
    for backend in backends:
        backend.close()


def test_opening_a_database_that_is_up_to_date_imports_no_alembic_and_no_other_driver(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fleet.db"
    open_backend(url).close()
    probe = f"import sys, json; from backends import open_backend; open_backend({url!r}).close(); "
    probe += "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"

    result = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT / "src", timeout=60, check=True, capture_output=True, text=True
    )

    loaded = set(json.loads(result.stdout))
    assert "sqlalchemy" in loaded
    assert loaded & {"alembic", "mako", "psycopg", "textual", "rich", "click"} == set()


def _tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
