"""The post: one thread that reads the keeper's sockets and hands each message to the part it is for.

It does nothing that could wait: no disk, no database, no lock that is held for long. What it cannot do at once it
leaves with the counter, the publisher or the loops.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from backends.keeper.beats import Ack, Beat
from backends.keeper.log import NAME
from backends.keeper.outbox import Outbox
from backends.keeper.peers import BUFFER_BYTES, Peer, receive
from backends.keeper.reception import Reception
from opsgate import wire

_log = logging.getLogger(NAME)

_AT_ONCE: Final = 1000
"""Messages of one socket after which it looks whether it should end, however many more there are."""

_GATHER_S: Final = 0.001
"""Seconds that it rests after acknowledgements: a thousand that are read one by one cost several times as much as those
that are read together, and take the processor from those who still have to send theirs."""


class Desk(Protocol):
    """The parts that messages are for. Each returns at once."""

    def watched(self, address: bytes | str) -> None:
        """Somebody wants to be told of changes."""

    def hinted(self) -> None:
        """Somebody committed something or placed a latch."""

    def count(self, message: Mapping[str, Any], address: bytes | str) -> None:
        """A reservation or a refund is asked for."""

    def sampled(self, message: Mapping[str, Any]) -> None:
        """Somebody measured something. ValueError, KeyError or TypeError where that is none."""

    def presence(self) -> dict[str, Any]:
        """The fields of ``pong``."""


class Post(threading.Thread):
    """Reads some sockets until `close`."""

    def __init__(self, channels: Iterable[socket.socket], outbox: Outbox, reception: Reception, desk: Desk) -> None:
        """``channels`` are read, answers go by ``outbox``."""
        super().__init__(name="post", daemon=True)
        self._channels = {channel.fileno(): channel for channel in channels}
        self._outbox = outbox
        self._reception = reception
        self._desk = desk
        self._ending = threading.Event()
        self._ear, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._acks: list[tuple[Ack, Peer]] = []
        self._refused: set[tuple[str, int]] = set()

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ending.set()
        os.close(self._bell)  # which ends the wait that may be going on
        if self.ident is not None:
            self.join(timeout=5)
        os.close(self._ear)

    def run(self) -> None:
        """The life of the thread."""
        buffer = bytearray(BUFFER_BYTES)
        with select.epoll() as poller:
            for descriptor in self._channels:
                poller.register(descriptor, select.EPOLLIN)
            poller.register(self._ear, select.EPOLLIN)
            while not self._ending.is_set():
                if self._read([descriptor for descriptor, _ in poller.poll() if descriptor != self._ear], buffer):
                    time.sleep(_GATHER_S)  # many speak at once: the next look finds them together
        self._read(self._channels, buffer)  # what had been said before it was told to end

    def _read(self, descriptors: Iterable[int], buffer: bytearray) -> bool:
        """Read what has come on these; whether there were acknowledgements among it."""
        try:
            for descriptor in descriptors:
                self._empty(self._channels[descriptor], buffer)
            acks, self._acks = self._acks, []
            if acks:
                self._reception.acknowledge(acks)
        except Exception:  # noqa: BLE001 (whatever a message or a fault of ours does, the next one is read)
            _log.exception("the post met a fault of its own and goes on")
            return False
        return bool(acks)

    def _empty(self, channel: socket.socket, buffer: bytearray) -> None:
        try:
            for _ in range(_AT_ONCE):
                letter = receive(channel, buffer)
                if letter is not None:
                    self._receive(letter.message, letter.peer)
        except BlockingIOError:
            pass  # there is nothing more

    # Not `_handle`: from Python 3.13 on a thread has one of its own.
    def _receive(self, message: Mapping[str, Any], peer: Peer) -> None:
        try:
            match message["t"]:
                case "ack":
                    self._acks.append((Ack.of(message), peer))
                case "beat":
                    self._beat(Beat.of(message), peer)
                case "bye":
                    self._reception.leave(str(message["worker"]), peer)
                case "reserve" | "refund":
                    self._desk.count(message, peer.address)
                case "sample":
                    self._desk.sampled(message)
                case "watch":
                    self._desk.watched(peer.address)
                    self._answer("pong", peer, self._desk.presence())
                case "ping":
                    self._answer("pong", peer, self._desk.presence())
                case "hint":
                    self._desk.hinted()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("a malformed message was dropped", extra={"pid": peer.pid, "fault": repr(error)})

    def _beat(self, beat: Beat, peer: Peer) -> None:
        heard = self._reception.beat(beat, peer)
        if heard.refused:
            self._refuse(beat.worker_id, peer, heard.refused)

    def _refuse(self, worker_id: str, peer: Peer, why: str) -> None:
        """Said once for each pair: a forger must not fill the disk."""
        if (worker_id, peer.pid) not in self._refused and len(self._refused) < 10_000:
            self._refused.add((worker_id, peer.pid))
            _log.warning("a heartbeat was refused", extra={"worker": worker_id, "pid": peer.pid, "fault": why})

    def _answer(self, kind: str, peer: Peer, fields: Mapping[str, Any]) -> None:
        self._outbox.send(wire.encode(kind, **fields), peer.address)
