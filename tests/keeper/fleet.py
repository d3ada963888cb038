"""A fleet for tests of the keeper: a real database, a real keeper process, and workers that say what a test says."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backends import open_backend, stop_lane
from backends.keeper import peers
from core.ports import Backend, WorkerRow
from core.state import Stop
from opsgate import wire
from opsgate.order import Order
from tests.support.hired import hire
from tests.support.waiting import eventually

Message = Mapping[str, Any]


class SaidWorker:
    """A worker that beats when the test says so, and keeps what it is sent."""

    def __init__(self, address: Path, name: str, **scope: str) -> None:
        self.name = name
        self._address = str(address)
        self._scope = {dimension: [value] for dimension, value in scope.items()}
        self._channel = wire.endpoint()
        self._channel.setblocking(False)
        self._heard: list[Message] = []

    def beat(self, *stops: str, draining: Mapping[str, int] | None = None, revision: int = 0) -> None:
        """Say that it is alive and has seen these stops."""
        self._say(
            "beat",
            worker=self.name,
            pid=os.getpid(),
            scope=self._scope,
            revision=revision,
            stops=stops,
            draining=draining or {},
        )

    def leave(self) -> None:
        """Say goodbye."""
        self._say("bye", worker=self.name)

    def heard(self, kind: str) -> list[Message]:
        """The messages of one kind that have come so far."""
        while True:
            try:
                message = wire.decode(self._channel.recv(wire.MAX_DATAGRAM))
            except BlockingIOError:
                break
            if message is not None:
                self._heard.append(message)
        return [message for message in self._heard if message["t"] == kind]

    def close(self) -> None:
        """Close its socket."""
        self._channel.close()

    def _say(self, kind: str, **fields: Any) -> None:
        eventually(lambda: self._sent(wire.encode(kind, **fields)))

    def _sent(self, datagram: bytes) -> bool:
        try:
            self._channel.sendto(datagram, self._address)
        except BlockingIOError:
            return False
        return True


class KeptFleet:
    """A database with a keeper process over it."""

    def __init__(self, url: str, backend: Backend) -> None:
        self.url = url
        self.backend = backend
        self._workers: list[SaidWorker] = []
        self.address = Path()

    def start(self, linger_s: float = 60.0) -> None:
        """Start the keeper, or find it alive."""
        self.address = hire(self.url, linger_s=linger_s)

    def ping(self) -> Message:
        """What the keeper says of itself; empty when nobody answers."""
        return wire.ask(str(self.address), "ping", timeout_s=20.0) or {}

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send the keeper a signal and wait until it is gone."""
        pid = int(self.ping()["pid"])
        os.kill(pid, number)
        eventually(lambda: not peers.started(pid) and not wire.tell(str(self.address), "hint"))

    def worker(self, name: str, **scope: str) -> SaidWorker:
        """A worker that the journal knows."""
        worker = SaidWorker(self.address, name, **scope)
        self._workers.append(worker)
        worker.beat()
        eventually(lambda: name in self.backend.state().workers and name in self.rows())
        return worker

    def rows(self) -> dict[str, WorkerRow]:
        """What the workers said last, as it is written down."""
        return {row.worker_id: row for row in self.backend.observe().workers}

    def fire(self, order: Order, timeout_s: float | None = None) -> stop_lane.Fired:
        """Fire an order as anybody on this host would."""
        return stop_lane.fire(order, url=self.url, timeout_s=timeout_s)

    def stop(self, order: Order) -> stop_lane.Fired:
        """Fire an order until it is answered from the journal: a busy keeper answers before it has recorded it, and
        the same order again changes nothing."""
        fired = self.fire(order)
        while fired.durable != "database":
            eventually(lambda: self.find(order) is not None)
            fired = self.fire(order)
        return fired

    def find(self, order: Order) -> Stop | None:
        """What the journal knows of an order."""
        return self.backend.state().stops.get(order.stop_id)

    def result(self, order: Order) -> str:
        """What came of an order so far."""
        stop = self.find(order)
        return stop.result if stop else "unknown"

    def close(self) -> None:
        """End everything."""
        for worker in self._workers:
            worker.close()
        if self.ping():
            self.kill()
        self.backend.close()


@contextmanager
def kept_fleet(url: str) -> Iterator[KeptFleet]:
    """A new fleet at ``url`` whose keeper is at work."""
    fleet = KeptFleet(url, open_backend(url))
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.close()


def measured(sentence: str) -> None:
    """Say what was measured; pytest shows it with ``-s`` or ``-rP``."""
    sys.stdout.write(f"{sentence}\n")
