"""What is said about one hold, the same in every view."""

from __future__ import annotations

from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsgate.hold import Hold


def whose(picture: Picture, hold: Hold) -> str:
    """Who placed it; for an emergency's hold the person who stopped."""
    emergency = picture.state.emergencies.get(hold.owner) if hold.source == "emergency" else None
    return clean(emergency.opened_by if emergency else hold.owner, 30)


def why(hold: Hold) -> str:
    """Its reason, behind the emergency that it belongs to; its source where no reason was given."""
    said = clean(hold.reason, 100)
    if hold.source == "emergency":
        return f"{clean(hold.owner, 20)} {said}".rstrip()
    return said or hold.source
