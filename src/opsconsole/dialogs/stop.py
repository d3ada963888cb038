"""The stop: what it would hit, shown in one frame from what is known; and its reason, asked when it has left."""

from __future__ import annotations

from opsconsole.dialogs.base import Dialog, Outcome, Said, Send, field_line, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.words import counted, stopwatch


class StopPrompt(Dialog):
    """Open while ``!`` is armed. It takes no key: the chord hears them all, in the thread that reads them."""

    style = Style.STOPPED

    title = "STOP ALL"

    def body(self, picture: Picture) -> list[Said]:
        """What a stop of everything would hit, and over which routes it would leave."""
        facts = picture.facts
        sites = counted(len(facts.names.of("site")), "site")
        lost = f" and {len(facts.lost)} lost ones that may not hear it" if facts.lost else ""
        hit = f"stops {sites} and {counted(facts.live, 'worker')}{lost}; {facts.in_flight} in flight"
        lines: list[Said] = [(Span(f"{hit} halt at their next checkpoint"),), _routes(picture)]
        if facts.holds.everywhere:
            lines.append((Span("everything is held already; stopping again is safe and makes it no weaker"),))
        return lines

    def foot(self, picture: Picture) -> list[Said]:
        """The key that fires, and that nothing else does."""
        return [
            (
                Span("S", Style.KEY),
                Span(" = stop everything now   ", Style.STRONG),
                Span("Esc or any other key = cancel   Enter = nothing"),
            )
        ]

    def key(self, key: str, character: str | None) -> Outcome:
        """Never called while armed; a key that gets here is not part of the chord."""
        return "close"


class ReasonPrompt(Dialog):
    """Open after a stop has left: says by which routes, and takes the reason that nobody had to wait for."""

    ROUTES_ASKED = "sending: latch and keeper, at once"

    def __init__(self, stop_id: str) -> None:
        self.title = "STOP SENT"
        self.stop_id = stop_id
        self.routes: Said = (Span(self.ROUTES_ASKED),)
        self._reason = Field()

    def body(self, picture: Picture) -> list[Said]:
        """What is known of the stop so far."""
        return [self.routes, (Span("Row 1 says what has been seen to stop."),)]

    def foot(self, picture: Picture) -> list[Said]:
        """The reason, which is optional."""
        line = field_line("reason (optional)", self._reason, active=True)
        return [line, keys_line(("Enter", "saves it"), ("Esc", "leaves it out"))]

    def key(self, key: str, character: str | None) -> Outcome:
        """Enter ends the line; there is nothing left here to confirm."""
        if key == "escape":
            return "close"
        if key == "enter":
            return self._explained(self._reason.value.strip())
        self._reason.key(key, character)
        return "stay"

    def _explained(self, reason: str) -> Outcome:
        from core.capabilities.emergencies import ExplainStop

        return Send(ExplainStop(stop_id=self.stop_id, reason=reason), "reason") if reason else "close"

    def paste(self, text: str) -> Outcome:
        """A reason may be pasted."""
        self._reason.paste(text)
        return "stay"


def _routes(picture: Picture) -> Said:
    if picture.link.age_s is None:
        return (Span("Backend not reached yet: it leaves by latch and keeper all the same. Safe to repeat."),)
    if picture.link.live:
        return (Span("Backend reachable. Safe to repeat."),)
    trouble = f" ({clean(picture.link.trouble, 60)})" if picture.link.trouble else ""
    said = f"Backend NOT reachable for {stopwatch(picture.link.age_s)}{trouble}: it leaves by latch and keeper"
    return (Span(said, Style.BAD),)
