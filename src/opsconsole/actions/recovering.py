"""See to an emergency: know of it, own it, and have its recovery stay, end or turn back.

All of these are cheap, for none lets anything run: a plan and ``y``. What lets run again is `Recover`, and dear.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from opsconsole.actions.base import Action, Desk, there_is_none
from opsconsole.dialogs.base import Said
from opsconsole.dialogs.sure import Plan, SurePrompt
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.case import emergency_case
from opsconsole.views.course import rows_of
from opsconsole.views.picture import Picture
from opsconsole.views.words import listed

if TYPE_CHECKING:
    from core.messages import Command
    from core.recoveries import Recovery
    from core.state import Emergency

SHOWN = 3
"""Lines of a recovery that a prompt repeats: what it is, its phase, and the step that it is at."""


def chosen(desk: Desk) -> Emergency | None:
    """The active emergency under the cursor, else the oldest."""
    selected, state = desk.pane.selected, desk.picture.state
    named = desk.pane.emergency(selected, desk.picture) if selected else None
    active = state.active_emergencies()
    return state.emergencies[named] if named else active[0] if active else None


class OnEmergency(Action):
    """Something about one active emergency."""

    kind: ClassVar[str]
    """Of the command that it comes to."""

    def why_not(self, desk: Desk) -> str:
        """There must be one, and a right to do it."""
        if forbidden := desk.picture.who.why_not(self.kind):
            return forbidden
        emergency = chosen(desk)
        return self.refused(emergency, desk.picture) if emergency else there_is_none(desk, "no emergency is in force")

    def refused(self, emergency: Emergency, picture: Picture) -> str:
        """Why it does not apply to this one; empty where it does."""
        return ""

    def run(self, desk: Desk) -> None:
        """Ask."""
        if emergency := chosen(desk):
            desk.open(SurePrompt(self.plan(emergency, desk.picture)))

    @abstractmethod
    def plan(self, emergency: Emergency, picture: Picture) -> Plan:
        """What is asked."""


class Acknowledge(OnEmergency):
    """Somebody knows."""

    id, keys, kind = "acknowledge", "A", "ack-emergency"
    about = "acknowledge the emergency: say that you know of it, so that nobody else is called; y confirms"

    def refused(self, emergency: Emergency, picture: Picture) -> str:
        """Once is enough."""
        name, by = clean(emergency.emergency_id, 20), clean(emergency.acked_by, 30)
        return f"{name} was acknowledged by {by}" if by else ""

    def plan(self, emergency: Emergency, picture: Picture) -> Plan:
        """The case, and that nothing is released by it."""
        name = clean(emergency.emergency_id, 20)

        def command(note: str) -> Command:
            from core.capabilities.ownership import AcknowledgeEmergency

            return AcknowledgeEmergency(emergency_id=emergency.emergency_id, note=note)

        says = "you know of it, and nobody else is called; nothing stops or starts by it"
        return Plan(
            f"ACKNOWLEDGE {name}",
            lambda seen: [*_case(seen, emergency), (Span(says),)],
            "acknowledge",
            command,
            f"acknowledge {name}",
            f"not acknowledged: {name}",
            "note",
        )


class Own(OnEmergency):
    """Somebody sees to it."""

    id, keys, kind = "own", "O", "own-emergency"
    about = "own the emergency: say that you see to it, instead of whoever does now; y confirms"

    def refused(self, emergency: Emergency, picture: Picture) -> str:
        """It may be somebody else's, who gives it up by that."""
        mine = emergency.owner == picture.who.operator
        return f"{clean(emergency.emergency_id, 20)} is yours already" if mine else ""

    def plan(self, emergency: Emergency, picture: Picture) -> Plan:
        """The case, and whose it is now."""
        name = clean(emergency.emergency_id, 20)
        before = f"it is {clean(emergency.owner, 30)}'s now" if emergency.owner else "it is nobody's now"

        def command(_note: str) -> Command:
            from core.capabilities.ownership import OwnEmergency

            return OwnEmergency(emergency_id=emergency.emergency_id)

        says = f"{before}; whoever owns it has acknowledged it too"
        return Plan(
            f"OWN {name}",
            lambda seen: [*_case(seen, emergency), (Span(says),)],
            "own it",
            command,
            f"own {name}",
            f"{name} is as it was",
        )


