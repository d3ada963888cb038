"""The thread that hears: the keeper's datagrams, what lies in the latch folders, readings of the tables. It alone
publishes.

It touches no disk and waits for nobody, so a stop that reaches the host reaches the next check within milliseconds. An
order is obeyed and acknowledged while the thread is still waiting; all that can wait is left to a turn a moment later,
so that of a thousand workers none is in the way of another's acknowledgement.
"""

from __future__ import annotations

import collections
import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from opsgate import latch, pauselog, wire
from opsgate.alarms import Alarms, Freshness
from opsgate.beats import Beats
from opsgate.channel import Address, Sent
from opsgate.clock import elapsed_s
from opsgate.evaluate import Table, evaluate
from opsgate.failsafe import FRESH_S, Policy
from opsgate.hold import HALT, Hold
from opsgate.identity import process_boot, process_started
from opsgate.known import Known
from opsgate.lastknown import RENEWED_S, Illegible, LastKnown, Remembered
from opsgate.links import link_of
from opsgate.lookout import Lookout
from opsgate.membership import Member
from opsgate.obedience import Obedience
from opsgate.order import Lying, Order
from opsgate.paths import fleet_of_url, keeper_socket
from opsgate.reader import Reader, Reading
from opsgate.selector import Selector
from opsgate.snapshot import Delta
from opsgate.unread import stop_id_in
from opsgate.view import View
from opsgate.vigil import Vigil
from opsgate.work import InFlight

_log = logging.getLogger("opsgate")

_LATER_S: Final = (0.5, 1.0)
"""Seconds, by chance, for which an order that is obeyed waits to be read: not in the moment in which a thousand workers
have to acknowledge."""

_KEEP_WITHIN_S: Final = (1.0, 4.0)
_SOMETHING: Final[Mapping[str, Any]] = {}
_TOGETHER_S: Final = 1.0
"""Seconds by which a beat comes early when the thread is awake anyway: a sleeping process is dear to wake."""

_AFTER_A_FAULT_S: Final = 0.1
_FIRST_READING_S: Final = 0.5
"""Seconds for which the first beat waits for the first reading, so that it can say what it knows."""

_REPLACED: Final = Hold(
    "replaced",
    Selector(),
    "safety",
    "opsgate",
    reason="a later start of this worker has taken its place: this process may do nothing more",
    mode=HALT,
)
"""What holds everything in a process whose name another one has by now. In no table and on no disk: it ends with the
process."""

_BUSY_S: Final = 0.1
_NOBODY_S: Final = 1.0
"""Seconds until a beat is tried again that found the keeper's queue full, or no keeper."""


