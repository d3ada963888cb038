"""The thread that hears: the keeper's datagrams, what lies in the latch folders, readings of the tables. It alone
publishes.

It touches no disk and waits for nobody, so a stop that reaches the host reaches the next check within milliseconds.
Its beat goes out right behind, which is the acknowledgement.
"""

from __future__ import annotations

import collections
import logging
import math
import os
import random
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from opsgate import latch, pauselog, wire
from opsgate.alarms import Alarms, Freshness
from opsgate.beats import Beats
from opsgate.channel import KeeperChannel, Sent
from opsgate.clock import elapsed_s
from opsgate.evaluate import Table, evaluate
from opsgate.failsafe import FRESH_S, Policy
from opsgate.identity import process_started
from opsgate.known import Known
from opsgate.lastknown import RENEWED_S, LastKnown
from opsgate.lookout import Lookout
from opsgate.membership import Member
from opsgate.order import Lying, Order
from opsgate.paths import fleet_of_url, keeper_socket, sqlite_path
from opsgate.reader import Reader, Reading
from opsgate.snapshot import Delta
from opsgate.view import View
from opsgate.work import InFlight

_log = logging.getLogger("opsgate")

_KEEP_WITHIN_S: Final = (1.0, 4.0)
_SOMETHING: Final[Mapping[str, Any]] = {}
_TOGETHER_S: Final = 1.0
"""Seconds by which a beat comes early when the thread is awake anyway: a sleeping process is dear to wake."""

