"""Feature flags and workflow switches: off is a hold with the switch's own source, on is the release of it.

Switching on releases the switch's own hold and nobody else's, so an operation may stay held after its flag is on; the
receipt says by what.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from core.capabilities.holds import place, release, require_unmoved, selectors_of
from core.capabilities.names import require_known
from core.engine import Draft, decides, only_people
from core.messages import Command, FreeText, Identifier, command
from core.state import State
from opsgate.hold import Source
from opsgate.selector import Selector

Switched = Literal["operation", "workflow"]

SOURCE_OF_DIMENSION: Final[dict[Switched, Source]] = {"operation": "flag", "workflow": "workflow"}


@command
class SetSwitch(Command):
    """Set flags (dimension ``operation``) or workflows on or off, all in one transaction.

    With ``create`` an unknown name is registered instead of refused.
    """

    kind: Literal["set-switch"] = "set-switch"
    dimension: Switched
    names: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=10_000)]
    on: bool
    reason: FreeText = ""
    create: bool = False

    @property
    def lets_run(self) -> bool:
        """Switching on releases the switch's hold."""
        return self.on


@decides(SetSwitch)
def set_switch(draft: Draft, wanted: SetSwitch) -> None:
    """Off places the switch's hold; on releases exactly that one."""
    selectors = selectors_of(wanted.dimension, wanted.names)
    require_known(draft, selectors, create=wanted.create, creatable=not wanted.on)
    if wanted.on:
        only_people(draft, "switching on")
        require_unmoved(draft)
    for selector in dict.fromkeys(selectors):
        if wanted.on:
            _switch_on(draft, wanted, selector)
        else:
            switch_off(draft, wanted.dimension, selector, wanted.reason)
    draft.scope = selectors


def switch_off(draft: Draft, dimension: Switched, selector: Selector, reason: str) -> None:
    """Place the hold that a switch which is off is."""
    place(draft, selector, source=SOURCE_OF_DIMENSION[dimension], owner=selector.items[0][1], reason=reason)


def is_on(state: State, dimension: str, name: str) -> bool:
    """Whether no hold at all has exactly this selector: what S0's ``enableX`` and S2's ``enabled`` mean."""
    return not state.holds_on(Selector.from_mapping({dimension: name}))


def is_switched_off(state: State, dimension: Switched, selector: Selector) -> bool:
    """Whether the switch's own hold is in force."""
    return any(hold.source == SOURCE_OF_DIMENSION[dimension] for hold in state.holds_on(selector))


def _switch_on(draft: Draft, wanted: SetSwitch, selector: Selector) -> None:
    source = SOURCE_OF_DIMENSION[wanted.dimension]
    for hold in draft.state.holds_on(selector):
        if hold.source == source:
            release(draft, hold, wanted.reason or "switched on")
        else:
            draft.notes.append(f"{selector} stays held by {hold.hold_id} of {hold.source} {hold.owner}")
