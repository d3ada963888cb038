"""The reason of a stop that was fired without one, given afterwards."""

from __future__ import annotations

from opsconsole.dialogs.base import Dialog, Outcome, Said, Send, field_line, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.lines import Span
from opsconsole.text import clean
from opsconsole.views.case import emergency_case
from opsconsole.views.picture import Picture


class ExplainPrompt(Dialog):
    """Opened by ``e``: the case, and a field. Enter saves the reason; it changes nothing else."""

    escapes = "cancel"

    def __init__(self, emergency_id: str, stop_id: str, reason: str = "") -> None:
        self._emergency_id = emergency_id
        self._stop_id = stop_id
        self._reason = Field(reason)
        self.title = f"REASON OF {clean(emergency_id, 30)}"

    def body(self, picture: Picture) -> list[Said]:
        """What it is the reason of, and that this starts and stops nothing."""
        case = emergency_case(picture, self._emergency_id)[:1]
        return [*case, (Span("a reason is kept with the stop, its holds and its case; nothing stops or starts by it"),)]

    def foot(self, picture: Picture) -> list[Said]:
        """The reason, and the keys."""
        return [field_line("reason", self._reason, active=True), keys_line(("Enter", "save it"), self.escape)]

    def key(self, key: str, character: str | None) -> Outcome:
        """Enter saves what was typed, and nothing where nothing was."""
        from core.capabilities.explaining import ExplainStop

        reason = self._reason.value.strip()
        if key == "escape" or (key == "enter" and not reason):
            return "close"
        if key == "enter":
            about = f"reason of {self._emergency_id}"
            return Send(ExplainStop(stop_id=self._stop_id, reason=reason), about)
        self._reason.key(key, character)
        return "stay"

    def paste(self, text: str) -> Outcome:
        """A reason may be pasted."""
        self._reason.paste(text)
        return "stay"

    def residue(self) -> str:
        """Nothing was changed."""
        return f"no reason was saved: {clean(self._emergency_id, 30)} is as it was"
