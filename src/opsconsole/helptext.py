"""Help, made from the actions and the keymap: what the keys do here, and why some of them do not apply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from opsconsole.actions import ACTIONS, Action, Desk
from opsconsole.dialogs.base import Said
from opsconsole.keymap import Keymap
from opsconsole.layout import FURTHER, UNNUMBERED
from opsconsole.lines import Span, Style
from opsconsole.movement import MOVES

KEYS_CELLS: Final = 14

_STOP: Final = ("stop", "recover", "explain")
_SEEING_TO_IT: Final = ("acknowledge", "own", "hold-recovery", "abort-recovery", "roll-back")
_TRIGGERS: Final = ("new-trigger", "edit-trigger")
_MOVING: Final = ("next-pane", "previous-pane", "zoom", "back", "next-match", "previous-match")
_COMMANDS: Final = ("command", "palette", "help", "refresh", "cancel", "quit")


def help_text(desk: Desk, keymap: Keymap, actions: Sequence[Action] = ACTIONS) -> list[Said]:
    """Every key with its line, in groups; what does not apply here has the reason beside it."""
    grouped = {*_STOP, *_SEEING_TO_IT, *_TRIGGERS, *_MOVING, *_COMMANDS}
    here = [action for action in actions if action.id not in grouped]
    named = {action.id: action for action in actions}
    said = [_title("STOP AND RECOVER"), *_lines(desk, keymap, _of(_STOP, named))]
    said += [_title(f"HERE, IN {desk.pane.title.upper()}"), *_lines(desk, keymap, here)]
    said += [_title("EMERGENCIES AND RECOVERIES"), *_lines(desk, keymap, _of(_SEEING_TO_IT, named))]
    said += [_title("TRIGGERS"), *_lines(desk, keymap, _of(_TRIGGERS, named))]
    said += [_title("MOVING"), _line("1-6", "look at pane 1 to 6", "")]
    keys = " ".join(keymap.label(f"pane.{name}") for name in FURTHER)
    said += [_line(keys, f"look at the list of {', '.join(FURTHER)}", "")]
    said += [_line(":", f"look at the list of {', '.join(UNNUMBERED)}: by its name", "")]
    said += [_line(keymap.label(move.id), move.about, "") for move in MOVES]
    said += _lines(desk, keymap, _of(_MOVING, named))
    return [*said, _title("COMMANDS"), *_lines(desk, keymap, _of(_COMMANDS, named))]


def _of(ids: Sequence[str], named: dict[str, Action]) -> list[Action]:
    return [named[id_] for id_ in ids if id_ in named]


def _lines(desk: Desk, keymap: Keymap, actions: Sequence[Action]) -> list[Said]:
    return [_line(keymap.shown(action), action.about, action.why_not(desk)) for action in actions]


def _title(text: str) -> Said:
    return (Span(text, Style.STRONG),)


def _line(keys: str, about: str, why_not: str) -> Said:
    reason = (Span(f"  ({why_not})", Style.WARN),) if why_not else ()
    style = Style.DIM if why_not else Style.PLAIN
    return (Span(f" {keys:<{KEYS_CELLS}} ", Style.KEY), Span(about, style), *reason)
