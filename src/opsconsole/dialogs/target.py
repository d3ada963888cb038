"""What a pause or a resume acts on: one name of one dimension, and which command says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.state import flag_name
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsgate.hold import Hold
from opsgate.selector import Selector

if TYPE_CHECKING:
    from core.messages import Command

Dimension = Literal["site", "operation", "workflow"]
SWITCHES = {"operation": "flag", "workflow": "workflow"}
"""What is switched rather than paused, and the source of the hold that its switch is."""


@dataclass(frozen=True, slots=True)
class Target:
    """A site, an operation behind its flag, or a workflow. Pause and resume are two commands, never a toggle."""

    dimension: Dimension
    key: str

    @property
    def selector(self) -> Selector:
        """The selector of exactly this."""
        return Selector.recorded(self.dimension, self.key)

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """The same, as of several it is asked for."""
        return (self.selector,)

    @property
    def name(self) -> str:
        """What people call it."""
        return clean(flag_name(self.key) if self.dimension == "operation" else self.key, 60)

    @property
    def pauses(self) -> str:
        """What a pause of it is called."""
        return f"switches {self.name} off" if self.dimension in SWITCHES else f"pauses {self.dimension} {self.name}"

    @property
    def is_as(self) -> str:
        """How what is not changed is spoken of."""
        return "is as it was"

    def holds(self, picture: Picture) -> tuple[Hold, ...]:
        """The holds on exactly this."""
        return picture.state.holds_on(self.selector)

    def released(self, picture: Picture) -> tuple[Hold, ...]:
        """What a resume would release: the switch of a flag, or the operators' holds, whoever placed them."""
        source = SWITCHES.get(self.dimension, "operator")
        return tuple(hold for hold in self.holds(picture) if hold.source == source)

    def covering(self, picture: Picture) -> tuple[Hold, ...]:
        """Every hold that covers all of it, wider ones too."""
        touching = picture.state.holds_touching((self.selector,))
        return tuple(hold for hold in touching if hold.selector.contains(self.selector))

    def each_covering(self, picture: Picture) -> list[tuple[Hold, ...]]:
        """The same, as of several it is asked for."""
        return [self.covering(picture)]

    def remaining(self, picture: Picture) -> tuple[Hold, ...]:
        """What would hold it all the same: wider holds, and other sources' on exactly this."""
        gone = {hold.hold_id for hold in self.released(picture)}
        return tuple(hold for hold in self.covering(picture) if hold.hold_id not in gone)

    def pause(self, reason: str) -> Command:
        """The command that holds it."""
        from core.capabilities.holds import PlaceHold
        from core.capabilities.switches import SetSwitch

        if self.dimension != "site":
            return SetSwitch(dimension=self.dimension, names=(self.key,), on=False, reason=reason)
        return PlaceHold(selectors=(self.selector,), reason=reason)

    def resume(self, reason: str) -> Command:
        """The command that releases what `released` names."""
        from core.capabilities.holds import ReleaseHolds
        from core.capabilities.switches import SetSwitch

        if self.dimension != "site":
            return SetSwitch(dimension=self.dimension, names=(self.key,), on=True, reason=reason)
        return ReleaseHolds(selectors=(self.selector,), reason=reason)
