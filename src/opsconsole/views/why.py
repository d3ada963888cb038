"""Why something may or may not run: every blocker, what ends each, and what would be left after each release."""

from __future__ import annotations

from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.case import of_emergency
from opsconsole.views.holding import since, way_back
from opsconsole.views.limits import used
from opsconsole.views.picture import Picture
from opsconsole.views.words import ago
from opsgate.evaluate import describe, headline
from opsgate.hold import Hold
from opsgate.selector import Selector

Said = tuple[Span, ...]


def explanation(picture: Picture, selector: Selector) -> list[Said]:
    """The answer as lines, headline first. It comes from the rules that the workers use, not from a second set."""
    from core.policy import why

    found = why(picture.state.table(), selector)
    blocked = found.verdict.outcome == "blocked"
    head = clean(headline(found.verdict), 200)
    lines: list[Said] = [(Span(head, Style.BAD if blocked else Style.GOOD),)]
    if picture.word == "unknown":
        lines = [(Span(f"as last known: {head}", Style.BAD if blocked else Style.WARN),)]
    for hold in found.verdict.blockers:
        lines += [_blocker(picture, hold), *_case(picture, hold)]
    lines += [(Span(f"  {clean(str(preview), 200)}", Style.DIM),) for preview in found.previews]
    lines += [(Span(f"  only a part: {clean(describe(hold), 160)}", Style.WARN),) for hold in found.partial]
    return lines


def beside_limit(picture: Picture, name: str, selector: Selector) -> list[Said]:
    """What holds the operation that a limit charges. Where nothing does and the limit is used up, it alone refuses."""
    lines, limit = explanation(picture, selector), picture.state.limits.get(name)
    full = limit is not None and (used(picture, limit) or 0) >= limit.limit > 0
    if full and lines[0][0].style is Style.GOOD:
        lines[0] = (Span("not held: the limit alone refuses"),)
    return lines


def of_hold(picture: Picture, hold_id: str) -> list[Said]:
    """One hold by itself: whose it is, and what ends it."""
    hold = picture.state.holds.get(hold_id)
    if hold is None:
        return [(Span("it was released: it holds nothing any more", Style.GOOD),)]
    overdue = [(Span("  its end fell due while no keeper watched, so a person has to end it", Style.WARN),)]
    head: Said = (Span(clean(describe(hold), 200), Style.BAD),)
    return [head, _blocker(picture, hold), *_case(picture, hold), *(overdue if hold.overdue else ())]


def _blocker(picture: Picture, hold: Hold) -> Said:
    until = f", until {hold.expires_at:%H:%M:%S} UTC" if hold.expires_at else ""
    said = f"{hold.mode}, {hold.source} {hold.owner}, {ago(since(picture, hold), picture.now)}{until}"
    why_ = f": {clean(hold.reason, 120)}" if hold.reason else ""
    ends = Span(f" - {way_back(hold)}", Style.KEY)
    return (Span(f"  {clean(hold.hold_id, 40)} ", Style.STRONG), Span(clean(said, 120)), Span(why_), ends)


def _case(picture: Picture, hold: Hold) -> list[Said]:
    """Behind an emergency's hold: how far its stops have come, and who is missing."""
    emergency = picture.state.emergencies.get(hold.owner) if hold.source == "emergency" else None
    return [(Span("    "), *line) for line in of_emergency(picture, emergency)] if emergency else []
