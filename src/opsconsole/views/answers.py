"""What came of something the operator did, in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from backends.stop_lane import Fired
from backends.stop_servers import Told
from core.errors import BackendUnavailable, OpsError, RevisionConflict
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.holding import stay_held
from opsconsole.views.words import counted
from opsgate.evaluate import describe
from opsgate.hold import Hold

if TYPE_CHECKING:
    from core.messages import Receipt
    from opsconsole.dialogs.base import Send
    from opsconsole.views.picture import Picture

Words = tuple[Span, ...]

NOT_DONE = "[!!] "
"""Before an answer that is no success yet, for who sees no colour."""


def asked(about: str) -> Words:
    """A command has left. What comes of it is not known here, and over a long line not for a while."""
    return (Span(f"{clean(about, 80)}: asked, no answer yet"),)


def answered(send: Send, receipt: Receipt, unmarked: int = 0) -> Words:
    """A command was carried out: what changed, and after what lets something run what holds all the same.

    `unmarked` rows have lost their marks by it.
    """
    kinds = {note.kind for note in receipt.events}
    did, sign, style = "recorded", "", Style.GOOD
    if "recovery.started" in kinds:
        did, sign, style = "begun, not done: H holds it, X aborts it", NOT_DONE, Style.WARN
    elif "recovery.aborted" in kinds and "recovery.rolled-back" not in kinds:
        did, sign, style = "turning back, not done: row 1 counts what is seen stopped again", NOT_DONE, Style.WARN
    elif not receipt.changed:
        did, style = "nothing to change", Style.WARN
    elif receipt.durable != "database":
        did = "in force"
    words = [Span(f"{sign}{clean(send.about, 80)}: {did}", style)]
    if unmarked:
        words.append(Span(f", {counted(unmarked, 'mark')} cleared"))
    if receipt.durable != "database":
        words.append(Span(f", not recorded yet ({receipt.durable})", Style.BAD))
    if send.command.lets_run and receipt.changed:
        words.append(Span(f"; {stay_held(map(Hold.from_dict, receipt.remaining_holds))}"))
    words += [Span(f"; {clean(note, 120)}") for note in receipt.notes[:2]]
    if receipt.remaining_holds and not receipt.changed:
        words.append(Span(f"; {clean(describe(Hold.from_dict(receipt.remaining_holds[0])), 100)}", Style.WARN))
    return tuple(words)


def outlived(receipt: Receipt) -> Callable[[Picture], bool]:
    """Which pictures say more than the answer to a command does: those in which what it had only begun is over."""
    kinds = {note.kind for note in receipt.events}
    begun, turned_back = "recovery.started" in kinds, "recovery.aborted" in kinds

    def says_more(picture: Picture) -> bool:
        case = picture.state.emergencies.get(receipt.emergency_id or "")
        if not (begun or turned_back) or case is None or picture.state.revision < receipt.revision:
            return False
        recovery = case.recovery
        return recovery is None or not (recovery.goes_forward if begun else recovery.is_active)

    return says_more


def refused(about: str, error: Exception) -> Words:
    """A command was not carried out: whose fault, and the next step."""
    if not isinstance(error, OpsError):  # a fault of ours, and nobody knows at which step
        said = f"{type(error).__name__}: {error}"
        return (
            Span(f"{clean(about, 80)}: FAILED, look whether it was done", Style.BAD),
            Span(f" - {clean(said, 200)}"),
        )
    whose = "look again" if isinstance(error, RevisionConflict) else "refused"
    if isinstance(error, BackendUnavailable):
        whose = "NOT DONE, the backend does not answer"
    return (Span(f"{clean(about, 80)}: {whose}", Style.BAD), Span(f" - {clean(str(error), 200)}"))


def fired(answer: Fired | Exception) -> Words:
    """A stop has left: which route took it. Whether anything stopped is not known here; row 1 says what is seen."""
    if isinstance(answer, Exception):
        return (Span("STOP NOT SENT", Style.BAD), Span(f" - {clean(str(answer), 160)}: opsconsole stop --local"))
    if not answer.in_force:
        return (Span("STOP REACHED NOBODY", Style.BAD), Span(f" - {routes_taken(answer)}: opsconsole stop --local"))
    if answer.durable == "database":
        of = "" if answer.of is None else f", {answer.of} must acknowledge"
        return (Span("stop sent and recorded", Style.STRONG), Span(f" - {routes_taken(answer)}{of}"))
    if refused_everywhere(answer):
        return (Span("STOP REFUSED, latched on this host alone", Style.BAD), Span(f" - {routes_taken(answer)}"))
    return (Span("stop sent, not recorded yet", Style.WARN), Span(f" - {routes_taken(answer)}"))


def refused_everywhere(answer: Fired | Exception) -> bool:
    """Whether whoever could have carried a stop further has refused it: it lies in the latch of this host alone."""
    if isinstance(answer, Exception) or answer.keeper == "answered":
        return False
    return bool(answer.servers) and all(told.word == "refused" for told in answer.servers)


def fault(answer: Fired | Exception) -> str:
    """What went wrong on its ways, though it may have arrived by another; empty where nothing did."""
    if isinstance(answer, Exception):
        return clean(str(answer), 160)
    told = all(server.word == "answered" for server in answer.servers) and (
        answer.servers or answer.keeper == "answered"
    )
    return "" if answer.latched and told else routes_taken(answer)


def routes_taken(answer: Fired) -> str:
    """What became of a stop on each of its ways."""
    latch = "on disk" if answer.latched else f"FAILED ({clean(answer.latch_fault, 80)})"
    servers = [f"{clean(told.url, 60)} {_at_server(told)}" for told in answer.servers]
    keeper = [f"keeper {answer.keeper}"] if answer.keeper != "absent" or not servers else []
    return ", ".join([f"latch {latch}", *keeper, *servers])


def _at_server(told: Told) -> str:
    if told.word == "answered":
        return "answered"
    word = {"absent": "NOT REACHED", "refused": "REFUSED IT"}.get(told.word, "SILENT")
    return f"{word} ({clean(told.fault, 60) or 'no answer'})"
