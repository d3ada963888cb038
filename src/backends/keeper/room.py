"""The engine room: what runs one fleet, put together. It lives in the keeper's process or in the server's, with the
sockets of this host or without them.

Every part has a thread of its own. Doors hand in what they hear: datagrams by the house's own post, requests by whoever
owns the room.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from backends import open_runtime
from backends.emergency_settings import EmergencySettings
from backends.keeper import peers
from backends.keeper.conclusions import Countdown
from backends.keeper.counter import Counter
from backends.keeper.database_file import DatabaseFile
from backends.keeper.health_rounds import rounds_of
from backends.keeper.house import House
from backends.keeper.kept_samples import KeptSamples
from backends.keeper.latches import Latches
from backends.keeper.leader import Leader
from backends.keeper.log import NAME
from backends.keeper.loops import Loops
from backends.keeper.measuring import Measuring, Most
from backends.keeper.notifying import Notifying
from backends.keeper.office import Office
from backends.keeper.outbox import GATES, Outbox, Streams
from backends.keeper.post import Post
from backends.keeper.publisher import Publisher
from backends.keeper.reception import Reception
from backends.keeper.recorder import Recorder
from backends.keeper.recoveries import Recoveries
from backends.keeper.roster import Instant, Roster
from backends.keeper.service_stops import ServiceStops
from backends.keeper.stop_desk import StopDesk
from backends.keeper.teller import Leadership, Terms
from backends.keeper.triggering import Triggering
from backends.notifiers.channels import channels_of
from backends.notifiers.settings import NotifySettings
from backends.runtime import Runtime
from backends.spool import Recorded
from core.errors import OpsError
from core.ports import Arrival
from core.triggers.sample import Reported, Sample
from opsgate.clock import elapsed_s
from opsgate.paths import fleet_of_url

_log = logging.getLogger(NAME)

_MOMENT_S: Final = 0.1
"""Seconds that a stop which is recorded may wait until this process has read it."""


AUTOMATICS_OFF: Final = (
    "EMERGENCY_STOP_ENABLED is false: no trigger and no alert stops anything; a person's stop works as ever"
)

_HOUSE_S: Final = 1.0
"""Seconds between two looks whether the house of another keeper is free."""


def now() -> Instant:
    """This moment, by both clocks."""
    return Instant(datetime.now(UTC), elapsed_s())


class EngineRoom:
    """One fleet's engine at work, from the moment it is made until `close`."""

    def __init__(
        self,
        url: str,
        *,
        alone: bool = True,
        streams: Streams | None = None,
        create: bool = False,
        settings: EmergencySettings | None = None,
        notify: NotifySettings | None = None,
        known_as: Sequence[str] = (),
    ) -> None:
        """``alone`` refuses to be the second one of its fleet on this host; otherwise the second one lives without the
        sockets. ``streams`` leads to workers that have no socket, ``settings`` is what is set for emergencies,
        ``notify`` are the channels of notifications; None for none at all. ``known_as`` are the URLs by which this
        host may have named the fleet where it stopped it.

        Raises `BackendUnavailable` or `NotOurDatabase`, `HouseError`, or, alone, BlockingIOError where another keeper
        of this fleet lives on this host.
        """
        self.runtime: Runtime = open_runtime(url, create=create, checkpoints=True)
        self.database = DatabaseFile(url)
        self.fleet = self.runtime.latest().fleet
        self.house = _house(self.fleet, url, alone=alone)
        self._stop_runtime = open_runtime(url, create=False, expect_fleet=self.fleet)
        self.runtime.keeper_since = self._stop_runtime.keeper_since = now().at
        self.settings = settings or EmergencySettings()
        self.runtime.rules = self._stop_runtime.rules = self.settings.rules()
        self.roster = Roster(peers.is_running, peers.started)
        self.roster.seed(self.runtime.store.workers(), now())
        self.names = names = tuple(dict.fromkeys((self.fleet, *map(fleet_of_url, (url, *known_as)))))
        """Under which latches of this fleet lie on this host, beside those for all fleets."""
        stops = self.house.stops if self.house else None
        self.desk = StopDesk(stops, names, lambda: self.roster.entries, self.runtime.latest, elapsed_s, streams)
        self._recorder = Recorder(self._stop_runtime, self.runtime, self.roster, names, now, self._settled)
        self.desk.record = self._recorder.put
        self._latches = Latches(names, self.runtime.latest, self.desk.adopt)
        self._outboxes = (Outbox(GATES, streams=streams), Outbox())
        for_gates, for_answers = self._outboxes
        self._publisher = Publisher(
            for_gates, lambda: self.roster.entries, self.runtime.latest(), elapsed_s, obeyed=self.desk.obeyed
        )
        self._counter = Counter(for_answers, self.runtime, self.used_up)
        self._leader = Leader(self.runtime)
        office = Office(self.runtime, self.roster, self._leader)
        keep_days = self.settings.retain_event_history
        self.services = ServiceStops(
            office,
            self.fleet,
            lambda: frozenset(order.stop_id for order in self.desk.unrecorded.values()),
            self._is_in_charge,
            self.settings.max_concurrent_stops,
        )
        self.desk.drive = self.services.order
        self._loops = Loops(office, now, remind=self._publisher.remind, keep_days=keep_days, services=self.services)
        self.services.reports.told = self._loops.look
        self.services.driving.all_stopped = self._loops.conclude
        self._recoveries = Recoveries(office, self.services, names, now)
        self._rounds = rounds_of(office, self.services, self.settings.health_monitoring_interval_s)
        self.notifying = self._notifying_of(notify)
        self.triggers = Triggering(
            self.runtime,
            self.desk,
            now,
            sweep_s=self.settings.trigger_detection_interval_s,
            automatics=self.settings.emergency_stop_enabled,
        )
        self._kept = KeptSamples(self.runtime, now, self.leads, self.triggers.refill)
        self.triggers.keep = self._kept.put
        self._recorder.words = self.triggers.words
        self._measuring = Measuring(
            self.triggers.put,
            self._kept.wants,
            now,
            every_s=self.settings.trigger_detection_interval_s,
            place=self.database.place,
            most=Most(memory_bytes=self.settings.max_memory_usage, cpu_percent=self.settings.max_cpu_usage),
        )
        self.reception = Reception(self.roster, self, now)
        self._post = self._post_of(self.house) if self.house else None
        self._url = url
        self._closing = threading.Event()
        self._waiter = threading.Thread(target=self._wait_for_house, name="house", daemon=True)
        self._countdown = Countdown(self.runtime.latest, lambda: self.roster.entries)
        self._needed_s = elapsed_s()

    def start(self) -> None:
        """Go to work: stops first."""
        self.desk.start()
        self._recorder.start()
        self.services.start()
        self._recoveries.start()
        self._rounds.start()
        self._latches.start()
        self.runtime.follow(self._arrived)
        self._publisher.start()
        self._counter.start()
        self.triggers.start()
        self._kept.start()
        self._measuring.start()
        if self._post is not None:
            self._post.start()
        else:
            self._waiter.start()
        self._loops.start()
        self.notifying.start()
        if not self.settings.emergency_stop_enabled:
            _log.warning(AUTOMATICS_OFF)
        self._needed_s = elapsed_s()  # nobody could need it before
        _log.info("the keeper is at work", extra={"fleet": self.fleet, "pid": os.getpid(), "url": self.runtime.url})

    def close(self, why: str) -> None:
        """Put everything down, in an order in which nothing is lost."""
        _log.info("the keeper leaves", extra={"why": why})
        self._closing.set()
        if self._waiter.is_alive():
            self._waiter.join()
        if self._post is not None:
            self._post.close()
        self.notifying.close()
        self._measuring.close()
        self.triggers.close()
        self._kept.close()
        self._counter.close()
        self._latches.close()
        self._recorder.close()
        self.desk.close()
        self._rounds.close()
        self._recoveries.close()
        self.services.close()
        self._loops.close()
        self._publisher.close()
        if self.house is not None:
            self.house.close()
        for outbox in self._outboxes:
            outbox.close()
        self._stop_runtime.close()
        self.runtime.close()

    # -------------------------------------------------------------------------- what the reception and the post say
    def acknowledged(self, worker_id: str) -> None:
        """A worker said something new about stops in its beat, or left."""
        self._loops.news()

    def obeying(self, stop_id: str) -> None:
        """More workers obey a stop. Of a thousand the last one matters."""
        if self._countdown.is_over(stop_id):
            self._loops.conclude()
        else:
            self._loops.noted()

    def joined(self, worker_id: str, address: bytes | str, revision: int) -> None:
        """A worker speaks from this address for the first time."""
        self.desk.joined(address)
        self._publisher.joined(address, revision)
        self._loops.news()

    def obeys(self, address: bytes | str, revision: int, stop_ids: Sequence[str]) -> None:
        """A worker has these stops in force."""
        self.desk.obeys(address, revision, stop_ids)

    def watched(self, address: bytes | str) -> None:
        """Somebody wants to be told of changes."""
        self._publisher.watched(address)

    def hinted(self) -> None:
        """Somebody committed something: look now."""
        self.runtime.store.wake()

    def count(self, message: Mapping[str, Any], address: bytes | str) -> None:
        """A reservation or a refund is asked for."""
        self._counter.ask(message, address)

    def sampled(self, message: Mapping[str, Any]) -> None:
        """A worker measured something; ValueError, KeyError or TypeError where that is none."""
        at_s = now().at.timestamp()
        reported = [Reported.model_validate(one) for one in message["samples"]]
        self.triggers.put(
            [Sample(one.metric, at_s - one.age_s, one.value, one.account, source=one.source or "") for one in reported]
        )

    def used_up(self, limit: str) -> None:
        """A reservation was refused because a limit is used up: that is a sample too."""
        self.triggers.put([Sample("rateLimitViolations", now().at.timestamp(), 1.0, source=limit)])

    def presence(self) -> dict[str, Any]:
        """Who is here, and how the database is: the fields of ``pong``. Whoever asks needs this keeper."""
        self._needed_s = elapsed_s()
        return {
            "pid": os.getpid(),
            "fleet": self.fleet,
            "revision": self.runtime.latest().revision,
            "leader": self.leads(),
            "automatic_stops": self.settings.emergency_stop_enabled,
            "strains": list(self._measuring.strains),
            "database": self.database_word,
        }

    # -------------------------------------------------------------------------------------- how the room is doing
    @property
    def database_word(self) -> str:
        """``here``, ``away`` (it does not answer) or ``gone`` (its file is)."""
        gone = self.database.was_replaced() or self.database.missing_for_s(elapsed_s()) > 0
        return "gone" if gone else "away" if self._recorder.fault else self._loops.database

    def leads(self) -> bool:
        """Whether this room runs the loops of the fleet."""
        return self._leader.leads(elapsed_s())

    def _is_in_charge(self) -> bool:
        """Whether services that belong to no host are driven from here: by whoever leads, and where the database does
        not say who does, by everybody. To stop something twice does no harm."""
        return self.leads() or self.database_word != "here"

    def _is_working(self) -> bool:
        """Whether something is under way that nobody else would see to."""
        state = self.runtime.latest()
        counting = any(stop.result == "pending" for stop in state.active_stops())
        watching = any(each.definition.is_active for each in state.triggers.values())
        recoveries = (emergency.recovery for emergency in state.active_emergencies())
        recovering = any(recovery is not None and recovery.is_active for recovery in recoveries)
        return counting or watching or recovering or bool(self.desk.unrecorded) or bool(self.services.driving.stops())

    def idle_for_s(self) -> float:
        """For how many seconds nobody has needed it."""
        now_s = elapsed_s()
        if self._is_working() or self.roster.live(now_s) or self._publisher.watchers():
            self._needed_s = now_s
        return now_s - self._needed_s

    def _notifying_of(self, notify: NotifySettings | None) -> Notifying:
        leadership = Leadership(self.leads, lambda: self._leader.lease)
        if notify is None or not self.settings.enable_notifications:
            return Notifying(self.runtime, (), Terms(), leadership, now)
        channels = channels_of(notify, self.settings.notification_channels)
        terms = Terms(notify.patience, notify.escalate_to)
        return Notifying(self.runtime, [each for each in channels if each.configured], terms, leadership, now)

    # ----------------------------------------------------------------------------------------- the sockets of a host
    def _post_of(self, house: House) -> Post:
        return Post((house.post, *self.desk.ears), self._outboxes[1], self.reception, self)

    def _wait_for_house(self) -> None:
        """Where another keeper of this fleet has the house, take it over when that one leaves: workers of this host
        would speak to nobody."""
        while self.house is None and not self._closing.wait(_HOUSE_S):
            try:
                house = _house(self.fleet, self._url, alone=False)
            except OSError as error:
                _log.warning("the sockets of this host cannot be taken over", extra={"fault": str(error)})
                return
            if house is not None:
                self._post = self._post_of(house)
                self.desk.listen(house.stops)
                self.house = house
                self._post.start()
                _log.info("the keeper has the sockets of this host now")

    # ------------------------------------------------------------------------------- what the parts tell each other
    def _arrived(self, arrival: Arrival) -> None:
        self.desk.moved()
        self.services.moved()
        self._recoveries.moved()
        self._publisher.arrived(arrival)
        self.triggers.arrived(arrival)
        self._loops.look()

    def _settled(self, recorded: Recorded) -> None:
        try:
            self.runtime.state(timeout_s=_MOMENT_S)  # it is in the table before it is no order any more
        except OpsError:
            self.runtime.store.wake()
        self.desk.settled(recorded)


def _house(fleet: str, url: str, *, alone: bool) -> House | None:
    try:
        return House(fleet, url)
    except BlockingIOError:
        if alone:
            raise
        return None
