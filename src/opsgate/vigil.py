"""The sleep of the thread that hears, from which orders are obeyed without waking up for anything else.

When a thousand workers hear of a stop they all find their memory cold, and what each of them touches is paid for a
thousand times. So between an order and its acknowledgement nothing is done that can be done later.
"""

from __future__ import annotations

import math
import select
import socket
from collections.abc import Callable
from typing import Final

from opsgate.channel import Address, Channel
from opsgate.clock import elapsed_s
from opsgate.unread import stop_id_in

_AT_ONCE: Final = 1000
"""Letters after which the thread sees to them, however many more there are."""


class Vigil:
    """Waits for the bell, for letters and for a time. For use by one thread, but for `ring`."""

    def __init__(self, channel: Channel, obey: Callable[[str, bytes, Address], float]) -> None:
        """``obey`` takes an order that has come, with its stop's id and the address of its sender, and gives back the
        time (host clock) at which the thread has to be awake for it."""
        self._channel = channel
        self._obey = obey
        self._letters: list[bytes] = []
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)

    def ring(self) -> None:
        """End the sleep: there is something to see. From any thread."""
        try:
            self._bell.send(b"!")
        except OSError:
            pass  # it rings already, or the gate is closed

    def sleep(self, until_s: float) -> list[bytes]:
        """Sleep until then (host clock), until the bell rings, or until a letter comes that is no order; returns the
        letters. An empty one is one of ours that was too long."""
        poller, paper = select.poll(), self._channel.descriptor
        poller.register(self._ear, select.POLLIN)
        if paper is not None:
            poller.register(paper, select.POLLIN)
        rung = False
        while not rung and not self._letters:
            heard = poller.poll(max(0.0, until_s - elapsed_s()) * 1000)
            rung = not heard
            for descriptor, _ in heard:
                if descriptor == paper:
                    until_s = min(until_s, self._open_letter())
                else:
                    rung = True
        self._silence()
        letters, self._letters = self._letters, []
        return letters

    def close(self) -> None:
        """Hear the bell no more."""
        self._ear.close()
        self._bell.close()

    def _open_letter(self) -> float:
        """Obey an order; or keep a letter and whatever else has come with it. When to be awake for what was obeyed."""
        until_s = math.inf
        for _ in range(_AT_ONCE):
            letter = self._channel.receive()
            if letter is None:
                break
            datagram, sender = letter
            if (stop_id := stop_id_in(datagram)) is None:
                self._letters.append(datagram)
                continue
            until_s = min(until_s, self._obey(stop_id, datagram, sender))
            if not self._letters:
                break  # back to sleep: it costs less to be woken again than to look whether there is more
        return until_s

    def _silence(self) -> None:
        """Let the bell be heard again, before anybody looks at what it rang for."""
        try:
            self._ear.recv(65536)
        except BlockingIOError:
            pass  # it was something else
