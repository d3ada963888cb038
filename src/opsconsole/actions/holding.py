"""Pause and resume what is marked, else what is under the cursor."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from opsconsole.actions.base import Action, Desk
from opsconsole.browse import Browser
from opsconsole.dialogs.base import Dialog
from opsconsole.dialogs.pause import PausePrompt, ResumePrompt
from opsconsole.dialogs.several import KEYS_MAX, Aim, Several
from opsconsole.views.picture import Picture


class OnTarget(Action):
    """Something done to the thing under the cursor."""

    kind: ClassVar[str]
    """Of the command that it comes to."""

    def why_not(self, desk: Desk) -> str:
        """There must be such a thing, and a right to do it."""
        if forbidden := desk.picture.who.why_not(self.kind):
            return forbidden
        aim = desk.pane.aim()
        if isinstance(aim, Several) and len(aim.keys) > KEYS_MAX:
            return f"{len(aim.keys)} rows are marked, and one command takes {KEYS_MAX}"
        return "" if aim else "select a site, a flag or a workflow first"

    def run(self, desk: Desk) -> None:
        """Ask. A range that is open ends here, so that its marks show what the prompt is about."""
        if desk.pane.browser.anchor is not None:
            desk.pane.look_anew(Browser.mark_range)
        if aim := desk.pane.aim():
            desk.open(self.prompt(aim, desk.picture))

    @abstractmethod
    def prompt(self, aim: Aim, picture: Picture) -> Dialog:
        """The prompt that asks."""


class Pause(OnTarget):
    """A pause."""

    id, keys, label, kind = "pause", "p", "pause", "place-hold"
    about = "pause the marked sites, else the selected one; switch flags and workflows off; y confirms"

    def prompt(self, aim: Aim, picture: Picture) -> Dialog:
        """Names it."""
        return PausePrompt(aim)


class Resume(OnTarget):
    """A resume."""

    id, keys, label, kind = "resume", "P", "resume", "release-holds"
    about = "resume the marked sites, else the selected one; switch flags and workflows on; asks for a reason"

    def prompt(self, aim: Aim, picture: Picture) -> Dialog:
        """Names whose holds it releases."""
        return ResumePrompt(aim, picture)
