"""What the routes share: the engine room, who may do what, the writer, and the streams."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import count
from time import time_ns
from typing import Final

from backends.keeper.room import EngineRoom
from backends.server.access import Access
from backends.server.answers import at_revision
from backends.server.certificate import Certificate
from backends.server.gates import Gates
from backends.server.gauges import Gauges
from backends.server.instances import Instances
from backends.server.journal import Journal
from backends.server.metrics import Metrics
from backends.server.propagation import Propagation
from backends.server.push import Hub
from backends.server.refetch import Refetch
from backends.server.renewing import Renewed
from backends.server.said import Said
from backends.server.within import orders_within
from backends.server.writer import Writer
from core.authority import Identity
from core.ports import Observations, WorkerRow
from core.scope import EVERYWHERE, Scope
from core.sight import Sight
from core.state import State
from opsgate.clock import elapsed_s
from opsgate.decision import Decision
from opsgate.evaluate import Table, evaluate
from opsgate.order import Order
from opsgate.view import View

_LOOKED_WITHIN_S: Final = 5.0
"""Seconds after the last look at the database for which the state counts as that of now: there is a look each second,
and more where the machine has other work to do."""


class Engine:
    """One fleet behind HTTP. The room is the caller's, who opens it first and closes it last."""

    def __init__(
        self,
        room: EngineRoom,
        gates: Gates,
        access: Access,
        *,
        certificate: Certificate | None = None,
        hook_secrets: Renewed[tuple[str, ...]] | None = None,
    ) -> None:
        """``hook_secrets`` are what signs requests of hooks; None where nobody can."""
        self.certificate = certificate
        self.hook_secrets = hook_secrets
        self.room = room
        self.runtime = room.runtime
        self.access = access
        self.gates = gates
        self.journal = Journal(room.runtime, self._workers)
        self.writer = Writer(room.runtime, room.names)
        self.refetch = Refetch(self.tag, room.runtime.latest)
        self.instances = Instances()
        self.said = Said()
        self._compiled: dict[Scope, tuple[State, Table]] = {}
        self._secret, self._numbers = os.urandom(32), count(1)
        self.metrics = Metrics(Gauges(room, self.view, self._open_streams, self.instances, certificate))
        self.propagation = Propagation(self.metrics.propagated, room.runtime.latest, lambda: room.desk.unrecorded)
        gates.attach(
            room.runtime.sealed,
            lambda: room.desk.unrecorded,
            self._age_s,
            self.refetch.look,
            self.propagation.sent,
        )
        following = (self.propagation.arrived, self.journal.arrived, self.metrics.arrived)
        self._leave = [room.runtime.follow(each) for each in following]

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

    def hubs(self) -> tuple[Hub, ...]:
        """Every stream."""
        return *(audience.hub for audience in self.gates.all), *self.journal.hubs(), self.refetch.hub

    def _open_streams(self) -> dict[str, int]:
        return {
            "gate": sum(len(audience.hub) for audience in self.gates.all),
            "events": sum(map(len, self.journal.hubs())),
            "flags": len(self.refetch.hub),
        }

    def heartbeat(self) -> None:
        """Tell all who listen that this server lives."""
        for stream in (self.gates, self.journal, self.refetch):
            stream.heartbeat()

    def _age_s(self) -> float:
        """How old the state is that is told; 0 while the database was just looked at."""
        contact = self.runtime.contact()
        return 0.0 if contact.word == "valid" and contact.age_s < _LOOKED_WITHIN_S else contact.age_s

    def command_id(self) -> str:
        """An id for a command that came without one. Whoever could guess it could take it first, and have the command
        refused; drawing a random one each time is slow under load. It begins with the time, so that answers of one
        commit lie side by side in the database and not each on a page of its own."""
        number = next(self._numbers).to_bytes(8, "big")
        return f"http-{time_ns() // 1_000_000:012x}{blake2b(number, key=self._secret, digest_size=10).hexdigest()}"

    def now(self) -> datetime:
        """The engine's time."""
        return datetime.now(UTC)

    def view(self, scope: Scope = EVERYWHERE) -> View:
        """What of the state as last seen is about a scope, as a worker's gate would have it; orders that no journal has
        yet among it."""
        orders = self._orders(scope)  # before the state: one that is recorded meanwhile is in both
        state, contact = self.runtime.latest(), self.runtime.contact()
        return View(
            self._table(state, scope).changed(hold for order in orders for hold in order.holds()),
            fleet=state.fleet,
            revision=state.revision,
            confirmed_at_s=elapsed_s() - contact.age_s,
            settled=True,
        )

    def held(self, scope: Scope = EVERYWHERE) -> State:
        """What of the state as last seen is about a scope, with the holds of orders that no journal has yet."""
        orders = self._orders(scope)
        state = Sight(scope).state(self.runtime.latest())
        for order in orders:
            for hold in order.holds():
                state = state.with_hold(hold)
        return state

    def seen(self, state: State, scope: Scope) -> State:
        """What may be seen of a state by those who reach so far."""
        return state if scope == EVERYWHERE else self.journal.outlooks.of(scope).shown(state)

    def observed(self, scope: Scope) -> Observations:
        """What is observed beside the journal, as far as it may be seen."""
        seen = self.runtime.observe()
        if scope == EVERYWHERE:
            return replace(seen, clients=self.instances.rows(seen.at))
        return self.journal.outlooks.of(scope).observed(seen, self.runtime.latest())

    def present(self, identity: Identity) -> tuple[str, ...]:
        """Who else follows the fleet through this server, once for each console: those who see no more than they do who
        ask."""
        outlooks = self.journal.outlooks.all()
        hubs = [self.journal.hub] if identity.scope == EVERYWHERE else []
        hubs += [outlook.hub for outlook in outlooks if identity.scope.contains(outlook.scope)]
        names = sorted(name for hub in hubs for name in hub.present())
        if identity.name in names:
            names.remove(identity.name)
        return tuple(names)

    def _orders(self, scope: Scope) -> Sequence[Order]:
        orders = tuple(self.room.desk.unrecorded.values())
        return orders if scope == EVERYWHERE else orders_within(orders, Sight(scope))

    def _table(self, state: State, scope: Scope) -> Table:
        known = self._compiled.get(scope)
        if known is not None and known[0] is state:
            return known[1]
        table = state.table() if scope == EVERYWHERE else Sight(scope).table(self._table(state, EVERYWHERE), state)
        self._compiled[scope] = (state, table)
        return table

    def _workers(self) -> Iterable[WorkerRow]:
        """What workers last said: here, or at another server."""
        return (*self.runtime.store.workers(), *(entry.row for entry in self.room.roster.entries.values()))

    def tag(self, scope: Scope = EVERYWHERE) -> str:
        """What changes whenever a decision may: the revision with its hash, the orders that no journal has yet, and
        whose decision it is. Take it before the view that is answered with, so that what is tagged is never older than
        its tag."""
        orders = self.gates.of(scope).tag()
        state, chain = self.runtime.sealed()
        return f"{at_revision(state.revision, chain)}{orders}"

    def decide(self, work: Mapping[str, str], *, strict: bool = False, scope: Scope = EVERYWHERE) -> Decision:
        """Decide one piece of work, as a worker's gate would, and count it. What lies beyond the scope is refused."""
        view = self.view(scope)
        verdict = evaluate(view.table, work, strict=strict)
        self.metrics.decided(verdict)
        return Decision(verdict, view, elapsed_s(), verdict.outcome == "allowed")
