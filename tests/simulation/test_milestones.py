"""Kill -9 at each milestone of a stop and of a recovery: the next keeper goes on, and nothing was said that is not so.

Real keepers on a real database, with a real worker and services that commands start and stop. Here at some of
them; at full length (`make crash`) at all, also for the second time where they are passed twice, and at other levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import JsonValue

from backends import keeper, open_backend, stop_lane
from backends.milestones import Milestone
from core.capabilities.procedures import SetProcedure
from core.capabilities.recovery import AbortRecovery, Recover
from core.capabilities.services import AddService
from core.procedures import DIRECT, Procedure, RampStep
from core.recoveries import Recovery
from core.state import Emergency, Stop
from opsgate import Gate, latch, wire
from opsgate.order import Level, Order
from opsgate.paths import stop_socket
from opsgate.selector import EVERYTHING
from tests.conftest import FULL, homes_under
from tests.simulation.harness import require_whole
from tests.simulation.nursery import Child, Nursery
from tests.support.fleets import say
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("milestones")]

T = TypeVar("T")

PATIENCE_S = 60.0
NAMES = ("db", "web")
QUICK = Procedure(
    name="quick", ramp=(RampStep(admit=0.5, wait_s=0.0), RampStep(admit=1.0, wait_s=0.0)), settle_s=0.0, monitor_s=0.0
)
WATCHED = QUICK.model_copy(update={"name": "watched", "monitor_s": 3600.0})

PHASES = ("validation", "preparation", "gradual_restore", "full_restore", "monitoring")

M = Milestone
OF_A_STOP = [milestone for milestone in M if not milestone.startswith(("recovery-", "latch-rem", "stop-concluding"))]
"""All but those of a recovery, and the one that is only passed where a worker acknowledges last."""

ALONE = {M.LATCH_PLACING, M.LATCH_PLACED}
"""Where the order has to come to the keeper alone, or whoever ordered it may have placed the latch."""

OF_A_RECOVERY = [
    (M.RECOVERY_ACTING, "gradual_restore"),
    (M.RECOVERY_ACTED, "gradual_restore"),
    (M.RECOVERY_SEEN, "preparation"),
    (M.RECOVERY_SEEN, "gradual_restore"),
    *((M.RECOVERY_ADVANCING, phase) for phase in PHASES),
    *((M.RECOVERY_ADVANCED, phase) for phase in PHASES),
    (M.LATCH_REMOVING, ""),
    (M.LATCH_REMOVED, ""),
]
OF_TURNING_BACK = [
    (M.RECOVERY_ACTING, "rolling-back"),
    (M.RECOVERY_ACTED, "rolling-back"),
    (M.RECOVERY_SEEN, "rolling-back"),
    (M.RECOVERY_ADVANCING, "rolling-back"),
    (M.RECOVERY_ADVANCED, "rolling-back"),
]
SHORT = {
    M.ORDER_TOLD,
    M.LATCH_PLACING,
    M.TRANSACTION_WRITTEN,
    M.STOP_RECORDED,
    M.SERVICE_ASKED,
    M.REPORT_HANDING_IN,
    (M.RECOVERY_ACTED, "gradual_restore"),
    (M.RECOVERY_ADVANCING, "full_restore"),
    (M.RECOVERY_ADVANCED, "monitoring"),
    (M.RECOVERY_ACTING, "rolling-back"),
}
"""Where the two sides of a step differ most: these are looked at each time, the others at full length."""

OF_A_TRANSACTION = {M.TRANSACTION_BEGUN, M.TRANSACTION_WRITTEN, M.TRANSACTION_COMMITTED}
OF_A_SERVICE = {M.SERVICE_ASKING, M.SERVICE_ASKED, M.SERVICE_SEEN}
TWICE = {*OF_A_TRANSACTION, *OF_A_SERVICE, "gradual_restore"}
"""What each incident passes more than once: a stop in what it does to each service and in what it records, a recovery
in the phase of several steps. Whatever else is passed but once, or twice by chance."""

LEVELS: tuple[Level, ...] = ("immediate", "graceful", "cascading") if FULL else ("immediate",)


class Place:
    """One fleet of two services, ``web`` needs ``db``, and one worker. What is true of a service is a file of its own,
    and each start is a line of another."""

    def __init__(self, nursery: Nursery, folder: Path) -> None:
        self.nursery, self.folder = nursery, folder
        self.url = f"sqlite:///{folder / 'fleet.db'}"
        self.armed = folder / "armed"
        self.backend = open_backend(self.url)
        self.fleet = self.backend.latest().fleet
        self.children: list[Child] = []
        self.orders = 0
        for at, name in enumerate(NAMES):
            config: dict[str, JsonValue] = {
                "start": ["/bin/sh", "-c", f"echo {name} >>{folder}/starts; echo >{folder}/{name}"],
                "stop": ["/bin/rm", "-f", f"{folder}/{name}"],
                "status": ["/bin/sh", "-c", f"test -e {folder}/{name} || exit 3"],
            }
            self.backend.submit(say(AddService(name=name, driver="command", config=config, depends_on=NAMES[:at])))
        for procedure in (QUICK, WATCHED):
            self.backend.submit(say(SetProcedure(procedure=procedure)))
        self.begin_anew()
        self.keeper()
        self.gate = Gate.open(self.url, worker="w1")
        eventually(lambda: "w1" in self.backend.state().workers, within_s=PATIENCE_S)

    def keeper(self, milestone: str = "", phase: str = "", times: int = 1) -> Child:
        """Another keeper in place of the present one, that dies at a milestone."""
        self.end_keeper()
        eventually(lambda: keeper.alive(self.url) is None, within_s=PATIENCE_S)
        child = self.nursery.bear(
            "keep", url=self.url, milestone=milestone, phase=phase, times=times, armed=str(self.armed)
        )
        self.children = [child]
        assert next(child.lines(), None) == {"ready": True}
        return child

    def end_keeper(self) -> None:
        """Kill the present one, if it lives."""
        self.armed.unlink(missing_ok=True)
        for child in self.children:
            with suppress(ProcessLookupError):
                child.kill()
            child.close()
        self.children = []

    def dies(self, child: Child) -> None:
        """Wait until a keeper was killed at its milestone."""
        assert child.speaks(PATIENCE_S), "it never came there"
        assert [line for line in child.lines() if "killed" in line]

    def order(self, level: Level, *, alone: bool = False) -> Order:
        """Order a stop of everything; ``alone``: nobody but the keeper hears of it."""
        self.orders += 1
        order = Order(f"S-{self.orders}", datetime.now(UTC), (EVERYTHING,), level)
        if alone:
            self.tell(order)
        else:
            stop_lane.fire(order, url=self.url, fleet=self.fleet, timeout_s=1.0)  # a keeper that dies answers nobody
        return order

    def tell(self, order: Order) -> None:
        """Say an order to the keeper."""
        wire.ask(str(stop_socket(self.fleet)), "order", timeout_s=1.0, order=order.as_dict())

    def stop(self, order: Order) -> Stop | None:
        """What the journal knows of it."""
        return self.backend.state().stops.get(order.stop_id)

    def is_verified(self, order: Order) -> bool:
        """Whether it is, and whether that is so."""
        stop = self.stop(order)
        if stop is None or stop.result != "verified":
            return False
        assert not self.running, "a stop that is verified has stopped what it lists"
        assert not self.gate.check(site="s1")
        return True

    def have_stopped(self, order: Order) -> bool:
        """Whether the journal knows that all services have."""
        stop = self.stop(order)
        return stop is not None and all(step.has_stopped for step in stop.services)

    def emergency(self, order: Order) -> Emergency:
        """That of a recorded stop."""
        stop = self.stop(order)
        assert stop is not None
        return self.backend.state().emergencies[stop.emergency_id]

    def recover(self, order: Order, procedure: str) -> None:
        """A person begins to recover it."""
        emergency_id = self.emergency(order).emergency_id
        wanted = Recover(emergency_id=emergency_id, reason="mended", confirm="all", procedure=procedure)
        self.backend.submit(say(wanted))

    def recovery(self, order: Order) -> Recovery:
        """That of a stop."""
        recovery = self.emergency(order).recovery
        assert recovery is not None
        return recovery

    def stopped(self, level: Level = "immediate") -> Order:
        """Everything stopped, by a keeper that nobody kills."""
        order = self.order(level)
        eventually(lambda: self.is_verified(order), within_s=PATIENCE_S)
        return order

    @property
    def running(self) -> list[str]:
        """What really runs."""
        return [name for name in NAMES if (self.folder / name).exists()]

    @property
    def starts(self) -> list[str]:
        """What was ever started by its driver since everything began anew."""
        return (self.folder / "starts").read_text().split()

    def is_quiet(self, emergency_id: str) -> bool:
        """Whether nothing is recovered there, and no stop counts."""
        state = self.backend.state()
        emergency = state.emergencies[emergency_id]
        is_counted = all(state.stops[stop_id].result != "pending" for stop_id in emergency.stop_ids)
        return is_counted and (emergency.recovery is None or not emergency.recovery.is_active)

    def begin_anew(self) -> None:
        """Nothing is stopped, everything runs, and nobody has started anything."""
        for emergency in self.backend.state().active_emergencies():
            if emergency.recovery is not None and emergency.recovery.is_active:
                self.backend.submit(say(AbortRecovery(emergency_id=emergency.emergency_id)))
            eventually(
                lambda at=emergency.emergency_id: self.is_quiet(at),  # type: ignore[misc]  # mypy knows no default
                within_s=PATIENCE_S,
            )
            wanted = Recover(emergency_id=emergency.emergency_id, reason="anew", confirm="all", procedure=DIRECT)
            self.backend.submit(say(wanted))
        for name in NAMES:
            (self.folder / name).touch()
        (self.folder / "starts").write_text("")

    def close(self) -> None:
        """End everything, and see that the journal is whole."""
        self.gate.close()
        self.end_keeper()
        self.backend.close()
        require_whole(self.url)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One fleet for all of them."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("h", numbered=False)
        for name, value in homes_under(home).items():
            patch.setenv(name, value)
        (home / "run").mkdir(mode=0o700)
        with Nursery.open() as nursery:
            place = Place(nursery, tmp_path_factory.mktemp("milestones"))
            yield place
            place.close()


@pytest.fixture
def place(home: Path, shared: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """It, as if nothing had happened, at the home where its keepers are."""
    for name, value in homes_under(shared.folder.parent / "h").items():
        monkeypatch.setenv(name, value)
    if not keeper.alive(shared.url):
        shared.keeper()
    shared.begin_anew()
    return shared


def among(whole: Sequence[T]) -> list[T]:
    """Those of them that are looked at."""
    return [each for each in whole if FULL or each in SHORT]


def with_times(whole: Sequence[T], where: Callable[[T], object]) -> list[tuple[T, int]]:
    """Those that are looked at, for the first time, and at full length for the second too ``where`` there is one."""
    first = [(each, 1) for each in among(whole)]
    return first + [(each, 2) for each, _ in first if FULL and where(each) in TWICE]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("milestone", "times"), with_times(OF_A_STOP, lambda milestone: milestone))
def test_a_stop_goes_on_wherever_its_keeper_is_killed(
    place: Place, milestone: Milestone, times: int, level: Level
) -> None:
    dying = place.keeper(milestone, times=times)
    place.armed.touch()
    alone = milestone in ALONE
    order = place.order(level, alone=alone)
    place.dies(dying)

    place.is_verified(order)
    place.keeper()
    if alone:
        place.tell(order)  # once more, as whoever was not answered does
    eventually(lambda: not place.gate.check(site="s1"), within_s=PATIENCE_S)
    eventually(lambda: place.is_verified(order), within_s=PATIENCE_S)

    assert place.starts == [], "and nobody starts anything"
    assert {latched.stop_id for latched in latch.in_force([place.fleet])} == {order.stop_id}


def test_a_stop_is_concluded_though_the_keeper_is_killed_when_the_last_worker_acknowledges(place: Place) -> None:
    dying = place.keeper(M.STOP_CONCLUDING)
    eventually(lambda: place.gate.check(site="s1"), within_s=PATIENCE_S)
    with place.gate.work(site="s1") as work:
        assert work
        place.armed.touch()
        order = place.order("graceful")
        eventually(lambda: place.have_stopped(order), within_s=PATIENCE_S)
        assert place.running == []
        assert not place.is_verified(order), "a piece of work runs"
    place.dies(dying)

    place.keeper()
    eventually(lambda: place.is_verified(order), within_s=PATIENCE_S)
    assert place.starts == []


@pytest.mark.parametrize(
    ("milestone", "phase", "times"),
    [(*passed, times) for passed, times in with_times(OF_A_RECOVERY, lambda passed: passed[1])],
)
def test_a_recovery_goes_on_wherever_its_keeper_is_killed(
    place: Place, milestone: Milestone, phase: str, times: int
) -> None:
    order = place.stopped()
    dying = place.keeper(milestone, phase, times)
    assert place.starts == []
    place.armed.touch()
    place.recover(order, "quick")
    place.dies(dying)

    if place.emergency(order).status == "active":
        assert not place.gate.check(site="s1") or place.recovery(order).admit
    place.keeper()
    eventually(lambda: not place.recovery(order).is_active, within_s=PATIENCE_S)

    assert place.recovery(order).status == "completed"
    assert place.running == list(NAMES)
    eventually(lambda: place.gate.check(site="s1"), within_s=PATIENCE_S)
    eventually(lambda: not latch.in_force([place.fleet]), within_s=PATIENCE_S)


@pytest.mark.parametrize(("milestone", "phase"), among(OF_TURNING_BACK))
def test_a_recovery_is_turned_back_wherever_its_keeper_is_killed(
    place: Place, milestone: Milestone, phase: str
) -> None:
    order = place.stopped()
    dying = place.keeper(milestone, phase)
    place.recover(order, "watched")
    eventually(lambda: place.recovery(order).phase == "monitoring", within_s=PATIENCE_S)
    started = place.starts
    place.armed.touch()
    place.backend.submit(say(AbortRecovery(emergency_id=place.emergency(order).emergency_id)))
    place.dies(dying)

    eventually(lambda: not place.gate.check(site="s1"), within_s=PATIENCE_S)
    place.keeper()
    eventually(lambda: not place.recovery(order).is_active, within_s=PATIENCE_S)

    assert place.recovery(order).status == "aborted"
    assert place.running == []
    assert place.starts == started, "what is turned back is not started again"