_AFTER_A_FAULT_S: Final = 0.1
_FIRST_READING_S: Final = 0.5
"""Seconds for which the first beat waits for the first reading, so that it can say what it knows."""

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
        self.from_disk = False
        self.freshness: Freshness = "initialising"
        self._member = member
        self._publish = publish
        self._wake = wake
        self._quick_s = policy.fresh_s
        self._url_key = fleet_of_url(member.url)
        self._last_known = LastKnown(self._url_key)
        self._alarms = Alarms(str(sqlite_path(member.url)), policy.rules)
        self._beats = Beats(in_flight)
        self._inbox: collections.deque[Reading | Lying] = collections.deque()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._channel = KeeperChannel()
        self._reader = Reader(sqlite_path(member.url), self._last_known, lambda: self.known, self._take)
        self._lookout = Lookout(
            lambda: self._names(self._fleet), lambda: self.known, lambda: self._beats.are_taken, self._tell_of_latches
        )
        self._addressed = ""
        self._table = Table()
        self._view = View()
        self._picture: tuple[Known, float | None, bool, bool] | None = None
        self.was_live = False
        self._settled = False
        self._ending = False
        self._opened_s = elapsed_s()
        self._beats.put_off(self._opened_s + _FIRST_READING_S)
        self._keep_due_s = self._opened_s + _KEEP_WITHIN_S[1]
        self._fixed = {
            "worker": member.worker,
            "pid": os.getpid(),
            "started": process_started(),
            "env": member.env or "",
            "scope": {dimension: list(values) for dimension, values in member.scope.items()},
        }

    def begin(self, parent: Watcher | None = None) -> None:
        """Start from what is on disk, or in a forked child from what the parent's watcher knew. RuntimeError or
        OSError where the process has no thread or no descriptor left."""
        if parent is not None:
            self.known, self.confirmed_at_s, self.from_disk = parent.known, parent.confirmed_at_s, parent.from_disk
            self.freshness = parent.freshness
            self.was_live = parent.was_live
        elif (found := self._last_known.load()) is not None:
            self.known, self.confirmed_at_s, self.from_disk = found.known, found.confirmed_at_s, True
        self._addressed = self._fleet
        self.known = self.known.found(self._lookout.look())
        self._show()
        try:
            self._lookout.start()
            self.start()
        except RuntimeError:
            self._lookout.end()
            self.abandon()
            raise

    def ring(self) -> None:
        """Have a look: something happened that this thread did not see."""
        try:
            self._bell.send(b"!")
        except OSError:
            pass  # it rings already, or the gate is closed

    def end(self, within_s: float = 2.0) -> None:
        """Say goodbye to the keeper, write down what is known, and end."""
        self._ending = True
        self.ring()
        if self.is_alive() and threading.current_thread() is not self:
            self.join(within_s)

    def abandon(self) -> None:
        """After a fork: let go of the descriptors that belong to the parent. Its database connection is not touched."""
        for held in (self._channel, self._ear, self._bell):
            held.close()
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
                time.sleep(_AFTER_A_FAULT_S)
        self._tell("bye", {"worker": self._member.worker})
        self._keep_due_s = 0.0
        self._keep()
        self._reader.end()
        self._lookout.end()
        self._reader.join(1.0)
        self.abandon()

    def _rehearse(self) -> None:
        """Go through a stop once, for nobody: the first real one must not be the first to load this code and, in a
        forked process, to copy its pages."""
        order = Order("rehearsal", datetime.now(UTC), reason="never published")
        heard = wire.decode(wire.encode("order", order=order.as_dict())) or {}
        known = self.known.ordered(Order.from_dict(heard["order"]))
        view = View(known.table(), stops=known.stops(), env=self._member.env)
        evaluate(view.table, {"site": "rehearsal"})
        wire.encode("beat", **self._fixed, **self._beats.beat(0), named=sorted(view.stops))

    @property
    def _fleet(self) -> str:
        return self.known.snapshot.fleet if self.known.snapshot else ""

    # ------------------------------------------------------------------------------------------------- one turn
    def _turn(self) -> None:
        heard = self._wait()
        if self._ear.fileno() in heard:
            self._ear.recv(65536)
        awake_anyway = bool(self._inbox)
        while self._inbox:
            match self._inbox.popleft():
                case Lying() as lying:
                    if lying.fleets == self._names(self._fleet):  # or the next one will be
                        self.known = self.known.found(lying)
                case reading:
                    self._read(reading)
        if self._channel.descriptor in heard:
            for message in self._channel.messages():
                self._obey(message or _SOMETHING)
        if self._fleet != self._addressed:  # latches and keeper may lie under the name that was just learnt
            self._addressed = self._fleet
            self._beats.put_off(0.0)
            self._lookout.ask()
        self._show()
        self._beat(_TOGETHER_S if awake_anyway else 0.0)
        self._raise_alarms()
        self._keep()

    def _wait(self) -> set[int | None]:
        """Sleep until something can be heard or is due; returns the descriptors that have something."""
        poller = select.poll()
        for descriptor in (self._ear.fileno(), self._channel.descriptor):
            if descriptor is not None:
                poller.register(descriptor, select.POLLIN)
        now_s = elapsed_s()
        due_s = min(self._keep_due_s - now_s, self._beats.due_s(self.known.revision, now_s))
        return {descriptor for descriptor, _ in poller.poll(math.ceil(max(0.0, due_s) * 1000))}

    def _raise_alarms(self) -> None:
        now_s, view = elapsed_s(), self._view
        age_s = view.age_s(now_s)
        if age_s is None or age_s > self._quick_s:
            emergency = age_s is not None and age_s > FRESH_S and bool(view.emergencies)
            self._alarms.aged(age_s, now_s - self._opened_s, emergency=emergency)

    # --------------------------------------------------------------------------------------------- what is heard
    def _take(self, reading: Reading) -> None:
        """A reading arrives, on the reader's thread. Where it says which fleet this is, the latches under that name are
        read before it is believed."""
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
        return tuple(filter(None, (self._url_key, fleet)))

    def _read(self, reading: Reading) -> None:
        if not self._settled:
            self._settled = True
            self._beats.put_off(0.0)
        if reading.snapshot is None:
            self._alarms.failed(reading.failure, elapsed_s(), known=self.known.snapshot is not None)
            self.freshness = "interrupted"
            return
        if self._is_foreign(reading.snapshot.fleet):
            sentence = (
                f"the database at {self._member.url} belongs to fleet {reading.snapshot.fleet} now and not to "
                f"{self._fleet}: restart the worker if that is meant"
            )
            self._alarms.failed(sentence, elapsed_s(), known=True)
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

    def _is_foreign(self, fleet: str) -> bool:
        """Another fleet under a running worker is an accident; at its start it is somebody's decision."""
        return self.was_live and self._fleet != fleet

    def _confirm(self, at_s: float) -> None:
        self.confirmed_at_s = at_s if self.from_disk else max(at_s, self.confirmed_at_s or at_s)
        self.from_disk, self.was_live = False, True
        self.freshness = "valid"
        self._alarms.read(elapsed_s())

    def _obey(self, message: Mapping[str, Any]) -> None:
        try:
            match message["t"]:
                case "delta":
                    self._follow(Delta.from_dict(message["delta"]))
                case "order":
                    self.known = self.known.ordered(Order.from_dict(message["order"]))
                case "moved":
                    if int(message["revision"]) != self.known.revision:
                        self._reader.ask()
                case _:
                    pass  # an answer to somebody else's question, or a word of a later version
        except (KeyError, TypeError, ValueError, AttributeError):
            # Not understood (or an order too large for the post), so something has happened: tables and latches know.
            self._reader.ask()
            self._lookout.ask()

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
            pauselog.changed(self._table, table)
        held_otherwise, self._table = table is not self._table, table
        stops = self.known.stops()
        self._view = View(
            self._table,
            fleet=self._fleet,
            revision=self.known.revision,
            confirmed_at_s=self.confirmed_at_s,
            from_disk=self.from_disk,
            settled=self._settled,
            stops=stops,
            quick_s=0.0 if _log.isEnabledFor(logging.DEBUG) else self._quick_s,
            env=self._member.env,
        )
        self._publish(self._view)
        self._beats.see(stops)
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
                self._beats.put_off(elapsed_s() + _BUSY_S)
            case "nobody":
                self._beats.put_off(elapsed_s() + _NOBODY_S)

    def _tell(self, kind: str, fields: Mapping[str, Any]) -> Sent:
        """To the keeper by the fleet's name, or by the URL's while the fleet's is not known."""
        return self._channel.tell(keeper_socket(self._fleet or self._url_key), kind, fields)
