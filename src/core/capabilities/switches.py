"""Feature flags and workflow switches: off is a hold with the switch's own source, on is the release of it.

Switching on releases the switch's own hold and nobody else's, so an operation may stay held after its flag is on; the
receipt says by what.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from core.capabilities.holds import HoldReleased, place, require_unmoved, selectors_of
from core.capabilities.names import require_known
from core.engine import Draft, decides
from core.messages import Command, FreeText, Identifier, command
from core.state import State
from opsgate.hold import Hold
from opsgate.selector import Selector

SOURCE_OF_DIMENSION = {"operation": "flag", "workflow": "workflow"}


@command
class SetSwitch(Command):
    """Set flags (dimension ``operation``) or workflows on or off, all in one transaction.

    With ``create`` an unknown name is registered instead of refused.
    """

    kind: Literal["set-switch"] = "set-switch"
    dimension: Literal["operation", "workflow"]
    names: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=10_000)]
    on: bool
    reason: FreeText = ""
    create: bool = False


@decides(SetSwitch)
def set_switch(draft: Draft, wanted: SetSwitch) -> None:
    """Off places the switch's hold; on releases exactly that one."""
    selectors = selectors_of(wanted.dimension, wanted.names)
    require_known(draft, selectors, create=wanted.create)
    if wanted.on:
        require_unmoved(draft)
    for selector in dict.fromkeys(selectors):
        if wanted.on:
            _switch_on(draft, wanted, selector)
        else:
            draft.hold_ids.append(place(draft, switch_hold(selector, wanted.reason)))
    draft.scope = selectors


def switch_hold(selector: Selector, reason: str = "") -> Hold:
    """The hold that a switch which is off is."""
    dimension, name = selector.items[0]
    return Hold(hold_id="", selector=selector, source=SOURCE_OF_DIMENSION[dimension], owner=name, reason=reason)


def is_on(state: State, dimension: str, name: str) -> bool:
    """Whether no hold at all has exactly this selector: what S0's ``enableX`` and S2's ``enabled`` mean."""
    return not state.holds_on(Selector.from_mapping({dimension: name}))


def _switch_on(draft: Draft, wanted: SetSwitch, selector: Selector) -> None:
    source = SOURCE_OF_DIMENSION[wanted.dimension]
    for hold in draft.state.holds_on(selector):
        if hold.source == source:
            draft.emit(HoldReleased(hold_id=hold.hold_id, reason=wanted.reason or "switched on"))
            draft.hold_ids.append(hold.hold_id)
    for hold in draft.state.holds_on(selector):
        draft.notes.append(f"{selector} stays held by {hold.hold_id} of {hold.source} {hold.owner}")
