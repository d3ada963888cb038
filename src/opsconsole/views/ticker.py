"""What goes on in the panes that are not shown: counters on a strip of tabs, and the worst of it in one line."""

from __future__ import annotations

from collections.abc import Mapping

from opsconsole.layout import PANES
from opsconsole.lines import Line, Span, Style, length, line
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.course import STATUS, brief, under_way
from opsconsole.views.holding import opened
from opsconsole.views.limits import CRITICAL_SHARE, WARNING_SHARE, share
from opsconsole.views.picture import Picture
from opsconsole.views.verdict import together
from opsconsole.views.words import age, listed, scope

SEPARATOR = Span(" | ", Style.DIM)

TITLES = {
    "global": "Global",
    "sites": "Sites",
    "flags": "Flags",
    "limits": "Limits",
    "emergencies": "Emerg",
    "recovery": "Recov",
}


def tabs(tables: Mapping[str, Table], focus: str, width: int) -> Line:
    """``1 Global 2[Sites !3] 3 Flags``: which pane is shown, and the alarms of the others."""
    spans: list[Span] = [Span(" ")]
    for number, name in enumerate(PANES, 1):
        alarm = tables[name].alarm if name in tables else ""
        title = f"{TITLES[name]} {alarm}".rstrip()
        style = Style.BAD if alarm.startswith("!") else Style.WARN if alarm else Style.PLAIN
        spans.append(Span(str(number), Style.KEY))
        if name == focus:
            spans.append(Span(f"[{title}] ", Style.STRONG))
        else:
            spans.append(Span(f" {title}  ", style))
    return line(width, *spans)


def ticker(picture: Picture, width: int) -> Line:
    """Emergencies, then recoveries, lost workers, and limits that are nearly used up in the room that is left."""
    items = [*_emergencies(picture), *_recoveries(picture), *_lost(picture), *_limits(picture)]
    if not items:
        quiet = " no emergency, no limit near its end, no worker lost" if picture.known else " nothing is known yet"
        return line(width, Span(quiet, Style.DIM))
    spans: list[Span] = [Span(" "), items[0]]
    for number, item in enumerate(items[1:], 1):
        more = Span(f" +{len(items) - number - 1}" if number + 1 < len(items) else "", Style.WARN)
        if length((*spans, SEPARATOR, item, more)) > width:
            return line(width, *spans, Span(f" +{len(items) - number}", Style.WARN))
        spans += [SEPARATOR, item]
    return line(width, *spans)


def _emergencies(picture: Picture) -> list[Span]:
    items: list[Span] = []
    for emergency in picture.state.active_emergencies():
        stops = [each for each in picture.facts.progress if each.stop.emergency_id == emergency.emergency_id]
        verdict = together(stops, picture.now)
        if emergency.recovery is not None and emergency.recovery.is_active:
            continue  # how far that is says more
        said = f" {verdict.word} {verdict.seen}" if verdict else ""
        named = (*verdict.missing, *verdict.running) if verdict else ()
        missing = f" {listed(named, 2)}" if named else ""
        missing += " NEEDS A PERSON" if emergency.attention else ""
        text = f"{clean(emergency.emergency_id, 20)} {scope(emergency.selectors)}{said}{missing}"
        items.append(
            Span(f"{text} {age(opened(picture, emergency), picture.now)}", verdict.style if verdict else Style.BAD)
        )
    return items


def _recoveries(picture: Picture) -> list[Span]:
    items: list[Span] = []
    for emergency, recovery in under_way(picture):
        name = f"{clean(emergency.emergency_id, 20)} {scope(emergency.selectors)}"
        items.append(Span(f"{name} {brief(picture, recovery)}", STATUS[recovery.status][1]))
    return items


def _limits(picture: Picture) -> list[Span]:
    near = [(share(picture, limit), limit.name) for limit in picture.state.limits.values()]
    return [
        Span(f"limit {clean(name, 40)} {int(part * 100)}%", Style.BAD if part >= CRITICAL_SHARE else Style.WARN)
        for part, name in sorted(near, reverse=True)
        if part >= WARNING_SHARE
    ]


def _lost(picture: Picture) -> list[Span]:
    out_of_reach = (("LOST", picture.facts.lost), ("CUT OFF", picture.facts.cut_off))
    return [Span(f"{len(names)} {word} {listed(names)}", Style.BAD) for word, names in out_of_reach if names]
