"""Which events are about one thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opsgate.selector import Selector

if TYPE_CHECKING:
    from core.messages import Recorded
    from core.state import State

ID_OF_KIND = {
    "worker": "worker_id",
    "hold": "hold_id",
    "emergency": "emergency_id",
    "limit": "name",
    "trigger": "trigger",
}


def about(state: State, kind: str, key: str, events: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """Those of `events` that name it: in their scope or by its id, or by the id of a hold or a stop of it."""
    ids = _ids(state, kind, key)
    for recorded in events:  # what was released is in the journal only
        if _names(recorded, kind, key, ids):
            ids |= {getattr(recorded.event, name) for name in ("hold_id", "stop_id") if hasattr(recorded.event, name)}
    return tuple(recorded for recorded in events if _names(recorded, kind, key, ids))


def _ids(state: State, kind: str, key: str) -> set[str]:
    """The ids of what is in force and about it."""
    if kind == "emergency":
        found = state.emergencies.get(key)
        return set(found.stop_ids) if found else set()
    if kind in ID_OF_KIND:
        return set()
    return {hold.hold_id for hold in state.holds_on(Selector.recorded(kind, key))}


def _names(recorded: Recorded, kind: str, key: str, ids: set[str]) -> bool:
    event = recorded.event
    service = getattr(event, "service", None)
    if service is not None and kind in {"service", "trigger"}:
        return kind == "service" and service == key  # of the others that one stop drives it is not about this one
    if kind in ID_OF_KIND:
        prefixed = kind != "limit" or event.kind.startswith("limit.")
        if prefixed and getattr(event, ID_OF_KIND[kind], None) == key:
            return True
        if kind == "worker" and key in (*getattr(event, "missing", ()), *getattr(event, "acked", ())):
            return True
    else:
        if getattr(event, "dimension", None) == kind and getattr(event, "name", None) == key:
            return True
        scopes = (*getattr(event, "selectors", ()), *filter(None, [getattr(event, "selector", None)]))
        if any(selector.get(kind) == key for selector in scopes):
            return True
    return bool(ids.intersection(getattr(event, name, "") for name in ("hold_id", "stop_id")))
