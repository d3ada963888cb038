"""Whatever people, stops, services and killed keepers do in whatever order: nothing is started but by a recovery that
goes forward, nothing is admitted but by one, and a stop wins in every phase."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from backends.keeper.deeds import Deed, Done
from core import checkpoint
from core.capabilities.recovery import AbortRecovery, ContinueRecovery, HoldRecovery, RollBackRecovery
from core.engine import fold
from core.errors import OpsError
from core.messages import Command
from core.recoveries import Recovery
from core.services import Service
from core.state import State
from opsgate.selector import Selector, scope_text
from tests.simulation.recovery_world import Case
from tests.specs.engine import on

SERVICES = ["s0", "s1", "s2"]
STEERING: dict[str, Callable[[str], Command]] = {
    "abort": lambda emergency_id: AbortRecovery(emergency_id=emergency_id),
    "roll back": lambda emergency_id: RollBackRecovery(emergency_id=emergency_id),
    "hold": lambda emergency_id: HoldRecovery(emergency_id=emergency_id),
    "continue": lambda emergency_id: ContinueRecovery(emergency_id=emergency_id),
}


class RecoveryMachine(RuleBasedStateMachine):
    """One fleet with three services, a keeper, and a world in which nothing is certain."""

    def __init__(self) -> None:
        super().__init__()
        self.case: Case
        self.stops = 1

    @initialize(seed=st.integers(0, 2**32), faults=st.sampled_from([0.0, 0.05, 0.2]), turns=st.integers(0, 30))
    def begin(self, seed: int, faults: float, turns: int) -> None:
        """Everything is stopped, and seen to be; a recovery has come so far."""
        self.case = Case(Random(seed), faults, services=3)
        honest = self.case.world.act

        def act(deed: Deed, services: Iterable[Service], recovery: Recovery) -> Mapping[str, Done]:
            wanted = list(services)
            for service in wanted:
                self._require_allowed(deed, service.name, recovery.recovery_id)
            return honest(deed, wanted, recovery)

        self.case.world.act = act  # type: ignore[method-assign] # what is asked of drivers is looked at on its way
        self.case.begin()
        self.turns(turns)

    # ------------------------------------------------------------------------------------------------------- people
    @rule(procedure=st.sampled_from(["quick", "standard_recovery", "critical_recovery", None]))
    def recover(self, procedure: str | None) -> None:
        """What the stops drive has stopped, and a person begins to recover the first emergency in force."""
        self.stops_are_driven()
        for emergency in self._state.active_emergencies()[:1]:
            scope = scope_text(emergency.selectors)
            self._try(partial(self.case.engine.recover, emergency.emergency_id, scope, procedure=procedure))

    @rule(verb=st.sampled_from(sorted(STEERING)))
    def steer(self, verb: str) -> None:
        """A person holds, continues, aborts or rolls back."""
        for emergency in self._state.active_emergencies():
            command: Command = STEERING[verb](emergency.emergency_id)
            self._try(partial(self.case.engine.do, command))

    @rule(name=st.sampled_from([*SERVICES, None, None]), level=st.sampled_from(["graceful", "immediate", "cascading"]))
    def stop(self, name: str | None, level: str) -> None:
        """Somebody stops everything, or one service, whatever goes on."""
        self.stops += 1
        scope = on(service=name) if name else on()
        self.case.engine.stop(f"S-{self.stops}", scope, level=level)  # type: ignore[arg-type] # one of the levels
        for emergency in self._state.active_emergencies():
            if any(scope.overlaps(other) for other in emergency.selectors):
                assert emergency.recovery is None or not emergency.recovery.goes_forward
        assert not self._admitted(scope)

    # -------------------------------------------------------------------------------------------------------- world
    @rule()
    def stops_are_driven(self) -> None:
        """Whoever drives stops ends what no recovery has begun to start, looks, and tells the truth."""
        for stop in self._state.active_stops():
            recovery = self._state.emergencies[stop.emergency_id].recovery
            theirs = recovery.attempted if recovery and recovery.is_active else ()
            for step in stop.services:
                if step.service not in theirs:
                    self.case.world.running[step.service] = False
                    self.case.engine.report(step.service, "stopped", stop_id=stop.stop_id)

    @rule(turns=st.integers(1, 25))
    def turns(self, turns: int) -> None:
        """The keeper has a few turns."""
        for _ in range(turns):
            self.case.turn()

    @rule()
    def keeper_is_killed(self) -> None:
        """The next one knows nothing."""
        self.case.killed()

    @rule(name=st.sampled_from(SERVICES))
    def falls(self, name: str) -> None:
        """A service ends."""
        self.case.world.running[name] = False

    @rule()
    def is_read_back(self) -> None:
        """A stored fold is the state."""
        assert checkpoint.load(checkpoint.dump(self._state)) == self._state

    # --------------------------------------------------------------------------------------------------- invariants
    @invariant()
    def nothing_is_admitted_but_by_a_recovery_that_goes_forward(self) -> None:
        """And that has seen every one of its services run."""
        if not hasattr(self, "case"):
            return
        for emergency in self._state.active_emergencies():
            recovery = emergency.recovery
            shares = {h.admit for h in self._state.holds.values() if h.owner == emergency.emergency_id}
            assert shares <= {recovery.admit if recovery else 0.0}
            assert recovery is None or not recovery.admit or recovery.goes_forward

    @invariant()
    def what_a_stop_says_has_stopped_is_what_it_lists(self) -> None:
        """Verified is never said while something is missing."""
        if hasattr(self, "case"):
            assert all((stop.result == "verified") <= (not stop.missing) for stop in self._state.active_stops())

    def teardown(self) -> None:
        """Events alone give the same state."""
        if hasattr(self, "case"):
            assert fold(State(), self.case.engine.journal) == self._state

    # ------------------------------------------------------------------------------------------------------- inside
    @property
    def _state(self) -> State:
        return self.case.engine.state

    def _admitted(self, scope: Selector) -> bool:
        touching = self._state.holds_touching([scope])
        return any(hold.admit for hold in touching if hold.source == "emergency")

    def _require_allowed(self, deed: Deed, name: str, recovery_id: str) -> None:
        going = [e.recovery for e in self._state.active_emergencies() if e.recovery and e.recovery.is_active]
        (recovery,) = [each for each in going if each.recovery_id == recovery_id]
        assert name in recovery.attempted
        assert recovery.goes_forward == (deed == "start")

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OpsError:
            pass  # it is refused, which changes nothing


def test_nothing_starts_but_by_a_recovery_and_a_stop_wins_in_every_phase() -> None:
    run_state_machine_as_test(
        RecoveryMachine,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
