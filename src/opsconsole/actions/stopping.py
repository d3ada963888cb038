"""The stop and the way back."""

from __future__ import annotations

from opsconsole.actions.base import Action, Desk
from opsconsole.dialogs.recover import RecoverPrompt
from opsconsole.views.recovery import resumable


class StopAll(Action):
    """The one that works everywhere."""

    id, keys, shown, label = "stop", "", "! S", "STOP ALL"
    about = "stop everything: ! arms, S fires; from any pane, prompt and size, with or without a backend"

    def run(self, desk: Desk) -> None:
        """The chord has done it already."""


class Recover(Action):
    """The way back."""

    id, keys, label = "recover", "R", "Recover"
    about = "recover an emergency, or resume what operators paused for everybody: reason, typed scope, countdown"

    def why_not(self, desk: Desk) -> str:
        """There must be something to come back from."""
        if desk.picture.who.read_only:
            return "this console is read-only"
        if self._emergency(desk) or resumable(desk.picture):
            return ""
        return "nothing to recover: no emergency and no global pause"

    def run(self, desk: Desk) -> None:
        """Ask for reason and scope."""
        desk.open(RecoverPrompt(desk.picture, self._emergency(desk)))

    @staticmethod
    def _emergency(desk: Desk) -> str | None:
        """The one under the cursor, else the oldest."""
        selected = desk.pane.selected
        chosen = desk.pane.emergency(selected, desk.picture) if selected else None
        active = desk.picture.state.active_emergencies()
        return chosen or (active[0].emergency_id if active else None)
