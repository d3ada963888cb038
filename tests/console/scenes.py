"""The scenes that the documentation shows and that the snapshot tests compare: one incident, told in pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.capabilities.switches import SetSwitch
from core.ports import LimitUsage
from tests.console.desk import Desk, small_fleet
from tests.console.fleet import Fleet

WORKERS = [f"w-{number:02}" for number in range(1, 13)]
MISSING = "w-12"

Play = Callable[[Desk], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A fleet, and what is pressed until the picture is taken."""

    name: str
    fleet: Callable[[], Fleet]
    play: Play
    size: tuple[int, int] = (120, 36)


def busy_fleet() -> Fleet:
    """Six sites at work, one of them paused, one flag off, one limit nearly used up."""
    fleet = small_fleet()
    fleet.usage = {
        "content_pages": LimitUsage("content_pages", 97, (0, 1, 3, 8, 9, 10, 4, 2, 30, 30)),
        "gsc_requests": LimitUsage("gsc_requests", 61, (9, 9, 7, 4, 3, 2, 6, 8, 7, 6)),
        "opportunity_scans": LimitUsage("opportunity_scans", 12, (2, 0, 3, 0, 2, 0, 3, 0, 2, 0)),
        "sites": LimitUsage("sites", 4, (0, 1, 0, 0, 1, 0, 1, 0, 0, 1)),
    }
    fleet.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False, reason="experiment is over"))
    fleet.pass_time(90)
    return fleet


def stopping_fleet() -> Fleet:
    """A second into a stop: nine of twelve have acknowledged."""
    fleet = busy_fleet()
    fleet.stop(reason="INC-412 wrong prices")
    fleet.acknowledge(*WORKERS[:9])
    fleet.pass_time(1)
    return fleet


def partial_fleet() -> Fleet:
    """The stop's time is up and one worker has not acknowledged."""
    fleet = busy_fleet()
    fleet.stop(reason="INC-412 wrong prices")
    fleet.acknowledge(*(name for name in WORKERS if name != MISSING))
    fleet.pass_time(6)
    fleet.conclude()
    fleet.pass_time(30)
    return fleet


def verified_fleet() -> Fleet:
    """Everything has been seen to stop."""
    fleet = busy_fleet()
    fleet.stop(reason="INC-412 wrong prices")
    fleet.acknowledge(*WORKERS)
    fleet.pass_time(240)
    return fleet


async def look(desk: Desk) -> None:
    """Press nothing."""


async def arm(desk: Desk) -> None:
    """Half of a stop."""
    await desk.press("!")


async def ask_to_recover(desk: Desk) -> None:
    """Reason typed, scope half typed."""
    await desk.press("R")
    await desk.type("prices are right again")
    await desk.press("enter")
    await desk.type("al")


async def look_at_emergencies(desk: Desk) -> None:
    """With the cursor on the missing worker."""
    await desk.press("5", "j")


SCENES = (
    Scene("running", busy_fleet, look),
    Scene("running-80x24", busy_fleet, look, (80, 24)),
    Scene("armed", busy_fleet, arm),
    Scene("stopping", stopping_fleet, look),
    Scene("partial", partial_fleet, look_at_emergencies),
    Scene("resume", verified_fleet, ask_to_recover),
)
