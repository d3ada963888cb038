"""What comes of a trigger that has crossed: fired by the engine, or by a person where the trigger waits for one.

An edge that was seen comes here with its inputs. It orders the stop in the same step, or it is recorded why it does
not: by the same judgement (`core.triggers.suppression`) as where it was seen, unless its stop is in force already.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from core.capabilities.emergencies import OrderStop, order_stop
from core.capabilities.triggers import trigger_named, with_trigger
from core.engine import Draft, decides, evolves, only_system
from core.errors import NotPermitted
from core.messages import Command, FreeText, Header, Identifier, Moment, TriggerEvent, command, event
from core.state import State, Trigger
from core.triggers import TYPES
from core.triggers.sample import Input
from core.triggers.suppression import Why, judge

Inputs = Annotated[tuple[Input, ...], Field(max_length=20)]
Result = Literal["fired", "suppressed", "cleared"]


@command
class FireTrigger(Command):
    """A trigger has crossed: stop what it is set on, or record why not. A person may say so of a manual trigger only.

    ``value`` is what it fired for, ``edges`` how often it has crossed since the last report. With ``placed_at`` its
    stop has been in force since then, and is recorded whatever else there is.
    """

    kind: Literal["fire-trigger"] = "fire-trigger"
    trigger: Identifier
    stop_id: Identifier
    value: FreeText = ""
    samples: Annotated[int, Field(ge=0)] = 0
    inputs: Inputs = ()
    edges: Annotated[int, Field(ge=1)] = 1
    placed_at: Moment | None = None


@command
class ClearTrigger(Command):
    """A trigger that had crossed has come back. It releases nothing.

    ``sampled`` says that samples did, of everything that had crossed; otherwise nothing is heard of it any more.
    """

    kind: Literal["clear-trigger"] = "clear-trigger"
    trigger: Identifier
    value: FreeText = ""
    samples: Annotated[int, Field(ge=0)] = 0
    inputs: Inputs = ()
    sampled: bool = False


@event
class TriggerEvaluated(TriggerEvent):
    """An evaluation that mattered, with what it was made of (S1's ``triggerEvaluated``)."""

    kind: Literal["trigger.evaluated"] = "trigger.evaluated"
    result: Result
    value: str
    samples: int
    inputs: tuple[Input, ...] = ()
    edges: int = 1


@event
class TriggerFired(TriggerEvent):
    """A trigger stopped what it is set on."""

    kind: Literal["trigger.fired"] = "trigger.fired"
    stop_id: str
    emergency_id: str
    value: str
    priority: int


@event
class TriggerSuppressed(TriggerEvent):
    """A trigger crossed and stopped nothing; ``why`` says what kept it from that."""

    kind: Literal["trigger.suppressed"] = "trigger.suppressed"
    why: Why
    detail: str = ""
    value: str
    emergency_id: str = ""
    edges: int = 1


@event
class TriggerCleared(TriggerEvent):
    """What a trigger had crossed for is over, by samples (``sampled``) or for want of any. What it stopped stays
    stopped."""

    kind: Literal["trigger.cleared"] = "trigger.cleared"
    version = 2
    value: str
    sampled: bool


@decides(FireTrigger)
def fire_trigger(draft: Draft, wanted: FireTrigger) -> None:
    """Stop, or say why not."""
    known = trigger_named(draft.state, wanted.trigger)
    by_person = TYPES[known.definition.trigger_type].by_person
    if not by_person:
        if draft.actor.kind != "system":
            what = f"trigger {wanted.trigger} fires by what it looks at, and people fire a manual_trigger alone"
            hint = f"'opsconsole triggers test {wanted.trigger}' says what it would do; 'opsconsole stop' stops by hand"
            raise NotPermitted("system-only", what, hint)
    elif draft.actor.kind != "person":
        raise NotPermitted("person-only", f"trigger {wanted.trigger} waits for a person")
    if known.stop_id == wanted.stop_id:
        draft.notes.append(f"trigger {wanted.trigger} has fired stop {wanted.stop_id} already")
        draft.stop_id, draft.emergency_id = known.stop_id, known.emergency_id
        return
    verdict = judge(draft.state, known, draft.now, automatics=by_person or draft.facts.rules.automatic_stops)
    placed = wanted.placed_at is not None or wanted.stop_id in draft.state.stops
    fires = placed or verdict.why is None or (by_person and verdict.why == "cooldown")
    _evaluated(draft, wanted, "fired" if fires else "suppressed", edges=wanted.edges)
    if fires:
        _stop(draft, wanted, known)
        return
    assert verdict.why is not None, "what is suppressed is suppressed for something"
    draft.emergency_id = verdict.emergency_id or None
    draft.emit(
        TriggerSuppressed(
            trigger=wanted.trigger,
            why=verdict.why,
            detail=verdict.detail,
            value=wanted.value,
            emergency_id=verdict.emergency_id,
            edges=wanted.edges,
        )
    )
    draft.notes.append(f"trigger {wanted.trigger} stops nothing: {verdict.detail}")


@decides(ClearTrigger)
def clear_trigger(draft: Draft, seen: ClearTrigger) -> None:
    """Only of one that had crossed; of one that has only fallen silent since, when samples come again."""
    only_system(draft, "clearing a trigger")
    known = trigger_named(draft.state, seen.trigger)
    if known.crossed_since is None and not (seen.sampled and known.has_to_come_back):
        draft.notes.append(f"trigger {seen.trigger} has not crossed")
        return
    _evaluated(draft, seen, "cleared")
    draft.emit(TriggerCleared(trigger=seen.trigger, value=seen.value, sampled=seen.sampled))


@evolves(TriggerEvaluated)
def trigger_evaluated(state: State, _happened: TriggerEvaluated, _header: Header) -> State:
    """Fold: it is for those who read the journal."""
    return state


@evolves(TriggerFired)
def trigger_fired(state: State, happened: TriggerFired, header: Header) -> State:
    """Fold."""
    crossed = _crossed(state, happened, header)
    trigger = replace(
        crossed,
        fired_at=header.at,
        fired=crossed.fired + 1,
        stop_id=happened.stop_id,
        emergency_id=happened.emergency_id,
    )
    return with_trigger(state, happened, trigger)


@evolves(TriggerSuppressed)
def trigger_suppressed(state: State, happened: TriggerSuppressed, header: Header) -> State:
    """Fold. One that joins an emergency has its cooldown counted from the end of that."""
    crossed = _crossed(state, happened, header)
    trigger = replace(
        crossed,
        emergency_id=happened.emergency_id or crossed.emergency_id,
        suppressed_at=header.at,
        suppressed=crossed.suppressed + happened.edges,
        why=happened.why,
    )
    return with_trigger(state, happened, trigger)


@evolves(TriggerCleared)
def trigger_cleared(state: State, happened: TriggerCleared, header: Header) -> State:
    """Fold: only samples say that it has come back."""
    known = state.triggers[happened.trigger]
    came_back_at = header.at if happened.sampled else known.came_back_at
    return with_trigger(state, happened, replace(known, crossed_since=None, came_back_at=came_back_at))


def _stop(draft: Draft, wanted: FireTrigger, known: Trigger) -> None:
    definition = known.definition
    reason = f"trigger {definition.name}: {wanted.value}".rstrip(": ")[:300]
    order_stop(
        draft,
        OrderStop(
            stop_id=wanted.stop_id,
            selectors=definition.selectors(),
            level=definition.stop_level,
            reason=reason,
            ordered_at=wanted.placed_at,
            create=True,
            trigger=definition.name,
            cause=wanted.value,
            account=definition.account_id,
            auto_recover=definition.auto_recover,
        ),
    )
    draft.emit(
        TriggerFired(
            trigger=definition.name,
            stop_id=wanted.stop_id,
            emergency_id=draft.emergency_id or "",
            value=wanted.value,
            priority=definition.priority,
        )
    )


def _evaluated(draft: Draft, seen: FireTrigger | ClearTrigger, result: Result, edges: int = 1) -> None:
    draft.emit(
        TriggerEvaluated(
            trigger=seen.trigger,
            result=result,
            value=seen.value,
            samples=seen.samples,
            inputs=seen.inputs,
            edges=edges,
        )
    )


def _crossed(state: State, happened: TriggerFired | TriggerSuppressed, header: Header) -> Trigger:
    """The trigger as it is when it has crossed; a person and a clock cross nothing that could be cleared."""
    known = state.triggers[happened.trigger]
    watches = TYPES[known.definition.trigger_type].watches
    since = known.crossed_since or header.at if watches else None
    return replace(known, crossed_since=since, came_back_at=None, value=happened.value)
