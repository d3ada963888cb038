"""The stop lane: a stop order leaves by every route at once, and none waits for another.

The latch is a file on this host that gates obey with nothing else alive; it is also the spool, because it holds the
whole order until the journal has it. The datagram goes to the keeper, which pushes the order to every gate and records
it. Where the fleet is behind servers, each of them is told, whether or not another one was reached. Standard library
and `opsgate` only: whoever stops something must not first load a database or a screen, and must need no readable
configuration.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from backends import stop_servers
from backends.milestones import Milestone, passing
from backends.stop_servers import Telling, Told, names_of_url, servers_of
from opsgate import latch, wire
from opsgate.clock import elapsed_s
from opsgate.order import Level, Order
from opsgate.paths import ALL_FLEETS, fleet_of_url, keeper_socket, latch_homes, runtime_home, stop_socket
from opsgate.selector import EVERYTHING, Selector

ANSWER_S: Final = 0.5
"""Seconds that a stop waits to learn how durable it is. Its effect never waits."""

_STRENGTH: Final = {"memory": 0, "spool": 1, "database": 2}


@dataclass(frozen=True, slots=True)
class Fired:
    """What became of each route of one order.

    ``latch_fault`` is empty where the latch lies on disk. ``keeper`` is absent where nobody listens and silent where
    somebody should have answered in time. ``durable`` is the best that was confirmed: ``database`` (recorded),
    ``spool`` (latched, recorded by whoever opens the database next), or ``memory``: on no disk that we know of.
    ``servers`` says what became of it at each server that the backend's URL names.
    ``revision``, ``emergency_id`` and ``of`` (how many must acknowledge) are known once the order is recorded.
    """

    order: Order
    latch_fault: str
    keeper: Literal["answered", "silent", "absent"]
    durable: Literal["database", "spool", "memory"]
    revision: int | None = None
    emergency_id: str | None = None
    of: int | None = None
    servers: tuple[Told, ...] = ()

    @property
    def latched(self) -> bool:
        """Whether the latch was confirmed to lie on disk."""
        return not self.latch_fault

    @property
    def heard(self) -> bool:
        """Whether there is somebody, a keeper or a server, who hears the workers."""
        return self.keeper != "absent" or any(told.word in ("answered", "silent") for told in self.servers)

    @property
    def in_force(self) -> bool:
        """Whether anybody is known to obey this order: False means that it reached no disk, keeper or server."""
        return self.latched or self.keeper == "answered" or any(told.word == "answered" for told in self.servers)


def new_order(
    selectors: Sequence[Selector] = (EVERYTHING,),
    *,
    level: Level = "immediate",
    reason: str = "",
    actor: str = "unknown",
    door: str = "cli",
) -> Order:
    """An order with an id of its own, made here and now; the id exists without any database."""
    now = datetime.now(UTC)
    stop_id = f"S-{now:%Y%m%dT%H%M%S}-{os.urandom(4).hex()}"
    return Order(stop_id, now, tuple(selectors), level, reason, actor, door)


def known_fleet(url: str) -> str | None:
    """The id of the fleet behind ``url``, as far as a keeper has left word of it on this host."""
    try:
        target = keeper_socket(fleet_of_url(url)).readlink()
    except (OSError, ValueError):
        return None
    return target.name.removesuffix(".sock")


def fleet_names(url: str | None, fleet: str | None) -> tuple[str, ...]:
    """The names under which a fleet's latches lie and its keeper listens, best first.

    The URL's own hash always comes too: a keeper's word of which fleet lives there may be old, and a worker that starts
    while everything is away knows nothing else.
    """
    if url is None:
        return (fleet,) if fleet else ()
    names, known = names_of_url(url), fleet or known_fleet(url)
    return (known, *names) if known else names


def fire(
    order: Order, *, url: str | None, fleet: str | None = None, token: str = "", timeout_s: float | None = None
) -> Fired:
    """Stop: place the latch, tell the keeper and every server, all at once, and say what came of each.

    ``fleet`` is the fleet's id where it is known, ``url`` the backend it lives in; with neither, the order goes to
    every fleet of this host. ``token`` is the credential for servers; ``timeout_s`` is for how long answers are waited
    for. Never raises for the state of the world: a route that fails is in the answer. ValueError when ``url`` is no
    backend URL.
    """
    names, servers = fleet_names(url, fleet), servers_of(url)
    deadline_s = elapsed_s() + (timeout_s or (stop_servers.ANSWER_S if servers else ANSWER_S))
    telling = Telling(order, servers, token, deadline_s, fleet)
    placing = Placing(order, names or (ALL_FLEETS,))
    addresses = _keepers(names, beside_servers=bool(servers))
    answers, silent = _tell(order, addresses, min(deadline_s, elapsed_s() + ANSWER_S), placing.at_last)
    told = telling.result()
    latch_fault = placing.fault(deadline_s)
    answered = [*answers, *(one.answer for one in told if one.word == "answered")]
    best = max(answered, key=lambda answer: _STRENGTH.get(str(answer.get("durable")), 0), default=None)
    recorded = best is not None and best.get("durable") == "database" and not silent
    return Fired(
        order=order,
        latch_fault=latch_fault,
        keeper="silent" if silent else "answered" if answers else "absent",
        durable="database" if recorded else "spool" if not latch_fault or _spooled(told) else "memory",
        revision=_number(best, "revision") if recorded else None,
        emergency_id=str(best["emergency_id"]) if recorded and best and best.get("emergency_id") else None,
        of=_number(best, "of") if recorded else None,
        servers=told,
    )


class Placing:
    """A latch on its way to the disk, on a thread of its own: a disk that hangs holds up nothing else.

    Never raises: what keeps a latch from its disk must not keep the order from its other routes.
    """

    def __init__(self, order: Order, fleets: Sequence[str]) -> None:
        """Place it under each of these names of the fleet, where it does not lie already."""
        self._order, self._fleets = order, fleets
        self._fault = f"the disk under {latch_homes()[0]} did not answer in time"
        self._thread: threading.Thread | None = threading.Thread(target=self._place, name="latch", daemon=True)
        try:
            self._thread.start()
        except (RuntimeError, MemoryError):  # no thread to be had
            self._thread = None

    @property
    def is_done(self) -> bool:
        """Whether the latch lies there by now. Waits for nothing."""
        return not self._fault

    def at_last(self) -> None:
        """Place it here and now where no thread could be started. To be called once the other routes have been taken:
        a disk that hangs then holds up its caller."""
        if self._thread is None:
            self._place()

    def fault(self, deadline_s: float) -> str:
        """Wait for the disk until ``deadline_s`` (host clock) and say what went wrong; empty when nothing did."""
        if self._thread is not None:
            self._thread.join(max(0.0, deadline_s - elapsed_s()))
        return self._fault

    def _place(self) -> None:
        faults = [self._fault_under(fleet) for fleet in self._fleets]
        self._fault = "" if "" in faults else faults[0]

    def _fault_under(self, fleet: str) -> str:
        try:
            if not latch.latched(self._order.stop_id, [fleet]):
                passing(Milestone.LATCH_PLACING)
                latch.place(self._order, fleet)
                passing(Milestone.LATCH_PLACED)
        except Exception as error:  # noqa: BLE001 (whatever it is, the other names and the keeper must have the order)
            return str(error) or repr(error)
        return ""


def _tell(
    order: Order, addresses: Sequence[Path], deadline_s: float, meanwhile: Callable[[], None]
) -> tuple[list[Mapping[str, Any]], int]:
    """Send the order to keepers; their answers, and how many were told and did not answer before ``deadline_s``.
    ``meanwhile`` is done when all have been told and before anybody is waited for."""
    try:
        channel = wire.endpoint()
    except OSError:  # no descriptor left: the latch is the only route
        meanwhile()
        return [], 0
    with channel:
        datagram = wire.encode("order", order=order.as_dict())
        if len(datagram) > wire.MAX_DATAGRAM:
            datagram = wire.encode("order", stop_id=order.stop_id)  # too large for the post: it lies in the latch
        told = sum(_sent(channel, datagram, address, deadline_s) for address in addresses)
        meanwhile()
        answers = _heard(channel, order, told, deadline_s)
    return answers, told - len(answers)


def _heard(channel: socket.socket, order: Order, told: int, deadline_s: float) -> list[Mapping[str, Any]]:
    """What is answered to the order, by as many as were told, before ``deadline_s``."""
    answers: list[Mapping[str, Any]] = []
    while len(answers) < told and (left_s := deadline_s - elapsed_s()) > 0:
        channel.settimeout(left_s)
        try:
            answer = wire.decode(channel.recv(wire.MAX_DATAGRAM))
        except OSError:
            break
        if answer and answer["t"] == "ordered" and answer.get("stop_id") == order.stop_id:
            answers.append(answer)
    return answers


def _sent(channel: socket.socket, datagram: bytes, address: Path, deadline_s: float) -> bool:
    """Whether somebody took the datagram; a full queue counts as taken, for a keeper is there and does not answer."""
    channel.settimeout(max(0.001, deadline_s - elapsed_s()))
    try:
        channel.sendto(datagram, str(address))
    except TimeoutError:
        return True
    except OSError:
        return False
    return True


def _spooled(told: Sequence[Told]) -> bool:
    """Whether some server has it on a disk of its own."""
    return any(one.answer.get("durable") in ("spool", "database") for one in told)


def _keepers(names: Sequence[str], *, beside_servers: bool) -> list[Path]:
    """Where keepers of a fleet listen, or of all fleets without a name. Servers are told with a credential: a keeper of
    theirs on this host would hear first who sits here, and the journal name another one than the token does. It finds
    the latch, if no server can be asked."""
    if beside_servers:
        return []
    if names:
        return [stop_socket(names[0])]
    try:
        return [path for path in runtime_home().glob("*.stop.sock") if not path.is_symlink()]
    except OSError:
        return []


def _number(answer: Mapping[str, Any] | None, key: str) -> int | None:
    value = answer.get(key) if answer else None
    return value if isinstance(value, int) else None
