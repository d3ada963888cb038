"""The tables a gate reads, row by row: the decision state for every worker, stops and workers for those who look on.

Versioned by ``gate_head.format``; this version reads its own format, one back and one forth.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from opsgate.hold import HALT, Hold, moment
from opsgate.selector import Selector, SelectorError
from opsgate.snapshot import FORMAT, Notice, Snapshot
from opsgate.wire import LOST_AFTER_S

if TYPE_CHECKING:
    import sqlite3

_log = logging.getLogger("opsgate")

Parsed = dict[str, tuple[str, Hold | None]]
"""Hold id → its text and what it says, so that a text that has not changed is not parsed again."""


class NotReadable(Exception):
    """The file is in order and holds nothing that this version can decide by: the end of a sentence about it."""


@dataclass(frozen=True, slots=True)
class StopRow:
    """A stop in force, as recorded: its case, its level, what came of it, when it was ordered and by when it must be
    verified, the frozen list of workers, and that of services with whether each was seen to have stopped."""

    stop_id: str
    emergency_id: str
    level: str
    result: str
    of: tuple[str, ...]
    services: Mapping[str, bool]
    ordered_at: datetime | None = None
    deadline_at: datetime | None = None
    recounted: int = 0
    """The revision that a worker must have seen for its acknowledgement to count."""


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel of notifications that does not take what it is told: since when, and why."""

    name: str
    since: str
    why: str

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of one channel."""
        return {"name": self.name, "since": self.since or None, "why": self.why or None}


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """What the keeper last heard of one worker, as far as it is written down."""

    worker_id: str
    env: str
    scope: Mapping[str, tuple[str, ...]]
    heartbeat_at: datetime
    stops: frozenset[str]
    draining: Mapping[str, int]
    state: str
    revision: int = 0

    def is_live(self, now: datetime) -> bool:
        """Whether it was heard of lately and has not left."""
        return self.state == "live" and (now - self.heartbeat_at).total_seconds() < LOST_AFTER_S

    def has_stopped(self, stop_id: str, since: int = 0) -> bool:
        """Whether it acknowledged this stop, having seen the revision ``since``, and nothing that the stop covers runs
        in it any more, or it has left."""
        if self.state == "left":
            return True
        return stop_id in self.stops and self.revision >= since and not self.draining.get(stop_id, 0)

    def serves(self, selector: Selector) -> bool:
        """Whether it may do work that this selects, as far as it declared."""
        declared = {**self.scope, **({"env": (self.env,)} if self.env else {})}
        return all(value in declared.get(dimension, (value,)) for dimension, value in selector.items)


def read_snapshot(connection: sqlite3.Connection, known: Snapshot | None, parsed: Parsed) -> Snapshot:
    """What decisions rest on; ``known`` itself where nothing has moved. ``parsed`` is kept up by this function."""
    asked = "SELECT format, fleet, revision, chain, names_revision FROM gate_head WHERE id = 1"
    head = connection.execute(asked).fetchone()
    if head is None:
        raise NotReadable("holds no fleet yet: start the console on it once")
    written_in, fleet, revision, chain, names_revision = head
    if abs(int(written_in) - FORMAT) > 1:
        raise NotReadable(
            f"is of format {written_in}, and this opsgate reads {FORMAT}, one back and one forth: bring both to the "
            "same version"
        )
    head = fleet, revision, chain, names_revision
    if known and (known.fleet, known.revision, known.chain, known.names_revision) == head:
        return known
    same_names = known is not None and (known.fleet, known.names_revision) == (fleet, names_revision)
    return Snapshot(
        fleet=str(fleet),
        revision=int(revision),
        holds=_holds(connection, parsed),
        stops=_notices(connection),
        names=known.names if known and same_names else _names(connection),
        names_revision=int(names_revision),
        chain=str(chain),
    )


def read_stops(connection: sqlite3.Connection) -> tuple[StopRow, ...]:
    """The stops in force, by id."""
    rows = connection.execute("SELECT stop_id, emergency_id, level, result, document FROM gate_stop ORDER BY stop_id")
    return tuple(_stop(*row) for row in rows)


def read_workers(connection: sqlite3.Connection) -> tuple[WorkerRow, ...]:
    """The workers that were ever heard of and are not forgotten, by id."""
    rows = connection.execute(
        "SELECT worker_id, env, scope, heartbeat_at, stops, draining, state, revision FROM worker ORDER BY worker_id"
    )
    return tuple(map(_worker, rows))


def read_failing(connection: sqlite3.Connection) -> tuple[ChannelRow, ...]:
    """The channels that fail, by name, as the keeper wrote it down; none where this database knows no channels yet."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox_cursor'").fetchone() is None:
        return ()
    rows = connection.execute("SELECT name, detail FROM outbox_cursor WHERE name LIKE 'notify/%' ORDER BY name")
    return tuple(filter(None, (failing(name, detail) for name, detail in rows)))


