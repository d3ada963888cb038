"""What a pause or a resume acts on: one name of one dimension, and which command says so."""

from __future__ import annotations

from dataclasses import dataclass

from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.switches import SetSwitch
from core.messages import Command
from core.state import flag_name
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsgate.hold import Hold
from opsgate.selector import Selector


@dataclass(frozen=True, slots=True)
class Target:
    """A site, or an operation behind its flag. Pause and resume are two commands, never one that toggles."""

    dimension: str
    key: str

    @property
    def selector(self) -> Selector:
        """The selector of exactly this."""
        return Selector.from_mapping({self.dimension: self.key})

    @property
    def name(self) -> str:
        """What people call it."""
        return clean(flag_name(self.key) if self.dimension == "operation" else self.key, 60)

    @property
    def pauses(self) -> str:
        """What a pause of it is called."""
        return f"switches {self.name} off" if self.dimension == "operation" else f"pauses site {self.name}"

    def holds(self, picture: Picture) -> tuple[Hold, ...]:
        """The holds on exactly this."""
        return picture.state.holds_on(self.selector)

    def released(self, picture: Picture) -> tuple[Hold, ...]:
        """What a resume would release: the switch of a flag, or the operators' holds, whoever placed them."""
        source = "flag" if self.dimension == "operation" else "operator"
        return tuple(hold for hold in self.holds(picture) if hold.source == source)

    def remaining(self, picture: Picture) -> tuple[Hold, ...]:
        """What would hold it all the same: wider holds, and other sources' on exactly this."""
        gone = {hold.hold_id for hold in self.released(picture)}
        touching = picture.state.holds_touching((self.selector,))
        return tuple(hold for hold in touching if hold.hold_id not in gone and hold.selector.contains(self.selector))

    def pause(self, reason: str) -> Command:
        """The command that holds it."""
        if self.dimension == "operation":
            return SetSwitch(dimension="operation", names=(self.key,), on=False, reason=reason)
        return PlaceHold(selectors=(self.selector,), reason=reason)

    def resume(self, reason: str) -> Command:
        """The command that releases what `released` names."""
        if self.dimension == "operation":
            return SetSwitch(dimension="operation", names=(self.key,), on=True, reason=reason)
        return ReleaseHolds(selectors=(self.selector,), reason=reason)
