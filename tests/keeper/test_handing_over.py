"""Who hands a service to whom within one keeper: an order to its stop in the journal, that to its recovery."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

import pytest

from backends import drivers
from backends.drivers.base import Action, DriverOrder, Host, Observation, Outcome, Standing
from backends.driving import worker
from backends.driving.driving import Wanted
from backends.keeper.hands import DriverHands
from backends.keeper.recovering import Recovering
from backends.keeper.service_stops import ServiceStops
from core.capabilities.emergencies import OrderStop
from core.capabilities.procedures import SetProcedure
from core.capabilities.recovery import AbortRecovery, Recover
from core.capabilities.services import AddService
from core.messages import Command
from core.procedures import Procedure
from core.recoveries import Recovery
from core.state import Stop
from opsgate.order import Order
from opsgate.selector import EVERYTHING
from tests.keeper.parts import Parts
from tests.support.fleets import KEEPER, say
from tests.support.waiting import eventually

SLOW = Procedure(name="slow", settle_s=3600.0, checks=())


class Bulb:
    """A service that obeys at once, and that anybody may switch on."""

    kind: ClassVar[str] = "bulb"
    lit: ClassVar[dict[str, bool]] = {}
    can: frozenset[Action] = frozenset({"stop", "kill", "start"})
    settle_s: float = 0.0

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """As `Driver.build`."""
        return cls(service)

    def observe(self, timeout_s: float) -> Observation:
        """The truth."""
        standing: Standing = "running" if self.lit[self.name] else "stopped"
        return Observation(standing)

    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Switch it off."""
        self.lit[self.name] = False
        return Outcome("done")

    kill = stop

    def start(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Switch it on."""
        self.lit[self.name] = True
        return Outcome("done")


class Room:
    """``web`` needs ``db``. Both were stopped, and a person recovers them slowly: an hour for ``db`` alone."""

    def __init__(self) -> None:
        self.parts = Parts()
        Bulb.lit = {"db": True, "web": True}
        self.stops = ServiceStops(self.parts.office, self.parts.state.fleet, frozenset, lambda: True)
        self.recovering = Recovering(
            DriverHands(self.stops.drivers, self.stops.host), self._submit, startable=self.stops.let_go_of
        )
        self.submit(AddService(name="db", driver="bulb", config={}))
        self.submit(AddService(name="web", driver="bulb", config={}, depends_on=("db",)))
        self.submit(SetProcedure(procedure=SLOW))
        self.submit(OrderStop(stop_id="S-1", selectors=(EVERYTHING,), level="graceful"))
        self.until(lambda: self.stop.result == "verified")
        wanted = Recover(emergency_id=self.stop.emergency_id, reason="mended", confirm="all", procedure="slow")
        self.submit(wanted)
        self.until(lambda: self.standing("db") == "running")

    @property
    def stop(self) -> Stop:
        """As the journal has it."""
        return self.parts.state.stops["S-1"]

    @property
    def recovery(self) -> Recovery:
        """As the journal has it."""
        recovery = self.parts.state.emergencies[self.stop.emergency_id].recovery
        assert recovery is not None
        return recovery

    def standing(self, name: str) -> Standing:
        """How the journal says that a service stands."""
        return self.parts.state.services[name].standing

    def attempts(self, name: str) -> int:
        """How many times the stop has tried to stop a service."""
        return next(len(step.actions) for step in self.stop.services if step.service == name)

    def until(self, fact: Callable[[], bool]) -> None:
        """The keeper goes on until something has come about."""

        def comes_about() -> bool:
            self.parts.pass_(0.1)
            self.stops.look()
            self.stops.turn(self.parts.now(), self.parts.state)
            self.recovering.turn(self.parts.now, self.parts.runtime.latest)
            return fact()

        eventually(comes_about)

    def submit(self, command: Command) -> None:
        """A person says so."""
        self.parts.runtime.submit(say(command))

    def _submit(self, command: Command, looked_at: int | None) -> None:
        self.parts.runtime.submit(say(command, by=KEEPER, expected_revision=looked_at))


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """A keeper that looks at what has stopped a hundred times a second."""
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    monkeypatch.setitem(drivers._OURS, "bulb", f"{__name__}:Bulb")
    room = Room()
    yield room
    room.stops.driving.let_go(room.stops.driving.stops())
    room.parts.close()


def test_what_waits_for_its_turn_in_a_recovery_is_stopped_again_when_somebody_starts_it(room: Room) -> None:
    """The recovery is at ``db``, and would not look at ``web`` for an hour."""
    tried = room.attempts("web")
    Bulb.lit["web"] = True

    room.until(lambda: room.attempts("web") == tried + 1)

    assert Bulb.lit == {"db": True, "web": False}
    room.until(lambda: room.standing("web") == "stopped")
    assert (room.recovery.status, room.recovery.phase) == ("running", "gradual_restore")


def test_what_a_recovery_has_started_is_watched_by_its_stop_again_once_it_was_turned_back(room: Room) -> None:
    room.submit(AbortRecovery(emergency_id=room.stop.emergency_id))
    room.until(lambda: room.recovery.status == "aborted")
    assert Bulb.lit == {"db": False, "web": False}
    tried = room.attempts("db")

    Bulb.lit["db"] = True

    room.until(lambda: room.attempts("db") == tried + 1)
    room.until(lambda: room.stop.result == "verified")
    assert json.dumps(Bulb.lit) == '{"db": false, "web": false}'


def test_a_stop_that_is_recorded_while_its_services_are_taken_up_is_driven_once(room: Room) -> None:
    """Between two lines: the order was in the state of neither look, and whoever looks takes it for over."""
    unrecorded = {"S-2"}
    stops = ServiceStops(room.parts.office, room.parts.state.fleet, lambda: frozenset(unrecorded), lambda: True)
    take = stops.driving.take

    def recorded_meanwhile(wanted: Wanted) -> None:
        take(wanted)
        room.submit(OrderStop(stop_id="S-2", selectors=(EVERYTHING,), level="immediate"))
        unrecorded.clear()

    stops.driving.take = recorded_meanwhile  # type: ignore[method-assign] # the moment in between is what is tested
    stops.order(Order("S-2", room.parts.now().at, (EVERYTHING,), "immediate"))
    stops.look()

    assert "S-2" in stops.driving.stops()
    stops.driving.let_go(stops.driving.stops())
