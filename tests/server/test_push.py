"""One frame for all who listen: nobody waits for a slow one, and a slow one ends up knowing what all know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from backends.server import push
from backends.server.push import BEHIND_MAX, Frame, Hub, frame, last_seen
from core.errors import BackendUnavailable
from tests.support.waiting import comes_true

Message = MutableMapping[str, Any]


class Reader:
    """A connection: it takes what it is sent, unless it stands still, and leaves when told to."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.ended = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._leaves = asyncio.Event()

    async def send(self, message: Message) -> None:
        await self._flows.wait()
        if message["type"] == "http.response.body" and not self.ended:
            self.got.append(message["body"])
            if not message["more_body"]:
                self.ended = True
                self._leaves.set()

    async def receive(self) -> Message:
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    def stand_still(self) -> None:
        self._flows.clear()

    def go_on(self) -> None:
        self._flows.set()

    def leave(self) -> None:
        self._leaves.set()

    def events(self) -> list[str]:
        return b"".join(self.got).decode().split("\n\n")[:-1]


class Stage:
    """A hub whose state is a number."""

    def __init__(self) -> None:
        self.revision = 1
        self.hub = Hub(self._catch_up)
        self.hub.open(asyncio.get_running_loop())
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, seen: int | None = None, still: Callable[[], bool] = lambda: True) -> Reader:
        reader = Reader()
        listening = self.hub.listen(reader.receive, reader.send, seen, still=still, abort=reader.leave)
        self._tasks.append(asyncio.create_task(listening))
        await comes_true(lambda: len(reader.got) > 0 or seen == self.revision)
        return reader

    def move(self, times: int = 1) -> None:
        for _ in range(times):
            self.revision += 1
            self.hub.deliver(frame("delta", b"%d" % self.revision, self.revision))

    async def end(self) -> None:
        self.hub.close()
        await asyncio.gather(*self._tasks)

    async def _catch_up(self, seen: int | None) -> list[Frame]:
        return [] if seen == self.revision else [frame("snapshot", b"%d" % self.revision, self.revision)]


def delta(revision: int) -> str:
    return f"id: {revision}\nevent: delta\ndata: {revision}"


def snapshot(revision: int) -> str:
    return f"id: {revision}\nevent: snapshot\ndata: {revision}"


@pytest.mark.asyncio
async def test_everybody_gets_each_frame_at_once_and_no_task_is_made_for_it() -> None:
    stage = Stage()
    readers = [await stage.join() for _ in range(3)]
    tasks = len(asyncio.all_tasks())

    stage.move()

    assert [reader.events() for reader in readers] == [[snapshot(1), delta(2)]] * 3
    assert len(asyncio.all_tasks()) == tasks
    await stage.end()


@pytest.mark.asyncio
async def test_who_knows_the_present_is_told_only_what_comes_next() -> None:
    stage = Stage()
    reader = await stage.join(seen=1)
    await comes_true(lambda: len(stage.hub) == 1)
    await asyncio.sleep(0)  # it has begun to wait
    stage.move()
    await comes_true(lambda: reader.events() == [delta(2)])
    await stage.end()


@pytest.mark.asyncio
async def test_what_one_was_told_on_coming_is_not_told_again_when_it_is_published() -> None:
    """A change is in the journal before its frame is on its way, and whoever comes in between reads it there."""
    stage = Stage()
    stage.revision = 2
    reader = await stage.join()

    stage.hub.deliver(frame("delta", b"2", 2))
    stage.move()

    assert reader.events() == [snapshot(2), delta(3)]
    await stage.end()


@pytest.mark.asyncio
@pytest.mark.parametrize("is_slow", [False, True])
async def test_where_everything_is_told_anew_it_may_go_back_and_goes_on_from_there(is_slow: bool) -> None:
    """An older copy of the database was put back."""
    stage = Stage()
    stage.revision = 7
    reader = await stage.join()
    if is_slow:
        reader.stand_still()

    stage.hub.deliver(frame("snapshot", b"3", 3, anew=True))
    stage.hub.deliver(frame("delta", b"4", 4))
    stage.hub.deliver(frame("moved", b"", anew=True))
    stage.hub.deliver(frame("delta", b"2", 2))
    reader.go_on()

    told = [snapshot(7), snapshot(3), delta(4), "event: moved\ndata: ", delta(2)]
    await comes_true(lambda: reader.events() == told)
    await stage.end()