def failing(name: str, detail: str) -> ChannelRow | None:
    """A channel that fails, by its cursor; None for one that works, or of which nothing can be read."""
    try:
        said = json.loads(detail)
        if said.get("state", "ok") == "ok":
            return None
    except (ValueError, AttributeError):
        return None
    return ChannelRow(name.removeprefix("notify/"), str(said.get("since") or ""), str(said.get("why") or ""))


def _holds(connection: sqlite3.Connection, parsed: Parsed) -> tuple[Hold, ...]:
    before = dict(parsed)
    parsed.clear()
    for hold_id, text in connection.execute("SELECT hold_id, document FROM gate_hold"):
        earlier = before.get(hold_id)
        parsed[hold_id] = earlier if earlier and earlier[0] == text else (text, _hold(hold_id, text))
    return tuple(hold for _, hold in parsed.values() if hold is not None)


def _hold(hold_id: str, text: str) -> Hold | None:
    """The hold of one row."""
    return hold_of(hold_id, lambda: json.loads(text))


def hold_of(hold_id: str, document: Callable[[], Mapping[str, Any]]) -> Hold | None:
    """The hold that ``document`` gives. One that cannot be read holds everything, for somebody placed it to hold
    something; one on a dimension of a later version is none of ours (None), because no work of ours has it."""
    try:
        return Hold.from_dict(document())
    except SelectorError:
        _log.warning("hold %s is on a dimension this version does not know, so it covers no work here", hold_id)
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        _log.error("hold %s cannot be read (%s), so it holds everything: release it and place it again", hold_id, error)
        return Hold(hold_id, Selector(), "safety", "opsgate", reason="a hold that cannot be read", mode=HALT)


def _stop(stop_id: str, emergency_id: str, level: str, result: str, text: str) -> StopRow:
    document = json.loads(text)
    ordered_at, deadline_at = (document.get(name) for name in ("ordered_at", "deadline_at"))
    return StopRow(
        stop_id,
        emergency_id,
        level,
        result,
        tuple(document["of"]),
        document.get("services", {}),
        ordered_at and moment(ordered_at),
        deadline_at and moment(deadline_at),
        document.get("recounted", 0),
    )


def _notices(connection: sqlite3.Connection) -> tuple[Notice, ...]:
    rows = connection.execute("SELECT stop_id, document FROM gate_stop ORDER BY stop_id")
    return tuple(Notice.from_dict({**json.loads(text), "stop_id": stop_id}) for stop_id, text in rows)


def _names(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    names: dict[str, set[str]] = {}
    for dimension, name in connection.execute("SELECT dimension, name FROM gate_name"):
        names.setdefault(dimension, set()).add(name)
    return {dimension: frozenset(values) for dimension, values in names.items()}


def _worker(row: tuple[Any, ...]) -> WorkerRow:
    worker_id, env, scope, heartbeat_at, stops, draining, state, revision = row
    declared = {dimension: tuple(values) for dimension, values in json.loads(scope).items()}
    return WorkerRow(
        worker_id,
        env,
        declared,
        moment(heartbeat_at),
        frozenset(json.loads(stops)),
        json.loads(draining),
        state,
        int(revision),
    )
