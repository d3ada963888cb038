"""The publisher: each change of the fleet as one datagram, encoded once and sent to every gate that has ever spoken.

Nothing here waits. A gate whose queue is full is told again, and then only that something moved: it reads the tables.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from immutables import Map

from backends.keeper.log import NAME
from backends.keeper.roster import Entry
from core.policy import gate_change
from core.ports import Arrival
from core.state import State
from opsgate import wire
from opsgate.order import Order

_log = logging.getLogger(NAME)

_AGAIN_S: Final = 0.05
"""Seconds between two tries to reach a gate that does not read its mail."""

_TRIES: Final = 200
"""After so many (10 s) it is left to its own poll and its next beat."""

WATCHER_S: Final = 15.0
"""Seconds after which a watcher that has not asked again is forgotten."""

Address = bytes | str


def send(channel: socket.socket, datagram: bytes, address: Address) -> bool:
    """Hand a datagram to one socket without waiting (``channel`` must not block); False only where somebody is there
    and its queue is full."""
    try:
        channel.sendto(datagram, address)
    except BlockingIOError:
        return False
    except OSError:
        return True  # it has gone; its silence makes it lost in time
    return True


def order_datagram(order: Order) -> bytes | None:
    """The order for gates; None where it is too large, and the latch and the tables have to do."""
    datagram = wire.encode("order", order=order.as_dict())
    return datagram if len(datagram) <= wire.MAX_DATAGRAM else None


class Publisher(threading.Thread):
    """Follows the fleet for all gates and watchers; the thread only repeats what did not get through."""

    def __init__(
        self,
        channel: socket.socket,
        entries: Callable[[], Mapping[str, Entry]],
        state: State,
        elapsed_s: Callable[[], float],
    ) -> None:
        super().__init__(name="publisher", daemon=True)
        self._channel = channel
        self._entries = entries
        self._state = state
        self._elapsed_s = elapsed_s
        self._watchers: Map[Address, float] = Map()
        self._behind: Map[Address, int] = Map()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = False

    def arrived(self, arrival: Arrival) -> None:
        """Tell everybody of a change. Called by the runtime, on a thread of its own."""
        before, self._state = self._state, arrival.state
        moved = wire.encode("moved", revision=arrival.state.revision)
        datagram = _delta(before, arrival) or moved
        self._all(datagram, (entry.address for entry in self._entries().values() if entry.row.state == "live"))
        self._all(moved, self.watchers())

    def joined(self, address: Address, revision: int) -> None:
        """Somebody new is here; it reads the tables where it does not know the fleet as it is."""
        if revision != self._state.revision:
            self._all(wire.encode("moved", revision=self._state.revision), [address])

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
        self._all(wire.encode("moved", revision=self._state.revision), addresses)

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ending = True
        self._wake.set()
        self.join(timeout=5)

    def run(self) -> None:
        """The life of the thread: sleep until somebody is behind, and repeat until they are not."""
        while not self._ending:
            self._wake.wait(_AGAIN_S if self._behind else None)
            self._wake.clear()
            if self._behind and not self._ending:
                self._again()
                self._wake.wait(_AGAIN_S)

    def _all(self, datagram: bytes, addresses: Iterable[Address]) -> None:
        late = [address for address in addresses if address and not send(self._channel, datagram, address)]
        if late:
            with self._lock:
                for address in late:
                    self._behind = self._behind.set(address, _TRIES)
            self._wake.set()

    def _again(self) -> None:
        moved = wire.encode("moved", revision=self._state.revision)
        for address, tries in self._behind.items():
            through = send(self._channel, moved, address)
            with self._lock:
                if through or tries <= 1:
                    self._behind = self._behind.delete(address)
                else:
                    self._behind = self._behind.set(address, tries - 1)


def _delta(before: State, arrival: Arrival) -> bytes | None:
    """The change as a datagram; None where gates have to read the tables: it is too large, it is about names, or no
    events lead from one state to the other (an older copy of the database was put back)."""
    events, after = arrival.events, arrival.state
    if not events or events[0].revision != before.revision + 1 or events[-1].revision != after.revision:
        return None
    change = gate_change(before, after, events)
    if (change.names_added or change.names_removed) and not change.delta.placed and not change.delta.ordered:
        return None
    datagram = wire.encode("delta", delta=change.delta.as_dict())
    return datagram if len(datagram) <= wire.MAX_DATAGRAM else None
