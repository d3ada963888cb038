"""Two versions on one database: the newer one adds what it needs, the older one goes on beside it."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from alembic import op
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Text

from backends import open_backend, open_runtime
from backends.keeper.leader import Leader
from backends.keeper.office import Office
from backends.keeper.presence import Presence
from backends.keeper.roster import Instant, Roster
from backends.local import schema, steps, upgrade
from backends.local.migrations import versions
from backends.local.postgres import PostgresStore
from backends.local.sqlite import SqliteStore, make_file
from backends.local.steps import ALIVE_S, CURRENT, Blocked, steps_due
from backends.local.store import SqlStore
from backends.local.transaction import SqlTransaction
from backends.runtime import Runtime
from core.capabilities.names import AddName
from core.errors import NotOurDatabase
from core.ports import Known, Transaction
from opsgate.hold import timestamp
from tests.migrations.additive import more_than_additions, statements_of
from tests.support.fleets import say

NEXT = (
    "UPDATE alembic_version SET version_num = 'pre_0999'",
    "ALTER TABLE worker ADD COLUMN mood text NOT NULL DEFAULT ''",
    "CREATE TABLE moods (name text PRIMARY KEY)",
)
"""What the next version may do while this one goes on."""

Order = Callable[[str], None]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that a fleet was begun in."""
    url = f"sqlite:///{tmp_path}/fleet.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    open_backend(url).close()
    return url


@pytest.fixture
def order(url: str) -> Iterator[Order]:
    """What another program does to the database, one statement at a time."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            yield lambda statement: _close(connection.execute(statement))
    else:
        with psycopg.connect(url, autocommit=True) as other:
            yield lambda statement: _close(other.execute(statement.encode()))


def _close(cursor: sqlite3.Cursor | psycopg.Cursor[tuple[object, ...]]) -> None:
    cursor.close()


def test_a_schema_of_the_next_version_that_only_adds_is_served(url: str, order: Order) -> None:
    for statement in NEXT:
        order(statement)

    with closing(open_backend(url)) as backend:
        backend.submit(say(AddName(dimension="site", name="s1")))

        assert [name.name for name in backend.state().names_of("site")] == ["s1"]
    assert _version(url) == "pre_0999", "an older program takes no step back"


def test_a_program_goes_on_while_the_next_version_takes_its_steps(url: str, order: Order) -> None:
    with closing(open_backend(url)) as backend:
        for number, statement in enumerate(NEXT):
            order(statement)
            backend.submit(say(AddName(dimension="site", name=f"s{number}")))

        assert len(backend.state().names_of("site")) == len(NEXT)
        assert backend.verify().fault is None


def test_a_schema_that_has_lost_what_this_version_needs_is_refused_with_the_next_step(url: str, order: Order) -> None:
    order("UPDATE alembic_version SET version_num = 'post_0999'")
    order("UPDATE schema_reader SET oldest = 'pre_0998'")

    with pytest.raises(NotOurDatabase) as refused:
        open_backend(url)

    assert refused.value.code == "newer-schema"
    assert "post_0999" in refused.value.message
    assert CURRENT in refused.value.message
    assert "upgrade opsconsole here" in refused.value.hint


STEPS = {"pre_1": "pre_1", "pre_2": "pre_1", "post_2": "pre_2", "pre_3": "pre_2"}


@pytest.mark.parametrize(
    ("version", "alive", "due"),
    [
        (None, [], ["pre_1", "pre_2", "post_2", "pre_3"]),
        ("pre_1", [], ["pre_2", "post_2", "pre_3"]),
        ("pre_1", ["pre_2", "pre_2"], ["pre_2", "post_2", "pre_3"]),
        ("pre_2", ["post_2"], ["post_2", "pre_3"]),
        ("post_2", ["pre_2"], ["pre_3"]),
        ("pre_3", ["pre_2"], []),
        ("post_2", ["a step of a newer one"], ["pre_3"]),
    ],
)
def test_the_steps_behind_a_version_are_taken_in_order(version: str | None, alive: list[str], due: list[str]) -> None:
    assert steps_due(STEPS, version, alive) == due


def test_what_an_older_program_needs_goes_when_it_has_ended() -> None:
    two = {name: oldest for name, oldest in STEPS.items() if name != "pre_3"}

    assert steps_due(two, "pre_1", ["pre_1", "pre_2"]) == ["pre_2"]
    assert steps_due(two, "pre_2", ["pre_2", "pre_1"]) == []
    assert steps_due(two, "pre_2", ["pre_2"]) == ["post_2"]


def test_nobody_skips_a_version_while_its_programs_are_alive() -> None:
    with pytest.raises(Blocked, match="post_2"):
        steps_due(STEPS, "pre_2", ["pre_3", "pre_1"])


def test_a_step_that_takes_away_waits_for_a_keeper_of_the_version_before(
    url: str, order: Order, next_version: None
) -> None:
    """The keeper is alive, ends, and the next program to open the database takes the step."""
    order(f"INSERT INTO program VALUES ('an older keeper', '{CURRENT}', '{timestamp(datetime.now(UTC))}')")
    open_backend(url).close()
    assert _version(url) == CURRENT

    order("DELETE FROM program")
    open_backend(url).close()
    assert _version(url) == "post_9999"


def test_a_keeper_that_was_killed_is_waited_for_only_so_long(url: str, order: Order, next_version: None) -> None:
    long_ago = timestamp(datetime.now(UTC) - timedelta(seconds=ALIVE_S + 1))
    order(f"INSERT INTO program VALUES ('an older keeper', '{CURRENT}', '{long_ago}')")

    open_backend(url).close()

    assert _version(url) == "post_9999"


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version whose last step takes something away that the present one needs."""
    ours = Path(versions.__file__).parent
    theirs = tmp_path / "migrations"
    shutil.copytree(ours, theirs / "versions", ignore=shutil.ignore_patterns("__pycache__"))
    (theirs / "versions" / "post_9999_less.py").write_text(
        f"from alembic import op\nrevision, down_revision = 'post_9999', {CURRENT!r}\n"
        "def upgrade():\n    op.drop_index('limit_usage_window', 'limit_usage')\n"
    )
    monkeypatch.setattr(upgrade, "SCRIPTS", str(theirs))
    monkeypatch.setattr(steps, "STEPS", steps.STEPS | {"post_9999": "post_9999"})


