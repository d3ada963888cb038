"""The exclusive transaction, in SQLAlchemy Core, the same on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Delete, Table, bindparam, delete, insert, select, update

from backends.local import schema
from backends.local.keeping import superseded
from backends.local.rows import (
    compact,
    read_anchor,
    read_lease,
    read_rows,
    row_values,
    stop_values,
    worker_of,
    worker_values,
)
from core.audit import Row
from core.policy import GateChange
from core.ports import Head, Lease, WorkerRow
from opsgate.hold import timestamp


class SqlTransaction:
    """The exclusive transaction of `core.ports.Transaction` on one connection. ``announce`` tells other processes."""

    def __init__(self, connection: Connection, head: Head, announce: Callable[[Connection], None]) -> None:
        self._connection = connection
        self._head = head
        self._announce = announce

    def head(self) -> Head:
        """The locked head."""
        return self._head

    def rows(self, after: int, limit: int = 100_000) -> Sequence[Row]:
        """Journal rows behind a revision, oldest first."""
        return read_rows(self._connection, after, limit)

    def receipt(self, command_id: str) -> tuple[str, str] | None:
        """``(fingerprint, receipt as JSON)`` of a command carried out before."""
        table = schema.receipt.c
        found = self._connection.execute(
            select(table.fingerprint, table.body).where(table.command_id == command_id)
        ).first()
        return None if found is None else (found.fingerprint, found.body)

    def append(self, rows: Sequence[Row], change: GateChange, names_revision: int) -> None:
        """Append sealed events, the gate's changed rows and the head."""
        self._insert(schema.journal, map(row_values, rows))
        self._gate_holds(change)
        self._gate_stops(change)
        self._gate_names(change)
        head = {"revision": rows[-1].revision, "chain": rows[-1].chain, "names_revision": names_revision}
        self._connection.execute(update(schema.gate_head).values(**head, written_at=rows[-1].at))
        self._head = Head(self._head.fleet, rows[-1].revision, rows[-1].chain, names_revision)
        self._announce(self._connection)

    def remember(self, command_id: str, fingerprint: str, receipt: str, at: datetime) -> None:
        """Store the answer to a command."""
        values = {"command_id": command_id, "fingerprint": fingerprint, "body": receipt, "at": timestamp(at)}
        self._connection.execute(insert(schema.receipt), values)

    def live_workers(self, since: datetime) -> Sequence[WorkerRow]:
        """Workers heard of after ``since`` that have not left."""
        table = schema.worker.c
        live = (table.heartbeat_at > timestamp(since)) & (table.state == "live")
        return [worker_of(row) for row in self._connection.execute(select(schema.worker).where(live))]

    def put_workers(self, rows: Iterable[WorkerRow]) -> None:
        """Store what workers last said."""
        values = [worker_values(row) for row in rows]
        self._drop(schema.worker, "worker_id", (value["worker_id"] for value in values))
        self._insert(schema.worker, values)

    def drop_workers(self, worker_ids: Iterable[str]) -> None:
        """Forget what workers said."""
        self._drop(schema.worker, "worker_id", worker_ids)

    def usage(self, limit: str, since_s: float) -> Sequence[tuple[str, float, int]]:
        """``(reservation_id, at_s, cost)`` of one limit, oldest first; the lock on the head keeps others out."""
        table = schema.limit_usage.c
        wanted = (table.limit_name == limit) & (table.at_s > since_s)
        query = select(table.reservation_id, table.at_s, table.cost).where(wanted).order_by(table.at_s)
        return [(row.reservation_id, row.at_s, row.cost) for row in self._connection.execute(query)]

    def put_usage(self, limit: str, reservation_id: str, at_s: float, cost: int) -> None:
        """Store one reservation."""
        values = {"reservation_id": reservation_id, "limit_name": limit, "at_s": at_s, "cost": cost}
        self._connection.execute(insert(schema.limit_usage), values)

    def drop_usage(
        self, *, reservation_id: str | None = None, limit: str | None = None, before_s: float | None = None
    ) -> int:
        """Remove reservations: one by id, all of a limit, or those of a limit older than a time. Returns how many."""
        table = schema.limit_usage.c
        wanted = table.reservation_id == reservation_id if reservation_id is not None else table.limit_name == limit
        if before_s is not None:
            wanted &= table.at_s < before_s
        return self._connection.execute(delete(schema.limit_usage).where(wanted)).rowcount

    def put_checkpoint(self, revision: int, chain: str, state: str, digest: str) -> None:
        """Store a fold; older ones than the last few go, but never the one at the anchor."""
        table = schema.checkpoint.c
        self._connection.execute(delete(schema.checkpoint).where(table.revision == revision))
        values = {"revision": revision, "chain": chain, "state": state, "digest": digest}
        self._connection.execute(insert(schema.checkpoint), values)
        known = self._connection.execute(select(table.revision)).scalars()
        old = superseded(known, read_anchor(self._connection)[0])
        self._connection.execute(delete(schema.checkpoint).where(table.revision.in_(old)))

    def drop_journal(self, through: int) -> None:
        """Retention: drop events up to a revision and keep their last chain hash as the anchor."""
        table = schema.journal.c
        chain = self._connection.execute(select(table.chain).where(table.revision == through)).scalar_one()
        self._connection.execute(update(schema.journal_anchor).values(revision=through, chain=chain))
        self._connection.execute(delete(schema.journal).where(table.revision <= through))

    def drop_receipts(self, before: datetime) -> None:
        """Retention: forget the answers to commands older than this."""
        self._connection.execute(delete(schema.receipt).where(schema.receipt.c.at < timestamp(before)))

    def lease(self, name: str) -> Lease | None:
        """Who holds a role, whether or not it has run out."""
        return read_lease(self._connection, name)

    def put_lease(self, lease: Lease) -> None:
        """Store who holds a role."""
        self._drop(schema.lease, "name", [lease.name])
        values = {"name": lease.name, "holder": lease.holder, "token": lease.token}
        self._connection.execute(insert(schema.lease), values | {"expires_at": timestamp(lease.expires_at)})

    def _gate_holds(self, change: GateChange) -> None:
        placed = change.delta.placed
        self._drop(schema.gate_hold, "hold_id", (*change.delta.released, *(hold.hold_id for hold in placed)))
        self._insert(
            schema.gate_hold, ({"hold_id": hold.hold_id, "document": compact(hold.as_dict())} for hold in placed)
        )

    def _gate_stops(self, change: GateChange) -> None:
        gone = (*change.delta.ended, *(stop.stop_id for stop in change.stops))
        self._drop(schema.gate_stop, "stop_id", gone)
        self._insert(schema.gate_stop, map(stop_values, change.stops))

    def _gate_names(self, change: GateChange) -> None:
        if changed := [
            {"key_dimension": dimension, "key_name": name}
            for dimension, name in (*change.names_removed, *change.names_added)
        ]:
            self._connection.execute(_delete_by(schema.gate_name, "dimension", "name"), changed)
        self._insert(
            schema.gate_name, ({"dimension": dimension, "name": name} for dimension, name in change.names_added)
        )

    def _insert(self, table: Table, values: Iterable[dict[str, Any]]) -> None:
        if rows := list(values):
            self._connection.execute(insert(table), rows)

    def _drop(self, table: Table, key: str, values: Iterable[str]) -> None:
        if keys := [{f"key_{key}": value} for value in values]:
            self._connection.execute(_delete_by(table, key), keys)


def _delete_by(table: Table, *keys: str) -> Delete:
    statement = delete(table)
    for key in keys:
        statement = statement.where(table.c[key] == bindparam(f"key_{key}"))
    return statement