class Watcher(threading.Thread):
    """Keeps one gate's view true, and the keeper informed. Never ends by an error."""

    def __init__(
        self,
        member: Member,
        in_flight: InFlight,
        policy: Policy,
        publish: Callable[[View], None],
        wake: Callable[[], None],
    ) -> None:
        """``publish`` takes each new view, on this thread; ``wake`` tells whoever waits for one, and is called when
        the stops in it are noted, because what it runs is not ours."""
        super().__init__(name="opsgate-watcher", daemon=True)
        self.known = Known()
        self.confirmed_at_s: float | None = None
        self.from_disk = self.illegible = False
        self.freshness: Freshness = "initialising"
        self._member = member
        self._publish = publish
        self._wake = wake
        self._quick_s = policy.fresh_s
        self._url_keys = tuple(map(fleet_of_url, member.urls))
        self._last_known = LastKnown(self._url_keys[0])
        self._alarms = Alarms(member.shown, policy.rules)
        self._inbox: collections.deque[Reading | Lying] = collections.deque()
        self.link = link_of(member)
        self._channel = self.link.channel
        self._beats = Beats(in_flight, self.link.tells_soon_s)
        self._vigil = Vigil(self._channel, self._obey)
        self._obedience = Obedience(member.worker, self._beats, self._put_in_force, self._say)
        self._later_s = random.uniform(*_LATER_S)  # noqa: S311 (spread, no secret)
        self._reader = Reader(
            self.link.source, self._last_known, lambda: self.known, self.take, quiet_s=self.link.quiet_s
        )
        self._lookout = Lookout(
            lambda: self._names(self._fleet),
            lambda: self.known,
            self._beats.knows,
            lambda: self._beats.are_taken and self.link.shares_latches,
            self._tell_of_latches,
        )
        self._addressed = self._keeper = ""
        self._table = Table()
        self._view = View()
        self._picture: tuple[Known, float | None, bool, bool] | None = None
        self.was_live = False
        self._settled = self._is_replaced = False
        self._behind = 0
        """The revision that a heartbeat named and that was not known then."""
        self._ending = False
        self._opened_s = elapsed_s()
        self._beats.put_off(self._opened_s + _FIRST_READING_S)
        self._keep_due_s = self._opened_s + _KEEP_WITHIN_S[1]
        self._fixed = {
            "worker": member.worker,
            "pid": os.getpid(),
            "started": process_started(),
            "boot": process_boot(),
            "env": member.env or "",
            "scope": {dimension: list(values) for dimension, values in member.scope.items()},
        }

    def begin(self, parent: Watcher | None = None) -> None:
        """Start from what is on disk, or in a forked child from what the parent's watcher knew. RuntimeError or
        OSError where the process has no thread or no descriptor left."""
        if parent is not None:
            self.known, self.confirmed_at_s, self.from_disk = parent.known, parent.confirmed_at_s, parent.from_disk
            self.illegible, self.freshness = parent.illegible, parent.freshness
            self.was_live = parent.was_live
            self._obedience.inherit(parent._obedience)  # noqa: SLF001 (an instance of this very class)
            self._read_orders()
        else:
            match self._last_known.load():
                case Remembered() as found:
                    self.known, self.confirmed_at_s, self.from_disk = found.known, found.confirmed_at_s, True
                case Illegible():
                    self.illegible = True
        self._address()
        self.known = self.known.found(self._lookout.look())
        self._show()
        try:
            self._lookout.start()
            self.link.start(self)
            self.start()
        except RuntimeError:
            self._lookout.end()
            self.link.end()
            self.abandon()
            raise

    def ring(self) -> None:
        """Have a look: something happened that this thread did not see."""
        self._vigil.ring()

    def end(self, within_s: float = 2.0) -> None:
        """Say goodbye to the keeper, write down what is known, and end."""
        self._ending = True
        self.ring()
        if self.is_alive() and threading.current_thread() is not self:
            self.join(within_s)

    def abandon(self) -> None:
        """After a fork: let go of the descriptors that belong to the parent. Its database connection is not touched."""
        self.link.abandon()
        self._vigil.close()
        if not self._lookout.is_alive():
            self._lookout.close()

    def run(self) -> None:
        """The life of the thread."""
        self._reader.start()
        self._rehearse()
        while not self._ending:
            try:
                self._turn()
            except Exception:  # noqa: BLE001 (a fault of ours must not leave the worker deaf for ever)
                _log.exception("the gate met a fault of its own and goes on")
                time.sleep(_AFTER_A_FAULT_S)  # the same fault again and again must not take a processor
        self._tell("bye", {"worker": self._member.worker, "boot": self._fixed["boot"]})
        self._read_orders()
        self._keep_due_s = 0.0
        self._keep()
        self._reader.end()
        self._lookout.end()
        self.link.end()
        self._reader.join(1.0)
        self.abandon()

    def _rehearse(self) -> None:
        """Go through a stop once, for nobody: the first real one must not be the first to load this code and, in a
        forked process, to copy its pages."""
        order = Order("rehearsal", datetime.now(UTC), reason="never published")
        datagram = wire.encode("order", stop_id=order.stop_id, order=order.as_dict())
        obedience = Obedience(self._member.worker, Beats(InFlight()), lambda _view: None, lambda *_: "sent")
        obedience.obey(self._view, stop_id_in(datagram) or "", datagram, "")
        known = self.known.ordered(*obedience.orders())
        view = View(known.table(), stops=known.stops(), env=self._member.env)
        evaluate(view.table, {"site": "rehearsal"})
        wire.encode("beat", **self._fixed, **self._beats.beat(0), named=sorted(view.stops))

    @property
    def _fleet(self) -> str:
        return self.known.fleet

    # -------------------------------------------------------------------------------------- orders, while it sleeps
    def _obey(self, stop_id: str, datagram: bytes, sender: Address) -> float:
        """Obey an order where it is news, and say when to read it: at once where the beat has to acknowledge it."""
        if self._beats.knows(stop_id) or stop_id in self.known.ended:
            return math.inf
        told = self._obedience.obey(self._view, stop_id, datagram, sender)
        self._wake()
        return elapsed_s() + self._later_s if told else 0.0

    def _put_in_force(self, view: View) -> None:
        self._view = view
        self._publish(view)

    def _read_orders(self) -> None:
        """Read what is obeyed already."""
        for order in self._obedience.orders():
            self.known = self.known.ordered(order)
            self._picture = None

    # ------------------------------------------------------------------------------------------------- one turn
    def _turn(self) -> None:
        now_s = elapsed_s()
        letters = self._vigil.sleep(min(self._keep_due_s, now_s + self._beats.due_s(self.known.revision, now_s)))
        self._read_orders()
        awake_anyway = bool(self._inbox)
        while self._inbox:
            match self._inbox.popleft():
                case Lying() as lying:
                    if lying.fleets == self._names(self._fleet):  # or the next one will be
                        self.known = self.known.found(lying)
                case reading:
                    self._read(reading)
        for datagram in letters:
            self._hear(wire.decode(datagram) or _SOMETHING)
        if self._fleet != self._addressed:  # latches and keeper may lie under the name that was just learnt
            self._address()
            self._beats.put_off(0.0)
            self._lookout.ask()
        self._show()
        self._beat(_TOGETHER_S if awake_anyway else 0.0)
        self._raise_alarms()
        self._keep()

    def _address(self) -> None:
        """Write to the keeper by the fleet's name from now on, or by the URL's while the fleet's is not known."""
        self._addressed = self._fleet
        self._keeper = str(keeper_socket(self._fleet or self._url_keys[0]))

    def _raise_alarms(self) -> None:
        now_s, view = elapsed_s(), self._view
        age_s = view.age_s(now_s)
        if age_s is None or age_s > self._quick_s:
            emergency = age_s is not None and age_s > FRESH_S and bool(view.emergencies)
            self._alarms.aged(age_s, now_s - self._opened_s, emergency=emergency, illegible=self.illegible)

    # --------------------------------------------------------------------------------------------- what is heard
    def take(self, reading: Reading) -> None:
        """A reading arrives, on the reader's thread or the link's. Where it says which fleet this is, the latches under
        that name are read before it is believed."""
        fleet = reading.snapshot.fleet if reading.snapshot else self._fleet
        if fleet != self._fleet:
            reading = replace(reading, lying=latch.look(self._names(fleet), self.known.latched))
        self._inbox.append(reading)
        self.ring()

    def _tell_of_latches(self, lying: Lying) -> None:
        """What lies in the folders arrives, on the lookout's thread."""
        self._inbox.append(lying)
        self.ring()

    def _names(self, fleet: str) -> tuple[str, ...]:
        """The names under which latches of a fleet lie for this gate, beside those for all fleets."""
        return tuple(filter(None, (*self._url_keys, fleet)))

    def _read(self, reading: Reading) -> None:
        if not self._settled:
            self._settled = True
            self._beats.put_off(0.0)
        self._lookout.glance()
        if reading.snapshot is None:
            known = self.known.snapshot is not None
            self._alarms.failed(reading.failure, elapsed_s(), known=known, lasting=reading.lasting)
            self.freshness = "interrupted"
            return
        if self.is_foreign(reading.snapshot.fleet):
            sentence = (
                f"{self.link.place} belongs to fleet {reading.snapshot.fleet} now and not to "
                f"{self._fleet}: restart the worker if that is meant"
            )
            self._alarms.failed(sentence, elapsed_s(), known=True, lasting=True)
            self.freshness = "interrupted"
            return
        before = self.known
        self.known = before.read(reading.snapshot, asked_at=reading.asked_at)
        if reading.lying is not None:
            self.known = self.known.found(reading.lying)
        if len(self.known.kept) > len(before.kept) or len(self.known.kept_stops) > len(before.kept_stops):
            _log.error(
                "the database went back from revision %d to %d: %d holds that it has lost stay in force here until it "
                "has them again, or somebody has released the safety hold that says so",
                before.revision,
                reading.snapshot.revision,
                len(self.known.kept),
            )
        self._confirm(reading.began_s)

    def is_foreign(self, fleet: str) -> bool:
        """Another fleet under a running worker is an accident; at its start it is somebody's decision."""
        return self.was_live and self._fleet != fleet

    def _confirm(self, at_s: float) -> None:
        self.confirmed_at_s = at_s if self.from_disk else max(at_s, self.confirmed_at_s or at_s)
        self.from_disk, self.was_live = False, True
        self.freshness = "valid"
        self._alarms.read(elapsed_s())

    def _hear(self, message: Mapping[str, Any]) -> None:
        try:
            match message["t"]:
                case "delta":
                    self._follow(Delta.from_dict(message["delta"]))
                case "order":
                    self.known = self.known.ordered(Order.from_dict(message["order"]))
                case "moved":
                    if not self.known.is_at(int(message["revision"]), str(message.get("chain", ""))):
                        self._reader.ask()
                case "heartbeat":
                    self._confirmed(message)
                case "replaced":
                    self._is_replaced, self._picture = True, None
                case _:
                    pass  # an answer to somebody else's question, or a word of a later version
        except (KeyError, TypeError, ValueError, AttributeError):
            # Not understood (or an order too large for the post), so something has happened: tables and latches know.
            self._reader.ask()
            self._lookout.ask()

    def _confirmed(self, heartbeat: Mapping[str, Any]) -> None:
        """A server says which revision it has. Its messages come in order, so one that is ahead for longer than a
        heartbeat has told something that was not heard; one that is as far by another chain has nothing under way."""
        revision, behind = int(heartbeat["revision"]), self._behind
        self._behind = 0 if self.known.is_at(revision, str(heartbeat.get("chain", ""))) else revision
        if not self._behind:
            if self.known.snapshot is not None and not self.from_disk:
                self._confirm(elapsed_s() - float(heartbeat.get("age_s", 0.0)))
        elif behind or revision == self.known.revision:
            self._reader.ask()

    def _follow(self, delta: Delta) -> None:
        if delta.revision <= self.known.revision and delta.since != self.known.revision:
            return  # the tables were quicker
        known = self.known.told(delta)
        if known is None:
            self._reader.ask()
            return
        self.known = known
        self._confirm(elapsed_s())

    # ----------------------------------------------------------------------------------------------- what is said
    def _show(self) -> None:
        """Publish what has changed, then tell what came into force with it."""
        picture = (self.known, self.confirmed_at_s, self.from_disk, self._settled)
        before, self._picture = self._picture, picture
        if before is not None and all(now is then for now, then in zip(picture, before, strict=True)):
            return
        table = self._table
        if before is None or before[0] is not self.known:
            table = self.known.table()
            if self._is_replaced:
                table = table.changed((_REPLACED,))
            pauselog.changed(self._table, table)
        held_otherwise, self._table = table is not self._table, table
        stops = self.known.stops()
        view = View(
            self._table,
            fleet=self._fleet,
            revision=self.known.revision,
            confirmed_at_s=self.confirmed_at_s,
            from_disk=self.from_disk,
            illegible=self.illegible,
            settled=self._settled,
            stops=stops,
            quick_s=0.0 if _log.isEnabledFor(logging.DEBUG) else self._quick_s,
            env=self._member.env,
        )
        self._put_in_force(view)
        self._beats.see(
            stops, frozenset(i for i, notice in stops.items() if self._table.lets_through(notice.selectors))
        )
        if held_otherwise:
            soon_s = elapsed_s() + random.uniform(*_KEEP_WITHIN_S)  # noqa: S311 (spread, no secret)
            self._keep_due_s = min(self._keep_due_s, soon_s)
        self._wake()

    def _keep(self) -> None:
        """Have the reader write down what has changed, and now and then that nothing did.

        Not in the moment of the change, and by chance: of all workers on a host one has to write, and the others find
        it done.
        """
        now_s = elapsed_s()
        if now_s >= self._keep_due_s:
            self._keep_due_s = now_s + 2 * RENEWED_S
            if self.known.snapshot is not None and self.confirmed_at_s is not None:
                self._reader.keep(self.known, self.confirmed_at_s)

    def _beat(self, early_s: float) -> None:
        """Send the beat if it is due, or would be within ``early_s``."""
        now_s, revision = elapsed_s(), self.known.revision
        if self._beats.due_s(revision, now_s) > early_s:
            return
        beat = self._beats.beat(revision)
        match self._tell("beat", {**self._fixed, **beat}):
            case "sent":
                self._beats.sent(beat, now_s)
            case "busy":
                self._alone_until(elapsed_s() + _BUSY_S)
            case "nobody":
                self._alone_until(elapsed_s() + _NOBODY_S)

    def _alone_until(self, again_s: float) -> None:
        """No keeper took the last beat: try again then, and let the lookout rely on nobody else meanwhile."""
        had_keeper = self._beats.are_taken
        self._beats.put_off(again_s)
        if had_keeper:
            self._lookout.glance()

    def _tell(self, kind: str, fields: Mapping[str, Any]) -> Sent:
        return self._say(wire.encode(kind, **fields))

    def _say(self, datagram: bytes, address: Address = "") -> Sent:
        """To the keeper; by the address from which it spoke, where it gave one."""
        return self._channel.send(datagram, address or self._keeper)
