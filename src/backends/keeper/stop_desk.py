"""The stop desk: takes stop orders from a socket of their own and has them obeyed before they are recorded.

An order goes to every gate at once, then to the recorder and to the latch, each on a thread of its own. Whoever ordered
is answered when the order is recorded, or shortly before it stops waiting, and then is told how durable it is. This
thread shares no queue, lock, connection or socket with anything else, and waits for no disk.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from immutables import Map

from backends.keeper.cases import Answered, Asker, Case, Cases, in_the_journal
from backends.keeper.herald import Herald
from backends.keeper.log import NAME
from backends.keeper.outbox import Address, Outbox, Streams
from backends.keeper.peers import BUFFER_BYTES, Letter, receive
from backends.keeper.roster import Entry
from backends.milestones import Milestone, passing
from backends.spool import Recorded, covers, journal_id, recorded_id
from backends.stop_lane import ANSWER_S, Placing
from core.state import State
from opsgate import latch
from opsgate.order import Order
from opsgate.paths import ALL_FLEETS

_log = logging.getLogger(NAME)

_ANSWER_BY_S: Final = 0.7 * ANSWER_S
"""Seconds after which an order that is not recorded yet is answered all the same."""

_DOOR_S: Final = 0.5
"""Seconds for which an order that was found on disk is in force without being recorded. Whoever placed it comes by a
door at the same time, where it is known who that is, and what a credential says is what the journal has to say."""

_REST_S: Final = 60.0


class StopDesk(threading.Thread):
    """Reads the stop socket until `close`."""

    def __init__(
        self,
        channel: socket.socket | None,
        fleets: Sequence[str],
        entries: Callable[[], Mapping[str, Entry]],
        latest: Callable[[], State],
        elapsed_s: Callable[[], float],
        streams: Streams | None = None,
    ) -> None:
        """``fleets`` are the names under which latches of this fleet lie, the one for new latches first. Without a
        ``channel`` orders come by `take` and `adopt` alone, until `listen` gives it one."""
        super().__init__(name="stop-desk", daemon=True)
        self.unrecorded: Map[str, Order] = Map()
        """The orders in force that the journal does not know yet. Replaced, never changed: read it from anywhere."""
        self.record: Callable[[Order], None] = lambda _order: None
        """Where orders go to be recorded; must return at once."""
        self.drive: Callable[[Order], None] = lambda _order: None
        """Where orders go so that their services are stopped; must return at once."""
        self._channel = channel
        self._herald, self._answers = Herald(entries, streams), Outbox()
        self._fleets = fleets
        self._latest = latest
        self._elapsed_s = elapsed_s
        self._cases = Cases()
        self._adopted: deque[Order] = deque()
        self._found: dict[str, tuple[Order, float]] = {}
        """Orders that nobody has brought by a door yet, and until when (host clock) that is waited for."""
        self._taken: deque[tuple[Order, Answered]] = deque()
        self._claims: dict[str, Order] = {}
        """Orders on their way to the desk's thread by their ids."""
        self._claiming = threading.Lock()
        self._settled: deque[Recorded] = deque()
        self._ahead: dict[str, Recorded] = {}
        """Orders that are in the journal, by a runtime of its own, and not yet in the state that others look at."""
        self._ear, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._ending = False

    # ------------------------------------------------------------------------------------------- from any thread
    def adopt(self, order: Order) -> None:
        """Take over an order that was found latched."""
        self._adopted.append(order)
        self._ring()

    def listen(self, channel: socket.socket) -> None:
        """Read this socket too, from now on."""
        self._channel = channel
        self._ring()

    def take(self, order: Order, answered: Answered) -> None:
        """Take an order from another door of this process. ``answered`` is called once, on the desk's thread, with the
        ``ordered`` message, when it is recorded or `ANSWER_S` have nearly passed; it must return at once."""
        self._taken.append((order, answered))
        self._ring()

    def claim(self, order: Order) -> bool:
        """Say that an order is about to be handed to `take` under its id; False where the id `is_taken`, or was claimed
        a moment ago for what does not stop this one's work. Of two who come together one gets it."""
        with self._claiming:
            claimed = self._claims.get(order.stop_id)
            if self.is_taken(order) or (claimed is not None and not covers(claimed, order)):
                return False
            self._claims.setdefault(order.stop_id, order)
            return True

    def is_taken(self, order: Order) -> bool:
        """Whether its id is that of a stop which does not stop what this order means to: another one, or one that has
        been recovered."""
        state, case = self._latest(), self._cases.of(order.stop_id)
        stop = state.stops.get(order.stop_id)
        if stop is not None and state.emergencies[stop.emergency_id].status == "ended":
            return True
        known = stop or (case.order if case else None)
        return known is not None and not covers(known, order)

    def settled(self, recorded: Recorded) -> None:
        """The recorder has recorded an order."""
        self._settled.append(recorded)
        self._ring()

    def moved(self) -> None:
        """The state has changed, and may hold by now what was recorded."""
        if self.unrecorded and not self._ending:
            self._ring()

    def joined(self, address: Address) -> None:
        """Tell a new gate what is in force and in no table yet."""
        for order in self.unrecorded.values():
            self._herald.tell(order, [address])

    def obeys(self, address: Address, revision: int, stop_ids: Iterable[str]) -> None:
        """Tell a gate which of the stops that it has in force have ended.

        It may have missed both the recording and the end, and then no table says so ever again. Of a stop that the
        state does not know nobody can say that it is over: it stays.
        """
        state = self._latest()
        known = [state.stops[stop_id] for stop_id in stop_ids if stop_id in state.stops]
        over = [stop.stop_id for stop in known if state.emergencies[stop.emergency_id].status == "ended"]
        self._herald.tell_over(over, revision, address)

    def obeyed(self, command_id: str) -> bool:
        """Whether a command records an order that was sent to all gates."""
        case = self._cases.of(command_id)
        return case is not None and case.pushed

    @property
    def ears(self) -> Sequence[socket.socket]:
        """Where gates acknowledge the orders that they are told; for somebody else to read."""
        return self._herald.ears

    @property
    def only_in_memory(self) -> bool:
        """Whether some order is in no journal and on no disk. Asks the disk."""
        return any(not latch.latched(stop_id, (*self._fleets, ALL_FLEETS)) for stop_id in self.unrecorded)

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ending = True
        self._ring()
        self.join(timeout=5)
        self._herald.close()
        self._answers.close()
        os.close(self._ear)
        os.close(self._bell)

    # --------------------------------------------------------------------------------------------- the desk itself
    def run(self) -> None:
        """The life of the thread."""
        poller = select.poll()
        poller.register(self._ear, select.POLLIN)
        buffer, heard = bytearray(BUFFER_BYTES), None
        while not self._ending:
            if self._channel is not heard and self._channel is not None:
                heard = self._channel
                poller.register(heard, select.POLLIN)
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
        while self._taken:
            order, answered = self._taken.popleft()
            self._ask(order.stop_id, order, answered)
            with self._claiming:
                self._claims.pop(order.stop_id, None)  # there is a case of it by now
        while self._adopted:
            self._open(self._adopted.popleft(), found=True)
        while self._settled:
            self._settle(self._settled.popleft())
        self._hand_over()
        now_s = self._elapsed_s()
        for order, until_s in tuple(self._found.values()):
            if until_s <= now_s:
                self._record(order)
        for address, case in self._cases.late(now_s):  # it will be recorded all the same
            self._say(case.answer(), address)
        self._herald.repeat(self.unrecorded.values(), now_s)

    def _say(self, answer: bytes, asker: Asker) -> None:
        if callable(asker):
            asker(answer)
        else:
            self._answers.send(answer, asker)

    def _next(self, buffer: bytearray) -> Letter | None:
        if self._channel is None:
            return None
        try:
            return receive(self._channel, buffer)
        except BlockingIOError:
            return None

    def _take(self, letter: Letter) -> None:
        try:
            stop_id, order = _order_in(letter.message)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            _log.warning("a malformed stop order was dropped", extra={"pid": letter.peer.pid, "fault": repr(error)})
            return
        self._ask(stop_id, order, letter.peer.address)

    def _ask(self, stop_id: str, order: Order | None, asker: Asker) -> None:
        self._cases.ask(stop_id, asker, self._elapsed_s() + _ANSWER_BY_S)
        if order is not None:
            self._open(order)
        self._answer(stop_id)

    def _open(self, order: Order, *, found: bool = False) -> None:
        """Have an order obeyed, recorded and latched, once; one that was ``found`` is recorded a moment later."""
        known = self._cases.of(order.stop_id)
        if known is not None and recorded_id(known.order) == recorded_id(order):
            if not found and order.stop_id in self._found:
                self._record(order)
            return
        case = self._cases.open(order)
        try:
            self._see_to(case, found=found)
        except BaseException:
            self._cases.forget(order.stop_id)  # or it would pass for seen to, when it is seen again
            raise

    def _record(self, order: Order) -> None:
        self.record(order)
        self._found.pop(order.stop_id, None)

    def _see_to(self, case: Case, *, found: bool) -> None:
        """Gates first, then the journal, and the disk last: where no thread is left, it is waited for."""
        passing(Milestone.ORDER_HEARD)
        order = case.order
        proclaimed = replace(order, stop_id=journal_id(order, self._latest()))  # by this id gates are told of its end
        is_new = proclaimed.stop_id not in self._latest().stops
        if is_new:
            self.unrecorded = self.unrecorded.set(order.stop_id, proclaimed)
            case.pushed = self._herald.proclaim(proclaimed, self._elapsed_s())
            passing(Milestone.ORDER_TOLD)
            self.drive(proclaimed)
            passing(Milestone.ORDER_DRIVEN)
        if found:
            self._found[order.stop_id] = (order, self._elapsed_s() + _DOOR_S)
        else:
            self._record(order)
        passing(Milestone.ORDER_HANDED_ON)
        if is_new:
            told = {"stop": order.stop_id, "stop_level": order.level, "actor": order.actor, "door": order.door}
            _log.warning("a stop was ordered", extra=told)
            case.placing = Placing(order, self._fleets[:1])
            case.placing.at_last()

    def _settle(self, recorded: Recorded) -> None:
        stop_id = recorded.order.stop_id
        self._ahead[stop_id] = recorded
        case = self._cases.of(stop_id)
        if case is not None:
            case.recorded = recorded
            self._answer(stop_id)
        if recorded.standing == "ended":
            self._herald.over(recorded_id(recorded.order), self._elapsed_s())
        _log.info("a stop is in the journal", extra={"stop": stop_id, "revision": recorded.revision})

    def _hand_over(self) -> None:
        """Let go of the orders that the state holds by now. Until then they are in force from here alone: whoever asked
        in between would find them nowhere, and for as long as the database is away just then."""
        state = self._latest()
        for stop_id, recorded in list(self._ahead.items()):
            is_held = journal_id(recorded.order, state) in state.stops or recorded.revision <= state.revision
            if is_held or recorded.standing == "ended":
                del self._ahead[stop_id]
                self.unrecorded = self.unrecorded.delete(stop_id) if stop_id in self.unrecorded else self.unrecorded

    def _answer(self, stop_id: str) -> None:
        """Tell everybody who waits for it that a stop is in the journal, if it is."""
        case, state = self._cases.of(stop_id), self._latest()
        if case is not None and case.recorded is not None:
            answer = case.answer()
        elif case is None and stop_id in state.stops:
            answer = in_the_journal(stop_id, state.revision, state.stops[stop_id])
        else:
            return
        for address in self._cases.asked(stop_id):
            self._say(answer, address)

    def _rest_s(self) -> float:
        now_s = self._elapsed_s()
        found_s = (until_s for _, until_s in self._found.values())
        due_s = min(self._cases.due_s(), self._herald.due_s(self.unrecorded.values()), *found_s)
        return min(max(0.0, due_s - now_s), _REST_S)

    def _ring(self) -> None:
        try:
            os.write(self._bell, b"!")
        except BlockingIOError:
            pass  # it rings already


def _order_in(message: Mapping[str, Any]) -> tuple[str, Order | None]:
    """The stop that is ordered, and its text where that came along: one that is too large for a datagram is named, and
    the latch watch finds it. ValueError, KeyError, TypeError or AttributeError where it is no order."""
    if message["t"] != "order":
        raise ValueError("this socket takes orders only")
    if "order" not in message:
        return str(message["stop_id"]), None
    order = Order.from_dict(message["order"])
    return order.stop_id, order
