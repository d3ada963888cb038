"""The first pane: the whole fleet as a list of questions and answers."""

from __future__ import annotations

from collections.abc import Iterator

from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.course import brief, under_way
from opsconsole.views.emergencies import UNREACHABLE
from opsconsole.views.holding import seen_by, since, whose
from opsconsole.views.last_known import no_release
from opsconsole.views.partly import NOUNS, noun, partly
from opsconsole.views.picture import Picture, Progress
from opsconsole.views.verdict import Verdict, fate, together
from opsconsole.views.words import age, bar, clock, counted, listed, scope, spread
from opsgate.selector import EVERYTHING

COLUMNS = (Column("", 9, 9, rank=0), Column("", 20, 200, rank=1))

BAR_CELLS = 32
NAMED = 6


def overview(picture: Picture) -> Table:
    """State, since when, by whom and why; acknowledgements; workers; the way back; what ends by itself."""
    verdict = together(picture.facts.global_progress, picture.now)
    rows = [_state(picture, verdict), *_cause(picture), *_acknowledged(picture, verdict), *_services(picture, verdict)]
    rows += [*_workers(picture), *_in_flight(picture), *_way_back(picture), _expiry(picture), _holds(picture)]
    rows += _ack_times(picture)
    return Table(columns=COLUMNS, rows=Listed(rows))


def _say(question: str, answer: str, style: Style = Style.PLAIN, number: int = 0) -> Row:
    """A question and its answer; an answer of several lines has its question once."""
    key, shown = (f"{question}#{number}", "") if number else (question, question)
    return Row(key, (Cell(shown, Style.DIM), Cell(answer, style)))


def _state(picture: Picture, verdict: Verdict | None) -> Row:
    if picture.word == "unknown":
        sent = _of_sent(picture)
        return _say("STATE", f"{sent}UNKNOWN, counts as not stopped", Style.STOPPED)
    if picture.word == "partly" and picture.state.holds_on(EVERYTHING):
        return _say("STATE", f"PART: {picture.admitted:.0%} of the work is admitted", Style.WARN)
    if picture.word == "partly":
        return _say("STATE", f"PART: {partly(picture)}", Style.WARN)
    if picture.word == "running":
        return _say("STATE", "RUNNING", Style.GOOD)
    hold = picture.facts.holds.everywhere[0]
    begun = since(picture, hold)
    word = verdict.word if verdict else "PAUSED"
    return _say("STATE", f"{word} since {clock(begun)} UTC ({age(begun, picture.now)}), {hold.mode}", Style.STRONG)


def _of_sent(picture: Picture) -> str:
    if not picture.sent:
        return ""
    if picture.taken:
        return "STOP RECORDED by a server, not seen here yet; "
    return f"STOP REFUSED, {picture.refusal}; " if picture.refusal else "STOP SENT, not recorded yet; "


def _cause(picture: Picture) -> list[Row]:
    if not picture.facts.holds.everywhere:
        return []
    hold = picture.facts.holds.everywhere[0]
    case = f", emergency {clean(hold.owner, 20)}" if hold.source == "emergency" else f", {clean(hold.source, 20)}"
    return [_say("BY", whose(picture, hold) + case), _say("REASON", clean(hold.reason, 200) or "none given yet")]


def _acknowledged(picture: Picture, verdict: Verdict | None) -> list[Row]:
    if verdict is None:
        pauses = picture.facts.holds.everywhere
        if not pauses or not picture.facts.workers:
            return []
        seen = seen_by(picture, pauses[0])
        return [_say("ACKS", f"{seen.text.removeprefix('acks ')} have seen it", seen.style)]
    if not verdict.of:
        return [_say("ACKS", f"{verdict.acks}  no worker was on its list", verdict.style)]
    share = verdict.acked / verdict.of
    rows = [_say("ACKS", f"{verdict.acks}  {bar(share, BAR_CELLS)} {int(share * 100)}%", verdict.style)]
    if verdict.missing:
        question = "WAITING" if verdict.word == "STOPPING" else "MISSING"
        rows.append(_say(question, missing(picture, picture.facts.global_progress), verdict.style))
    return rows


def _services(picture: Picture, verdict: Verdict | None) -> list[Row]:
    """How many services were seen stopped for the stops of everything; while they are brought back, how many run."""
    known = picture.state.services
    if under_way(picture):
        run = sum(each.standing == "running" for each in known.values())
        return [_say("SERVICES", f"{run}/{len(known)} running", Style.WARN)] if known else []
    if verdict is None or not verdict.services:
        return []
    still = f", not {listed(verdict.running, NAMED)}" if verdict.running else ""
    style = verdict.style if verdict.running else Style.GOOD
    return [_say("SERVICES", f"{verdict.stopped} seen stopped{still}", style)]


def _ack_times(picture: Picture) -> list[Row]:
    """How long the acknowledgements of each stop of everything took; the last line, which a small pane may cut."""
    known = [each.stop.ack_times for each in picture.facts.global_progress if each.stop.ack_times]
    return [_say("ACK TIMES", spread(times), number=number) for number, times in enumerate(known)]


def missing(picture: Picture, stops: tuple[Progress, ...], most: int = NAMED) -> str:
    """Who owes its acknowledgement, and for how long: ``w-3 1m  w-7 35s LOST``."""
    owed = {worker: each for each in reversed(stops) for worker in each.missing}
    said: list[str] = []
    for worker, each in list(owed.items())[:most]:
        gone = " LOST" if worker in picture.facts.lost else " CUT OFF" if worker in picture.facts.cut_off else ""
        owing = age(each.stop.ordered_at, picture.now)
        said.append(f"{clean(worker, 40)}{'' if owing == 'now' else f' {owing}'}{gone}")
    more = f"  +{len(owed) - most}" if len(owed) > most else ""
    return "  ".join(said) + more


