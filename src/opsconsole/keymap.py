"""From actions to bindings, the key row and the help: each key is written down once, in its action."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding

from opsconsole.actions import ACTIONS, Action, Desk
from opsconsole.dialogs.base import Said
from opsconsole.grid import Grid
from opsconsole.layout import PANES
from opsconsole.lines import Line, Span, Style, length, line

GAP = Span("   ")


def bindings(actions: Sequence[Action] = ACTIONS) -> list[Binding]:
    """A binding with an id for each action that has keys, and for each pane's number."""
    bound = [
        Binding(action.keys, f"act('{action.id}')", action.about, id=action.id) for action in actions if action.keys
    ]
    panes = [
        Binding(str(number), f"focus_pane({number})", f"pane {name}", id=f"pane.{name}")
        for number, name in enumerate(PANES, 1)
    ]
    return bound + panes


def find(action_id: str, actions: Sequence[Action] = ACTIONS) -> Action:
    """The action of a binding."""
    return next(action for action in actions if action.id == action_id)


def key_row(desk: Desk, width: int, actions: Sequence[Action] = ACTIONS) -> Line:
    """``! S STOP ALL   R Recover   ? help``: the stop first, then what applies now, as many as fit."""
    spans: list[Span] = [Span(" ")]
    quit_ = _pair(find("quit", actions))
    for action in actions:
        if not action.label or action.why_not(desk) or action.id == "quit":
            continue
        pair = _pair(action)
        if length((*spans, *pair, GAP, *quit_)) <= width:
            spans += [*pair, GAP]
    return line(width, *spans, *quit_)


def armed_keys() -> Said:
    """What the keys do while a stop is armed."""
    return (
        Span(" "),
        Span("S", Style.KEY),
        Span(" "),
        Span("STOP NOW", Style.STOPPED),
        Span("   any other key cancels"),
    )


def prompt_row(width: int) -> Line:
    """What works while a prompt has the keys."""
    return line(width, Span(" "), *_pair(find("stop")), GAP, Span("Esc", Style.KEY), Span(" close"))


def help_text(desk: Desk, actions: Sequence[Action] = ACTIONS) -> list[Said]:
    """Every key with its line, those that do not apply here with the reason."""
    said: list[Said] = [_help_line(action.shown, action.about, action.why_not(desk)) for action in actions]
    said.append(_help_line("1-6", "look at pane 1 to 6", ""))
    moves = [binding for binding in Grid.BINDINGS if isinstance(binding, Binding)]
    said += [_help_line(binding.key.replace(",", " "), binding.description, "") for binding in moves]
    return said


def _help_line(keys: str, about: str, why_not: str) -> Said:
    reason = (Span(f"  ({why_not})", Style.DIM),) if why_not else ()
    return (Span(f"{keys:<18}", Style.KEY), Span(about, Style.DIM if why_not else Style.PLAIN), *reason)


def _pair(action: Action) -> tuple[Span, ...]:
    strong = Style.STRONG if action.id == "stop" else Style.PLAIN
    return (Span(action.shown, Style.KEY), Span(f" {action.label}", strong))
