"""What is said about one hold or one emergency, the same in every view."""

from __future__ import annotations

from datetime import datetime

from core.state import Emergency
from opsconsole.lines import Span, Style
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


def since(picture: Picture, hold: Hold) -> datetime:
    """Since when it holds: an emergency's since its stop was ordered, which may be before anybody recorded it."""
    return picture.facts.ordered.get(hold.hold_id, hold.placed_at)


def opened(picture: Picture, emergency: Emergency) -> datetime:
    """Since when there is this emergency: since its first stop was ordered."""
    stops = (picture.state.stops.get(stop_id) for stop_id in emergency.stop_ids)
    return min((stop.ordered_at for stop in stops if stop), default=emergency.opened_at)


def way_back(hold: Hold) -> str:
    """What ends it, as a key or a command."""
    match hold.source:
        case "emergency":
            return f"R recovers {clean(hold.owner, 20)}"
        case "operator":
            return "R resumes everything" if hold.is_global else "P resumes it"
        case "flag":
            return "P switches it on"
        case "limit":
            return f"opsconsole limits set {clean(hold.owner, 60)} UNITS"
        case "workflow":
            return f"opsconsole workflows on {clean(hold.selector.get('workflow') or 'NAME', 60)}"
        case _:
            return "its source ends it; a person by: opsconsole resume --force"


def seen_by(picture: Picture, hold: Hold) -> Span:
    """How many workers have seen a pause of everything: ``acks 11/12``. What is in flight tells who drained."""
    lost = set(picture.facts.lost)
    of = [row for row in picture.facts.workers.values() if row.worker_id in picture.state.workers]
    seen = sum(row.revision >= hold.revision and row.worker_id not in lost for row in of)
    return Span(f"acks {seen}/{len(of)}", Style.GOOD if seen == len(of) else Style.WARN)
