"""Those who follow a part of the fleet are told when more of it becomes theirs, whoever saw that first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from backends.local.memory import Memory, MemoryStore
from backends.runtime import Runtime
from backends.server import outlooks
from backends.server.outlooks import Outlook, Story
from backends.server.push import frame
from core.capabilities.names import AddName
from core.capabilities.workers import ReportWorkers
from core.errors import BackendUnavailable
from core.messages import Actor
from core.ports import WorkerRow
from core.scope import Scope
from core.state import State
from tests.server.test_push import Reader
from tests.server.test_rows_ahead import told
from tests.support.fleets import START, say, worker
from tests.support.waiting import comes_true

KEEPER = Actor(name="keeper", kind="system")


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """A fleet that knows one worker."""
    with closing(Runtime(MemoryStore(Memory("f-0123456789ab")))) as made:
        made.submit(say(AddName(dimension="site", name="s1")))
        made.submit(say(ReportWorkers(heard=("w1",)), by=KEEPER))
        yield made


class Followed:
    """A site, who follows it, and where its worker says that it works."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.works_at("s2")
        self.outlook = Outlook(Scope(sites=frozenset({"s1"})), Story(runtime), self._workers)
        self._tasks: list[asyncio.Task[None]] = []

    def works_at(self, *sites: str) -> None:
        """Nowhere: nothing has been heard of it for long."""
        self._rows = [replace(worker("w1", START), scope={"site": [site]}) for site in sites]

    def somebody_asks(self) -> None:
        """For the state, as every console does."""
        self.outlook.shown(self.runtime.state())

    def happens(self) -> None:
        """Something that nobody here may see."""
        self.runtime.submit(say(AddName(dimension="site", name=f"s{self.runtime.state().revision}")))

    async def follow(self, seen: int | None = None) -> Reader:
        reader, hub = Reader(), self.outlook.hub
        hub.open(asyncio.get_running_loop())
        listening = hub.listen(reader.receive, reader.send, seen, still=lambda: True, abort=reader.leave)
        self._tasks.append(asyncio.create_task(listening))
        await comes_true(lambda: told(reader))
        return reader

    async def published(self, reader: Reader) -> list[tuple[str, int, dict[str, Any]]]:
        """What a reader has been told once that which is published now has reached it."""
        self.outlook.publish(look=True)
        self.outlook.hub.publish(frame("end", b"{}", 10**6))
        await comes_true(lambda: told(reader)[-1][0] == "end")
        return told(reader)[:-1]

    async def end(self) -> None:
        self.outlook.hub.close()
        await asyncio.gather(*self._tasks)

    def _workers(self) -> list[WorkerRow]:
        return self._rows


@pytest_asyncio.fixture
async def followed(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Followed]:
    monkeypatch.setattr(outlooks, "_LOOK_AGAIN_S", 0.0)
    made = Followed(runtime)
    yield made
    await made.end()


def workers_in(document: dict[str, Any]) -> list[str]:
    return [name for name in ("w1",) if name in str(document["state"])]


@pytest.mark.asyncio
async def test_who_follows_is_told_of_a_worker_that_comes_though_somebody_else_asked_before(followed: Followed) -> None:
    reader = await followed.follow()
    assert workers_in(told(reader)[-1][2]) == []

    followed.works_at("s1")
    followed.somebody_asks()

    kind, _, document = (await followed.published(reader))[-1]
    assert (kind, workers_in(document)) == ("snapshot", ["w1"])


@pytest.mark.asyncio
async def test_what_could_not_be_told_while_the_database_was_away_is_told_when_it_is_back(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_asked: object, **_more: object) -> Any:
        raise BackendUnavailable("away", "the database is away")

    reader = await followed.follow()
    followed.works_at("s1")
    with monkeypatch.context() as cut, suppress(BackendUnavailable):
        cut.setattr(Story, "sealed", away)
        followed.outlook.publish(look=True)

    assert workers_in((await followed.published(reader))[-1][2]) == ["w1"]


@pytest.mark.asyncio
async def test_who_comes_back_behind_a_worker_that_came_meanwhile_is_told_everything_anew(followed: Followed) -> None:
    followed.somebody_asks()
    left_at = followed.runtime.state().revision
    assert followed.outlook.news(left_at, 100) == []
    followed.happens()
    followed.works_at("s1")
    followed.somebody_asks()

    reader = await followed.follow(seen=left_at)

    kind, _, document = told(reader)[0]
    assert (kind, workers_in(document)) == ("snapshot", ["w1"])
    assert followed.outlook.news(left_at, 100) is None


@pytest.mark.asyncio
async def test_whoever_asks_for_the_past_takes_no_name_from_the_present(followed: Followed) -> None:
    """Of a worker that is not heard of any more the name stays, as long as the fleet has it."""
    followed.works_at("s1")
    followed.somebody_asks()
    followed.works_at()

    followed.outlook.shown(State())

    assert set(followed.outlook.shown(followed.runtime.state()).workers) == {"w1"}
