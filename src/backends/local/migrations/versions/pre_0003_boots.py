"""Which starts of a worker there were, and by which credential a command came, for all servers of a fleet.

The columns are explained in `backends.local.schema`.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "pre_0003"
down_revision = "pre_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns."""
    op.add_column("worker", Column("boots", Text))
    op.add_column("receipt", Column("sender", Text))
