"""The stop: what it would hit, shown in one frame from what is known; and its reason, asked when it has left."""

from __future__ import annotations

from backends.stop_lane import Fired
from opsconsole.dialogs.base import Dialog, Outcome, Said, Send, field_line, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.answers import fault, fired, refused_everywhere
from opsconsole.views.picture import Picture
from opsconsole.views.stop_reach import brief_reach
from opsconsole.views.verdict import together
from opsconsole.views.ways import ways
from opsconsole.views.words import counted, listed


class StopPrompt(Dialog):
    """Open while ``!`` is armed. It takes no key: the chord hears them all, in the thread that reads them."""

    style = Style.STOPPED

    title = "STOP ALL"

    def body(self, picture: Picture) -> list[Said]:
        """What a stop of everything would hit, and over which routes it would leave."""
        facts = picture.facts
        lines: list[Said] = [(Span(_hit(picture)),), *ways(picture)]
        if driven := brief_reach(picture):
            lines.insert(1, (Span(f"drives {driven} too; :preview says in which order"),))
        if forbidden := picture.who.forbidden("order-stop"):
            lines.insert(0, (Span(f"REFUSED by servers: {forbidden}. S latches this host alone.", Style.BAD),))
        if away := (*facts.lost, *facts.cut_off):
            lines.append((Span(f"out of reach, may not hear it: {listed(away, 5)}", Style.BAD),))
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

    def residue(self) -> str:
        """It was armed and not fired."""
        return "NOT STOPPED: disarmed, S was not pressed"


class ReasonPrompt(Dialog):
    """Open after a stop has left: follows it from sent to verified, and takes the reason that nobody waited for."""

    escapes = "leave it out"
    ON_ITS_WAY = "sending: latch and keeper, at once"

    def __init__(self, stop_id: str) -> None:
        self.title = "STOP SENT"
        self.stop_id = stop_id
        self._said: Said = (Span(self.ON_ITS_WAY),)
        self._fault = ""
        self._reason = Field()

    def left(self, answer: Fired | Exception) -> None:
        """What came of sending it, which is all that is known until it is recorded."""
        self._said, self._fault = fired(answer), fault(answer)
        if refused_everywhere(answer):
            self.title = "STOP REFUSED"

    def body(self, picture: Picture) -> list[Said]:
        """What is known of the stop so far."""
        stop = picture.state.stops.get(self.stop_id)
        if stop is None:
            seen = "Row 1 says what has been seen to stop."
            if picture.link.refused:
                seen = "This token is shown nothing: whoever is shown the fleet has to look what has stopped."
            return [self._said, (Span(seen),)]
        case = clean(stop.emergency_id, 20)
        lines: list[Said] = [(Span(f"recorded as {case}", Style.STRONG), *_came_to(picture, self.stop_id))]
        if self._fault:
            lines.append((Span(f"on its way here: {self._fault}", Style.WARN),))
        if not picture.link.live:
            lines.append((Span("as last known: the backend does not answer now", Style.BAD),))
        return [*lines, (Span(f"{picture.who.recovers(case)}, when the cause is mended."),)]

    def foot(self, picture: Picture) -> list[Said]:
        """The reason, which is optional."""
        line = field_line("reason (optional)", self._reason, active=True)
        return [line, keys_line(("Enter", "save it"), self.escape)]

    def key(self, key: str, character: str | None) -> Outcome:
        """Enter ends the line; there is nothing left here to confirm."""
        if key == "escape":
            return "close"
        if key == "enter":
            return self._explained(self._reason.value.strip())
        self._reason.key(key, character)
        return "stay"

    def _explained(self, reason: str) -> Outcome:
        from core.capabilities.explaining import ExplainStop

        return Send(ExplainStop(stop_id=self.stop_id, reason=reason), "reason") if reason else "close"

    def paste(self, text: str) -> Outcome:
        """A reason may be pasted."""
        self._reason.paste(text)
        return "stay"

    def residue(self) -> str:
        """The stop is not touched by it."""
        return "no reason was saved; row 1 says how far the stop has come"

    def see(self, picture: Picture) -> None:
        """The title says how far it has come."""
        stop = picture.state.stops.get(self.stop_id)
        if stop is not None:
            self.title = {"pending": "STOP RECORDED"}.get(stop.result, f"STOP {stop.result.upper()}")


def _hit(picture: Picture) -> str:
    """What a stop of everything would stop, as far as that is known."""
    facts = picture.facts
    if not picture.known:
        return "stops every site and every worker of the fleet; how many there are is not known here"
    sites = counted(len(facts.names.of("site")), "site")
    hit = (
        f"stops {sites} and {counted(facts.live, 'worker')}; {facts.in_flight} in flight halt at their next checkpoint"
    )
    return hit if picture.link.live else f"{hit}, as last known"


def _came_to(picture: Picture, stop_id: str) -> Said:
    """Acknowledgements and the verdict, as row 1 has them."""
    verdict = together([each for each in picture.facts.progress if each.stop.stop_id == stop_id], picture.now)
    if verdict is None:
        return (Span(", recovered meanwhile", Style.GOOD),)
    if verdict.word == "STOPPED":
        return (Span(f", verified: {verdict.acks} acknowledged", Style.GOOD),)
    word = ", acks" if verdict.word == "STOPPING" else f", {verdict.word}: acks"
    owed = "waiting for" if verdict.word == "STOPPING" else "MISSING"
    return (Span(f"{word} {verdict.acks}, {owed} {listed(verdict.missing, 5)}", verdict.style),)
