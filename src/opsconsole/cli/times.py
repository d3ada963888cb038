"""Durations and times as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_UNIT_S: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,7})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,6})?)s?)?", re.ASCII)
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)

LONGEST: Final = timedelta(days=366 * 10)
"""A duration beyond ten years is a typing error."""


def duration(text: str) -> timedelta:
    """The length of ``90``, ``90s``, ``2h30m`` or ``1d12h``; a bare number is seconds.

    Raises ValueError with a sentence when ``text`` is none, or not above zero.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise ValueError(f"{ascii(text)[:40]} is not a duration: write 90, 90s, 15m or 2h30m")
    seconds = sum(float(part or 0) * unit for part, unit in zip(found.groups(), _UNIT_S.values(), strict=True))
    if not 0 < seconds <= LONGEST.total_seconds():
        raise ValueError(f"{ascii(text)[:40]} is not between a moment and ten years: give a duration above zero")
    return timedelta(seconds=seconds)


def moment(text: str, now: datetime) -> datetime:
    """The aware UTC time of ``2026-11-22T14:05Z``, ``2026-11-22 14:05`` or ``14:05``.

    Without a zone it is the zone of this host, as the person typing means it; a time without a date is that of today.
    Raises ValueError with a sentence when ``text`` is none.
    """
    typed = text.strip()
    if clock := _CLOCK.fullmatch(typed):
        typed = f"{now.astimezone():%Y-%m-%d}T{clock[1]:0>2}:{clock[2]}:{clock[3] or '00'}"
    try:
        parsed = datetime.fromisoformat(typed)
        return parsed.astimezone(UTC)  # a naive one is read in the zone of this host
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{ascii(text)[:40]} is not a time: write 2026-11-22T14:05Z, '2026-11-22 14:05' or 14:05"
        ) from None


def ago(age_s: float) -> str:
    """An age for a person, in at most two units: ``4s``, ``12m03s``, ``6d02h``."""
    seconds = max(0, int(age_s))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3_600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 86_400:
        return f"{seconds // 3_600}h{seconds % 3_600 // 60:02}m"
    return f"{seconds // 86_400}d{seconds % 86_400 // 3_600:02}h"
