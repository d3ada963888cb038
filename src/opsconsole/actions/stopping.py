"""The stop and the way back."""

from __future__ import annotations

from core.state import Stop
from opsconsole.actions.base import Action, Desk, there_is_none
from opsconsole.dialogs.explain import ExplainPrompt
from opsconsole.dialogs.recover import ContinuePrompt, RecoverPrompt
from opsconsole.views.case import without_reason
from opsconsole.views.recovery import resumable


class StopAll(Action):
    """The one that works everywhere."""

    id, keys, shown, label = "stop", "", "! S", "STOP ALL"
    about = "stop everything: ! arms, S fires; from any pane, prompt and size, with or without a backend"

    def run(self, desk: Desk) -> None:
        """The chord has done it already."""


class Explain(Action):
    """The reason that nobody waited for."""

    id, keys, label = "explain", "e", "reason"
    about = "give the reason of a stop that was fired without one: of the selected emergency, else of the latest"

    def why_not(self, desk: Desk) -> str:
        """There must be a stop without a reason."""
        return desk.picture.who.why_not("explain-stop") or (
            "" if self._stop(desk) else there_is_none(desk, "every stop here has its reason")
        )

    def run(self, desk: Desk) -> None:
        """Ask for it."""
        if stop := self._stop(desk):
            desk.open(ExplainPrompt(stop.emergency_id, stop.stop_id))

    @staticmethod
    def _stop(desk: Desk) -> Stop | None:
        """Of the emergency under the cursor, recovered or not; where none is, of the latest that lacks one."""
        state, selected = desk.picture.state, desk.pane.selected
        subject = desk.pane.subject_of(selected, desk.picture) if selected else None
        chosen = state.emergencies.get(subject.key) if subject and subject.kind == "emergency" else None
        cases = [chosen] if chosen else sorted(state.emergencies.values(), key=lambda case: case.opened_at)[::-1]
        return next((stop for case in cases for stop in without_reason(state, case)), None)


class Recover(Action):
    """The way back."""

    id, keys, label = "recover", "R", "Recover"
    about = (
        "recover an emergency, continue its recovery, or resume what was paused for everybody: typed scope, countdown"
    )

    def why_not(self, desk: Desk) -> str:
        """There must be something to come back from."""
        emergency = desk.picture.state.emergencies.get(self._emergency(desk) or "")
        if forbidden := desk.picture.who.why_not("recover" if emergency else "release-holds"):
            return forbidden
        if emergency and emergency.recovery and emergency.recovery.is_active and emergency.recovery.status != "held":
            return "its recovery is under way: H holds it, X aborts it, B rolls it back"
        if emergency or resumable(desk.picture):
            return ""
        return there_is_none(desk, "nothing to recover: no emergency and no global pause")

    def run(self, desk: Desk) -> None:
        """Ask for reason and scope."""
        emergency_id = self._emergency(desk)
        emergency = desk.picture.state.emergencies.get(emergency_id or "")
        if emergency and emergency.recovery and emergency.recovery.status == "held":
            desk.open(ContinuePrompt(desk.picture, emergency.emergency_id))
        else:
            desk.open(RecoverPrompt(desk.picture, emergency_id))

    @staticmethod
    def _emergency(desk: Desk) -> str | None:
        """The one under the cursor, else the oldest."""
        selected = desk.pane.selected
        chosen = desk.pane.emergency(selected, desk.picture) if selected else None
        active = desk.picture.state.active_emergencies()
        return chosen or (active[0].emergency_id if active else None)
