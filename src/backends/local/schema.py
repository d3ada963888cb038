"""The tables of one fleet, the same on SQLite and PostgreSQL.

Three groups. The journal and what is folded from it (``journal``, ``checkpoint``, ``receipt``); what a gate reads
(``gate_*``, versioned by ``gate_head.format`` and read by the standard library's sqlite3 too, so plain types only);
observations, which are no events (``worker``, ``limit_usage``, ``sample``), and who does what (``lease``,
``outbox_cursor``, ``schema_reader``, ``program``). All times are RFC 3339 text in UTC, all
documents JSON text: both sort and read the same everywhere.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, Index, Integer, MetaData, Table, Text

metadata = MetaData()

_Revision = BigInteger().with_variant(Integer, "sqlite")

gate_head = Table(
    "gate_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("format", Integer, nullable=False),
    Column("fleet", Text, nullable=False),
    Column("revision", _Revision, nullable=False),
    Column("chain", Text, nullable=False),
    Column("names_revision", _Revision, nullable=False),
    Column("written_at", Text, nullable=False),
    CheckConstraint("id = 1", name="one_head"),
)
"""One row: the number and the chain hash of the last event. Locked by every writer, polled by every reader."""

gate_hold = Table(
    "gate_hold",
    metadata,
    Column("hold_id", Text, primary_key=True),
    Column("document", Text, nullable=False),
)
"""The holds in force (and limits of zero), each as `opsgate.hold.Hold.as_dict`."""

gate_stop = Table(
    "gate_stop",
    metadata,
    Column("stop_id", Text, primary_key=True),
    Column("emergency_id", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("document", Text, nullable=False),
)
"""The stops in force. ``document``: selectors, ordered_at, deadline_at, of (the frozen list of worker ids)."""

gate_name = Table(
    "gate_name",
    metadata,
    Column("dimension", Text, primary_key=True),
    Column("name", Text, primary_key=True),
)
"""Registered names; changed when ``gate_head.names_revision`` is."""

worker = Table(
    "worker",
    metadata,
    Column("worker_id", Text, primary_key=True),
    Column("env", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started", Text, nullable=False),
    Column("registered_at", Text, nullable=False),
    Column("heartbeat_at", Text, nullable=False),
    Column("revision", _Revision, nullable=False),
    Column("stops", Text, nullable=False),
    Column("draining", Text, nullable=False),
    Column("in_flight", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("boots", Text),
)
"""The last heartbeat of each worker. ``scope``: {dimension: [values]} it declared, {} for anything; ``stops``: [stop
ids] it has seen; ``draining``: {stop_id: pieces of covered work still running}; ``started``: its process start time;
``state``: live, or left when it ended on purpose (a worker that left has stopped); ``boots``: its starts, for servers
alone (`backends.keeper.starts`), none where it draws no names or a server of the version before wrote the row."""

limit_usage = Table(
    "limit_usage",
    metadata,
    Column("reservation_id", Text, primary_key=True),
    Column("limit_name", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("cost", Integer, nullable=False),
    Index("limit_usage_window", "limit_name", "at_s"),
)
"""One row for each reservation inside its window; ``at_s`` is seconds since the epoch by the keeper's clock."""

journal = Table(
    "journal",
    metadata,
    Column("revision", _Revision, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("command_id", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("chain", Text, nullable=False),
)
"""Append-only. ``body`` holds actor, door and data, so that all that is personal can be erased without breaking the
chain, which covers the header and ``digest = sha256(salt ‖ body)`` only."""

journal_anchor = Table(
    "journal_anchor",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", _Revision, nullable=False),
    Column("chain", Text, nullable=False),
    CheckConstraint("id = 1", name="one_anchor"),
)
"""One row: the last event that retention dropped, from whose chain hash verification goes on (0 at first)."""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("revision", _Revision, primary_key=True, autoincrement=False),
    Column("chain", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("digest", Text, nullable=False),
)
"""Stored folds, so that a start reads the last one and the tail behind it."""

receipt = Table(
    "receipt",
    metadata,
    Column("command_id", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("sender", Text),
)
"""The answer to each command, so that the same command sent again gets the same answer. ``sender``: the credential that
it came by, none where it took none or a server of the version before wrote the row."""

outbox_cursor = Table(
    "outbox_cursor",
    metadata,
    Column("name", Text, primary_key=True),
    Column("revision", _Revision, nullable=False),
    Column("at", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
"""How far each sink (a channel of notifications, a webhook) has been told of the journal."""

sample = Table(
    "sample",
    metadata,
    Column("at_s", Float, nullable=False),
    Column("metric", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("account", Text),
    Column("labels", Text, nullable=False),
    Column("source", Text, nullable=False),
    Index("sample_window", "metric", "at_s"),
)
"""Readings for triggers, kept for their windows and for rehearsals; ``at_s`` is seconds since the epoch by the clock of
whoever took them, ``labels``: {name: value}."""

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", _Revision, nullable=False),
    Column("expires_at", Text, nullable=False),
)
"""Who runs the loops, with a fencing token that only rises."""

schema_reader = Table(
    "schema_reader",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("oldest", Text, nullable=False),
    CheckConstraint("id = 1", name="one_reader"),
)
"""One row: the oldest step of the schema whose programs may use the database as it is. Steps that only add leave it."""

program = Table(
    "program",
    metadata,
    Column("name", Text, primary_key=True),
    Column("step", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
)
"""The programs that have the database open for long, each with the last step it knows; a step that takes something away
waits until none is left that needs it."""
