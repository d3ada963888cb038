"""When a schedule is due: cron in a time zone.

A time that the clocks skip in spring is due once, at the moment of the jump or as much later as the clocks jumped; one
that they go through twice in autumn is due the first time only, unless the schedule is for every hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from core.triggers.definition import Schedule

_LOOKED_BACK: Final = 1000
"""Due times that one look goes through at most; of more than one only the latest is of any interest."""


@lru_cache(maxsize=500)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def next_due(schedule: Schedule, after: datetime) -> datetime:
    """The first time behind ``after`` at which it is due, in UTC. ValueError for a schedule that makes no sense."""
    try:
        times = CronSim(schedule.cron, after.astimezone(_zone(schedule.zone)))
        once = not schedule.cron.split()[1].startswith("*")
        return next(due for due in times if not (once and due.fold)).astimezone(UTC)
    except CronSimError as error:
        raise ValueError(f"{schedule.cron!a} is no schedule: {error}") from None
    except StopIteration:
        raise ValueError(f"{schedule.cron!a} is never due") from None
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"{schedule.zone!a} is no time zone: {error}") from None


def last_due(schedule: Schedule, after: datetime, now: datetime) -> datetime | None:
    """The latest time behind ``after`` and up to ``now`` at which it was due, or None: what was missed is done once."""
    found = None
    for _ in range(_LOOKED_BACK):
        due = next_due(schedule, after)
        if due > now:
            break
        found = after = due
    return found


def fault_of_schedule(schedule: Schedule) -> str:
    """Why a schedule cannot be taken; empty where it can."""
    if len(schedule.cron.split()) != 5:
        return f"{schedule.cron!a} is no schedule: write minute, hour, day of month, month, day of week"
    try:
        next_due(schedule, _SOME_DAY)
    except ValueError as error:
        return str(error)
    return ""


_SOME_DAY: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00") - timedelta(seconds=1)
