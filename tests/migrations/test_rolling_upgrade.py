"""Two versions on one database: the newer one adds what it needs, the older one goes on beside it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from backends import open_backend
from backends.local.upgrade import CURRENT
from core.capabilities.names import AddName
from core.errors import NotOurDatabase
from tests.support.fleets import say

NEXT = (
    "UPDATE alembic_version SET version_num = 'pre_0999'",
    "ALTER TABLE worker ADD COLUMN mood text NOT NULL DEFAULT ''",
    "CREATE TABLE moods (name text PRIMARY KEY)",
)
"""What the next version may do while this one goes on."""

Order = Callable[[str], None]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that a fleet was begun in."""
    url = f"sqlite:///{tmp_path}/fleet.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    open_backend(url).close()
    return url


@pytest.fixture
def order(url: str) -> Iterator[Order]:
    """What another program does to the database, one statement at a time."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            yield lambda statement: _close(connection.execute(statement))
    else:
        with psycopg.connect(url, autocommit=True) as other:
            yield lambda statement: _close(other.execute(statement.encode()))


def _close(cursor: sqlite3.Cursor | psycopg.Cursor[tuple[object, ...]]) -> None:
    cursor.close()


def test_a_schema_of_the_next_version_that_only_adds_is_served(url: str, order: Order) -> None:
    for statement in NEXT:
        order(statement)

    with closing(open_backend(url)) as backend:
        backend.submit(say(AddName(dimension="site", name="s1")))

        assert [name.name for name in backend.state().names_of("site")] == ["s1"]
    with closing(open_backend(url)):
        pass  # and it was left as it is: an older program takes no step back


def test_a_program_goes_on_while_the_next_version_takes_its_steps(url: str, order: Order) -> None:
    with closing(open_backend(url)) as backend:
        for number, statement in enumerate(NEXT):
            order(statement)
            backend.submit(say(AddName(dimension="site", name=f"s{number}")))

        assert len(backend.state().names_of("site")) == len(NEXT)
        assert backend.verify().fault is None


def test_a_schema_that_has_lost_what_this_version_needs_is_refused_with_the_next_step(url: str, order: Order) -> None:
    order("UPDATE alembic_version SET version_num = 'post_0999'")
    order("UPDATE schema_reader SET oldest = 'pre_0998'")

    with pytest.raises(NotOurDatabase) as refused:
        open_backend(url)

    assert refused.value.code == "newer-schema"
    assert "post_0999" in refused.value.message
    assert CURRENT in refused.value.message
    assert "upgrade opsconsole here" in refused.value.hint
