"""What the palette offers: every action with its key, and every command that is no action."""

from __future__ import annotations

from collections.abc import Mapping

from opsconsole.actions import ACTIONS, Action, Desk, find
from opsconsole.command.carrying import carry_out
from opsconsole.command.preview import preview
from opsconsole.command.verbs import Takes, Verb
from opsconsole.dialogs.palette import Entry
from opsconsole.keymap import Keymap

_NOT_CHOSEN = {
    "stop": "the two keys stop, and nothing else does: Esc, then ! and S",
    "cancel": "it cancels what is open, such as this",
    "palette": "you are here",
}


def entries(desk: Desk, verbs: Mapping[str, Verb], keymap: Keymap) -> list[Entry]:
    """All of it, as it stands now. What takes names is a command beside the key that takes what the cursor is on."""
    actions = [_of_action(action, desk, keymap) for action in ACTIONS]
    ids = {action.id for action in ACTIONS}
    return [*actions, *(_of_verb(verb, desk, verbs) for verb in verbs.values() if verb.takes or verb.name not in ids)]


def _of_action(action: Action, desk: Desk, keymap: Keymap) -> Entry:
    why_not = _NOT_CHOSEN.get(action.id) or action.why_not(desk)
    return Entry(action.id, keymap.shown(action), action.about, why_not, lambda: action.run(desk))


def _of_verb(verb: Verb, desk: Desk, verbs: Mapping[str, Verb]) -> Entry:
    """A command without arguments is carried out, for any other the line is opened."""

    def choose() -> None:
        if verb.takes is Takes.NOTHING:
            carry_out(preview(verb.name, verbs, desk), desk)
        else:
            desk.command_line(f"{verb.name} ")

    why_not = find(verb.action).why_not(desk) if verb.takes is Takes.EMERGENCY else ""
    return Entry(verb.name, f":{verb.name}", verb.about, why_not, choose)
