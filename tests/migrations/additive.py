"""What a step may do while programs of the version before go on: statements are read as the step would send them."""

import io
import re
from collections.abc import Callable

from alembic.migration import MigrationContext
from alembic.operations import Operations

ADDS = (
    re.compile(r"CREATE TABLE \w+ \("),
    re.compile(r"CREATE INDEX \w+ ON \w+ "),
    re.compile(r"ALTER TABLE \w+ ADD COLUMN \w+ (?!.*(NOT NULL|UNIQUE|REFERENCES|CHECK))"),
    re.compile(r"ALTER TABLE \w+ ADD COLUMN \w+ .*DEFAULT .*NOT NULL$"),
)
"""New tables, new columns that an INSERT which does not name them gets along with, and indexes that refuse nothing."""


def statements_of(upgrade: Callable[[], None]) -> list[str]:
    """What a step sends to PostgreSQL, one statement each, on one line."""
    text = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": text})
    with Operations.context(context):
        upgrade()
    return [" ".join(each.split()) for each in text.getvalue().split(";") if each.strip()]


def more_than_additions(upgrade: Callable[[], None]) -> list[str]:
    """The statements of a step that do more than add."""
    made: set[str] = set()
    found = []
    for statement in statements_of(upgrade):
        if table := re.match(r"CREATE TABLE (\w+)", statement):
            made.add(table[1])
        on = re.match(r"CREATE UNIQUE INDEX \w+ ON (\w+)", statement)
        if not (on and on[1] in made) and not any(adds.match(statement) for adds in ADDS):
            found.append(statement)
    return found
