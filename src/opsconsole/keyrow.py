"""The row of keys: what can be pressed now, made from the actions and the keymap."""

from __future__ import annotations

from collections.abc import Sequence

from opsconsole.actions import ACTIONS, Action, Desk, find
from opsconsole.dialogs.base import Said
from opsconsole.keymap import Keymap
from opsconsole.lines import Line, Span, Style, length, line

GAP = Span("   ")
LAST = ("command", "help", "quit")
"""What leads to everything else, and out: at the end of the row, however little room there is."""


def key_row(desk: Desk, keymap: Keymap, width: int, actions: Sequence[Action] = ACTIONS) -> Line:
    """``! S STOP ALL   R Recover   : cmd   ? help``: the stop, what applies now, and what always stands there."""
    spans: list[Span] = [Span(" ")]
    last = [find(id_, actions) for id_ in LAST if keymap.keys[id_]]
    always = tuple(span for action in last for span in (GAP, *_pair(action, keymap)))[1:]
    for action in actions:
        if not (action.label and (keymap.keys[action.id] or action.id == "stop")):
            continue
        if action.id in LAST or action.why_not(desk):
            continue
        pair = _pair(action, keymap)
        if length((*spans, *pair, GAP, *always)) <= width:
            spans += [*pair, GAP]
    return line(width, *spans, *always)


def armed_keys() -> Said:
    """What the keys do while a stop is armed."""
    return (
        Span(" "),
        Span("S", Style.KEY),
        Span(" "),
        Span("STOP NOW", Style.STOPPED),
        Span("   any other key = cancel"),
    )


def prompt_row(keymap: Keymap, width: int, escapes: str) -> Line:
    """What works while a prompt has the keys; `escapes` is what Esc does to it."""
    return line(width, Span(" "), *_pair(find("stop"), keymap), GAP, Span("Esc", Style.KEY), Span(f" {escapes}"))


def _pair(action: Action, keymap: Keymap) -> tuple[Span, ...]:
    strong = Style.STRONG if action.id == "stop" else Style.PLAIN
    return (Span(keymap.shown(action), Style.KEY), Span(f" {action.label}", strong))