def _version(url: str) -> str:
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


def test_every_step_that_runs_before_old_programs_have_ended_only_adds() -> None:
    config = Config()
    config.set_main_option("script_location", upgrade.SCRIPTS)
    for step in ScriptDirectory.from_config(config).walk_revisions():
        if step.revision.startswith("pre_"):
            assert statements_of(step.module.upgrade)
            assert more_than_additions(step.module.upgrade) == []


@pytest.mark.parametrize(
    "takes",
    [
        lambda: op.drop_column("worker", "env"),
        lambda: op.drop_table("lease"),
        lambda: op.add_column("worker", Column("mood", Text, nullable=False)),
        lambda: op.add_column("worker", Column("mood", Text, unique=True)),
        lambda: op.alter_column("worker", "env", nullable=True),
        lambda: op.alter_column("worker", "env", new_column_name="environment"),
        lambda: op.rename_table("worker", "workers"),
        lambda: op.create_index("one_pid", "worker", ["pid"], unique=True),
        lambda: op.create_check_constraint("some", "worker", "pid > 1"),
        lambda: op.execute("DELETE FROM worker"),
        lambda: op.execute("CREATE TRIGGER undo AFTER INSERT ON gate_hold EXECUTE FUNCTION f()"),
    ],
)
def test_a_step_that_does_more_is_found(takes: Callable[[], None]) -> None:
    assert more_than_additions(takes)


@pytest.mark.parametrize(
    "adds",
    [
        lambda: op.add_column("worker", Column("mood", Text)),
        lambda: op.add_column("worker", Column("mood", Text, nullable=False, server_default="")),
        lambda: op.create_index("by_env", "worker", ["env"]),
    ],
)
def test_what_only_adds_is_let_pass(adds: Callable[[], None]) -> None:
    assert more_than_additions(adds) == []