def _workers(picture: Picture) -> list[Row]:
    facts = picture.facts
    out_of_reach = [f"{len(facts.lost)} LOST: {listed(facts.lost)}"] if facts.lost else []
    out_of_reach += [f"{len(facts.cut_off)} CUT OFF: {listed(facts.cut_off)}"] if facts.cut_off else []
    live = f"{facts.live} live{_when_seen(picture)}" if picture.state.workers else "none is registered"
    rows = [_say("WORKERS", live, Style.PLAIN)]
    rows += [_say("WORKERS", f"{said}, {UNREACHABLE}", Style.BAD, n) for n, said in enumerate(out_of_reach, 1)]
    return rows


def _in_flight(picture: Picture) -> list[Row]:
    facts = picture.facts
    if not facts.in_flight:
        return [_say("IN-FLIGHT", f"nothing{_when_seen(picture)}")] if facts.workers else []
    held = facts.holds.everywhere
    does = fate(held[0].mode, together(facts.global_progress, picture.now)) if held else ""
    does = f", {does}{' at the next checkpoint' if does == 'to halt' else ''}" if does else ""
    said = f"{facts.in_flight} running{_when_seen(picture) or does}"
    return [_say("IN-FLIGHT", said, Style.WARN if held else Style.PLAIN)]


def _when_seen(picture: Picture) -> str:
    """What workers said may have changed since the backend last answered."""
    return "" if picture.link.live else " when last seen"


def _way_back(picture: Picture) -> list[Row]:
    """What stands between now and work, one line each, and the key that leads there."""
    said = [(text, Style.WARN) for text in _blockers(picture)]
    if not said and picture.facts.holds.everywhere:
        said = [("R resumes it: reason, scope typed, 3 seconds", Style.PLAIN)]
    question = "RECOVER" if picture.state.active_emergencies() else "RESUME"
    rows = [_say(question, text, style, number) for number, (text, style) in enumerate(said)]
    return rows or [_say(question, "no hold is on everything")]


def _blockers(picture: Picture) -> Iterator[str]:
    if in_the_way := no_release(picture):
        yield in_the_way
    for emergency, recovery in under_way(picture):
        keys = "R continues it" if recovery.status == "held" else "H holds it, X aborts it"
        keys = "" if recovery.status == "rolling-back" else f": {keys}"
        yield f"{clean(emergency.emergency_id, 20)} {brief(picture, recovery, short=True)}{keys}"
    for emergency in picture.state.active_emergencies():
        if emergency.recovery is not None and emergency.recovery.is_active:
            continue
        stops = [each for each in picture.facts.progress if each.stop.emergency_id == emergency.emergency_id]
        verdict = together(stops, picture.now)
        narrow = "" if EVERYTHING in emergency.selectors else f" on {scope(emergency.selectors)}"
        acks = f", {len(verdict.missing)}/{verdict.of} acks missing" if verdict and verdict.missing else ""
        came_to = " still counting" if verdict and verdict.word == "STOPPING" else f" active{narrow}{acks}"
        then = f"{'then ' if verdict and verdict.word == 'STOPPING' else ''}{picture.who.recovers('')}"
        needs = "; a person is needed" if emergency.attention else ""
        yield f"{clean(emergency.emergency_id, 20)}{came_to}: {then}{needs}"
    if picture.state.active_emergencies():
        paused = [whose(picture, hold) for hold in picture.facts.holds.everywhere if hold.source == "operator"]
        yield from (f"paused by {who} too: R again resumes that" for who in dict.fromkeys(paused))
    for hold in picture.facts.holds.everywhere:
        if hold.source not in {"emergency", "operator"}:
            yield f"held by {clean(hold.source, 20)} {clean(hold.owner, 60)}: opsconsole resume --all --force"


def _expiry(picture: Picture) -> Row:
    """When everything would run again by itself: when the last hold on it ends."""
    held = picture.facts.holds.everywhere
    if not held and picture.state.holds_on(EVERYTHING):
        return _say("EXPIRY", f"what lets {picture.admitted:.0%} through goes on as the recovery does, or by a person")
    if not held:
        return _say("EXPIRY", "no hold is on everything")
    ends = [hold.expires_at for hold in held if hold.expires_at is not None]
    if len(ends) < len(held):
        return _say("EXPIRY", "none: it stays until a person ends it")
    if any(hold.overdue for hold in held):
        return _say("EXPIRY", "fell due unwatched: a person has to resume", Style.WARN)
    return _say("EXPIRY", f"resumes by itself at {clock(max(ends))} UTC", Style.WARN)


def _holds(picture: Picture) -> Row:
    held = picture.facts.holds.counts
    dimensions = (*NOUNS, *sorted(held.keys() - NOUNS.keys()))
    named = [counted(held[dimension], noun(dimension)) for dimension in dimensions if held[dimension]]
    everywhere = len(picture.state.holds_on(EVERYTHING))
    parts = [f"{everywhere} on everything"] * bool(everywhere) + named
    return _say("HOLDS", f"{len(picture.state.holds)} in force" + (f": {', '.join(parts)}" if parts else ""))
