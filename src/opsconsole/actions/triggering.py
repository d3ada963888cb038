"""Triggers: made and changed in a form."""

from __future__ import annotations

from opsconsole.actions.base import Action, Desk
from opsconsole.dialogs.trigger_form import TriggerForm


class NewTrigger(Action):
    """Make one."""

    id, keys = "new-trigger", "T"
    about = "make a trigger in a form that rehearses it as you type; y confirms"

    def why_not(self, desk: Desk) -> str:
        """A right to do it."""
        return desk.picture.who.why_not("add-trigger")

    def run(self, desk: Desk) -> None:
        """Open the form."""
        desk.open(TriggerForm(None, desk.open, desk.want_samples))


class EditTrigger(NewTrigger):
    """Change one."""

    id, keys = "edit-trigger", "E"
    about = "change the trigger under the cursor in a form that rehearses it; y confirms"

    def why_not(self, desk: Desk) -> str:
        """There must be one under the cursor."""
        return super().why_not(desk) or ("" if _named(desk) else "no trigger is under the cursor: see :triggers")

    def run(self, desk: Desk) -> None:
        """Open the form on it."""
        if name := _named(desk):
            known = desk.picture.state.triggers[name].definition
            desk.open(TriggerForm(known, desk.open, desk.want_samples))


def _named(desk: Desk) -> str:
    """The trigger under the cursor, or the one that is shown from near; empty where there is none."""
    return desk.pane.trigger(desk.pane.selected or "", desk.picture)
