"""Bring a database to the schema of this version, or say why that cannot be.

A database that is up to date is recognised by one query; Alembic is imported only where there is something to do. All
steps run in the caller's transaction (both databases have transactional DDL), so an interruption leaves the old schema
or the new one and nothing in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, column, delete, insert, select, table

from backends.local import schema, statements, steps
from core.audit import GENESIS
from core.errors import BackendUnavailable, NotOurDatabase
from opsgate.hold import timestamp
from opsgate.snapshot import FORMAT

VERSION_TABLE: Final = "alembic_version"

SCRIPTS: Final = "backends.local:migrations"
"""Where Alembic finds the steps."""

_WITHOUT_PROGRAMS: Final = (None, "pre_0001")
"""Versions in which programs do not sign in yet."""

Columns = Mapping[str, frozenset[str]]
"""Table → its columns, as a database has them."""


def version_of(connection: Connection, columns: Columns, url: str) -> str | None:
    """The step that a database is at; None for an empty one.

    A step that is not known here may have been taken by a newer version which says that this one can go on beside it.
    Raises `NotOurDatabase` for one that holds something else, or needs a newer version.
    """
    if not columns:
        return None
    if VERSION_TABLE not in columns or schema.gate_head.name not in columns:
        raise NotOurDatabase(
            "not-a-fleet",
            f"{url} is a database, but not of a fleet",
            "name another with --backend; it was not touched",
        )
    version = str(connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar())
    if version not in steps.STEPS and _oldest_reader(connection, columns) not in steps.STEPS:
        raise NotOurDatabase(
            "newer-schema",
            f"{url} was written by a newer version (schema {version}, this one knows {steps.CURRENT})",
            "upgrade opsconsole here; until then 'opsconsole stop --local' still stops this host",
        )
    return version


def is_behind(version: str | None) -> bool:
    """Whether there are steps for a database at ``version``: an empty one, or one of an older version of ours."""
    return version is None or version in list(steps.STEPS)[:-1]


def _oldest_reader(connection: Connection, columns: Columns) -> str | None:
    if schema.schema_reader.name not in columns:
        return None
    return connection.execute(select(schema.schema_reader.c.oldest)).scalar()


def require_shape(columns: Columns, strangers: tuple[str, ...], url: str) -> None:
    """Refuse a database whose tables are not those of its version, or that has ``strangers`` acting inside it.

    A trigger could undo a stop in the transaction that records it; none is ours.
    """
    if strangers:
        raise NotOurDatabase(
            "planted-object",
            f"{url} contains {', '.join(strangers[:3])}, which opsconsole never makes",
            "find out who put it there, drop it, and verify the journal with 'opsconsole audit verify'",
        )
    for known in schema.metadata.sorted_tables:
        missing = set(known.c.keys()) - columns.get(known.name, frozenset())
        if missing:
            raise NotOurDatabase(
                "damaged-schema",
                f"{url} lacks {known.name}.{min(missing)}, which its version has",
                "restore it from a backup",
            )


def upgrade(connection: Connection, version: str | None, new_fleet: str | None) -> None:
    """Take the steps behind ``version`` that may be taken now, in the caller's transaction; where nothing was, begin
    ``new_fleet``. Raises `BackendUnavailable` where an older program has to end first."""
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    due = _steps_due(connection, version)
    if not due:
        return
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    script, context = ScriptDirectory.from_config(config), MigrationContext.configure(connection)
    with Operations.context(context):
        for name in due:
            step = script.get_revision(name)
            assert step is not None, "each step has a module"
            step.module.upgrade()
            context.stamp(script, name)
    connection.execute(delete(schema.schema_reader))
    connection.execute(insert(schema.schema_reader), {"id": 1, "oldest": steps.STEPS[due[-1]]})
    if version is None:
        assert new_fleet is not None, "an empty database is not upgraded but begun"
        begin(connection, new_fleet)


def _steps_due(connection: Connection, version: str | None) -> list[str]:
    programs: Sequence[Any] = ()
    if version not in _WITHOUT_PROGRAMS:
        since = timestamp(datetime.now(UTC) - timedelta(seconds=steps.ALIVE_S))
        programs = connection.execute(statements.PROGRAMS, {"of_since": since}).all()
    try:
        return steps.steps_due(steps.STEPS, version, [program.step for program in programs])
    except steps.Blocked as error:
        oldest = min(programs, key=lambda program: str(program.step))
        raise BackendUnavailable(
            "older-programs",
            f"the database cannot be upgraded ({error}) while {oldest.name}, which knows only {oldest.step}, is alive",
            "end programs of versions before the last one, and start this one again",
        ) from error


def begin(connection: Connection, fleet: str) -> None:
    """The rows that every fleet has before its first event."""
    head = {"id": 1, "format": FORMAT, "fleet": fleet, "revision": 0, "chain": GENESIS, "names_revision": 0}
    connection.execute(insert(schema.gate_head), head | {"written_at": timestamp(datetime.now(UTC))})
    connection.execute(insert(schema.journal_anchor), {"id": 1, "revision": 0, "chain": GENESIS})
