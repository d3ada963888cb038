"""What the routes share: the engine room, who may do what, the writer, and the two streams."""

from __future__ import annotations

from datetime import UTC, datetime

from backends.keeper.room import EngineRoom
from backends.server.access import Access
from backends.server.gates import Gates
from backends.server.journal import Journal
from backends.server.metrics import Metrics
from backends.server.writer import Writer
from core.state import State
from opsgate.clock import elapsed_s
from opsgate.evaluate import Table
from opsgate.view import View


class Engine:
    """One fleet behind HTTP. The room is the caller's, who opens it first and closes it last."""

    def __init__(self, room: EngineRoom, gates: Gates, access: Access) -> None:
        self.room = room
        self.runtime = room.runtime
        self.access = access
        self.gates = gates
        self.journal = Journal(room.runtime)
        self.writer = Writer(room.runtime)
        self._compiled: tuple[State, Table] | None = None
        gates.attach(room.runtime.latest, lambda: room.desk.unrecorded, self._age_s)
        self.metrics = Metrics(self)
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

    def _age_s(self) -> float:
        contact = self.runtime.contact()
        return 0.0 if contact.word == "valid" else contact.age_s

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
