"""Where sinks stand in the journal, readings for triggers, and which programs may use the database.

The columns are explained in `backends.local.schema`.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, Float, Integer, Text

revision = "pre_0002"
down_revision = "pre_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "outbox_cursor",
        Column("name", Text, primary_key=True),
        Column("revision", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("at", Text, nullable=False),
        Column("detail", Text, nullable=False),
    )
    op.create_table(
        "sample",
        Column("at_s", Float, nullable=False),
        Column("metric", Text, nullable=False),
        Column("value", Float, nullable=False),
        Column("account", Text),
        Column("labels", Text, nullable=False),
        Column("source", Text, nullable=False),
    )
    op.create_index("sample_window", "sample", ["metric", "at_s"])
    op.create_table(
        "schema_reader",
        Column("id", Integer, primary_key=True),
        Column("oldest", Text, nullable=False),
        CheckConstraint("id = 1", name="one_reader"),
    )
    op.create_table(
        "program",
        Column("name", Text, primary_key=True),
        Column("step", Text, nullable=False),
        Column("seen_at", Text, nullable=False),
    )