class OnRecovery(OnEmergency):
    """Something about the recovery that goes on: where it is, what comes of it, and a reason that may be given."""

    word: ClassVar[str]
    what: ClassVar[str]
    kept: ClassVar[str] = "not turned back"

    def refused(self, emergency: Emergency, picture: Picture) -> str:
        """There must be one that can still go forward."""
        name, recovery = clean(emergency.emergency_id, 20), emergency.recovery
        if recovery is None or not recovery.is_active:
            return f"no recovery of {name} is under way"
        return "" if recovery.goes_forward else f"the recovery of {name} turns back already"

    def plan(self, emergency: Emergency, picture: Picture) -> Plan:
        """Where it is, and what comes of it."""
        name = clean(emergency.emergency_id, 20)
        return Plan(
            f"{self.word} recovery of {name}",
            lambda seen: [*_course(seen, emergency), *self.comes_of_it(seen, emergency)],
            self.what,
            lambda reason: self.command(emergency.emergency_id, reason),
            f"{self.word.lower()} recovery of {name}",
            f"{self.kept}: the recovery of {name} goes on",
            "reason",
        )

    def comes_of_it(self, picture: Picture, emergency: Emergency) -> list[Said]:
        """That what it has started stops again."""
        return _stops_again(picture, emergency)

    @abstractmethod
    def command(self, emergency_id: str, reason: str) -> Command:
        """The command."""


class HoldRecovery(OnRecovery):
    """Stay where it is."""

    id, keys, label, kind = "hold-recovery", "H", "hold", "hold-recovery"
    about = "hold the recovery at its present step; what runs goes on and is watched; y confirms"
    word, what, kept = "HOLD", "hold it", "not held"

    def refused(self, emergency: Emergency, picture: Picture) -> str:
        """Once is enough."""
        held = emergency.recovery is not None and emergency.recovery.status == "held"
        return "it is held already: R continues it" if held else super().refused(emergency, picture)

    def comes_of_it(self, picture: Picture, emergency: Emergency) -> list[Said]:
        """That it stays there."""
        return [
            (Span("it stays at this step; what is admitted stays admitted, what fails turns it back all the same"),)
        ]

    def command(self, emergency_id: str, reason: str) -> Command:
        """The command."""
        from core.capabilities.recovery import HoldRecovery as Wanted

        return Wanted(emergency_id=emergency_id, reason=reason)


class AbortRecovery(OnRecovery):
    """End it."""

    id, keys, label, kind = "abort-recovery", "X", "abort", "abort-recovery"
    about = "abort the recovery: nothing is admitted any more and what it started stops again; y confirms"
    word, what = "ABORT", "abort it"

    def command(self, emergency_id: str, reason: str) -> Command:
        """The command."""
        from core.capabilities.recovery import AbortRecovery as Wanted

        return Wanted(emergency_id=emergency_id, reason=reason)


class RollBackRecovery(OnRecovery):
    """End it on purpose."""

    id, keys, kind = "roll-back", "B", "roll-back-recovery"
    about = "roll the recovery back: the same, where what it restored is not good enough; y confirms"
    word, what = "ROLL BACK", "roll it back"

    def command(self, emergency_id: str, reason: str) -> Command:
        """The command."""
        from core.capabilities.recovery import RollBackRecovery as Wanted

        return Wanted(emergency_id=emergency_id, reason=reason)


def _case(picture: Picture, emergency: Emergency) -> list[Said]:
    return emergency_case(picture, emergency.emergency_id)[:2]


def _going(picture: Picture, emergency: Emergency) -> tuple[Emergency, Recovery] | None:
    """The same emergency as it is now, with its recovery; None where that is over by now."""
    known = picture.state.emergencies.get(emergency.emergency_id)
    if known is None or known.recovery is None or not known.recovery.is_active:
        return None
    return known, known.recovery


def _course(picture: Picture, emergency: Emergency) -> list[Said]:
    going = _going(picture, emergency)
    if going is None:
        return [(Span("it is over by now: nothing would be changed", Style.WARN),)]
    rows = list(rows_of(picture, *going))[:SHOWN]
    return [(Span(f"{row.cells[0].text.strip()}: ", Style.DIM), Span(*row.cells[1])) for row in rows]


def _stops_again(picture: Picture, emergency: Emergency) -> list[Said]:
    going = _going(picture, emergency)
    if going is None:
        return []
    started = going[1].attempted
    back = f"stops again: {listed(started, 8)}" if started else "it has started no service yet"
    return [(Span("nothing is admitted any more, at once; ", Style.STRONG), Span(back))]
