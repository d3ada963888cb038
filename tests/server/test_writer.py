"""Commands that wait together are committed together, and each is answered as if it had come alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from backends import spool
from backends.local.memory import MemoryStore
from backends.runtime import Runtime
from backends.server import writer
from backends.server.writer import WAITING_MAX, Writer
from core.authority import Identity
from core.capabilities.names import AddName
from core.capabilities.rate_limits import SetLimit
from core.errors import BackendUnavailable, UnknownName
from core.messages import Command, Receipt
from core.ports import Transaction
from tests.support.fleets import say

ADMIN = Identity("ana", "admin")


class CountedStore(MemoryStore):
    """A database in memory that counts its transactions, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.fails: BaseException | None = None

    @contextmanager
    def write(self, *, timeout_s: float) -> Iterator[Transaction]:
        self.commits += 1
        if self.fails is not None:
            raise self.fails
        with super().write(timeout_s=timeout_s) as transaction:
            yield transaction


class Stage:
    """A writer over such a fleet."""

    def __init__(self) -> None:
        self.store = CountedStore()
        self.runtime = Runtime(self.store)
        self.writer = Writer(self.runtime, spool.names_of(self.runtime.latest(), self.runtime.url))

    async def give(self, *commands: Command, ids: tuple[str, ...] = ()) -> list[Receipt | BaseException]:
        """Give commands while the writer is busy with something else, and then let it go on."""
        named = ids or tuple(f"c-{number}" for number in range(len(commands)))
        asking = [
            asyncio.create_task(self.writer.submit(say(command, command_id=command_id), ADMIN))
            for command, command_id in zip(commands, named, strict=True)
        ]
        await asyncio.sleep(0)  # all of them have asked
        if not self.writer.is_alive():
            self.writer.start()
        return await asyncio.gather(*asking, return_exceptions=True)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(writer, "WITHIN_S", 60.0)  # nobody is given up because the machine is busy
    made = Stage()
    yield made
    made.writer.close()
    made.runtime.close()


def site(name: str) -> AddName:
    return AddName(dimension="site", name=name)


@pytest.mark.asyncio
async def test_what_waits_together_is_one_commit_in_the_order_in_which_it_came(stage: Stage) -> None:
    before = stage.store.commits
    receipts = await stage.give(*(site(f"s{number}") for number in range(10)))

    assert stage.store.commits == before + 1
    revisions = [receipt.revision for receipt in receipts if isinstance(receipt, Receipt)]
    assert revisions == list(range(revisions[0], revisions[0] + 10))
    assert stage.runtime.verify().fault is None
    assert len(stage.runtime.latest().names_of("site")) == 10


@pytest.mark.asyncio
async def test_each_is_decided_on_what_the_ones_before_it_left_and_a_refusal_stops_no_other(stage: Stage) -> None:
    unknown = SetLimit(name="nothing", limit=1)
    first, again, refused, last = await stage.give(site("s1"), site("s1"), unknown, site("s2"))

    assert isinstance(first, Receipt)
    assert first.changed
    assert isinstance(again, Receipt)
    assert not again.changed
    assert isinstance(refused, UnknownName)
    assert isinstance(last, Receipt)
    assert [name.name for name in stage.runtime.latest().names_of("site")] == ["s1", "s2"]


@pytest.mark.asyncio
async def test_one_that_comes_twice_at_once_is_done_once(stage: Stage) -> None:
    first, again = await stage.give(site("s1"), site("s1"), ids=("same", "same"))
    assert isinstance(first, Receipt)
    assert first.changed
    assert first == again


@pytest.mark.asyncio
async def test_when_the_database_is_away_all_of_them_hear_of_it_and_the_writer_goes_on(stage: Stage) -> None:
    stage.store.fails = BackendUnavailable("database-locked", "it is locked", "try again")
    answers = await stage.give(site("s1"), site("s2"))
    assert [getattr(answer, "code", None) for answer in answers] == ["database-locked"] * 2

    stage.store.fails = None
    assert isinstance((await stage.give(site("s3")))[0], Receipt)


@pytest.mark.asyncio
async def test_a_fault_of_ours_in_one_is_answered_to_that_one(stage: Stage) -> None:
    stage.store.fails = AssertionError("ours")
    answers = await stage.give(site("s1"), site("s2"))
    assert [type(answer) for answer in answers] == [AssertionError] * 2


@pytest.mark.asyncio
async def test_too_many_are_told_to_try_again_at_once(stage: Stage) -> None:
    asking = [asyncio.create_task(stage.writer.do(lambda _left_s: datetime.now(UTC))) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)  # all of them have asked
    with pytest.raises(BackendUnavailable) as refused:
        await stage.writer.do(lambda _left_s: None)
    assert refused.value.code == "busy"
    stage.writer.start()
    await asyncio.gather(*asking)
