"""The exclusive transaction, the same on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from backends.local import statements
from backends.local.keeping import superseded
from backends.local.line import Line
from backends.local.rows import (
    compact,
    cursor_of,
    cursor_values,
    fact_of,
    lease_values,
    read_anchor,
    read_lease,
    read_rows,
    row_values,
    sample_values,
    stop_values,
    worker_values,
)
from backends.local.steps import CURRENT
from backends.local.vault import Vault
from core.audit import SEALED, Row
from core.engine import WorkerFact
from core.policy import GateChange
from core.ports import Cursor, Head, Known, Lease, WorkerRow
from core.triggers.sample import Sample
from opsgate.hold import timestamp

_FORGOTTEN: Final = timedelta(hours=1)
"""For how long a program that did not sign out is remembered."""


ERASED: Final = "erased"
"""The fingerprint of a command of which nothing is to be known any more: whoever says it again is refused."""

ERASED_ANSWER: Final = '{"revision":0,"changed":true}'


class SqlTransaction:
    """The exclusive transaction of `core.ports.Transaction` on one line. ``announce`` tells other processes.

    Events, the head and answers are written by `flush`, all of them at once: of many commands in one transaction, what
    a statement takes beside its row would be most of the time.
    """

    def __init__(self, line: Line, head: Head, announce: Callable[[Line], None], vault: Vault) -> None:
        self._line = line
        self._head = head
        self._announce = announce
        self._vault = vault
        self._rows: list[Row] = []
        self._answers: dict[str, dict[str, Any]] = {}
        self._known: dict[str, Known | None] = {}

    def flush(self) -> None:
        """Write what has been kept back. To be called before the commit."""
        self._insert("journal", (row_values(self._vault.row_in(row)) for row in self._rows))
        self._insert("receipt", self._answers.values())
        if self._rows:
            last = self._rows[-1]
            head = {"revision": last.revision, "chain": last.chain, "names_revision": self._head.names_revision}
            self._line.tell(statements.SET_HEAD, head | {"written_at": last.at})
            self._announce(self._line)
        self._rows, self._answers = [], {}

    def head(self) -> Head:
        """The locked head."""
        return self._head

    def rows(self, after: int, limit: int = 100_000) -> Sequence[Row]:
        """Journal rows behind a revision, oldest first."""
        self.flush()
        return [self._vault.row_out(row) for row in read_rows(self._line, after, limit)]

    def expect(self, command_ids: Sequence[str]) -> None:
        """Read what is known of these commands with as few questions as it takes."""
        self._known |= dict.fromkeys(command_ids)
        for at in range(0, len(command_ids), statements.RECEIPTS_AT_ONCE):
            asked = statements.receipts_of(command_ids[at : at + statements.RECEIPTS_AT_ONCE])
            for command_id, fingerprint, body, sender in self._line.ask(statements.RECEIPTS, asked):
                said = self._vault.text_out(fingerprint), self._vault.text_out(body)
                self._known[command_id] = Known(*said, sender or "")

    def receipt(self, command_id: str) -> Known | None:
        """What is known of a command carried out before."""
        if command_id not in self._known:
            self.expect([command_id])
        return self._known[command_id]

    def append(self, rows: Sequence[Row], change: GateChange, names_revision: int) -> None:
        """Append sealed events, the gate's changed rows and the head."""
        self._rows += rows
        self._gate_holds(change)
        self._gate_stops(change)
        self._gate_names(change)
        self._head = Head(self._head.fleet, rows[-1].revision, rows[-1].chain, names_revision)

    def remember(self, command_id: str, known: Known, at: datetime) -> None:
        """Store the answer to a command."""
        self._known[command_id] = known
        self._answers[command_id] = {
            "command_id": command_id,
            "fingerprint": self._vault.text_in(known.fingerprint),
            "body": self._vault.text_in(known.receipt),
            "at": timestamp(at),
            "sender": known.sender or None,
        }

    def live_workers(self, since: datetime) -> Sequence[WorkerFact]:
        """What a decision needs of the workers heard of after ``since`` that have not left."""
        found = self._line.ask(statements.LIVE_WORKERS, {"of_since": timestamp(since)})
        return [fact_of(*row) for row in found]

    def put_workers(self, rows: Iterable[WorkerRow]) -> None:
        """Store what workers last said."""
        values = [worker_values(row) for row in rows]
        self.drop_workers(value["worker_id"] for value in values)
        self._insert("worker", values)

    def drop_workers(self, worker_ids: Iterable[str]) -> None:
        """Forget what workers said."""
        self._drop("worker", ({"of_worker_id": worker_id} for worker_id in worker_ids))

    def usage(self, limit: str, since_s: float) -> Sequence[tuple[str, float, int]]:
        """``(reservation_id, at_s, cost)`` of one limit, oldest first; the lock on the head keeps others out."""
        found = self._line.ask(statements.USAGE, {"of_limit": limit, "of_since": since_s})
        return [(reservation_id, at_s, cost) for reservation_id, at_s, cost in found]

    def put_usage(self, limit: str, reservation_id: str, at_s: float, cost: int) -> None:
        """Store one reservation."""
        self._insert(
            "limit_usage", [{"reservation_id": reservation_id, "limit_name": limit, "at_s": at_s, "cost": cost}]
        )

    def keep_usage(self, reservation_id: str, cost: int) -> int:
        """Have a reservation count no more than ``cost``. Returns 1 where it counted more, else 0."""
        kept = {"of_reservation": reservation_id, "cost": cost}
        return self._line.tell(statements.KEEP_OF_RESERVATION, kept)

    def drop_usage(
        self, *, reservation_id: str | None = None, limit: str | None = None, before_s: float | None = None
    ) -> int:
        """Remove reservations: one by id, all of a limit, or those of a limit older than a time. Returns how many."""
        if reservation_id is not None:
            return self._line.tell(statements.DROP_RESERVATION, {"of_reservation": reservation_id})
        if before_s is not None:
            return self._line.tell(statements.DROP_OLD_USAGE, {"of_limit": limit, "of_before": before_s})
        return self._line.tell(statements.DROP_LIMIT, {"of_limit": limit})

    def put_checkpoint(self, revision: int, chain: str, state: str, digest: str) -> None:
        """Store a fold; older ones than the last few go, but never the one at the anchor."""
        self._drop("checkpoint", [{"of_revision": revision}])
        self._insert(
            "checkpoint",
            [{"revision": revision, "chain": chain, "state": self._vault.text_in(state), "digest": digest}],
        )
        known = [revision for (revision,) in self._line.ask(statements.CHECKPOINTS)]
        old = superseded(known, read_anchor(self._line)[0])
        self._drop("checkpoint", ({"of_revision": revision} for revision in old))

    def erase(self, revisions: Sequence[int], command_ids: Iterable[str], account: str) -> None:
        """Take away what is about an account; a fold without it has to be put next."""
        self.flush()
        for revision in revisions:
            self._line.tell(statements.ERASE_EVENT, {"salt": "", "body": "", "of_revision": revision})
        for command_id in command_ids:
            erased = {"fingerprint": self._vault.text_in(ERASED), "body": self._vault.text_in(ERASED_ANSWER)}
            self._line.tell(statements.ERASE_ANSWER, erased | {"of_command_id": command_id})
        self._line.tell(statements.DROP_SAMPLES_OF, {"of_account": account})
        for (source,) in self._line.ask(statements.SAMPLE_SOURCES, {"of_sealed": f"{SEALED}%"}):
            if json.loads(self._vault.text_out(source))[0] == account:
                self._line.tell(statements.DROP_SAMPLES_FROM, {"of_source": source})
        self._drop("checkpoint", [{"of_revision": known} for (known,) in self._line.ask(statements.CHECKPOINTS)])

    def drop_journal(self, through: int) -> None:
        """Retention: drop events up to a revision and keep their last chain hash as the anchor."""
        self.flush()
        ((chain,),) = self._line.ask(statements.CHAIN, {"of_revision": through})
        self._line.tell(statements.SET_ANCHOR, {"revision": through, "chain": chain})
        self._line.tell(statements.DROP_JOURNAL, {"of_through": through})

    def drop_receipts(self, before: datetime) -> None:
        """Retention: forget the answers to commands older than this."""
        self._line.tell(statements.DROP_RECEIPTS, {"of_before": timestamp(before)})

    def lease(self, name: str) -> Lease | None:
        """Who holds a role, whether or not it has run out."""
        return read_lease(self._line, name)

    def put_lease(self, lease: Lease) -> None:
        """Store who holds a role."""
        self._drop("lease", [{"of_name": lease.name}])
        self._insert("lease", [lease_values(lease)])

    def sign_in(self, program: str, at: datetime) -> None:
        """Note that a program has the database open and is alive at ``at``, and what it knows of its schema."""
        self.sign_out(program)
        self._insert("program", [{"name": program, "step": CURRENT, "seen_at": timestamp(at)}])
        self._line.tell(statements.DROP_PROGRAMS, {"of_before": timestamp(at - _FORGOTTEN)})

    def sign_out(self, program: str) -> None:
        """Note that a program has ended."""
        self._drop("program", [{"of_name": program}])

    def cursor(self, name: str) -> Cursor | None:
        """How far a sink has been told; None for one that has not begun."""
        return next(map(cursor_of, self._line.ask(statements.CURSOR, {"of_name": name})), None)

    def advance(self, cursor: Cursor, expected: int | None) -> bool:
        """Store how far a sink has been told, if it had been told up to ``expected``, None: nothing yet; else False."""
        known = self.cursor(cursor.name)
        if expected != (None if known is None else known.revision):
            return False
        self._drop("outbox_cursor", [{"of_name": cursor.name}])
        self._insert("outbox_cursor", [cursor_values(cursor)])
        return True

    def put_samples(self, samples: Iterable[Sample]) -> None:
        """Store readings."""
        self._insert("sample", (sample_values(self._vault.sample_in(each)) for each in samples))

    def drop_samples(self, before_s: float) -> int:
        """Retention: forget readings older than this. Returns how many."""
        return self._line.tell(statements.DROP_SAMPLES, {"of_before": before_s})

    def _gate_holds(self, change: GateChange) -> None:
        placed = {hold.hold_id: compact(self._vault.for_gates(hold.as_dict())) for hold in change.delta.placed}
        self._drop("gate_hold", ({"of_hold_id": hold_id} for hold_id in (*change.delta.released, *placed)))
        self._insert("gate_hold", ({"hold_id": hold_id, "document": text} for hold_id, text in placed.items()))

    def _gate_stops(self, change: GateChange) -> None:
        gone = (*change.delta.ended, *(stop.stop_id for stop in change.stops))
        self._drop("gate_stop", ({"of_stop_id": stop_id} for stop_id in gone))
        self._insert("gate_stop", (stop_values(stop, self._vault.for_gates) for stop in change.stops))

    def _gate_names(self, change: GateChange) -> None:
        changed = (*change.names_removed, *change.names_added)
        self._drop("gate_name", ({"of_dimension": dimension, "of_name": name} for dimension, name in changed))
        self._insert("gate_name", ({"dimension": dimension, "name": name} for dimension, name in change.names_added))

    def _insert(self, table: str, values: Iterable[dict[str, Any]]) -> None:
        if rows := list(values):
            self._line.tell_all(statements.INSERT[table], rows)

    def _drop(self, table: str, keys: Iterable[dict[str, Any]]) -> None:
        if rows := list(keys):
            self._line.tell_all(statements.DROP[table], rows)
