"""The publisher: each change of the fleet as one datagram, encoded once and sent to every gate that has ever spoken.

Nothing here waits. A gate whose queue is full is told again, and then only that something moved: it reads the tables.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from immutables import Map

from backends.keeper.log import NAME
from backends.keeper.outbox import Address, Outbox
from backends.keeper.roster import Entry
from core.capabilities.conclusion import StopConcluded
from core.messages import Recorded, ServiceEvent, WorkerEvent
from core.policy import gate_change
from core.ports import Arrival
from core.state import State
from opsgate import wire

_log = logging.getLogger(NAME)

_AGAIN_S: Final = 0.05
"""Seconds between two tries to reach a gate that does not read its mail."""

_MOMENT_S: Final = 0.25
"""Seconds that a change may wait which gates need not act on."""

_TRIES: Final = 200
"""After so many (10 s) it is left to its own poll and its next beat."""

WATCHER_S: Final = 15.0
"""Seconds after which a watcher that has not asked again is forgotten."""


class Publisher(threading.Thread):
    """Follows the fleet for all gates and watchers. The thread sends what is in no hurry, and repeats what did not get
    through."""

    def __init__(
        self,
        outbox: Outbox,
        entries: Callable[[], Mapping[str, Entry]],
        state: State,
        elapsed_s: Callable[[], float],
        *,
        obeyed: Callable[[str], bool] = lambda _command_id: False,
    ) -> None:
        """``obeyed`` says of a command whether it records an order that gates were sent before."""
        super().__init__(name="publisher", daemon=True)
        self._outbox = outbox
        self._entries = entries
        self._elapsed_s = elapsed_s
        self._obeyed = obeyed
        self._told = self._state = state
        self._chain = ""
        self._events: list[Recorded] = []
        self._due_s: float | None = None
        self._watchers: Map[Address, float] = Map()
        self._behind: Map[Address, int] = Map()
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._wake = threading.Event()
        self._ending = False

    def arrived(self, arrival: Arrival) -> None:
        """Tell everybody of a change. Called by the runtime, on a thread of its own.

        What changes nothing for gates (who has registered, what came of a stop, the record of an order that they obey
        already) waits a moment for what comes after it, so that a fleet is not woken for it again and again.
        """
        with self._lock:
            self._state, self._chain = arrival.state, arrival.chain
            self._events.extend(arrival.events)
            urgent = not arrival.events or any(self._matters(recorded) for recorded in arrival.events)
            self._due_s = self._elapsed_s() + (0.0 if urgent else _MOMENT_S)
        if urgent:
            self._publish()
        else:
            self._wake.set()
        if watchers := self.watchers():
            self._all(_moved(arrival.state, arrival.chain), watchers)

    def joined(self, address: Address, revision: int) -> None:
        """Somebody new is here; it reads the tables where it does not know the fleet as it is."""
        if revision != self._state.revision:
            self.remind([address])

    def watched(self, address: Address) -> None:
        """Tell this address of changes for a while."""
        with self._lock:
            self._watchers = self._watchers.set(address, self._elapsed_s())

    def watchers(self) -> list[Address]:
        """Who watches now."""
        now_s = self._elapsed_s()
        with self._lock:
            for address, asked_s in self._watchers.items():
                if now_s - asked_s > WATCHER_S:
                    self._watchers = self._watchers.delete(address)
            return list(self._watchers)

    def remind(self, addresses: Iterable[Address]) -> None:
        """Tell these again that the fleet has moved: they should know it and do not say so."""
        self._all(self._moved(), addresses)

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ending = True
        self._wake.set()
        self.join(timeout=5)

    def run(self) -> None:
        """The life of the thread: sleep until something is due or somebody is behind."""
        while not self._ending:
            self._wake.wait(self._rest_s())
            self._wake.clear()
            if self._due_s is not None and self._elapsed_s() >= self._due_s:
                self._publish()
            if self._behind and not self._ending:
                self._again()

    def _rest_s(self) -> float | None:
        rests = [_AGAIN_S] if self._behind else []
        if self._due_s is not None:
            rests.append(max(0.0, self._due_s - self._elapsed_s()))
        return min(rests, default=None)

    def _matters(self, recorded: Recorded) -> bool:
        """Whether an event changes what a gate should do and does not do already."""
        harmless = isinstance(recorded.event, WorkerEvent | StopConcluded | ServiceEvent)
        return not harmless and not self._obeyed(recorded.header.command_id)

    def _publish(self) -> None:
        """Send what is new since the last time as one change; in order, whichever thread does it."""
        with self._sending:
            with self._lock:
                before, after, chain, events = self._told, self._state, self._chain, tuple(self._events)
                self._told, self._events, self._due_s = after, [], None
            if after is before:
                return
            gates = [entry.address for entry in self._entries().values() if entry.row.state == "live"]
            for datagram in _change(before, after, chain, events):
                self._try_again(self._outbox.send_all(datagram, gates))

    def _moved(self) -> bytes:
        with self._lock:
            return _moved(self._state, self._chain)

    def _all(self, datagram: bytes, addresses: Iterable[Address]) -> None:
        self._try_again([address for address in addresses if address and not self._outbox.send(datagram, address)])

    def _try_again(self, late: Sequence[Address]) -> None:
        if late:
            with self._lock:
                for address in late:
                    self._behind = self._behind.set(address, _TRIES)
            if threading.current_thread() is not self:
                self._wake.set()

    def _again(self) -> None:
        moved = self._moved()
        for address, tries in self._behind.items():
            through = self._outbox.send(moved, address)
            with self._lock:
                if through or tries <= 1:
                    self._behind = self._behind.delete(address)
                else:
                    self._behind = self._behind.set(address, tries - 1)


def _moved(state: State, chain: str) -> bytes:
    """What has whoever does not know this state read the tables."""
    return wire.encode("moved", revision=state.revision, chain=chain)


def _change(before: State, after: State, chain: str, events: Sequence[Recorded]) -> list[bytes]:
    """What gates are sent of a change. They read the tables where it is too large, where it is about names (first, for
    then they know that what follows is not all), and where no events lead from one state to the other, because an
    older copy of the database was put back."""
    moved = _moved(after, chain)
    follows = events and events[0].revision == before.revision + 1 and events[-1].revision == after.revision
    if not follows or len(events) != after.revision - before.revision:
        return [moved]
    change = gate_change(before, after, events)
    delta = wire.encode("delta", delta=replace(change.delta, chain=chain).as_dict())
    if len(delta) > wire.MAX_DATAGRAM:
        return [moved]
    return [moved, delta] if change.names_added or change.names_removed else [delta]
