"""A fleet in which every text is hostile: what the database shows whose file somebody else has written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args, get_origin

from immutables import Map
from pydantic import BaseModel

from core.messages import EVENTS, Actor, Event, Header, Recorded
from core.ports import LimitUsage, WorkerRow
from core.recoveries import RecoveryStep
from core.state import Emergency, Limit, Name, State, Stop, Worker, active_of
from opsgate.hold import Hold
from opsgate.selector import EVERYTHING, Selector
from tests.console.fleet import START, Fleet

NAMED = ("site", "operation", "workflow")
AGO = timedelta(minutes=7)


def hostile_fleet(texts: Sequence[str], *, stopped: bool = False) -> Fleet:
    """A fleet whose names, titles, reasons, actors, ids and events are `texts`; `stopped` as a whole, or in parts."""
    fleet = Fleet()
    fleet.pass_time(600)
    fleet.workers = {text: worker(text, silent=number % 3 == 0) for number, text in enumerate(texts)}
    fleet.usage = {text: LimitUsage(text, 97, (1, 2, 3)) for text in texts}
    fleet.recorded = [event(text, number) for number, text in enumerate(texts, len(texts[0]))]
    fleet._state = state(texts, stopped=stopped)
    return fleet


def state(texts: Sequence[str], *, stopped: bool) -> State:
    """What the journal would have made of them."""
    cases = {text: emergency(text, ended=number % 4 == 3) for number, text in enumerate(texts)}
    made = State(
        fleet="f1",
        revision=1000,
        control_revision=900,
        names_revision=800,
        names=Map(
            {
                (dimension, text): Name(dimension, text, text, START, START, text)
                for dimension in NAMED
                for text in texts
            }
        ),
        limits=Map({text: Limit(text, 100, 3600.0, text, text, START, text) for text in texts}),
        workers=Map({text: Worker(text, START, START if len(text) % 2 else None) for text in texts}),
        stops=Map({text: stop(text, texts) for text in texts}),
        emergencies=Map(cases),
        active=active_of(cases),
    )
    for number, text in enumerate(texts):
        for hold in holds(text, number, EVERYTHING if stopped else Selector((("site", text),))):
            made = made.with_hold(hold)
    return made


def holds(text: str, number: int, wide: Selector) -> list[Hold]:
    """An emergency's, an operator's, a flag's and one of a source that nobody knows."""
    scopes = (wide, Selector((("site", text), ("operation", text))), *(Selector(((each, text),)) for each in NAMED))
    sources = ("emergency", "operator", "operator", "flag", text)
    return [
        Hold(f"{text}{number}{source}", scope, source, text, text, placed_at=START, correlation_id=text, revision=900)
        for source, scope in zip(sources, scopes, strict=True)
    ]


def stop(text: str, texts: Sequence[str]) -> Stop:
    """One that some have not acknowledged."""
    return Stop(
        stop_id=text,
        emergency_id=text,
        level="immediate",
        selectors=(Selector((("site", text),)),),
        hold_ids=(f"{text}0emergency",),
        of=(text, *texts[:2]),
        ordered_at=START,
        ordered_by=text,
        deadline_at=START + AGO,
        reason=text,
        result="partial",
        acked=(text,),
        concluded_at=START + AGO,
    )


def emergency(text: str, *, ended: bool) -> Emergency:
    """The case around it."""
    scope = (Selector((("site", text),)),)
    case = Emergency(text, "immediate", scope, (text,), START, text, text, text)
    return replace(case, status="ended", ended_at=START + AGO, ended_by=text) if ended else case


def worker(text: str, *, silent: bool) -> WorkerRow:
    """One that says hostile things, or has gone silent."""
    now = START + timedelta(seconds=600)
    return WorkerRow(
        worker_id=text,
        env=text,
        scope={"site": [text], "operation": [text]},
        pid=1,
        started=text,
        registered_at=START,
        heartbeat_at=START if silent else now,
        revision=0 if len(text) % 3 else 1000,
        stops=(text,),
        draining={},
        in_flight=1,
        state="live",
    )


def event(text: str, number: int) -> Recorded:
    """One of the kinds there are, with the text in every place that takes a text."""
    kinds = tuple(EVENTS.values())
    actor = Actor.model_construct(name=text, kind="person")
    header = Header(800 + number, START, actor, "console", text, text)
    return Recorded(header, filled(kinds[number % len(kinds)], text))


def filled(kind: type[Event], text: str) -> Event:
    """An event as nobody has checked it."""
    values: Mapping[str, Any] = {
        name: _value(field.annotation, text) for name, field in kind.model_fields.items() if field.is_required()
    }
    free = {name: text for name, field in kind.model_fields.items() if field.annotation is str}
    return kind.model_construct(**(dict(values) | free))


def _value(annotation: Any, text: str) -> Any:
    if annotation is str:
        return text
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return annotation.model_construct(**{name: _value(field.annotation, text) for name, field in fields})
    if get_origin(annotation) is tuple:
        inner = get_args(annotation)[0]
        if inner is RecoveryStep:
            return (RecoveryStep("validation", "check", (text, text), checks=(text,)),)
        return (Selector((("site", text),)),) if "Selector" in str(inner) else (text, text)
    if "Selector" in str(annotation):
        return Selector((("site", text),))
    return START if "datetime" in str(annotation).lower() else 1