def test_a_program_of_the_version_before_goes_on_writing_while_the_new_one_upgrades(older: str) -> None:
    """It knows nothing of the new tables, and had the database open before."""
    with closing(_opened_before(older)) as before:
        before.submit(say(AddName(dimension="site", name="first")))
        going_on = threading.Event()
        numbers: list[int] = []

        def goes_on() -> None:
            while not going_on.is_set() or len(numbers) < 20:
                numbers.append(before.submit(say(AddName(dimension="site", name=f"s{len(numbers)}"))).revision)

        writing = threading.Thread(target=goes_on)
        writing.start()
        with closing(open_backend(older)) as after:
            after.submit(say(AddName(dimension="site", name="of-the-new-one")))
            going_on.set()
            writing.join(60)

            assert _version(older) == CURRENT
            sites = {name.name for name in after.state().names_of("site")}
            assert sites == {"first", "of-the-new-one"} | {f"s{number}" for number in range(len(numbers))}
            assert before.state().revision == after.state().revision
            assert after.verify().fault is None


@pytest.fixture(params=["sqlite", "postgres"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that the first version began a fleet in."""
    url = f"sqlite:///{tmp_path}/fleet.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    else:
        make_file(tmp_path / "fleet.db")
        with closing(sqlite3.connect(tmp_path / "fleet.db")) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sqlalchemy.NullPool)
    with engine.begin() as begun:
        context = MigrationContext.configure(begun)
        config = Config()
        config.set_main_option("script_location", upgrade.SCRIPTS)
        script = ScriptDirectory.from_config(config)
        with Operations.context(context):
            first = script.get_revision("pre_0001")
            assert first is not None
            first.module.upgrade()
            context.stamp(script, "pre_0001")
        upgrade.begin(begun, "f-0123456789ab")
    return url


def _opened_before(url: str) -> Runtime:
    """A runtime on a database as it is, of whatever version: what it asks of the tables is what it asked then."""
    if url.startswith("sqlite"):
        return Runtime(_SqliteBefore(Path(url.removeprefix("sqlite:///")), timeout_s=30))
    return Runtime(_PostgresBefore(url, timeout_s=30))


class _TransactionBefore(SqlTransaction):
    """One that knows no column for who sent a command."""

    def expect(self, command_ids: Sequence[str]) -> None:
        """Read what is known of these commands."""
        self._known |= dict.fromkeys(command_ids)
        for command_id in command_ids:
            for fingerprint, body in self._line.ask(_ANSWERED_BEFORE, {"of_command_id": command_id}):
                self._known[command_id] = Known(fingerprint, body)

    def flush(self) -> None:
        """Write what has been kept back."""
        for answer in self._answers.values():
            del answer["sender"]
        super().flush()


_ANSWERED_BEFORE = sqlalchemy.select(schema.receipt.c.fingerprint, schema.receipt.c.body).where(
    schema.receipt.c.command_id == sqlalchemy.bindparam("of_command_id")
)


class _Before(SqlStore):
    @contextmanager
    def write(self, *, timeout_s: float = 5.0) -> Iterator[Transaction]:
        """Write as the version before did."""
        with super().write(timeout_s=timeout_s) as transaction:
            transaction.__class__ = _TransactionBefore
            yield transaction


class _SqliteBefore(_Before, SqliteStore):
    pass


class _PostgresBefore(_Before, PostgresStore):
    pass


def test_a_keeper_signs_in_and_out_with_the_schema_it_knows(url: str) -> None:
    with closing(open_runtime(url)) as runtime:
        runtime.keeper_since = datetime.now(UTC)
        office = Office(runtime, Roster(lambda pid, start: True, lambda pid: "then"), Leader(runtime))
        presence = Presence(office)

        presence.turn(Instant(datetime.now(UTC), 1000.0), runtime.latest())
        assert _programs(url) == [(office.leader.holder, CURRENT)]
        presence.leave()

        assert _programs(url) == []


def _programs(url: str) -> list[tuple[str, str]]:
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        return [(name, step) for name, step in connection.exec_driver_sql("SELECT name, step FROM program")]
