"""A checkpoint is a stored fold: the state as one JSON document, so that a start reads it and the tail behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from immutables import Map

from core.state import Emergency, Limit, Name, State, Stop, Worker
from opsgate.hold import Hold, moment, timestamp
from opsgate.selector import Selector

EVERY: Final = 1000
"""Events between two checkpoints."""

KEPT: Final = 3
"""The last checkpoints that stay; one more stays at the anchor, for what retention has left to be folded from."""

FORMAT: Final = 1
"""Raised when the document changes; a checkpoint of another format is passed over and the journal folded instead."""


def dump(state: State) -> str:
    """The state as canonical JSON: equal states are equal text."""
    document = {
        "format": FORMAT,
        "fleet": state.fleet,
        "revision": state.revision,
        "control_revision": state.control_revision,
        "names_revision": state.names_revision,
        "holds": [state.holds[key].as_dict() for key in sorted(state.holds)],
        "names": [_plain(state.names[key]) for key in sorted(state.names)],
        "limits": [_plain(state.limits[key]) for key in sorted(state.limits)],
        "workers": [_plain(state.workers[key]) for key in sorted(state.workers)],
        "stops": [_plain(state.stops[key]) for key in sorted(state.stops)],
        "emergencies": [_plain(state.emergencies[key]) for key in sorted(state.emergencies)],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def load(text: str) -> State | None:
    """The state of ``dump``; None for another format; ValueError, KeyError or TypeError for a damaged document."""
    document = json.loads(text)
    if document.get("format") != FORMAT:
        return None
    holds = [Hold.from_dict(hold) for hold in document["holds"]]
    by_selector: dict[Selector, tuple[str, ...]] = {}
    for hold in sorted(holds, key=lambda hold: (hold.placed_at, _number(hold.hold_id))):
        by_selector[hold.selector] = (*by_selector.get(hold.selector, ()), hold.hold_id)
    names = [Name(**_timed(entry)) for entry in document["names"]]
    return State(
        fleet=document["fleet"],
        revision=document["revision"],
        control_revision=document["control_revision"],
        names_revision=document["names_revision"],
        holds=Map({hold.hold_id: hold for hold in holds}),
        by_selector=Map(by_selector),
        names=Map({(name.dimension, name.name): name for name in names}),
        limits=Map({entry["name"]: Limit(**_timed(entry)) for entry in document["limits"]}),
        workers=Map({entry["worker_id"]: Worker(**_timed(entry)) for entry in document["workers"]}),
        stops=Map({entry["stop_id"]: Stop(**_timed(entry)) for entry in document["stops"]}),
        emergencies=Map({entry["emergency_id"]: Emergency(**_timed(entry)) for entry in document["emergencies"]}),
    )


def digest(text: str) -> str:
    """What tells a damaged checkpoint from a whole one."""
    return hashlib.sha256(text.encode()).hexdigest()


def superseded(revisions: Iterable[int], anchor: int) -> list[int]:
    """The checkpoints that can go, where the journal begins behind ``anchor``."""
    return [revision for revision in sorted(revisions, reverse=True)[KEPT:] if revision != anchor]


def _plain(entity: Any) -> dict[str, Any]:
    return {key: _encoded(value) for key, value in asdict(entity).items() if key != "selectors"} | (
        {"selectors": [selector.as_dict() for selector in entity.selectors]} if hasattr(entity, "selectors") else {}
    )


def _encoded(value: Any) -> Any:
    return timestamp(value) if isinstance(value, datetime) else value


def _timed(entry: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key, value in entry.items():
        if key == "selectors":
            read[key] = tuple(Selector.from_mapping(selector) for selector in value)
        elif key.endswith("_at") and value is not None:
            read[key] = moment(value)
        else:
            read[key] = tuple(value) if isinstance(value, list) else value
    return read


def _number(hold_id: str) -> int:
    tail = hold_id.rpartition("-")[2]
    return int(tail) if tail.isdigit() else 0
