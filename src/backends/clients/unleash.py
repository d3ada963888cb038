"""Unleash's client API: every flag key of the fleet as a toggle, without strategies, so on and off are what we say.

A toggle that an Unleash client does not find is off to it. So what is missing here is stopped there: names are listed
whole, whether or not anything holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.clients import keys
from backends.clients.keys import Answer
from core.state import State


def features(state: State) -> dict[str, Any]:
    """What ``GET /api/client/features`` answers."""
    answers = [keys.answer(state, key) for key in keys.keys(state)]
    return {"version": 2, "features": [_feature(answer) for answer in answers if answer is not None]}


def feature(state: State, key: str) -> dict[str, Any] | None:
    """The same of one toggle; None where there is none."""
    answer = keys.answer(state, key)
    return None if answer is None else _feature(answer)


def etag(state: State) -> str:
    """What tells a client that nothing has changed."""
    return f'"{state.fleet}:{state.revision}:v1"'


def evaluated(metrics: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Toggle → how often it was found on and off, out of a client's metrics; ValueError where they are none."""
    try:
        toggles = metrics["bucket"]["toggles"]
        return {str(name): (_count(each["yes"]), _count(each["no"])) for name, each in toggles.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"these are no metrics: {error!r}") from error


def _feature(answer: Answer) -> dict[str, Any]:
    return {
        "name": answer.key,
        "type": "kill-switch",
        "enabled": answer.allowed,
        "strategies": [],
        "variants": [],
        "stale": False,
        "impressionData": False,
        "project": "default",
    }


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is no count")
    return value
