"""The first schema: the journal and its folds, what gates read, observations, leases.

The columns are explained in `backends.local.schema`, which must agree with the sum of all steps.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, Float, Integer, Text
from sqlalchemy.types import TypeEngine

revision = "pre_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    _make_gate_tables()
    _make_journal_tables()
    _make_observation_tables()


def _make_gate_tables() -> None:
    op.create_table(
        "gate_head",
        Column("id", Integer, primary_key=True),
        Column("format", Integer, nullable=False),
        Column("fleet", Text, nullable=False),
        Column("revision", _number(), nullable=False),
        Column("chain", Text, nullable=False),
        Column("names_revision", _number(), nullable=False),
        Column("written_at", Text, nullable=False),
        CheckConstraint("id = 1", name="one_head"),
    )
    op.create_table(
        "gate_hold",
        Column("hold_id", Text, primary_key=True),
        Column("document", Text, nullable=False),
    )
    op.create_table(
        "gate_stop",
        Column("stop_id", Text, primary_key=True),
        Column("emergency_id", Text, nullable=False),
        Column("level", Text, nullable=False),
        Column("result", Text, nullable=False),
        Column("document", Text, nullable=False),
    )
    op.create_table(
        "gate_name",
        Column("dimension", Text, primary_key=True),
        Column("name", Text, primary_key=True),
    )


def _make_journal_tables() -> None:
    op.create_table(
        "journal",
        Column("revision", _number(), primary_key=True, autoincrement=False),
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
    op.create_table(
        "journal_anchor",
        Column("id", Integer, primary_key=True),
        Column("revision", _number(), nullable=False),
        Column("chain", Text, nullable=False),
        CheckConstraint("id = 1", name="one_anchor"),
    )
    op.create_table(
        "checkpoint",
        Column("revision", _number(), primary_key=True, autoincrement=False),
        Column("chain", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("digest", Text, nullable=False),
    )
    op.create_table(
        "receipt",
        Column("command_id", Text, primary_key=True),
        Column("fingerprint", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("at", Text, nullable=False),
    )


def _make_observation_tables() -> None:
    op.create_table(
        "worker",
        Column("worker_id", Text, primary_key=True),
        Column("env", Text, nullable=False),
        Column("scope", Text, nullable=False),
        Column("pid", Integer, nullable=False),
        Column("started", Text, nullable=False),
        Column("registered_at", Text, nullable=False),
        Column("heartbeat_at", Text, nullable=False),
        Column("revision", _number(), nullable=False),
        Column("stops", Text, nullable=False),
        Column("draining", Text, nullable=False),
        Column("in_flight", Integer, nullable=False),
        Column("state", Text, nullable=False),
    )
    op.create_table(
        "limit_usage",
        Column("reservation_id", Text, primary_key=True),
        Column("limit_name", Text, nullable=False),
        Column("at_s", Float, nullable=False),
        Column("cost", Integer, nullable=False),
    )
    op.create_index("limit_usage_window", "limit_usage", ["limit_name", "at_s"])
    op.create_table(
        "lease",
        Column("name", Text, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("token", _number(), nullable=False),
        Column("expires_at", Text, nullable=False),
    )


def _number() -> TypeEngine[int]:
    """64 bits everywhere; SQLite's own keys are INTEGER."""
    return BigInteger().with_variant(Integer(), "sqlite")
