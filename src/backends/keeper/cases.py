"""Cases: what became of each order that the stop desk has met, and who waits to hear of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from backends.keeper.outbox import Address
from backends.spool import Recorded
from backends.stop_lane import Placing
from core.state import Stop
from opsgate import wire
from opsgate.order import Order

Answered = Callable[[bytes], None]
"""What takes the answer in this process; must return at once."""

Asker = Address | Answered
"""Who waits to hear of a stop: at an address, or behind another door of this process."""

_CASES_MAX: Final = 10_000


@dataclass(slots=True)
class Case:
    """One order on its way: to the gates (``pushed``), to the disk (``placing``) and to the journal (``recorded``)."""

    order: Order
    pushed: bool = False
    placing: Placing | None = None
    recorded: Recorded | None = None

    def answer(self) -> bytes:
        """How durable the order is by now, without asking a disk."""
        if self.recorded is not None:
            return in_the_journal(self.order.stop_id, self.recorded.revision, self.recorded.stop)
        latched = self.placing is not None and self.placing.is_done
        return wire.encode("ordered", stop_id=self.order.stop_id, durable="spool" if latched else "memory")


def in_the_journal(stop_id: str, revision: int, stop: Stop | None) -> bytes:
    """The answer for a recorded order; ``stop`` is None where it ended so long ago that only the journal has it."""
    emergency_id, of = (stop.emergency_id, len(stop.listed)) if stop else (None, 0)
    return wire.encode(
        "ordered", stop_id=stop_id, durable="database", revision=revision, emergency_id=emergency_id, of=of
    )


class Cases:
    """The newest cases by stop id, and who waits for an answer. For use by one thread, but for `of`: from any."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._askers: dict[str, list[tuple[Asker, float]]] = {}

    def of(self, stop_id: str) -> Case | None:
        """The case of a stop, as far as it is known here."""
        return self._cases.get(stop_id)

    def open(self, order: Order) -> Case:
        """A new case. The oldest one is forgotten where there are too many."""
        case = self._cases[order.stop_id] = Case(order)
        while len(self._cases) > _CASES_MAX:
            del self._cases[next(iter(self._cases))]
        return case

    def forget(self, stop_id: str) -> None:
        """Let go of a case, as if its order had never come; who asked goes on waiting."""
        del self._cases[stop_id]

    def ask(self, stop_id: str, asker: Asker, until_s: float) -> None:
        """Somebody waits until then (host clock) to hear of a stop, which may have to come by another way yet."""
        self._askers.setdefault(stop_id, []).append((asker, until_s))

    def asked(self, stop_id: str) -> list[Asker]:
        """Everybody who waits to hear of a stop. They wait no more."""
        return [asker for asker, _ in self._askers.pop(stop_id, ())]

    def late(self, now_s: float) -> Iterator[tuple[Asker, Case]]:
        """Whoever cannot wait longer, and for what. They wait no more. Nobody is answered for an order that has not
        come, because nothing here obeys it."""
        for stop_id, askers in list(self._askers.items()):
            case, patient = self._cases.get(stop_id), [asker for asker in askers if asker[1] > now_s]
            if case is not None:
                yield from ((address, case) for address, until_s in askers if until_s <= now_s)
            if patient:
                self._askers[stop_id] = patient
            else:
                del self._askers[stop_id]

    def due_s(self) -> float:
        """When the first of them cannot wait longer (host clock); infinity where nobody waits."""
        return min((until_s for askers in self._askers.values() for _, until_s in askers), default=float("inf"))
