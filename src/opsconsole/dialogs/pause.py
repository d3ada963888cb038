"""Pause and resume of what the cursor is on. Pausing is one more key; resuming asks for a reason first."""

from __future__ import annotations

from collections.abc import Sequence

from opsconsole.dialogs.base import Dialog, Outcome, Said, Send, field_line, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.dialogs.kept import Kept
from opsconsole.dialogs.noted import NotedPrompt, remarked
from opsconsole.dialogs.several import Aim, Several
from opsconsole.dialogs.target import SWITCHES
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.holding import switched_by, way_back
from opsconsole.views.picture import Picture
from opsconsole.views.words import ago, listed
from opsgate.evaluate import describe
from opsgate.hold import Hold

HOLDS_NAMED = 5
Y_OR_ESC = "y or Esc"
TOO_SOON = "too fast, not taken: y again"


class PausePrompt(NotedPrompt):
    """Opened by ``p``. ``y`` pauses, ``r`` adds a reason first, Esc cancels; no other key does anything."""

    y_or_esc, too_soon = Y_OR_ESC, TOO_SOON

    def __init__(self, target: Aim, reason: str = "") -> None:
        super().__init__("pause now", "reason", reason)
        self.title = f"PAUSE {target.name}"
        self._target = target
        self._plan = Kept(self._planned)

    def body(self, picture: Picture) -> list[Said]:
        """What it does to work that runs, as things stand, and what holds it already."""
        return self._plan(picture)

    def _planned(self, picture: Picture) -> list[Said]:
        lines: list[Said] = [(Span(self._target.pauses, Style.STRONG), Span(f": {self._doing(picture)}"))]
        return lines + _holds("already: ", self._target.covering(picture), Style.PLAIN)

    def _doing(self, picture: Picture) -> str:
        """Nothing that is held already is promised to finish its work."""
        each, selectors = self._target.each_covering(picture), set(self._target.selectors)
        switch = self._target.dimension in SWITCHES
        if len({hold.selector for hold in self._switches(picture)}) == len(selectors):
            return f"off already, {self._since(picture)}: y changes nothing"
        operator = picture.who.operator
        stopped = [hold for holds in each for hold in holds if hold.source == "emergency"]
        own = all(any(_is_own(hold, operator) and hold.selector in selectors for hold in holds) for holds in each)
        if own and not switch:
            return "you already pause this: nothing to do"
        if stopped and all(any(hold.source == "emergency" for hold in holds) for holds in each):
            case = clean(stopped[0].owner, 20)
            keeps = "switched off, it stays off" if switch else "a pause keeps it held"
            return f"stopped already by {case}; {keeps} when {case} is recovered"
        if all(each):
            adds = "switched off, it stays off when that ends" if switch else "this adds a pause of its own"
            return f"held already; {adds}"
        if any(each):
            return "of what is not held already, running work finishes; nothing new starts"
        return "running work finishes, nothing new starts"

    def _switches(self, picture: Picture) -> list[Hold]:
        """The holds that the switches of these are which are off; of a site there is none."""
        source = SWITCHES.get(self._target.dimension)
        return [hold for hold in self._target.holds(picture) if hold.source == source]

    def _since(self, picture: Picture) -> str:
        """By whom, where that is known, and since when."""
        switches = self._switches(picture)
        who = listed(list(dict.fromkeys(filter(None, (switched_by(picture, hold) for hold in switches)))))
        latest = ago(max(hold.placed_at for hold in switches), picture.now)
        return f"by {who} {latest}" if who else latest

    def sent(self, note: str) -> Send:
        """The pause, for this reason."""
        return Send(self._target.pause(note), f"pause {self._target.name}", marked=_marked(self._target))

    def residue(self) -> str:
        """Nothing was paused."""
        return f"not paused: {self._target.name} {self._target.is_as}"


