"""A fleet as a gate meets it: a real database file, a keeper's socket, latches. Nothing of the engine is needed."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, delete, select, update

from backends.local import schema
from opsgate import wire
from opsgate.hold import Hold, Mode, timestamp
from opsgate.names import OPERATIONS, WORKFLOWS
from opsgate.paths import keeper_socket
from opsgate.selector import Selector
from opsgate.snapshot import FORMAT, Delta, Notice

WITHIN_S = 60.0
"""How long a test waits for what must happen; far more than it takes, for the machine may be busy."""

AT = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def hold(number: int | None = None, /, *, source: str = "operator", owner: str = "ana", **selector: str) -> Hold:
    """A hold that drains, on everything where no selector is given."""
    number = next(_numbers) if number is None else number
    return Hold(f"H-{number}", Selector.of(**selector), source, owner, "because", placed_at=AT, revision=number)


def emergency(stop_id: str = "S-1", *, mode: Mode = "halt", **selector: str) -> tuple[Hold, Notice]:
    """What the tables hold of an emergency stop: its hold, and the stop that workers acknowledge."""
    scope = Selector.of(**selector)
    held = Hold(f"H-{stop_id}", scope, "emergency", "E-1", "fire", mode, AT, correlation_id="E-1", revision=1)
    return held, Notice(stop_id, (scope,))


class Fleet:
    """One fleet in one SQLite file. Each change is a commit with a revision of its own."""

    def __init__(self, path: Path, fleet: str = "f-one", *, revision: int = 1, sites: Iterable[str] = ("s1", "s2")):
        self.path = path
        self.fleet = fleet
        self.url = f"sqlite:///{path}"
        self._engine = create_engine(self.url)
        names = {"site": sites, "operation": OPERATIONS, "workflow": WORKFLOWS}
        with self._engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            schema.metadata.create_all(connection)
            head = {"id": 1, "format": FORMAT, "fleet": fleet, "revision": revision, "chain": "", "written_at": ""}
            connection.execute(schema.gate_head.insert().values(names_revision=revision, **head))
            rows = [{"dimension": dimension, "name": name} for dimension, all_ in names.items() for name in all_]
            connection.execute(schema.gate_name.insert(), rows)

    @property
    def revision(self) -> int:
        """The head's revision."""
        with self._engine.connect() as connection:
            return int(connection.execute(select(schema.gate_head.c.revision)).scalar_one())

    def commit(
        self,
        *,
        placed: Iterable[Hold] = (),
        released: Iterable[str] = (),
        ordered: Iterable[Notice] = (),
        ended: Iterable[str] = (),
    ) -> Delta:
        """Commit a change of holds and stops; returns what a keeper would tell of it."""
        delta = Delta(self.revision, self.revision + 1, tuple(placed), tuple(released), tuple(ordered), tuple(ended))
        with self._engine.begin() as connection:
            for hold_id in (*delta.released, *(held.hold_id for held in delta.placed)):
                connection.execute(delete(schema.gate_hold).where(schema.gate_hold.c.hold_id == hold_id))
            for held in delta.placed:
                row = {"hold_id": held.hold_id, "document": json.dumps(held.as_dict())}
                connection.execute(schema.gate_hold.insert(), row)
            for stop_id in delta.ended:
                connection.execute(delete(schema.gate_stop).where(schema.gate_stop.c.stop_id == stop_id))
            for notice in delta.ordered:
                _insert_stop(connection, notice, ())
            connection.execute(update(schema.gate_head).values(revision=delta.revision))
        return delta

    def record_stop(self, notice: Notice, *, of: Iterable[str], result: str = "pending") -> None:
        """Write one stop with its frozen list, and its hold."""
        with self._engine.begin() as connection:
            _insert_stop(connection, notice, of, result)
            connection.execute(update(schema.gate_head).values(revision=schema.gate_head.c.revision + 1))

    def name(self, dimension: str, name: str) -> None:
        """Register a name."""
        with self._engine.begin() as connection:
            connection.execute(schema.gate_name.insert().values(dimension=dimension, name=name))
            head = schema.gate_head.c.revision + 1
            connection.execute(update(schema.gate_head).values(revision=head, names_revision=head))

    def worker(self, worker_id: str, *, heartbeat_at: datetime, state: str = "live", **fields: Any) -> None:
        """Write what the keeper heard of a worker."""
        given = {"scope": {}, "stops": [], "draining": {}, "env": "", "in_flight": 0} | fields
        row = {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in given.items()}
        row |= {"worker_id": worker_id, "pid": 1, "started": "", "registered_at": timestamp(AT), "revision": 1}
        with self._engine.begin() as connection:
            connection.execute(schema.worker.insert(), row | {"heartbeat_at": timestamp(heartbeat_at), "state": state})

    def execute(self, sql: str) -> None:
        """Run one statement."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql(sql)

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()


class Keeper:
    """The keeper's end of the wire: a real socket, read and written by the test."""

    def __init__(self, name: str = "f-one") -> None:
        self.address = keeper_socket(name)
        self.address.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.address))
        self.socket.settimeout(WITHIN_S)
        self.gate_at: bytes | str = b""

    def hear(self, kind: str = "beat", **expected: object) -> Mapping[str, Any]:
        """The next message of a kind that has these fields; others are passed over."""
        while True:
            datagram, self.gate_at = self.socket.recvfrom(wire.MAX_DATAGRAM)
            message = wire.decode(datagram)
            assert message is not None
            if message["t"] == kind and all(message.get(name) == value for name, value in expected.items()):
                return message

    def say(self, kind: str, **fields: object) -> None:
        """Send a message to the gate heard last."""
        self.socket.sendto(wire.encode(kind, **fields), self.gate_at)

    def close(self) -> None:
        """Be gone, as after a crash: the socket's file stays."""
        self.socket.close()


def _insert_stop(connection: Connection, notice: Notice, of: Iterable[str], result: str = "pending") -> None:
    document = notice.as_dict() | {"of": list(of), "ordered_at": timestamp(AT), "deadline_at": timestamp(AT)}
    row = {"stop_id": notice.stop_id, "emergency_id": "E-1", "level": "immediate", "result": result}
    connection.execute(schema.gate_stop.insert(), row | {"document": json.dumps(document)})
