"""Unleash's client API: every flag key of the fleet as a toggle, without strategies, so on and off are what we say.

A toggle that an Unleash client does not find is off to it. So what is missing here is stopped there: names are listed
whole, whether or not anything holds them. A toggle has no key by which a share of the work could be chosen, so what a
recovery lets through by and by is off here until the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.clients import keys
from opsgate.evaluate import Table

_COUNT_MAX: Final = 2**53
"""What a metric shows to the last unit."""


def features(table: Table) -> dict[str, Any]:
    """What ``GET /api/client/features`` answers."""
    found = (feature(table, key) for key in keys.keys(table))
    return {"version": 2, "features": [each for each in found if each is not None]}


def feature(table: Table, key: str) -> dict[str, Any] | None:
    """The same of one toggle; None where there is none."""
    work = keys.work_of(table, key)
    return None if work is None else _feature(key, enabled=not table.covering(work))


def etag(fleet: str, tag: str) -> str:
    """What tells a client that nothing has changed."""
    return f'"{fleet}:{tag}:v1"'


def evaluated(metrics: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Toggle → how often it was found on and off, out of a client's metrics; ValueError where they are none. A client
    that has counted nothing sends no bucket."""
    try:
        bucket = metrics["bucket"]
        toggles = bucket["toggles"] if bucket is not None else {}
        return {str(name): (_count(each["yes"]), _count(each["no"])) for name, each in toggles.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"these are no metrics: {error!r}") from error


def _feature(key: str, *, enabled: bool) -> dict[str, Any]:
    return {
        "name": key,
        "type": "kill-switch",
        "enabled": enabled,
        "strategies": [],
        "variants": [],
        "stale": False,
        "impressionData": False,
        "project": "default",
    }


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _COUNT_MAX:
        raise TypeError(f"{str(value)[:40]} is no count")
    return value
