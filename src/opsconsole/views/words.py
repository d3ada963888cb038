"""Times, shares and scopes as short words. Ages move in buckets, so that an idle screen sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from opsconsole.text import clean
from opsgate.selector import Selector, scope_text

if TYPE_CHECKING:
    from core.ack_times import AckTimes

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
BUCKET_S = 5

SPARKS = " ▁▂▃▄▅▆▇"
"""No use, and seven heights of it, none of which touches the row above."""


def age(since: datetime, now: datetime) -> str:
    """How long ago, in at most four characters: ``now``, ``35s``, ``12m``, ``5h``, ``6d``, ``99w``.

    Seconds move in steps of five. A time in the future (a clock went back) is ``now``.
    """
    return duration((now - since).total_seconds())


def ago(since: datetime, now: datetime) -> str:
    """`age` as a phrase: ``just now``, ``12m ago``."""
    said = age(since, now)
    return "just now" if said == "now" else f"{said} ago"


def duration(seconds: float) -> str:
    """`seconds` as `age` says them."""
    if seconds < BUCKET_S:
        return "now"
    if seconds < MINUTE_S:
        return f"{int(seconds) // BUCKET_S * BUCKET_S}s"
    if seconds < HOUR_S:
        return f"{int(seconds) // MINUTE_S}m"
    if seconds < 2 * DAY_S:
        return f"{int(seconds) // HOUR_S}h"
    if seconds < 100 * DAY_S:
        return f"{int(seconds) // DAY_S}d"
    return f"{min(999, int(seconds) // (7 * DAY_S))}w"


def until(end: datetime | None, now: datetime) -> str:
    """When something ends: ``-`` never, ``in 5m``, ``overdue``."""
    if end is None:
        return "-"
    left_s = (end - now).total_seconds()
    return f"in {duration(max(BUCKET_S, left_s))}" if left_s > 0 else "overdue"


def clock(moment: datetime) -> str:
    """The time of day in UTC, ``14:02:11``."""
    return moment.astimezone(UTC).strftime("%H:%M:%S")


def stopwatch(seconds: float) -> str:
    """An age that counts every second, for what is stale: ``00:14``, ``1:02:03``."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, HOUR_S)
    minutes, left = divmod(rest, MINUTE_S)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"


def spread(times: AckTimes) -> str:
    """How long acknowledgements took: ``p50 0.4s  p95 2.1s  slowest 14s (w-03)``."""
    p50, p95, slowest = map(_precise, (times.p50_s, times.p95_s, times.slowest_s))
    return f"p50 {p50}  p95 {p95}  slowest {slowest} ({clean(times.slowest, 40)})"


def _precise(seconds: float) -> str:
    """``40ms``, ``2.1s``, ``14s``."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f}ms"
    return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"


def window(seconds: float) -> str:
    """The window of a limit: ``hour``, ``day``, or its length."""
    return {HOUR_S: "hour", DAY_S: "day", MINUTE_S: "minute"}.get(int(seconds), str(timedelta(seconds=int(seconds))))


def counted(number: int, noun: str) -> str:
    """``1 site``, ``3 sites``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def bar(share: float, cells: int) -> str:
    """A share of 0 to 1 as ``[████░░░░]``, `cells` wide in all; full only when nothing is missing."""
    room = cells - 2
    full = room if share >= 1 else min(room - 1, int(share * room))
    return "[" + "█" * full + "░" * (room - full) + "]"


def sparkline(history: Sequence[int]) -> str:
    """Heights relative to the highest; any use at all shows."""
    peak = max(history, default=0)
    return "".join(SPARKS[-(-value * (len(SPARKS) - 1) // peak)] if peak else SPARKS[0] for value in history)


def listed(names: Sequence[str], most: int = 3) -> str:
    """Names for a person: the first few, and how many more."""
    shown = " ".join(clean(name, 40) for name in names[:most])
    return f"{shown} +{len(names) - most}" if len(names) > most else shown


def scope(selectors: Sequence[Selector]) -> str:
    """A scope for a person: ``all``, ``site=s1``, ``site=s1 or site=s2``."""
    return clean(scope_text(selectors), 120)
