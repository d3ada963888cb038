"""What every driver promises, as a test suite over a real service: for ours, and for whoever writes another one.

    class TestMine(DriverContract):
        @pytest.fixture
        def case(self, tmp_path): ...   # gives a `Case` of a service that runs

Each test is a fact. Nothing here needs to know what kind of service it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from backends.drivers.base import Action, Driver, DriverOrder, Observation, Outcome, perform
from opsgate.clock import elapsed_s

_PATIENCE_S: Final = 10.0
_OVERTIME_S: Final = 5.0
_LOOK_S: Final = 0.01
"""Seconds between two looks: a driver is asked, and no service tells anybody that it runs or has stopped."""

ACTIONS: Final[tuple[Action, ...]] = ("save-state", "drain", "stop", "kill", "start")

HOSTILE: Final = (
    "'; touch canary; $(touch canary) `touch canary` | & \n\r\x1b]0;x\x07 -- --help \N{RIGHT-TO-LEFT OVERRIDE}"
)
"""A reason that would do something wherever it was taken for anything but text."""

ORDER: Final = DriverOrder(correlation_id="S-1", stop_id="S-1", level="immediate", reason=HOSTILE, actor="ana")


class Case(Protocol):
    """A service that runs, and its driver."""

    driver: Driver

    def runs(self) -> bool:
        """Whether the service runs, by another way of telling than the driver's."""

    def turn_deaf(self) -> bool:
        """Have the service ignore whoever asks it to stop; False where there is no such thing."""


class DriverContract:
    """The promises. A class of tests takes them over and gives the fixture ``case``."""

    def test_it_can_only_what_it_says_and_refuses_the_rest(self, case: Case) -> None:
        """Whoever plans a stop goes by what a driver says that it can."""
        for action in ACTIONS:
            if action not in case.driver.can:
                assert perform(case.driver, action, ORDER, 1.0).result == "refused"
        assert case.driver.can <= set(ACTIONS)
        assert case.driver.can & {"stop", "kill"}, "a driver that can do neither stops nothing"

    def test_what_runs_is_seen_to_run(self, case: Case) -> None:
        """The observation of a service that runs says so."""
        assert until(case.driver, "running").standing == "running"
        assert came_true(case.runs)

    def test_what_was_stopped_has_stopped_and_is_seen_to(self, case: Case) -> None:
        """By the world's account, and by the driver's observation."""
        outcome = end(case.driver)
        assert outcome.result == "done", outcome
        assert until(case.driver, "stopped").standing == "stopped"
        assert not case.runs()

    def test_to_stop_again_what_has_stopped_is_done(self, case: Case) -> None:
        """A stop that is resumed after a crash repeats its steps."""
        end(case.driver)
        until(case.driver, "stopped")
        assert end(case.driver).result == "done"
        assert case.driver.observe(5.0).standing == "stopped"

    def test_a_service_that_does_not_obey_is_never_seen_stopped(self, case: Case) -> None:
        """Whatever its driver was told, or says itself."""
        until(case.driver, "running")
        if case.turn_deaf() and "stop" in case.driver.can:
            perform(case.driver, "stop", ORDER, 0.3)
            assert case.runs()
            assert case.driver.observe(5.0).standing != "stopped"

    def test_a_kill_ends_even_what_does_not_obey(self, case: Case) -> None:
        """Where a driver can kill at all."""
        until(case.driver, "running")
        if "kill" in case.driver.can:
            case.turn_deaf()
            assert perform(case.driver, "kill", ORDER, 5.0).result == "done"
            assert until(case.driver, "stopped").standing == "stopped"
            assert not case.runs()

    def test_what_was_stopped_can_be_started_again(self, case: Case) -> None:
        """Where a driver can start at all; what runs already is left alone."""
        end(case.driver)
        until(case.driver, "stopped")
        if "start" in case.driver.can:
            for _ in range(2):
                assert perform(case.driver, "start", ORDER, 5.0).result == "done"
                assert until(case.driver, "running").standing == "running"
            assert came_true(case.runs)

    def test_an_action_ends_about_in_time(self, case: Case) -> None:
        """A driver that overran its time would have to be abandoned."""
        case.turn_deaf()
        for action in ("stop", "drain"):
            began_s = elapsed_s()
            perform(case.driver, action, ORDER, 0.2)
            case.driver.observe(0.2)
            assert elapsed_s() - began_s < 0.4 + _OVERTIME_S


def end(driver: Driver) -> Outcome:
    """Stop it as its driver can."""
    return perform(driver, "stop" if "stop" in driver.can else "kill", ORDER, 5.0)


def came_true(fact: Callable[[], bool]) -> bool:
    """Whether something became true, after some patience."""
    deadline_s = elapsed_s() + _PATIENCE_S
    while not fact() and elapsed_s() < deadline_s:
        time.sleep(_LOOK_S)  # the world tells nobody
    return fact()


def until(driver: Driver, standing: str) -> Observation:
    """The first observation with this standing, or the last one of all."""
    deadline_s = elapsed_s() + _PATIENCE_S
    while (seen := driver.observe(5.0)).standing != standing and elapsed_s() < deadline_s:
        time.sleep(_LOOK_S)  # likewise
    return seen
