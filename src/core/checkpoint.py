"""A checkpoint is a stored fold: the state as one JSON document, so that a start reads it and the tail behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any, Final, TypeVar

from immutables import Map

from core.ack_times import AckTimes
from core.reach import Pairs, Reach, with_selector
from core.state import Emergency, Limit, Name, State, Stop, Token, Worker
from opsgate.hold import Hold, moment, timestamp
from opsgate.selector import Selector

EVERY: Final = 1000
"""Events between two checkpoints."""

FORMAT: Final = 3
"""Raised when the document changes; a checkpoint of a format that is not read is passed over and the journal folded
instead."""

FORMATS_READ: Final = frozenset({1, 2, FORMAT})
"""Format 1 is from before there were tokens, 2 from before stops said how long their acknowledgements took."""

Entity = TypeVar("Entity", Name, Limit, Worker, Stop, Emergency, Token)


def dump(state: State) -> str:
    """The state as canonical JSON: equal states are equal text."""
    return _canonical(
        {
            "format": FORMAT,
            "fleet": state.fleet,
            "revision": state.revision,
            "control_revision": state.control_revision,
            "names_revision": state.names_revision,
            "holds": [state.holds[key].as_dict() for key in sorted(state.holds)],
            "names": _rows(Name, state.names),
            "limits": _rows(Limit, state.limits),
            "workers": _rows(Worker, state.workers),
            "stops": _rows(Stop, state.stops),
            "emergencies": _rows(Emergency, state.emergencies),
            "tokens": _rows(Token, state.tokens),
        }
    )


def load(text: str) -> State | None:
    """The state of ``dump``; None for a format that is not read. Raises ValueError, KeyError or TypeError for a damaged
    document."""
    return read(json.loads(text))


def read(document: Any) -> State | None:
    """The same, of a document that is parsed already; it may be changed by that."""
    if not isinstance(document, dict):
        raise TypeError("a checkpoint is a JSON object")
    if document.get("format") not in FORMATS_READ:
        return None
    holds = [Hold.from_dict(hold) for hold in document["holds"]]
    names = _entities(Name, document["names"])
    tokens = document["tokens"] if document["format"] > 1 else []
    if document["format"] < FORMAT:
        document["stops"] = [[*stop, None] for stop in document["stops"]]
    return State(
        fleet=document["fleet"],
        revision=document["revision"],
        control_revision=document["control_revision"],
        names_revision=document["names_revision"],
        holds=Map({hold.hold_id: hold for hold in holds}),
        by_selector=_by_selector(holds),
        reach=_reach(holds),
        names=Map({(name.dimension, name.name): name for name in names}),
        limits=Map({limit.name: limit for limit in _entities(Limit, document["limits"])}),
        workers=Map({worker.worker_id: worker for worker in _entities(Worker, document["workers"])}),
        stops=Map({stop.stop_id: stop for stop in _entities(Stop, document["stops"])}),
        emergencies=Map({case.emergency_id: case for case in _entities(Emergency, document["emergencies"])}),
        tokens=Map({token.token_id: token for token in _entities(Token, tokens)}),
    )


def digest(text: str) -> str:
    """What tells a damaged checkpoint from a whole one."""
    return hashlib.sha256(text.encode()).hexdigest()


def _reach(holds: list[Hold]) -> Reach:
    reach: Reach = Map()
    for hold in holds:
        reach = with_selector(reach, hold.selector, hold.hold_id)
    return reach


def _by_selector(holds: list[Hold]) -> Map[Pairs, tuple[str, ...]]:
    """The index of holds, in the order in which they were placed: an id ends in the revision of that event, which a
    clock that went back cannot change."""
    index: dict[Pairs, tuple[str, ...]] = {}
    for hold in sorted(holds, key=lambda hold: int(hold.hold_id.rpartition("-")[2])):
        index[hold.selector.items] = (*index.get(hold.selector.items, ()), hold.hold_id)
    return Map(index)


def _rows(kind: type[Entity], entities: Mapping[Any, Entity]) -> list[list[Any]]:
    """Entities as lists of their fields, by key: a hundred thousand names take a quarter of the room of objects."""
    keys = [field.name for field in fields(kind)]
    return [[_written(getattr(entities[key], name)) for name in keys] for key in sorted(entities)]


def _entities(kind: type[Entity], rows: list[list[Any]]) -> list[Entity]:
    types = [str(field.type) for field in fields(kind)]
    readers = [(at, _READ[name]) for at, name in enumerate(types) if name in _READ]
    for row in rows:
        if len(row) != len(types):
            raise ValueError(f"not a row of a {kind.__name__}")
        for at, read in readers:
            row[at] = read(row[at])
    return [kind(*row) for row in rows]


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, AckTimes):
        return list(astuple(value))
    if isinstance(value, tuple):
        return [item.as_dict() if isinstance(item, Selector) else item for item in value]
    return value


_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "datetime": moment,
    "datetime | None": lambda text: text and moment(text),
    "AckTimes | None": lambda row: row and AckTimes(*row),
    "tuple[str, ...]": tuple,
    "tuple[Selector, ...]": lambda items: tuple(map(Selector.from_mapping, items)),
}
"""How a field is read back, by its declared type; all others are as JSON has them."""

_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
