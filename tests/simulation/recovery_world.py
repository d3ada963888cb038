"""A world of services that start, fall and get well by chance, and the engine and the keeper that recover them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from backends.keeper.deeds import Deed, Done, Health, Look
from backends.keeper.recovering import Recovering
from backends.keeper.roster import Instant
from core.capabilities.procedures import SetProcedure
from core.errors import OpsError
from core.gates import MetricGate
from core.messages import Command
from core.procedures import GateOn, Procedure, RampStep
from core.recoveries import Recovery
from core.services import Service
from core.state import Emergency
from tests.specs.engine import Engine, on

QUICK = Procedure(
    name="quick",
    metrics=(GateOn(must="err_rate < 0.5", measure="last", window_s=5.0),),
    settle_s=2.0,
    ramp=(RampStep(admit=0.25, wait_s=2.0), RampStep(admit=1.0, wait_s=0.0)),
    monitor_s=5.0,
    start_timeout_s=10.0,
    rollback_timeout_s=40.0,
)


class World:
    """What really runs. ``faults`` is how likely each thing goes wrong; what is ``stubborn`` never stops."""

    def __init__(self, random: Random, faults: float) -> None:
        self.running: dict[str, bool] = {}
        self.unwell: set[str] = set()
        self.stubborn: frozenset[str] = frozenset()
        self.random, self.faults = random, faults

    def goes_wrong(self) -> bool:
        """By chance."""
        return self.random.random() < self.faults

    # ------------------------------------------------------------------------------------------------ what hands do
    def look(self, services: Iterable[Service]) -> Mapping[str, Look]:
        """Always the truth, or nothing: what is seen is never a claim."""
        return {each.name: self._look(each.name) for each in services}

    def health(self, services: Iterable[Service]) -> Mapping[str, Health]:
        """As long as it runs and is not unwell."""
        return {
            each.name: Health(None if self.goes_wrong() else self.running[each.name] and each.name not in self.unwell)
            for each in services
            if each.health
        }

    def act(self, deed: Deed, services: Iterable[Service], recovery: Recovery) -> Mapping[str, Done]:
        """What a driver answers and what really happens are two things."""
        return {each.name: self._act(deed, each.name) for each in services}

    def readings(self, gate: MetricGate, since_s: float) -> Sequence[float]:
        """What is measured: nothing, an error or none."""
        return () if self.goes_wrong() else (float(self.goes_wrong()),)

    def passes(self) -> None:
        """A moment passes, in which something may fall, or get unwell."""
        for name in self.running:
            if self.goes_wrong() and self.goes_wrong() and name not in self.stubborn:
                self.running[name] = False
            if self.goes_wrong() and self.goes_wrong():
                self.unwell.symmetric_difference_update({name})

    def _look(self, name: str) -> Look:
        if self.goes_wrong():
            return Look(None, "nobody could see")
        return Look("running" if self.running[name] else "stopped")

    def _act(self, deed: Deed, name: str) -> Done:
        wrong, lies = self.goes_wrong(), self.goes_wrong()
        if deed == "start":
            self.running[name] = self.running[name] or not wrong
        elif name not in self.stubborn:
            self.running[name] = self.running[name] and wrong
        return Done("done" if not wrong or lies else self.random.choice(("failed", "timed-out")))


class Case:
    """One emergency in such a world, stopped, and being recovered."""

    def __init__(self, random: Random, faults: float, *, services: int = 4) -> None:
        self.engine = Engine()
        self.world = World(random, faults)
        names = [f"s{number}" for number in range(services)]
        for number, name in enumerate(names):
            needs = random.sample(names[:number], k=min(number, random.randint(0, 2)))
            self.engine.service(name, *needs, health={"kind": "tcp"} if random.random() < 0.5 else {})
            self.world.running[name] = False
        self.engine.stop("S-1", level="graceful")
        for name in names:
            self.engine.report(name, "stopped", stop_id="S-1")
        self.emergency_id = self.engine.stopped("S-1").emergency_id
        self.engine.do(SetProcedure(procedure=QUICK))
        self.keeper = self._keeper()
        self.elapsed_s = 0.0

    def begin(self) -> None:
        """A person begins to recover it."""
        self.engine.recover(self.emergency_id, procedure="quick")

    def turn(self) -> bool:
        """The keeper has a turn, and a second passes. Whether anything was under way."""
        was_active = self.emergency.status == "active"
        busy = self.keeper.turn(lambda: Instant(self.engine.now, self.elapsed_s), lambda: self.engine.state)
        if was_active and self.emergency.status == "ended":
            assert all(self.world.running.values()), "it ended while something did not run"
        self.engine.wait(1)
        self.elapsed_s += 1
        self.world.passes()
        return busy

    def killed(self) -> None:
        """The keeper is killed, and another one begins that remembers nothing."""
        self.keeper = self._keeper()

    def stop_comes(self, stop_id: str) -> None:
        """Somebody stops everything, whatever goes on."""
        self.engine.stop(stop_id, on())

    @property
    def emergency(self) -> Emergency:
        """The emergency."""
        return self.engine.state.emergencies[self.emergency_id]

    def _keeper(self) -> Recovering:
        return Recovering(self.world, self._submit, readings=self.world.readings)

    def _submit(self, command: Command, looked_at: int | None) -> None:
        try:
            self.engine.do(command, by="keeper", kind="system", looked_at=looked_at)
        except OpsError as error:
            raise AssertionError(f"the engine refused what its keeper said: {error}") from error
