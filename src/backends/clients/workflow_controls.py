"""The workflow controls of S2: a list of workflows with a switch each.

``enabled`` is true only where no hold at all has exactly that workflow: switching on what somebody else holds answers
false, and says who.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, StrictBool

from core.capabilities.switches import SetSwitch, is_on
from core.messages import FreeText, Message
from core.state import Name, State
from opsgate.hold import timestamp


class Toggle(Message):
    """The body of a switch."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    enabled: StrictBool
    reason: FreeText = ""

    def command(self, name: str) -> SetSwitch:
        """The switch of one workflow."""
        reason = self.reason or ("switched on" if self.enabled else "switched off")
        return SetSwitch(dimension="workflow", names=(name,), on=self.enabled, reason=reason)


def controls(state: State) -> list[dict[str, Any]]:
    """Every workflow, by name."""
    return [_control(state, name) for name in state.names_of("workflow")]


def toggled(state: State, name: str, remaining_holds: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """The answer to a switch, once it is carried out."""
    enabled = is_on(state, "workflow", name)
    answer: dict[str, Any] = {"success": True, "workflow": name, "enabled": enabled}
    return answer if enabled else {**answer, "remaining_holds": list(remaining_holds)}


def _control(state: State, name: Name) -> dict[str, Any]:
    return {
        "name": name.name,
        "enabled": is_on(state, "workflow", name.name),
        "last_updated": timestamp(name.changed_at),
        "updated_by": name.changed_by,
    }
