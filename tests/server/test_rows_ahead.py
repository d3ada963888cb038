"""A server may have told more than it has folded, for rows are read from the database: nothing is lost by that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio

from backends.local.memory import Memory, MemoryStore
from backends.runtime import Runtime
from backends.server.engine import Engine
from backends.server.journal import Journal
from backends.server.push import Hub
from backends.server.routes import events
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold
from core.capabilities.names import AddName
from core.messages import Command
from core.ports import Arrival
from core.scope import Scope
from opsgate.selector import EVERYTHING, Selector
from tests.server.test_push import Reader
from tests.support.fleets import say
from tests.support.waiting import comes_true

OURS = Scope(sites=frozenset({"s1"}))


class Server:
    """The journal of a server whose fold moves only when the test says so, and another process that commands."""

    def __init__(self, here: Runtime, elsewhere: Runtime) -> None:
        self.here, self._elsewhere = here, elsewhere
        self.journal = Journal(here, workers=tuple)
        self.journal.start()
        self._tasks: list[asyncio.Task[None]] = []

    def happens(self, *commands: Command) -> None:
        for command in commands:
            self._elsewhere.submit(say(command))

    def reads_on(self) -> None:
        self.journal.arrived(Arrival(self.here.latest(), ()))

    async def join(self, hub: Hub) -> Reader:
        reader = Reader()
        hub.open(asyncio.get_running_loop())
        listening = hub.listen(reader.receive, reader.send, None, still=lambda: True, abort=reader.leave)
        self._tasks.append(asyncio.create_task(listening))
        await comes_true(lambda: told(reader))
        return reader

    async def end(self) -> None:
        self.journal.close()
        for hub in self.journal.hubs():
            hub.close()
        await asyncio.gather(*self._tasks)


@pytest.fixture
def two() -> Iterator[tuple[Runtime, Runtime]]:
    memory = Memory("f-0123456789ab")
    with closing(Runtime(MemoryStore(memory))) as here, closing(Runtime(MemoryStore(memory))) as elsewhere:
        yield here, elsewhere


@pytest_asyncio.fixture
async def server(two: tuple[Runtime, Runtime]) -> AsyncIterator[Server]:
    started = Server(*two)
    yield started
    await started.end()


def told(reader: Reader) -> list[tuple[str, int, dict[str, Any]]]:
    """The kind, the revision and the body of each frame."""
    found = []
    for event in reader.events():
        fields = dict(line.split(": ", 1) for line in event.split("\n") if ": " in line)
        if "data" in fields:
            found.append((fields["event"], int(fields["id"]), json.loads(fields["data"])))
    return found


@pytest.mark.asyncio
async def test_the_state_told_in_place_of_rows_holds_the_last_of_them(server: Server) -> None:
    """A stop of everything has to be read anew by who sees a part, and comes here in one breath with a hold."""
    server.happens(AddName(dimension="site", name="s1"))
    server.here.state()
    reader = await server.join(server.journal.outlooks.of(OURS).hub)

    server.happens(OrderStop(stop_id="S-1", selectors=(EVERYTHING,)))
    server.here.state()
    server.happens(PlaceHold(selectors=(Selector.of(site="s1"),), reason="inventory"))
    server.reads_on()

    await comes_true(lambda: b"inventory" in b"".join(reader.got))
    assert told(reader)[-1][1] == server.here.state().revision


@pytest.mark.asyncio
async def test_who_comes_is_told_no_less_than_those_who_are_there(server: Server) -> None:
    first = await server.join(server.journal.hub)
    began = told(first)[-1][1]
    server.happens(AddName(dimension="site", name="s1"))
    server.reads_on()
    await comes_true(lambda: told(first)[-1][1] == began + 1)

    second = await server.join(server.journal.hub)
    server.happens(AddName(dimension="site", name="s2"))
    server.reads_on()
    await comes_true(lambda: told(second)[-1][1] == began + 2)

    assert [(kind, revision) for kind, revision, _ in told(second)] == [("snapshot", began + 1), ("row", began + 2)]


def test_rows_that_are_read_and_not_folded_make_no_state_newer(
    two: tuple[Runtime, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gates count from when the state was certainly the newest until they stop what is hazardous."""
    here, elsewhere = two
    now_s = [0.0]
    monkeypatch.setattr(here._turns.contact, "_clock_s", lambda: now_s[0])
    here.state()
    now_s[0] = 7.0
    elsewhere.submit(say(PlaceHold(selectors=(EVERYTHING,), reason="inventory")))

    assert here.journal(after=here.latest().revision)
    here.observe()
    assert here.contact().age_s == 7.0

    here.state()
    assert here.contact().age_s == 0.0


def test_who_is_told_of_rows_is_judged_by_all_that_they_say(two: tuple[Runtime, Runtime]) -> None:
    """The last of them may be the end of the token by which they are read."""
    here, elsewhere = two
    before = here.state().revision
    elsewhere.submit(say(AddName(dimension="site", name="s1")))

    rows = events._behind(cast("Engine", SimpleNamespace(runtime=here)), None, before, 10)

    assert here.latest().revision == rows[-1].revision == before + 1
