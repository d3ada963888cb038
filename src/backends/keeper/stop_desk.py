"""The stop desk: takes stop orders from a socket of their own and has them obeyed before they are recorded.

An order goes to every gate at once, then to the latch and to the recorder, each on a thread of its own. Whoever
ordered is answered when the order is recorded, or shortly before it stops waiting, and then is told how durable it is.
This thread shares no queue, lock, connection or socket with anything else.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from immutables import Map

from backends.keeper.log import NAME
from backends.keeper.outbox import GATES, Address, Outbox
from backends.keeper.peers import BUFFER_BYTES, Letter, receive
from backends.keeper.publisher import order_datagram
from backends.keeper.roster import Entry
from backends.spool import Recorded, recorded_id
from backends.stop_lane import ANSWER_S, Placing
from core.state import State
from opsgate import latch, wire
from opsgate.order import Order
from opsgate.paths import ALL_FLEETS
from opsgate.snapshot import Delta

_log = logging.getLogger(NAME)

_ANSWER_BY_S: Final = 0.7 * ANSWER_S
"""Seconds after which an order that is not recorded yet is answered all the same."""

_REPEAT_S: Final = 0.25
"""Seconds between two tellings of a gate that does not say that it has heard an order."""

_OVER_S: Final = 60.0
"""Seconds for which gates that obey an order long ended are told so."""

_OVER_AT_ONCE: Final = 100
"""Ended stops that one datagram names; the next beat lists what is left."""

_CASES_MAX: Final = 10_000


@dataclass(slots=True)
class _Case:
    """One order: whether gates were sent it, what became of it, and who waits to hear of it until when (host clock)."""

    order: Order
    pushed: bool = False
    recorded: Recorded | None = None
    askers: list[tuple[Address, float]] = field(default_factory=list)


class StopDesk(threading.Thread):
    """Reads the stop socket until `close`."""

    def __init__(
        self,
        channel: socket.socket,
        fleets: Sequence[str],
        entries: Callable[[], Mapping[str, Entry]],
        latest: Callable[[], State],
        elapsed_s: Callable[[], float],
    ) -> None:
        """``fleets`` are the names under which latches of this fleet lie, the one for new latches first."""
        super().__init__(name="stop-desk", daemon=True)
        self.unrecorded: Map[str, Order] = Map()
        """The orders in force that the journal does not know yet. Replaced, never changed: read it from anywhere."""
        self.record: Callable[[Order], None] = lambda _order: None
        """Where orders go to be recorded; must return at once."""
        self._channel = channel
        self._gates, self._answers = Outbox(GATES), Outbox()
        self._fleets = fleets
        self._entries = entries
        self._latest = latest
        self._elapsed_s = elapsed_s
        self._cases: dict[str, _Case] = {}
        self._adopted: deque[Order] = deque()
        self._settled: deque[Recorded] = deque()
        self._over: dict[str, float] = {}
        self._repeat_at_s = 0.0
        self._ear, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._ending = False

    def adopt(self, order: Order) -> None:
        """Take over an order that was found latched. From any thread."""
        self._adopted.append(order)
        self._ring()

    def settled(self, recorded: Recorded) -> None:
        """The recorder has recorded an order. From its thread."""
        self._settled.append(recorded)
        self._ring()

    def joined(self, address: Address) -> None:
        """Tell a new gate what is in force and in no table yet. From any thread."""
        for order in self.unrecorded.values():
            self._push(order, [address])

    def obeys(self, address: Address, revision: int, stop_ids: Iterable[str]) -> None:
        """Tell a gate which of the stops that it has in force have ended. From any thread.

        It may have missed both the recording and the end, and then no table says so ever again. Of a stop that the
        state does not know nobody can say that it is over: it stays.
        """
        state = self._latest()
        known = [state.stops[stop_id] for stop_id in stop_ids if stop_id in state.stops]
        over = [stop.stop_id for stop in known if state.emergencies[stop.emergency_id].status == "ended"]
        if over:
            self._tell_over(over[:_OVER_AT_ONCE], revision, address)

    def obeyed(self, command_id: str) -> bool:
        """Whether a command records an order that was sent to all gates. From any thread."""
        case = self._cases.get(command_id)
        return case is not None and case.pushed

    @property
    def only_in_memory(self) -> bool:
        """Whether some order is in no journal and on no disk."""
        return any(not latch.latched(stop_id, (*self._fleets, ALL_FLEETS)) for stop_id in self.unrecorded)

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ending = True
        self._ring()
        self.join(timeout=5)
        self._gates.close()
        self._answers.close()
        os.close(self._ear)
        os.close(self._bell)

    def run(self) -> None:
        """The life of the thread."""
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        poller.register(self._ear, select.POLLIN)
        buffer = bytearray(BUFFER_BYTES)
        while not self._ending:
            poller.poll(self._rest_s() * 1000)
            try:
                self._turn(buffer)
            except Exception:  # noqa: BLE001 (whatever happens, the next stop must be heard)
                _log.exception("the stop desk met a fault of its own and goes on")

    def _turn(self, buffer: bytearray) -> None:
        try:
            os.read(self._ear, 4096)
        except BlockingIOError:
            pass  # it was the socket, or the time
        while (letter := self._next(buffer)) is not None:
            self._take(letter)
        while self._adopted:
            self._open(self._adopted.popleft())
        while self._settled:
            self._settle(self._settled.popleft())
        now_s = self._elapsed_s()
        for case in self._cases.values():
            self._answer_late(case, now_s)
        if now_s >= self._repeat_at_s:
            self._repeat(now_s)

    def _next(self, buffer: bytearray) -> Letter | None:
        try:
            return receive(self._channel, buffer)
        except BlockingIOError:
            return None

    def _take(self, letter: Letter) -> None:
        try:
            order = self._order_in(letter.message)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            _log.warning("a malformed stop order was dropped", extra={"pid": letter.peer.pid, "fault": repr(error)})
            return
        case = self._open(order)
        case.askers.append((letter.peer.address, self._elapsed_s() + _ANSWER_BY_S))
        if case.recorded is not None:
            self._answer(case)

    def _order_in(self, message: Mapping[str, Any]) -> Order:
        """The order itself, or the one that lies latched because it is too large for a datagram."""
        if message["t"] != "order":
            raise ValueError("this socket takes orders only")
        if "order" in message:
            return Order.from_dict(message["order"])
        for order in latch.in_force(self._fleets):
            if order.stop_id == message["stop_id"]:
                return order
        raise ValueError("no latch holds the order that was named")

    def _open(self, order: Order) -> _Case:
        """Have an order obeyed, latched and recorded, once."""
        known = self._cases.get(order.stop_id)
        if known is not None:
            return known
        case = self._cases[order.stop_id] = _Case(order)
        try:
            self._see_to(case)
        except BaseException:
            del self._cases[order.stop_id]  # or it would pass for seen to, when it is seen again
            raise
        while len(self._cases) > _CASES_MAX:
            del self._cases[next(iter(self._cases))]
        return case

    def _see_to(self, case: _Case) -> None:
        """Gates first, then the journal, and the disk last: where no thread is left, it is waited for."""
        order = case.order
        is_new = recorded_id(order) not in self._latest().stops
        if is_new:
            self.unrecorded = self.unrecorded.set(order.stop_id, order)
            self._repeat_at_s = self._elapsed_s() + _REPEAT_S
            case.pushed = self._push(order, [entry.address for entry in self._entries().values()])
        self.record(order)
        if is_new:
            told = {"stop": order.stop_id, "stop_level": order.level, "actor": order.actor, "door": order.door}
            _log.warning("a stop was ordered", extra=told)
            Placing(order, self._fleets[:1]).at_last()

    def _settle(self, recorded: Recorded) -> None:
        stop_id = recorded.order.stop_id
        self.unrecorded = self.unrecorded.delete(stop_id) if stop_id in self.unrecorded else self.unrecorded
        case = self._cases.get(stop_id)
        if case is not None:
            case.recorded = recorded
            self._answer(case)
        if recorded.standing == "ended":
            self._over[stop_id] = self._elapsed_s()
        _log.info("a stop is in the journal", extra={"stop": stop_id, "revision": recorded.revision})

    def _answer(self, case: _Case) -> None:
        assert case.recorded is not None, "answered when it is recorded"
        stop = case.recorded.stop
        fields = {
            "durable": "database",
            "revision": case.recorded.revision,
            "emergency_id": stop.emergency_id if stop else None,
            "of": len(stop.of) if stop else 0,
        }
        for address, _ in case.askers:
            self._answers.send(wire.encode("ordered", stop_id=case.order.stop_id, **fields), address)
        case.askers.clear()

    def _answer_late(self, case: _Case, now_s: float) -> None:
        """Whoever cannot wait longer hears how durable the order is now; it will be recorded all the same."""
        due = [address for address, until_s in case.askers if until_s <= now_s]
        if not due:
            return
        latched = latch.latched(case.order.stop_id, (*self._fleets, ALL_FLEETS))
        answer = wire.encode("ordered", stop_id=case.order.stop_id, durable="spool" if latched else "memory")
        for address in due:
            self._answers.send(answer, address)
        case.askers = [(address, until_s) for address, until_s in case.askers if until_s > now_s]

    def _repeat(self, now_s: float) -> None:
        """Tell again whoever has not said that it heard, and whoever still obeys what has long ended."""
        self._repeat_at_s = now_s + _REPEAT_S
        entries = [entry for entry in self._entries().values() if entry.is_live(now_s)]
        for stop_id, order in self.unrecorded.items():
            self._push(order, [entry.address for entry in entries if stop_id not in entry.row.stops])
        for stop_id, since_s in list(self._over.items()):
            if now_s - since_s > _OVER_S:
                del self._over[stop_id]
            for entry in entries:
                if stop_id in entry.row.stops:
                    self._tell_over([stop_id], entry.row.revision, entry.address)

    def _push(self, order: Order, addresses: Iterable[Address]) -> bool:
        """Send an order to gates; False where it is too large, and latch and tables have to do."""
        datagram = order_datagram(order)
        if datagram is None:
            return False
        for address in addresses:
            if address:
                self._gates.send(datagram, address)
        return True

    def _tell_over(self, stop_ids: Sequence[str], revision: int, address: Address) -> None:
        """As a change that changes no revision."""
        delta = Delta(since=revision, revision=revision, ended=tuple(stop_ids))
        self._gates.send(wire.encode("delta", delta=delta.as_dict()), address)

    def _rest_s(self) -> float:
        now_s = self._elapsed_s()
        due_s = [until_s for case in self._cases.values() for _, until_s in case.askers]
        if self.unrecorded or self._over:
            due_s.append(self._repeat_at_s)
        return max(0.0, min(due_s, default=now_s + 60.0) - now_s)

    def _ring(self) -> None:
        try:
            os.write(self._bell, b"!")
        except BlockingIOError:
            pass  # it rings already
