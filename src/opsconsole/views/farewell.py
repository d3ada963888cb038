"""The last line of a console that ends: what stays as it is without it, and how to come back."""

from __future__ import annotations

from opsconsole.text import clean
from opsconsole.views.holding import opened
from opsconsole.views.last_known import last_word
from opsconsole.views.picture import Picture
from opsconsole.views.verdict import Verdict, together
from opsconsole.views.words import ago, clock, counted, listed, scope, stopwatch
from opsgate.selector import EVERYTHING


def farewell(picture: Picture, *, again: str) -> str:
    """One line for standard error. `again` is the command that opens the console again."""
    parts = [_state(picture), *_emergencies(picture), _holds(picture)]
    return "; ".join([*filter(None, parts), f"back with: {again}"])


def _state(picture: Picture) -> str:
    if picture.sent:
        at = clock(picture.sent[-1].ordered_at)
        if picture.taken:
            return f"STOP RECORDED {at} by a server; what has stopped by it was not seen here"
        if picture.refusal:
            return f"STOP REFUSED {at}: {picture.refusal}; it is latched on this host alone"
        return f"STOP SENT {at} and not recorded yet: its latch stays, and whoever opens the database next records it"
    if picture.link.age_s is None:
        return "UNKNOWN: the backend never answered"
    held = picture.facts.holds.everywhere
    verdict = together(picture.facts.global_progress, picture.now)
    word = last_word(picture)
    if not picture.link.live:
        waits = "waiting for" if verdict and verdict.word == "STOPPING" else "MISSING"
        owed = f", {waits} {listed(verdict.missing)}" if verdict and verdict.missing else ""
        return f"UNKNOWN, last known {word} {stopwatch(picture.link.age_s)} ago{owed}"
    if verdict is None:
        return f"{word}, everything" if held else f"{word}, {counted(picture.facts.live, 'worker')}"
    return f"{word}, everything{_still(verdict)}"


def _still(verdict: Verdict) -> str:
    if verdict.word == "STOPPING":
        return f", still counting without you: waiting for {listed(verdict.missing)}"
    return f", MISSING {listed(verdict.missing)}" if verdict.missing else ""


def _emergencies(picture: Picture) -> list[str]:
    said = []
    for emergency in picture.state.active_emergencies():
        stops = [each for each in picture.facts.progress if each.stop.emergency_id == emergency.emergency_id]
        verdict = together(stops, picture.now)
        narrow = EVERYTHING not in emergency.selectors
        came_to = f", {verdict.word} {verdict.acks}{_still(verdict)}" if verdict and narrow else ""
        where = scope(emergency.selectors) if narrow else "everything"
        name = clean(emergency.emergency_id, 20)
        begun = ago(opened(picture, emergency), picture.now)
        said.append(f"emergency {name} on {where}, opened {begun}{came_to}, until somebody recovers it")
    return said


def _holds(picture: Picture) -> str:
    number = len(picture.state.holds)
    return f"{counted(number, 'hold')} {'stays' if number == 1 else 'stay'} in force" if number else ""
