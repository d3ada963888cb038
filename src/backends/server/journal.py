"""The journal as a stream, and the state as it stands: what remote consoles follow a fleet by."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from backends import documents
from backends.floor import Mark
from backends.keeper.log import NAME
from backends.runtime import Runtime
from backends.server.outlooks import Outlooks
from backends.server.push import Frame, Hub, frame
from core.audit import verify
from core.errors import OpsError
from core.ports import Arrival, WorkerRow
from opsgate.hold import timestamp

_log = logging.getLogger(NAME)

REPLAY_MAX: Final = 2000
"""Events that a listener is told one by one who missed them; of more, the state is told as a whole."""

_AGAIN_S: Final = 0.25


class Journal(threading.Thread):
    """Reads what is new in the journal and publishes it, until `close`."""

    def __init__(self, runtime: Runtime, workers: Callable[[], Iterable[WorkerRow]]) -> None:
        """``workers`` asks for those there are, and what each declared."""
        super().__init__(name="journal", daemon=True)
        self.hub = Hub(self._catch_up)
        self.outlooks = Outlooks(runtime, workers)
        """What those are told who may not see all of it."""
        self._looks = False
        self._runtime = runtime
        self._published = self._now()
        self._news = threading.Event()
        self._ending = False
        self._cached: tuple[int, str, bytes] | None = None

    def arrived(self, _arrival: Arrival) -> None:
        """The fleet has moved. From any thread."""
        self._news.set()

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ending = True
        self._news.set()
        if self.is_alive():
            self.join(timeout=5)

    def run(self) -> None:
        """The life of the thread."""
        while not self._ending:
            self._news.wait()
            self._news.clear()
            try:
                self._publish()
                look, self._looks = self._looks, False
                for outlook in self.outlooks.all():
                    outlook.publish(look=look)
            except OpsError:
                self._news.set()  # the runtime remembers what is wrong and since when
                threading.Event().wait(_AGAIN_S)
            except Exception:  # noqa: BLE001 (the stream must not end for good because of one fault)
                _log.exception("publishing the journal failed")

    def _publish(self) -> None:
        if not self.hub:  # whoever comes now is told first what led here
            self._published = self._now()
            self.hub.skip(self._published.revision)
            return
        if self._was_put_back():
            self._publish_anew()
        while rows := self._runtime.journal(after=self._published.revision):
            told = self._published
            if verify(rows[:1], told.revision, told.chain)[0] is not None:  # what lay between is not kept any more
                self._publish_anew()
                continue
            self._published = Mark(rows[-1].revision, rows[-1].chain)
            for row in rows:
                self.hub.publish(_frame_of(documents.of_row(row)))

    def _was_put_back(self) -> bool:
        """Whether the journal as folded does not lead to, or on from, what was told: an older copy of the database was
        put back, and may have come as far again."""
        self._as_far_as(self._published.revision)
        now = self._now()
        return now != self._published and now.revision <= self._published.revision

    def _publish_anew(self) -> None:
        self._runtime.state()  # what follows is read from the database, and has to follow on from what is told here
        revision, chain, text = self.state()
        self._published = Mark(revision, chain)
        self.hub.publish(frame("snapshot", text, revision, anew=True))

    def _now(self) -> Mark:
        state, chain = self._runtime.sealed()
        return Mark(state.revision, chain)

    # ------------------------------------------------------------------------------------------------- the state
    def state(self) -> tuple[int, str, bytes]:
        """The state as last seen as a document, behind its revision and the hash of its last event. Encodes it where it
        has moved."""
        state, chain = self._runtime.sealed()
        cached = self._cached
        if cached is None or cached[:2] != (state.revision, chain):
            cached = self._cached = (state.revision, chain, documents.of_state(state, chain).encode())
        return state.revision, chain, cached[2]

    def heartbeat(self) -> None:
        """Tell all who listen that this server lives, how far the journal is that they were told of, and for how many
        seconds nothing has been heard of the database. Where that is the end of the journal its hash is told, too: one
        that was put back and has come as far again has another."""
        (state, chain), age_s = self._runtime.sealed(), round(self._runtime.contact().age_s, 3)
        said = {
            "t": "heartbeat",
            "fleet": state.fleet,
            "revision": 0,
            "at": timestamp(datetime.now(UTC)),
            "age_s": age_s,
        }
        for hub in self.hubs():
            told = {"revision": hub.revision or state.revision}
            told_chain = {"chain": chain} if told["revision"] == state.revision else {}
            hub.deliver(frame("heartbeat", _line(said | told | told_chain)))
        if len(self.hubs()) > 1:
            self._looks = True  # other workers may serve those who see only a part
            self._news.set()

    def hubs(self) -> list[Hub]:
        """The one for those who see everything, and one for each scope."""
        return [self.hub, *(outlook.hub for outlook in self.outlooks.all())]

    async def _catch_up(self, seen: int | None) -> list[Frame]:
        return await asyncio.to_thread(self._missed, seen)

    def _missed(self, seen: int | None) -> list[Frame]:
        """What leads from a revision to now: the events, where they are kept and not too many, else the state."""
        if seen is None or seen > self._as_far_as(seen):
            return [self._snapshot()]
        rows = self._runtime.journal(after=seen, limit=REPLAY_MAX + 1)
        if len(rows) > REPLAY_MAX or (rows and rows[0].revision != seen + 1):
            return [self._snapshot()]
        return [_frame_of(documents.of_row(row)) for row in rows]

    def _as_far_as(self, seen: int) -> int:
        """The revision now. Rows are read from the database itself, and other servers tell what they have read, so
        somebody may have seen more than is folded here: before that is called lost, the database is asked."""
        revision = self._runtime.latest().revision
        return revision if revision >= seen else self._runtime.state().revision

    def _snapshot(self) -> Frame:
        self._as_far_as(self._published.revision)  # whoever reads it is told next what follows that
        revision, _, text = self.state()
        return frame("snapshot", text, revision, anew=True)


def _frame_of(row: dict[str, Any]) -> Frame:
    return frame("row", _line(row), int(row["revision"]))


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
