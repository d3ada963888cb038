"""The statements of a store, built once: building one costs more than running it.

Parameters that name a column's new value have the column's name, those that choose rows begin with ``of_``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat
from typing import Final

from sqlalchemy import Delete, Insert, Table, bindparam, delete, insert, select, update

from backends.local import schema

_head, _journal, _receipt = schema.gate_head.c, schema.journal.c, schema.receipt.c
_worker, _usage, _checkpoint, _lease = schema.worker.c, schema.limit_usage.c, schema.checkpoint.c, schema.lease.c
_cursor, _sample, _program = schema.outbox_cursor.c, schema.sample.c, schema.program.c
_of_limit = (_usage.limit_name == bindparam("of_limit")) & (_usage.at_s > bindparam("of_since"))

HEAD: Final = select(_head.fleet, _head.revision, _head.chain, _head.names_revision)
LOCKED_HEAD: Final = HEAD.with_for_update()
SET_HEAD: Final = update(schema.gate_head).values(
    {name: bindparam(name) for name in ("revision", "chain", "names_revision", "written_at")}
)
ANCHOR: Final = select(schema.journal_anchor.c.revision, schema.journal_anchor.c.chain)
SET_ANCHOR: Final = update(schema.journal_anchor).values(revision=bindparam("revision"), chain=bindparam("chain"))

ROWS: Final = (
    select(schema.journal)
    .where(_journal.revision > bindparam("of_after"))
    .order_by(_journal.revision)
    .limit(bindparam("of_limit"))
)
CHAIN: Final = select(_journal.chain).where(_journal.revision == bindparam("of_revision"))
LAST_AT: Final = (
    select(_journal.revision).where(_journal.at <= bindparam("of_at")).order_by(_journal.revision.desc()).limit(1)
)
DROP_JOURNAL: Final = delete(schema.journal).where(_journal.revision <= bindparam("of_through"))

RECEIPTS_AT_ONCE: Final = 16
"""Of so many commands one question asks; a list of any length would be another statement for each length."""

_ASKED: Final = tuple(f"of_{number}" for number in range(RECEIPTS_AT_ONCE))
RECEIPTS: Final = select(_receipt.command_id, _receipt.fingerprint, _receipt.body, _receipt.sender).where(
    _receipt.command_id.in_([bindparam(name) for name in _ASKED])
)
DROP_RECEIPTS: Final = delete(schema.receipt).where(_receipt.at < bindparam("of_before"))

WORKERS: Final = select(schema.worker)
LIVE_WORKERS: Final = select(_worker.worker_id, _worker.env, _worker.scope, _worker.stops, _worker.draining).where(
    (_worker.heartbeat_at > bindparam("of_since")) & (_worker.state == "live")
)

USAGE: Final = select(_usage.reservation_id, _usage.at_s, _usage.cost).where(_of_limit).order_by(_usage.at_s)
DROP_RESERVATION: Final = delete(schema.limit_usage).where(_usage.reservation_id == bindparam("of_reservation"))
KEEP_OF_RESERVATION: Final = (
    update(schema.limit_usage)
    .values(cost=bindparam("cost"))
    .where((_usage.reservation_id == bindparam("of_reservation")) & (_usage.cost > bindparam("cost")))
)
DROP_LIMIT: Final = delete(schema.limit_usage).where(_usage.limit_name == bindparam("of_limit"))
DROP_OLD_USAGE: Final = DROP_LIMIT.where(_usage.at_s < bindparam("of_before"))

CHECKPOINT: Final = select(schema.checkpoint).order_by(_checkpoint.revision.desc()).limit(1)
CHECKPOINT_AT_MOST: Final = CHECKPOINT.where(_checkpoint.revision <= bindparam("of_revision"))
CHECKPOINTS: Final = select(_checkpoint.revision)

LEASE: Final = select(schema.lease).where(_lease.name == bindparam("of_name"))

CURSORS: Final = select(schema.outbox_cursor).order_by(_cursor.name)
CURSOR: Final = select(schema.outbox_cursor).where(_cursor.name == bindparam("of_name"))

PROGRAMS: Final = select(_program.name, _program.step).where(_program.seen_at > bindparam("of_since"))
DROP_PROGRAMS: Final = delete(schema.program).where(_program.seen_at < bindparam("of_before"))

SAMPLES: Final = (
    select(schema.sample)
    .where((_sample.metric == bindparam("of_metric")) & (_sample.at_s > bindparam("of_since")))
    .order_by(_sample.at_s.desc())
    .limit(bindparam("of_most"))
)
SAMPLES_FLOOR: Final = select(_sample.at_s).order_by(_sample.at_s.desc()).limit(1).offset(bindparam("of_most"))
DROP_SAMPLES_OF: Final = delete(schema.sample).where(_sample.account == bindparam("of_account"))
SAMPLE_SOURCES: Final = select(_sample.source).where(_sample.source.like(bindparam("of_sealed"))).distinct()
DROP_SAMPLES_FROM: Final = delete(schema.sample).where(_sample.source == bindparam("of_source"))
ERASE_EVENT: Final = (
    update(schema.journal)
    .values(salt=bindparam("salt"), body=bindparam("body"))
    .where(_journal.revision == bindparam("of_revision"))
)
ERASE_ANSWER: Final = (
    update(schema.receipt)
    .values(fingerprint=bindparam("fingerprint"), body=bindparam("body"))
    .where(_receipt.command_id == bindparam("of_command_id"))
)
DROP_SAMPLES: Final = delete(schema.sample).where(_sample.at_s < bindparam("of_before"))


def receipts_of(command_ids: Sequence[str]) -> dict[str, str]:
    """The values of `RECEIPTS` for these commands, at least one and no more than it takes."""
    return dict(zip(_ASKED, chain(command_ids, repeat(command_ids[-1])), strict=False))


def _drop(table: Table) -> Delete:
    """Remove rows by their primary key, each column ``c`` given as ``of_c``."""
    statement = delete(table)
    for column in table.primary_key.columns:
        statement = statement.where(column == bindparam(f"of_{column.name}"))
    return statement


INSERT: Final[dict[str, Insert]] = {name: insert(table) for name, table in schema.metadata.tables.items()}
"""Table → how to insert a row of it."""

DROP: Final[dict[str, Delete]] = {
    name: _drop(table) for name, table in schema.metadata.tables.items() if table.primary_key.columns
}
"""Table → how to remove a row of it by its primary key, each key column ``c`` given as ``of_c``."""
