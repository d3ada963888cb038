"""What a pause or a resume of marked rows acts on: several names of one dimension, in one command."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from opsconsole.dialogs.kept import Kept
from opsconsole.dialogs.target import SWITCHES, Dimension, Target
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.words import counted
from opsgate.hold import Hold
from opsgate.selector import EVERYTHING, Selector

if TYPE_CHECKING:
    from core.messages import Command

KEYS_MAX = 10_000
"""As many as one command takes."""
NAMED_MAX = 8
NOUNS = {"site": "site", "operation": "flag", "workflow": "workflow"}


@dataclass(frozen=True)
class Several:
    """The names that were marked, or typed. `hidden` of them are not shown, because a filter hides them."""

    dimension: Dimension
    keys: tuple[str, ...]
    hidden: int = 0
    marked: bool = True

    @cached_property
    def selectors(self) -> tuple[Selector, ...]:
        """The selector of exactly each."""
        return tuple(Selector.recorded(self.dimension, key) for key in self.keys)

    @property
    def name(self) -> str:
        """What people call them together."""
        return counted(len(self.keys), f"{'marked ' if self.marked else ''}{NOUNS[self.dimension]}")

    @property
    def is_as(self) -> str:
        """How what is not changed is spoken of."""
        return "is as it was" if len(self.keys) == 1 else "are as they were"

    @property
    def pauses(self) -> str:
        """What a pause of them is called: how many, and which."""
        return f"{'pauses' if self.dimension == 'site' else 'switches off'} {self._named()}"

    @property
    def resumes(self) -> str:
        """What a resume of them is about."""
        return f"{'resumes' if self.dimension == 'site' else 'switches on'} {self._named()}"

    def holds(self, picture: Picture) -> tuple[Hold, ...]:
        """The holds on exactly these."""
        return tuple(hold for holds in self._each(picture) for hold in holds)

    def released(self, picture: Picture) -> tuple[Hold, ...]:
        """What a resume would release."""
        source = SWITCHES.get(self.dimension, "operator")
        return tuple(hold for hold in self.holds(picture) if hold.source == source)

    def covering(self, picture: Picture) -> tuple[Hold, ...]:
        """Every hold that covers all of any of them: of one name, nothing but everything is wider than itself."""
        return (*picture.state.holds_on(EVERYTHING), *self.holds(picture))

    def each_covering(self, picture: Picture) -> list[tuple[Hold, ...]]:
        """Of each name, every hold that covers all of it."""
        everywhere = picture.state.holds_on(EVERYTHING)
        return [(*everywhere, *holds) for holds in self._each(picture)]

    def remaining(self, picture: Picture) -> tuple[Hold, ...]:
        """What would hold any of them all the same."""
        gone = {hold.hold_id for hold in self.released(picture)}
        return tuple(hold for hold in self.covering(picture) if hold.hold_id not in gone)

    def pause(self, reason: str) -> Command:
        """The one command that holds them all."""
        from core.capabilities.holds import PlaceHold
        from core.capabilities.switches import SetSwitch

        if self.dimension != "site":
            return SetSwitch(dimension=self.dimension, names=self.keys, on=False, reason=reason)
        return PlaceHold(selectors=self.selectors, reason=reason)

    def resume(self, reason: str) -> Command:
        """The one command that releases what `released` names."""
        from core.capabilities.holds import ReleaseHolds
        from core.capabilities.switches import SetSwitch

        if self.dimension != "site":
            return SetSwitch(dimension=self.dimension, names=self.keys, on=True, reason=reason)
        return ReleaseHolds(selectors=self.selectors, reason=reason)

    @cached_property
    def _each(self) -> Kept[list[tuple[Hold, ...]]]:
        """The holds on exactly each."""
        return Kept(lambda picture: list(map(picture.state.holds_on, self.selectors)))

    def _named(self) -> str:
        names = ", ".join(Target(self.dimension, key).name for key in self.keys[:NAMED_MAX])
        more = f" +{len(self.keys) - NAMED_MAX} more" if len(self.keys) > NAMED_MAX else ""
        hidden = f" ({self.hidden} of them hidden by the filter)" if self.hidden else ""
        return clean(f"{self.name}{hidden}: {names}{more}", 1000)


Aim = Target | Several
"""One name, or several."""