class ResumePrompt(Dialog):
    """Opened by ``P``. A reason first; then ``y`` resumes. It is refused when the state moved since it opened.

    Where there is nothing that it may release it asks for nothing, and says who holds and what ends that.
    """

    def __init__(self, target: Aim, picture: Picture, reason: str = "") -> None:
        self.title = f"RESUME {target.name}"
        self._target = target
        self._plan = Kept(self._planned)
        self._opened_at = picture.state.control_revision
        self._in_vain = not target.released(picture)
        self._moved = False
        self._reason = Field(reason)
        self._typing = not self._in_vain
        self._remark = ""

    @property
    def confirms(self) -> str:  # type: ignore[override] # an attribute of the base, worked out here
        """``y``, once the reason stands there and as long as there is something to confirm."""
        return "" if self._typing or self._moved or self._in_vain else "y"

    @property
    def escapes(self) -> str:  # type: ignore[override] # an attribute of the base, worked out here
        """Where there is nothing to confirm there is nothing to cancel."""
        return "close" if self._in_vain or self._moved else "cancel"

    def body(self, picture: Picture) -> list[Said]:
        """Whose holds it releases, by name, and what would hold it all the same."""
        if self._moved:
            return [(Span("The state moved since you looked: Esc, look again, then decide again.", Style.BAD),)]
        return self._plan(picture)

    def _planned(self, picture: Picture) -> list[Said]:
        released, remaining = self._target.released(picture), self._target.remaining(picture)
        if self._in_vain and not remaining:
            return [(Span(f"nothing holds {self._target.name}: there is nothing to resume", Style.WARN),)]
        lines = _holds("releases ", released, Style.STRONG, by_id=True)
        if isinstance(self._target, Several):
            lines.insert(0, (Span(self._target.resumes),))
        still = "P cannot release it: " if self._in_vain else "still held: "
        return lines + _holds(still, remaining, Style.WARN, ends=True)

    def foot(self, picture: Picture) -> list[Said]:
        """The reason, and the keys."""
        if self._in_vain or self._moved:
            return [keys_line(self.escape)]
        line = field_line("reason (needed)", self._reason, active=self._typing)
        if self._typing:
            return [line, keys_line(("Enter", "end the line"), self.escape)]
        return [line, (*remarked(self._remark), *keys_line(("y", "resume now"), self.escape))]

    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key."""
        if key == "escape":
            return "close"
        if self._moved or self._in_vain:
            return "stay"  # what was meant for the reason must not become commands
        if self._typing:
            self._typing = not (key == "enter" and self._reason.value.strip())
            self._reason.key(key, character)
            return "stay"
        if key == "y":
            reason = self._reason.value.strip()
            command, about = self._target.resume(reason), f"resume {self._target.name}"
            return Send(command, about, self._opened_at, _marked(self._target))
        self._remark = Y_OR_ESC
        return "stay"

    def hurried(self) -> None:
        """Say so."""
        self._remark = TOO_SOON

    def residue(self) -> str:
        """Nothing was released."""
        return f"not resumed: {self._target.name} {self._target.is_as}"

    def paste(self, text: str) -> Outcome:
        """Only into the reason."""
        if self._typing:
            self._reason.paste(text)
        return "stay"

    def see(self, picture: Picture) -> None:
        """Notice when holds changed under the prompt."""
        self._moved = self._moved or picture.state.control_revision != self._opened_at


def _marked(aim: Aim) -> Several | None:
    return aim if isinstance(aim, Several) and aim.marked else None


def _is_own(hold: Hold, operator: str) -> bool:
    return hold.source == "operator" and hold.owner == operator


def _holds(what: str, holds: Sequence[Hold], style: Style, *, by_id: bool = False, ends: bool = False) -> list[Said]:
    """The holds, a line each; of many only the first, and how many more. ``ends``: with what ends each."""
    lines: list[Said] = []
    for hold in holds[:HOLDS_NAMED]:
        named = f"{clean(hold.hold_id, 40)}: " if by_id else ""
        said = Span(f"{what}{named}{clean(describe(hold), 120)}", style)
        lines.append((said, Span(f" - {way_back(hold)}", Style.KEY)) if ends else (said,))
    if len(holds) > HOLDS_NAMED:
        lines.append((Span(f"{what}{len(holds) - HOLDS_NAMED} more", style),))
    return lines
