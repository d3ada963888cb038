"""The way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from opsconsole.panes.base import Question, TablePane
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.case import emergency_case
from opsconsole.views.picture import Picture
from opsconsole.views.recovery import recovery
from opsconsole.views.subject import Subject
from opsconsole.views.why import explanation, of_hold
from opsgate.selector import EVERYTHING


class RecoveryPane(TablePane):
    """What a recovery would find now."""

    name = "recovery"
    title = "Recovery"
    offers: ClassVar[Mapping[str, str]] = {
        "recover": "recover",
        "hold-recovery": "hold",
        "abort-recovery": "abort",
        "roll-back": "roll back",
        "why": "why",
    }

    def view(self, picture: Picture) -> Table:
        """Checks."""
        return recovery(picture)

    def why(self, key: str, picture: Picture) -> Question | None:
        """The emergency that the row is about, or the hold."""
        about = _about(key)
        if about in picture.state.emergencies:
            return Question(clean(about, 30), lambda seen: emergency_case(seen, about))
        if about in picture.state.holds:
            return Question(clean(about, 30), lambda seen: of_hold(seen, about))
        return Question("everything", lambda seen: explanation(seen, EVERYTHING))

    def subject_of(self, key: str, picture: Picture) -> Subject | None:
        """The emergency, or the hold that stays."""
        about = _about(key)
        if about in picture.state.emergencies:
            return Subject("emergency", about)
        return Subject("hold", about) if about in picture.state.holds else None

    def list_of(self, key: str) -> str:
        """What is paused for everybody is holds."""
        return "holds"

    def emergency(self, key: str, picture: Picture) -> str | None:
        """The emergency whose check this is."""
        found = picture.state.emergencies.get(_about(key))
        return found.emergency_id if found and found.status == "active" else None


def _about(key: str) -> str:
    """The emergency or the hold that a row is about."""
    return key.partition("#")[0].removeprefix("overdue/")