@pytest.mark.asyncio
async def test_one_who_stands_still_holds_up_nobody_and_is_given_what_it_missed() -> None:
    stage = Stage()
    slow, quick = await stage.join(), await stage.join()

    slow.stand_still()
    stage.move(3)
    assert quick.events() == [snapshot(1), delta(2), delta(3), delta(4)]
    assert slow.events() == [snapshot(1)]

    slow.go_on()
    await comes_true(lambda: slow.events() == quick.events())
    stage.move()
    assert slow.events() == quick.events(), "from here on it is written to at once again"
    await stage.end()


@pytest.mark.asyncio
async def test_one_who_misses_more_than_is_kept_is_told_everything_anew() -> None:
    stage = Stage()
    slow = await stage.join()

    slow.stand_still()
    stage.move(BEHIND_MAX + 2)
    slow.go_on()

    last = stage.revision
    await comes_true(lambda: slow.events()[-1] == snapshot(last))
    assert slow.events() == [snapshot(1), delta(2), snapshot(last)]
    await stage.end()


@pytest.mark.asyncio
async def test_one_who_does_not_read_for_long_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    slow = await stage.join()
    monkeypatch.setattr(push, "PATIENCE_S", 0.01)

    slow.stand_still()
    stage.move()

    await comes_true(lambda: len(stage.hub) == 0)
    await stage.end()


@pytest.mark.asyncio
async def test_one_who_does_not_even_take_the_head_of_a_stream_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection may be full already of the answer before it."""
    monkeypatch.setattr(push, "PATIENCE_S", 0.01)
    stage, slow = Stage(), Reader()
    slow.stand_still()

    listening = stage.hub.listen(slow.receive, slow.send, None, still=lambda: True, abort=slow.leave)
    async with asyncio.timeout(60):
        await listening

    assert len(stage.hub) == 0


@pytest.mark.asyncio
async def test_a_stream_ends_when_its_credential_does_and_the_others_go_on() -> None:
    stage = Stage()
    valid = True
    theirs, other = await stage.join(still=lambda: valid), await stage.join()

    stage.hub.review()
    assert not theirs.ended
    valid = False
    stage.hub.review()

    assert (theirs.ended, other.ended, len(stage.hub)) == (True, False, 1)
    await stage.end()


@pytest.mark.asyncio
async def test_closing_ends_every_stream_those_that_stand_still_too() -> None:
    stage = Stage()
    quick, slow = await stage.join(), await stage.join()
    slow.stand_still()
    stage.move()
    stage.hub.close()
    assert quick.ended
    slow.go_on()
    await comes_true(lambda: slow.ended)
    await stage.end()


@pytest.mark.parametrize(
    ("headers", "query", "seen"),
    [
        ({"last-event-id": "7"}, {}, 7),
        ({"last-event-id": "7"}, {"after": "3"}, 7),
        ({}, {"after": "3"}, 3),
        ({"last-event-id": "-1"}, {}, None),
        ({"last-event-id": "9" * 30}, {}, None),
        ({"last-event-id": "٣"}, {}, None),
        ({}, {}, None),
    ],
)
def test_where_a_listener_was_is_a_plain_number_or_nowhere(
    headers: dict[str, str], query: dict[str, str], seen: int | None
) -> None:
    assert last_seen(headers, query) == seen


@pytest.mark.asyncio
async def test_a_slow_listener_who_cannot_be_told_anew_is_let_go() -> None:
    """The database is away just then: a stream that stayed open and said nothing would pass for a quiet fleet."""
    stage = Stage()
    reader = await stage.join()
    await comes_true(lambda: snapshot(1) in reader.events())
    reader.stand_still()
    stage.move(BEHIND_MAX + 2)

    async def away(_seen: int | None) -> list[Frame]:
        raise BackendUnavailable("locked", "the database is locked")

    stage.hub._catch_up = away
    reader.go_on()

    await comes_true(lambda: len(stage.hub) == 0)
    await stage.end()


@pytest.mark.asyncio
async def test_a_listener_whom_nobody_can_tell_what_it_missed_is_let_go_without_another_answer() -> None:
    """Its stream has begun, so there is no problem to answer any more; it asks again, here or elsewhere."""

    async def away(_seen: int | None) -> list[Frame]:
        raise BackendUnavailable("database-away", "the database is away")

    reader, cut = Reader(), asyncio.Event()
    hub = Hub(away)

    await hub.listen(reader.receive, reader.send, None, still=lambda: True, abort=cut.set)

    assert cut.is_set()
    assert len(hub) == 0
