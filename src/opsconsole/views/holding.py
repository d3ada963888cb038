"""What is said about one hold or one emergency, the same in every view."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from core.state import Emergency, flag_name
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsgate.evaluate import rank
from opsgate.hold import Hold

NAMED_MAX: Final = 4
"""Things that are named; how many there are in all is said before."""


def whose(picture: Picture, hold: Hold) -> str:
    """Who placed it; of an emergency's hold who ordered its stop, which may have joined somebody else's emergency."""
    if hold.source != "emergency":
        return clean(hold.owner, 30)
    if stop := picture.facts.ordered.get(hold.hold_id):
        return clean(stop.ordered_by, 30)
    emergency = picture.state.emergencies.get(hold.owner)
    return clean(emergency.opened_by if emergency else hold.owner, 30)


def why(hold: Hold) -> str:
    """Its reason, behind the emergency that it belongs to; its source where no reason was given."""
    said = clean(hold.reason, 100)
    if hold.source == "emergency":
        return f"{clean(hold.owner, 20)} {said}".rstrip()
    return said or hold.source


def since(picture: Picture, hold: Hold) -> datetime:
    """Since when it holds: an emergency's since its stop was ordered, which may be before anybody recorded it."""
    stop = picture.facts.ordered.get(hold.hold_id)
    return stop.ordered_at if stop else hold.placed_at


def opened(picture: Picture, emergency: Emergency) -> datetime:
    """Since when there is this emergency: since its first stop was ordered."""
    stops = (picture.state.stops.get(stop_id) for stop_id in emergency.stop_ids)
    return min((stop.ordered_at for stop in stops if stop), default=emergency.opened_at)


def switched_by(picture: Picture, hold: Hold) -> str:
    """Who turned off the switch that `hold` is; empty where the name was touched since, and only the journal knows."""
    entry = picture.state.names.get(hold.selector.items[0])
    return clean(entry.changed_by, 30) if entry and entry.changed_at == hold.placed_at else ""


def stay_held(holds: Iterable[Hold]) -> str:
    """What holds on after a release: ``2 stay held: flag enableABTesting, site shop-eu``; or that nothing does."""
    things = list(dict.fromkeys(_thing(hold) for hold in sorted(holds, key=rank)))
    if not things:
        return "nothing else holds it"
    more = f" +{len(things) - NAMED_MAX} more" if len(things) > NAMED_MAX else ""
    return f"{len(things)} {'stays' if len(things) == 1 else 'stay'} held: {', '.join(things[:NAMED_MAX])}{more}"


def _thing(hold: Hold) -> str:
    """What one hold is on, by the words of the console; of everything also whose hold it is."""
    if hold.is_global:
        return f"everything ({clean(hold.source, 20)} {clean(hold.owner, 30)})"
    (dimension, name), *others = hold.selector.items
    if others:
        return clean(str(hold.selector), 80)
    return f"flag {clean(flag_name(name), 60)}" if dimension == "operation" else f"{dimension} {clean(name, 60)}"


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
