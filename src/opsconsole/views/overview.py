"""The first pane: the whole fleet as a list of questions and answers."""

from __future__ import annotations

from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.holding import whose
from opsconsole.views.picture import Picture
from opsconsole.views.verdict import Verdict, together
from opsconsole.views.words import age, bar, clock, counted, listed

COLUMNS = (Column("", 9, 9, rank=0), Column("", 20, 200, rank=1))

BAR_CELLS = 32
HELD = {"site": "site", "operation": "flag", "workflow": "workflow", "service": "service", "dependency": "dependency"}


def overview(picture: Picture) -> Table:
    """State, since when, by whom and why; acknowledgements; workers; what a resume waits for; what expires."""
    verdict = together(picture.facts.global_progress, picture.now)
    rows = [_state(picture, verdict), *_cause(picture), *_acknowledged(verdict), _workers(picture)]
    rows += [_resume(picture), _expiry(picture), _holds(picture)]
    return Table(columns=COLUMNS, rows=Listed(rows))


def _say(question: str, answer: str, style: Style = Style.PLAIN) -> Row:
    return Row(question, (Cell(question, Style.DIM), Cell(answer, style)))


def _state(picture: Picture, verdict: Verdict | None) -> Row:
    if picture.word == "unknown":
        sent = "STOP SENT, not recorded yet; " if picture.sent else ""
        return _say("STATE", f"{sent}UNKNOWN, counts as not stopped", Style.STOPPED)
    if picture.word == "running":
        return _say("STATE", "RUNNING", Style.GOOD)
    hold = picture.facts.holds.everywhere[0]
    word = verdict.word if verdict else "PAUSED"
    since = f" since {clock(hold.placed_at)} UTC ({age(hold.placed_at, picture.now)}), {hold.mode}"
    return Row("STATE", (Cell("STATE", Style.DIM), Cell(word + since, Style.STRONG)))


def _cause(picture: Picture) -> list[Row]:
    if not picture.facts.holds.everywhere:
        return []
    hold = picture.facts.holds.everywhere[0]
    case = f", emergency {clean(hold.owner, 20)}" if hold.source == "emergency" else ""
    return [_say("BY", whose(picture, hold) + case), _say("REASON", clean(hold.reason, 200) or "none given yet")]


def _acknowledged(verdict: Verdict | None) -> list[Row]:
    if verdict is None:
        return []
    if not verdict.of:
        return [_say("ACKS", f"{verdict.acks}  no worker was on its list", verdict.style)]
    share = verdict.acked / verdict.of
    rows = [_say("ACKS", f"{verdict.acks}  {bar(share, BAR_CELLS)} {int(share * 100)}%", verdict.style)]
    if verdict.missing:
        question = "WAITING" if verdict.word == "STOPPING" else "MISSING"
        rows.append(_say(question, listed(verdict.missing, 6), verdict.style))
    return rows


def _workers(picture: Picture) -> Row:
    facts = picture.facts
    lost = f", {len(facts.lost)} LOST: {listed(facts.lost)}" if facts.lost else ""
    return _say("WORKERS", f"{facts.live} live, {facts.in_flight} in flight{lost}", Style.BAD if lost else Style.PLAIN)


def _resume(picture: Picture) -> Row:
    active = picture.state.active_emergencies()
    if active:
        names = listed([emergency.emergency_id for emergency in active])
        return _say("RESUME", f"blocked by {names}: R recovers", Style.WARN)
    if picture.facts.holds.everywhere:
        return _say("RESUME", "R: typed scope, checks, reason")
    return _say("RESUME", "nothing to resume")


def _expiry(picture: Picture) -> Row:
    due = [hold for hold in picture.facts.holds.everywhere if hold.expires_at is not None]
    if not due or due[0].expires_at is None:
        return _say("EXPIRY", "none")
    return _say("EXPIRY", f"{due[0].hold_id} at {clock(due[0].expires_at)} UTC")


def _holds(picture: Picture) -> Row:
    held = [dimension for dimension, _ in picture.facts.holds.by_name]
    named = [counted(held.count(dimension), word) for dimension, word in HELD.items() if dimension in held]
    return _say("HOLDS", f"{len(picture.state.holds)} in force" + (f": {', '.join(named)}" if named else ""))
