"""The copy of a fleet is the server's state, or it says that something is missing: never something in between."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends import open_backend
from backends.remote.copy import Copy, Gap
from core.audit import Row
from core.capabilities.names import AddName
from core.messages import Recorded
from core.ports import Backend
from core.state import State
from tests.support.fleets import say


@pytest.fixture(scope="module")
def server() -> Backend:
    """A fleet with a little past."""
    backend = open_backend("memory://")
    for number in range(6):
        backend.submit(say(AddName(dimension="site", name=f"s{number}")))
    return backend


class Published:
    """What a copy tells."""

    def __init__(self) -> None:
        self.told: list[tuple[int, list[int]]] = []

    def __call__(self, state: State, _chain: str, events: tuple[Recorded, ...]) -> None:
        """Note one change."""
        self.told.append((state.revision, [recorded.revision for recorded in events]))


def a_copy(of: Backend, revision: int, told: Published | None = None) -> Copy:
    """A copy that has come as far as ``revision``."""
    copy = Copy(told or Published())
    copy.follow(of.journal(limit=revision))
    return copy


@given(st.data())
def test_whatever_pieces_the_journal_comes_in_the_copy_is_the_state(server: Backend, data: st.DataObject) -> None:
    told, rows = Published(), server.journal()
    copy = a_copy(server, 0, told)
    known = 0

    while known < len(rows):
        begin = data.draw(st.integers(0, known))
        known = data.draw(st.integers(known + 1, len(rows)))
        copy.follow(rows[begin:known])

    assert copy.state == server.state()
    assert [revision for _, events in told.told for revision in events] == [row.revision for row in rows]


def _changed(rows: list[Row]) -> list[Row]:
    return [replace(rows[0], body=f"{rows[0].body} "), *rows[1:]]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows[1:],
        lambda rows: [rows[0], *rows[2:]],
        lambda rows: [rows[1], rows[0], *rows[2:]],
        _changed,
        lambda rows: [replace(rows[0], chain="0" * 64), *rows[1:]],
        lambda rows: [replace(rows[0], salt="", body=""), *rows[1:]],
    ],
    ids=["first missing", "one missing", "turned round", "changed", "of another journal", "erased"],
)
def test_what_does_not_follow_on_is_noticed_and_nothing_of_it_is_taken_over(
    server: Backend, spoil: Callable[[list[Row]], list[Row]]
) -> None:
    told = Published()
    copy = a_copy(server, 10, told)
    before = copy.state

    with pytest.raises(Gap):
        copy.follow(spoil(list(server.journal(after=10))))

    assert copy.state is before
    assert len(told.told) == 1


def test_a_state_that_was_sent_whole_replaces_the_copy_without_events(server: Backend) -> None:
    told = Published()
    copy = a_copy(server, 10, told)

    copy.replace(server.state(), server.journal()[-1].chain, asked_at=10)

    assert copy.state == server.state()
    assert told.told[-1] == (server.state().revision, [])
    copy.expect(server.state().revision, server.journal()[-1].chain)


def test_an_answer_that_was_overtaken_on_its_way_takes_nothing_back(server: Backend) -> None:
    older = a_copy(server, 12)
    copy = a_copy(server, 10)
    copy.follow(server.journal(after=10))

    copy.replace(older.state, server.journal()[11].chain, asked_at=10)

    assert copy.state == server.state()


def test_a_journal_that_was_put_back_takes_the_copy_back(server: Backend) -> None:
    older = a_copy(server, 12)
    copy = a_copy(server, 20)

    with pytest.raises(Gap):
        copy.expect(12, server.journal()[11].chain)
    copy.replace(older.state, server.journal()[11].chain, asked_at=20)

    assert copy.state == older.state


def test_the_same_revision_of_another_journal_is_noticed(server: Backend) -> None:
    with pytest.raises(Gap):
        a_copy(server, 12).expect(12, "0" * 64)
