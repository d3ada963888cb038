"""Why something may or may not run: every blocker, and what would be left after each release."""

from __future__ import annotations

from core.policy import why
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.words import ago
from opsgate.evaluate import describe, headline
from opsgate.hold import Hold
from opsgate.selector import Selector

Said = tuple[Span, ...]


def explanation(picture: Picture, selector: Selector) -> list[Said]:
    """The answer as lines, headline first. It comes from the rules that the workers use, not from a second set."""
    found = why(picture.state.table(), selector)
    blocked = found.verdict.outcome == "blocked"
    head = clean(headline(found.verdict), 200)
    lines: list[Said] = [(Span(f"{selector} ", Style.STRONG), Span(head, Style.BAD if blocked else Style.GOOD))]
    lines += [_blocker(picture, hold) for hold in found.verdict.blockers]
    lines += [(Span(f"  {clean(str(preview), 200)}", Style.DIM),) for preview in found.previews]
    lines += [(Span(f"  only a part: {clean(describe(hold), 160)}", Style.WARN),) for hold in found.partial]
    return lines


def _blocker(picture: Picture, hold: Hold) -> Said:
    until = f", until {hold.expires_at:%H:%M:%S} UTC" if hold.expires_at else ""
    said = f"{hold.mode}, {hold.source} {hold.owner}, {ago(hold.placed_at, picture.now)}{until}"
    why_ = f": {clean(hold.reason, 120)}" if hold.reason else ""
    return (Span(f"  {clean(hold.hold_id, 40)} ", Style.STRONG), Span(clean(said, 120)), Span(why_))
