"""Recoveries in which anything may go wrong end all running or all stopped, or name what is neither."""

from random import Random

import pytest

from core.engine import fold
from core.state import State
from tests.simulation.harness import FULL, rounds, tell
from tests.simulation.recovery_world import Case

TURNS_MAX = 2_000


def to_its_end(case: Case, random: Random, *, killed: float = 0.0, stopped: float = 0.0) -> None:
    """Recover until nothing is under way; a keeper may be killed, and a stop may come, at any turn."""
    case.begin()
    stops = 0
    for _ in range(TURNS_MAX):
        if random.random() < killed:
            case.killed()
        if random.random() < stopped and case.emergency.status == "active" and stops < 2:
            stops += 1
            case.stop_comes(f"S-{stops + 1}")
            assert not any(hold.admit for hold in case.engine.state.holds.values())
        recovery = case.engine.recovery(case.emergency_id)
        if not recovery.is_active:
            return
        require_that_nothing_runs_ahead(case)
        case.turn()
    raise AssertionError(f"never ended: {case.engine.recovery(case.emergency_id)}")


def require_that_nothing_runs_ahead(case: Case) -> None:
    """Work is admitted only by a recovery that goes forward and has seen every service run."""
    recovery = case.engine.recovery(case.emergency_id)
    admitted = max((hold.admit for hold in case.engine.state.holds.values()), default=0.0)
    assert admitted == recovery.admit
    if admitted:
        assert recovery.goes_forward
        assert recovery.phase in {"gradual_restore", "full_restore", "monitoring"}
    begun = set(recovery.attempted)
    assert not {name for name, runs in case.world.running.items() if runs} - begun


def require_all_or_nothing(case: Case) -> str:
    recovery, running = case.engine.recovery(case.emergency_id), case.world.running
    assert fold(State(), case.engine.journal) == case.engine.state
    if case.emergency.status == "ended":
        assert recovery.status == "completed"
        assert not case.engine.state.holds
        return "completed"
    assert not case.engine.runs()
    assert not any(running.values()) or recovery.left
    assert {name for name, runs in running.items() if runs} <= set(recovery.left)
    for name in recovery.left:
        assert name in case.emergency.attention
        assert f"service:{name}" in case.engine.stopped("S-1").missing
    return recovery.status


@pytest.mark.parametrize("faults", [0.02, 0.1, 0.3])
def test_whatever_fails_a_recovery_ends_with_everything_running_or_everything_stopped(faults: float) -> None:
    ends: dict[str, int] = {}
    for number in rounds(quick=25, full=1_000):
        random = Random(f"{faults} {number}")
        case = Case(random, faults, services=random.randint(1, 6))
        to_its_end(case, random, killed=0.05, stopped=0.01)
        ended = require_all_or_nothing(case)
        ends[ended] = ends.get(ended, 0) + 1
    tell(f"recoveries with faults of {faults:.0%}: {ends}")
    assert "failed" in ends or faults < 0.05
    if FULL and faults < 0.05:
        assert ends["completed"] > 100


def test_what_cannot_be_stopped_again_is_named_and_never_passed_over_in_silence() -> None:
    left = 0
    for number in rounds(quick=15, full=300):
        random = Random(number)
        case = Case(random, 0.15)
        case.world.stubborn = frozenset(random.sample(sorted(case.world.running), k=1))
        to_its_end(case, random, killed=0.02)
        require_all_or_nothing(case)
        left += bool(case.engine.recovery(case.emergency_id).left)
    assert left


def test_a_world_without_faults_always_completes() -> None:
    for number in range(5):
        case = Case(Random(number), 0.0, services=number)
        to_its_end(case, Random(number), killed=0.1)
        assert require_all_or_nothing(case) == "completed"
