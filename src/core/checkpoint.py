"""A checkpoint is a stored fold: the state as one JSON document, so that a start reads it and the tail behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, astuple, fields
from datetime import datetime
from typing import Any, Final, TypeVar

from immutables import Map

from core.ack_times import AckTimes
from core.gates import MetricGate
from core.procedures import Procedure
from core.reach import Pairs, Reach, with_selector
from core.recoveries import Recovery, RecoveryStep
from core.services import ActionTaken, Service, ServiceStep
from core.state import Emergency, Limit, Name, State, Stop, Token, Trigger, Worker, active_of
from core.triggers.definition import Definition
from opsgate.hold import Hold, moment, timestamp
from opsgate.selector import Selector

EVERY: Final = 1000
"""Events between two checkpoints."""

FORMAT: Final = 5
"""Raised when the document changes; a checkpoint of a format that is not read is passed over and the journal folded
instead."""

FORMATS_READ: Final = frozenset({1, 2, 3, 4, FORMAT})
"""All that were ever written: once retention has dropped the beginning of a journal, nothing else says what was there.
What an older one lacks is taken for what it was before there was such a thing: an empty list, or the default of a
field, so new fields go to the end of an entity and have one. Format 1 has no tokens, 2 no times of acknowledgements, 3
no services, no triggers, nor anything else that emergencies have since, 4 not when a trigger has come back."""

OLDEST_READER: Final = 5
"""The oldest format whose programs may show what a state of this one says, as far as they know it: since then it has
only grown, by members and by fields at the end of a row. To be raised to `FORMAT` where somebody who does not know of a
change would take what he sees for something else. Nobody goes on from such a state: what he does not know would be
lost."""

Entity = TypeVar("Entity", Name, Limit, Worker, Stop, Emergency, Token, Service, Trigger)


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
            "services": _rows(Service, state.services),
            "procedures": [state.procedures[name].model_dump(mode="json") for name in sorted(state.procedures)],
            "triggers": _rows(Trigger, state.triggers),
            "trigger_share": state.trigger_share,
        }
    )


def load(text: str) -> State | None:
    """The state of ``dump``; None for a format that is not read. Raises ValueError, KeyError or TypeError for a damaged
    document."""
    return read(json.loads(text))


def read(document: Any, *, oldest_reader: int | None = None) -> State | None:
    """The same, of a document that is parsed already; it may be changed by that. One of a later format is read as far
    as it is known, for whoever shows it, where its ``oldest_reader`` is a format that is read."""
    if not isinstance(document, dict):
        raise TypeError("a checkpoint is a JSON object")
    if document.get("format") not in FORMATS_READ:
        if oldest_reader not in FORMATS_READ:
            return None
        _forget_what_is_new(document)
    elif document["format"] < FORMAT:
        document = _as_of_now(document)
    holds = [Hold.from_dict(hold) for hold in document["holds"]]
    names = _entities(Name, document["names"])
    emergencies = Map({case.emergency_id: case for case in _entities(Emergency, document["emergencies"])})
    procedures = [Procedure.model_validate(one, strict=False) for one in document["procedures"]]
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
        emergencies=emergencies,
        active=active_of(emergencies),
        tokens=Map({token.token_id: token for token in _entities(Token, document["tokens"])}),
        services=Map({service.name: service for service in _entities(Service, document["services"])}),
        procedures=Map({procedure.name: procedure for procedure in procedures}),
        triggers=Map({trigger.definition.name: trigger for trigger in _entities(Trigger, document["triggers"])}),
        trigger_share=document["trigger_share"],
    )


def _as_of_now(document: dict[str, Any]) -> dict[str, Any]:
    """A document of an older format with what has come since."""
    since: dict[str, Any] = {"tokens": [], "services": [], "procedures": [], "triggers": [], "trigger_share": 1.0}
    whole = since | document
    for key, kind in (("stops", Stop), ("emergencies", Emergency), ("triggers", Trigger)):
        defaults = [field.default for field in fields(kind)]
        for row in whole[key]:
            missing = defaults[len(row) :]
            if MISSING in missing:
                raise ValueError(f"not a row of a {kind.__name__}")
            row.extend(missing)
    return whole


def _forget_what_is_new(document: dict[str, Any]) -> None:
    """Shorten the rows of a document of a later format to what they are here."""
    for key, kind in _KINDS.items():
        for row in document[key]:
            del row[len(fields(kind)) :]


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
    if isinstance(value, Definition):
        return value.model_dump(mode="json")
    if isinstance(value, ServiceStep | ActionTaken | Recovery | RecoveryStep | MetricGate):
        return [_written(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Selector):
        return value.as_dict()
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    return value


def _row(kind: type[Any], row: list[Any]) -> Any:
    """One value of a class from the list of its fields; the last ones may be missing where they have defaults, and what
    a later version has put behind them is passed over."""
    types = [str(field.type) for field in fields(kind)]
    if MISSING in [field.default for field in fields(kind)][len(row) :]:
        raise ValueError(f"not a row of a {kind.__name__}")
    return kind(*(_READ[name](value) if name in _READ else value for name, value in zip(types, row, strict=False)))


_KINDS: Final[dict[str, type[Any]]] = {
    "names": Name,
    "limits": Limit,
    "workers": Worker,
    "stops": Stop,
    "emergencies": Emergency,
    "tokens": Token,
    "services": Service,
    "triggers": Trigger,
}
"""What the rows are that stand below each member of a document."""

_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "datetime": moment,
    "datetime | None": lambda text: text and moment(text),
    "Definition": lambda document: Definition.model_validate(document, strict=False),
    "AckTimes | None": lambda row: row and AckTimes(*row),
    "tuple[str, ...]": tuple,
    "tuple[Selector, ...]": lambda items: tuple(map(Selector.from_mapping, items)),
    "tuple[tuple[str, str], ...]": lambda items: tuple(map(tuple, items)),
    "tuple[ServiceStep, ...]": lambda rows: tuple(_row(ServiceStep, row) for row in rows),
    "tuple[ActionTaken, ...]": lambda rows: tuple(_row(ActionTaken, row) for row in rows),
    "tuple[MetricGate, ...]": lambda rows: tuple(_row(MetricGate, row) for row in rows),
    "tuple[RecoveryStep, ...]": lambda rows: tuple(_row(RecoveryStep, row) for row in rows),
    "Recovery | None": lambda row: row and _row(Recovery, row),
}
"""How a field is read back, by its declared type; all others are as JSON has them."""

_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
