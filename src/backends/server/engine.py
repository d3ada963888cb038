"""What the routes share: the engine room, who may do what, the writer, and the streams."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count

from backends.keeper.room import EngineRoom
from backends.server.access import Access
from backends.server.gates import Gates
from backends.server.gauges import Gauges
from backends.server.instances import Instances
from backends.server.journal import Journal
from backends.server.metrics import Metrics
from backends.server.push import Hub
from backends.server.refetch import Refetch
from backends.server.writer import Writer
from core.state import State
from opsgate.clock import elapsed_s
from opsgate.decision import Decision
from opsgate.evaluate import Table, evaluate
from opsgate.view import View


class Engine:
    """One fleet behind HTTP. The room is the caller's, who opens it first and closes it last."""

    def __init__(self, room: EngineRoom, gates: Gates, access: Access, *, hook_secret: str = "") -> None:
        """``hook_secret`` is what signs requests of hooks; empty where nobody can."""
        self.hook_secret = hook_secret
        self.room = room
        self.runtime = room.runtime
        self.access = access
        self.gates = gates
        self.journal = Journal(room.runtime)
        self.writer = Writer(room.runtime)
        self.refetch = Refetch(self.tag, room.runtime.latest)
        self.instances = Instances()
        self._compiled: tuple[State, Table] | None = None
        self._process, self._numbers = uuid.uuid4().hex, count(1)
        gates.attach(room.runtime.latest, lambda: room.desk.unrecorded, self._age_s, self.refetch.look)
        streams = {"gate": gates.hub, "events": self.journal.hub, "flags": self.refetch.hub}
        self.metrics = Metrics(Gauges(room, self.view, streams, self.instances))
        self._leave = [room.runtime.follow(each) for each in (self.journal.arrived, self.metrics.arrived)]

    def start(self) -> None:
        """Go to work."""
        self.journal.start()
        self.writer.start()

    def close(self) -> None:
        """Carry out what was taken on, and end."""
        for leave in self._leave:
            leave()
        self.writer.close()
        self.journal.close()

    @property
    def hubs(self) -> tuple[Hub, ...]:
        """Every stream."""
        return self.gates.hub, self.journal.hub, self.refetch.hub

    def heartbeat(self) -> None:
        """Tell all who listen that this server lives."""
        for stream in (self.gates, self.journal, self.refetch):
            stream.heartbeat()

    def _age_s(self) -> float:
        contact = self.runtime.contact()
        return 0.0 if contact.word == "valid" else contact.age_s

    def command_id(self) -> str:
        """An id for a command that came without one. Drawing a random one each time is slow under load."""
        return f"http-{self._process}-{next(self._numbers)}"

    def now(self) -> datetime:
        """The engine's time."""
        return datetime.now(UTC)

    def view(self) -> View:
        """The state as last seen, as a worker's gate would have it; orders that no journal has yet among it."""
        orders = self.room.desk.unrecorded.values()  # before the state: one that is recorded meanwhile is in both
        state, contact = self.runtime.latest(), self.runtime.contact()
        compiled = self._compiled
        if compiled is None or compiled[0] is not state:
            compiled = self._compiled = (state, state.table())
        return View(
            compiled[1].changed(hold for order in orders for hold in order.holds()),
            fleet=state.fleet,
            revision=state.revision,
            confirmed_at_s=elapsed_s() - contact.age_s,
            settled=True,
        )

    def held(self) -> State:
        """The state as last seen, with the holds of orders that no journal has yet."""
        orders = self.room.desk.unrecorded.values()
        state = self.runtime.latest()
        for order in orders:
            for hold in order.holds():
                state = state.with_hold(hold)
        return state

    def tag(self) -> str:
        """What changes whenever a decision may: the revision, and the orders that no journal has yet. Take it before
        the view that is answered with, so that what is tagged is never older than its tag."""
        orders = self.gates.tag()
        return f"{self.runtime.latest().revision}{orders}"

    def decide(self, work: Mapping[str, str], *, strict: bool = False) -> Decision:
        """Decide one piece of work, as a worker's gate would, and count it."""
        view = self.view()
        verdict = evaluate(view.table, work, strict=strict)
        self.metrics.decided(verdict)
        return Decision(verdict, view, elapsed_s(), verdict.outcome == "allowed")
