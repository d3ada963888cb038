"""The way back: checks and the plan listed, a reason, the scope typed whole (of a long one the emergency's id), and
three seconds in which anything cancels.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from opsconsole.dialogs.base import Dialog, Outcome, Said, Send, field_line, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.course import rows_of
from opsconsole.views.holding import stay_held
from opsconsole.views.picture import Picture
from opsconsole.views.recovery import as_seen, checklist, resumable, staying
from opsconsole.views.words import counted, duration
from opsgate.evaluate import describe
from opsgate.selector import EVERYTHING, scope_text

if TYPE_CHECKING:
    from core.messages import Command
    from core.state import Emergency

COUNTDOWN_S = 3.0
TYPED_MAX = 60
"""A scope longer than this nobody types without a mistake, and no field shows: then the emergency's id is typed."""


class RecoverPrompt(Dialog):
    """Opened by ``R``: recovers one emergency, or resumes what operators paused for everybody.

    No key confirms. The reason is typed and ended with Enter, then the scope, or the id of an emergency whose
    scope is too long to type; when that stands there whole, a countdown begins that ``c`` or Esc cancels. It never
    begins on a paste, on a failing check, or when the state moved since the prompt opened.
    """

    def __init__(self, picture: Picture, emergency_id: str | None, reason: str = "") -> None:
        self._emergency_id = emergency_id
        self._opened_at = picture.state.control_revision
        self._scope = scope_text(picture.state.emergencies[emergency_id].selectors) if emergency_id else "all"
        self._word, self._what = self._scope, "scope"
        if emergency_id and len(self._scope) > TYPED_MAX:
            self._word, self._what = emergency_id, "id"
        name = clean(emergency_id, 30) if emergency_id else "EVERYTHING"
        self.title = f"{'RECOVER' if emergency_id else 'RESUME'} {name}, scope {clean(self._scope, 80)}"
        self._procedures = procedures_for(picture, emergency_id)
        self._suits = self._procedures[0]
        self._reason, self._typed = Field(reason), Field()
        self._left_s: float | None = None
        self._in_reason = True
        self._remark = ""
        self._moved = self._failing = False
        self.see(picture)

    @property
    def ticking(self) -> bool:  # type: ignore[override] # an attribute of the base, worked out here
        """Whether the countdown runs."""
        return self._left_s is not None

    @property
    def escapes(self) -> str:  # type: ignore[override] # an attribute of the base, worked out here
        """Where nothing can be resumed there is nothing to cancel."""
        return "close" if self._moved or self._failing else "cancel"

    def body(self, picture: Picture) -> list[Said]:
        """The checks, as they stand now."""
        if self._moved:
            return [(Span("The state moved since you looked: Esc, look again, then decide again.", Style.BAD),)]
        emergency = picture.state.emergencies.get(self._emergency_id or "")
        if emergency is None:
            releases = [f"releases {hold.hold_id}: {clean(describe(hold), 120)}" for hold in resumable(picture)]
            stays = stay_held(staying(picture, None))
            return [*((Span(words, Style.STRONG),) for words in releases), (Span(stays),)]
        checks = [(Span(f"{sign.text:4} ", sign.style), Span(words)) for sign, words in checklist(picture, emergency)]
        return [*checks, *plan_said(picture, emergency, self._procedures[0])]

    def foot(self, picture: Picture) -> list[Said]:
        """What is typed, and what happens next."""
        if self._moved or self._failing:
            why = "state moved" if self._moved else "a check fails"
            return [(Span(f"{why}: nothing can be resumed from here.   ", Style.BAD), *keys_line(self.escape))]
        if self._left_s is not None:
            left = f"resuming {clean(self._scope, 60)} in {ceil(self._left_s)} s"
            stays = stay_held(staying(picture, picture.state.emergencies.get(self._emergency_id or "")))
            return [
                (
                    Span(left, Style.STOPPED),
                    Span(f"; {stays}   "),
                    *keys_line(("c", "cancel"), ("Esc", "cancel and close")),
                )
            ]
        lines = [field_line("reason (needed)", self._reason, active=self._in_reason)]
        if self._in_reason:
            other = (("Tab", "another procedure"),) if len(self._procedures) > 1 else ()
            return [*lines, keys_line(("Enter", "end the line"), *other, self.escape)]
        instead = "the scope is long: " if self._word != self._scope else ""
        typed = field_line(f'{instead}type "{clean(self._word, TYPED_MAX)}"', self._typed, active=True)
        remark = (Span(f"{self._remark}   ", Style.BAD),) if self._remark else ()
        return [*lines, typed, (*remark, *keys_line(self.escape))]

    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key."""
        if key == "escape":
            return "close"
        if self._moved or self._failing:
            return "stay"  # there is no field to type into
        if self._left_s is not None:
            if key != "enter":  # fingers end a line with it; it neither confirms nor cancels
                self.interrupt("cancelled, type it again")
        elif self._in_reason and key in {"tab", "shift+tab"}:
            by = 1 if key == "tab" else -1
            self._procedures = (*self._procedures[by:], *self._procedures[:by])
        elif self._in_reason:
            self._in_reason = not (key == "enter" and self._reason.value.strip())
            self._reason.key(key, character)
        elif key == "enter":
            self.interrupt(f"that is not the {self._what}" if self._typed.value else "")
        else:
            self._remark = ""
            self._typed.key(key, character)
            if self._typed.value == self._word:
                self._left_s = COUNTDOWN_S
        return "stay"

    def residue(self) -> str:
        """It holds on."""
        what = f"recovered: {clean(self._emergency_id, 30)}" if self._emergency_id else "resumed: everything"
        return f"not {what} stays held"

    def paste(self, text: str) -> Outcome:
        """A reason may be pasted; a scope is typed, for that is what it is there for."""
        if self._left_s is not None:
            self.interrupt()
        elif self._in_reason and not (self._moved or self._failing):
            self._reason.paste(text)
        return "stay"

    def see(self, picture: Picture) -> None:
        """Look whether the state moved and whether a check fails; either ends a countdown."""
        from core.capabilities.recovery import recovery_checks

        self._moved = self._moved or picture.state.control_revision != self._opened_at
        emergency = picture.state.emergencies.get(self._emergency_id or "")
        checks = recovery_checks(as_seen(picture), emergency, picture.now) if emergency else ()
        self._failing = any(check.verdict == "fail" for check in checks)
        if (self._moved or self._failing) and self._left_s is not None:
            self.interrupt()

    def tick(self, seconds: float) -> Outcome:
        """Count down; at the end, send."""
        if self._left_s is None:
            return "stay"
        self._left_s = round(self._left_s - seconds, 3)  # a sum of small parts ends where the whole does
        if self._left_s > 0:
            return "stay"
        return Send(self._command(), f"recover {clean(self._scope, 60)}", self._opened_at)

    def interrupt(self, remark: str = "") -> None:
        """Stop the countdown; the scope has to be typed again."""
        self._left_s = None
        self._remark = remark
        self._typed.value = ""

    def _command(self) -> Command:
        from core.capabilities.holds import ReleaseHolds
        from core.capabilities.recovery import Recover

        reason = self._reason.value.strip()
        if self._emergency_id is None:
            return ReleaseHolds(selectors=(EVERYTHING,), reason=reason)
        return Recover(
            emergency_id=self._emergency_id,
            reason=reason,
            confirm=self._scope,
            procedure=self._procedures[0] if self._procedures[0] != self._suits else None,
        )


class ContinuePrompt(RecoverPrompt):
    """Opened by ``R`` where a recovery is held: it goes on with its present step, which lets more run. As dear as the
    beginning, but for the reason, which was given then."""

    def __init__(self, picture: Picture, emergency_id: str) -> None:
        super().__init__(picture, emergency_id)
        self.title = f"CONTINUE recovery of {clean(emergency_id, 30)}, scope {clean(self._scope, 80)}"
        self._in_reason = False

    def body(self, picture: Picture) -> list[Said]:
        """Where it is, and what it goes on with."""
        emergency = picture.state.emergencies.get(self._emergency_id or "")
        if self._moved or emergency is None or emergency.recovery is None or emergency.recovery.status != "held":
            return [(Span("The state moved since you looked: Esc, look again, then decide again.", Style.BAD),)]
        rows = list(rows_of(picture, emergency, emergency.recovery))
        return [(Span(f"{row.cells[0].text.strip()}: ", Style.DIM), Span(*row.cells[1])) for row in rows]

    def foot(self, picture: Picture) -> list[Said]:
        """Without a reason."""
        lines = super().foot(picture)
        return lines[1:] if len(lines) > 1 else lines

    def residue(self) -> str:
        """It stays where it is."""
        return f"not continued: the recovery of {clean(self._emergency_id or '', 30)} stays held"

    def see(self, picture: Picture) -> None:
        """Whether it is held still."""
        emergency = picture.state.emergencies.get(self._emergency_id or "")
        held = emergency is not None and emergency.recovery is not None and emergency.recovery.status == "held"
        self._moved = self._moved or not held or picture.state.control_revision != self._opened_at
        if self._moved and self._left_s is not None:
            self.interrupt()

    def _command(self) -> Command:
        from core.capabilities.recovery import ContinueRecovery

        assert self._emergency_id is not None, "it was opened for one"
        return ContinueRecovery(emergency_id=self._emergency_id)


def procedures_for(picture: Picture, emergency_id: str | None) -> tuple[str, ...]:
    """By which procedures it can be recovered, the one that suits it first; none where there is only one way."""
    from core.capabilities.recovery import procedure_of, services_of
    from core.procedures import DIRECT, procedures

    emergency = picture.state.emergencies.get(emergency_id or "")
    if emergency is None or not services_of(picture.state, emergency):
        return (DIRECT,)
    first = procedure_of(picture.state, emergency)
    others = (*procedures(picture.state.procedures), DIRECT)
    return (first, *(name for name in others if name != first))


def plan_said(picture: Picture, emergency: Emergency, procedure: str) -> list[Said]:
    """The plan as it would be now, a line a step. Nothing where nothing but a release is to be done."""
    from core.capabilities.recovery import plan_of, services_of
    from core.procedures import described

    services = services_of(picture.state, emergency)
    if not services:
        return []
    steps = plan_of(picture.state, emergency, procedure)
    if not steps:
        said = f"releases its holds at once and starts NONE of {counted(len(services), 'service')}"
        return [(Span(f"{procedure}: ", Style.STRONG), Span(said, Style.WARN))]
    least = duration(sum(step.wait_s for step in steps))
    head = f"{counted(len(services), 'service')}, {len(steps)} steps, {least} at the least"
    lines: list[Said] = [(Span(f"{clean(procedure, 60)}: ", Style.STRONG), Span(head))]
    return [
        *lines,
        *((Span(f"{at:2} {step.phase}: ", Style.DIM), Span(described(step))) for at, step in enumerate(steps, 1)),
    ]
