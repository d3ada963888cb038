"""Obeying a stop order in the least possible time: in force first, acknowledged next, and read later.

The order of the steps is the point. Whoever sees a piece of work admitted after the order was put in force knows that
the work was counted before; so what is counted then is all that the stop has to wait for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from opsgate import unread, wire
from opsgate.beats import Beats
from opsgate.channel import Address, Sent
from opsgate.order import Order
from opsgate.unread import UnreadView
from opsgate.view import View


class Obedience:
    """The orders of one gate that are obeyed and not read yet. For use by one thread; a fork may copy it any time."""

    def __init__(
        self, worker: str, beats: Beats, publish: Callable[[View], None], say: Callable[[bytes, Address], Sent]
    ) -> None:
        """``publish`` puts a view in force, ``say`` sends one datagram to an address."""
        self._head = wire.encode("ack", worker=worker)[:-1]
        self._beats = beats
        self._publish = publish
        self._say = say
        self._unread: deque[tuple[str, bytes]] = deque()
        self._told: list[tuple[str, int]] = []

    def obey(self, view: View, stop_id: str, datagram: bytes, sender: Address) -> bool:
        """Obey an order that is news, on top of ``view``; False where its sender could not be told."""
        self._unread.append((stop_id, datagram))
        self._publish(UnreadView(view, stop_id, datagram))
        running = self._beats.running(unread.read(stop_id, datagram).notice()) if self._beats.note(stop_id) else 0
        if self._say(b'%b,"stop":"%b","running":%d}' % (self._head, stop_id.encode(), running), sender) != "sent":
            return False
        self._told.append((stop_id, running))
        return True

    def orders(self) -> Iterator[Order]:
        """The orders, read; each is forgotten here when the next one is asked for. From here on the beats know what the
        keeper was told."""
        while self._told:
            self._beats.acknowledged(*self._told.pop(0))
        while self._unread:
            yield unread.read(*self._unread[0])
            self._unread.popleft()

    def inherit(self, parent: Obedience) -> None:
        """In a forked child: go on with what the parent had not read."""
        self._unread.extend(parent._unread)
