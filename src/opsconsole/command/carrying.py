"""What becomes of a line at Enter: what only looks is done, what changes something opens the prompt of its key."""

from __future__ import annotations

from opsconsole.actions import Desk, find
from opsconsole.command.intentions import (
    Ask,
    Case,
    DefineTrigger,
    Do,
    Foresee,
    Freeze,
    Hold,
    Narrow,
    Order,
    Show,
    Switch,
    SwitchTrigger,
    Wear,
)
from opsconsole.command.preview import Preview, definition_of
from opsconsole.dialogs.explain import ExplainPrompt
from opsconsole.dialogs.pause import PausePrompt, ResumePrompt
from opsconsole.dialogs.reading import Reading
from opsconsole.dialogs.recover import ContinuePrompt, RecoverPrompt
from opsconsole.dialogs.several import Aim, Several
from opsconsole.dialogs.target import Target
from opsconsole.dialogs.trigger import define_prompt, switch_prompt
from opsconsole.text import clean
from opsconsole.views.case import without_reason
from opsconsole.views.stop_reach import stop_reach
from opsconsole.views.why import explanation


def carry_out(preview: Preview, desk: Desk) -> None:
    """Do what the preview said. Nothing is confirmed here."""
    match preview.intention:
        case Hold(verb, _, reason):
            keys = preview.sites
            aim: Aim = Target("site", keys[0]) if len(keys) == 1 else Several("site", keys, marked=False)
            _open(aim, desk, reason, on=verb == "resume")
        case Switch(dimension, name, _, on, reason):
            _open(Target(dimension, name), desk, reason, on=on)
        case Case("recover", emergency, _, reason):
            recovery = desk.picture.state.emergencies[emergency].recovery
            held = recovery is not None and recovery.status == "held"
            prompt = ContinuePrompt(desk.picture, emergency) if held else RecoverPrompt(desk.picture, emergency, reason)
            desk.open(prompt)
        case Case(_, emergency, _, reason):
            stop = without_reason(desk.picture.state, desk.picture.state.emergencies[emergency])[0]
            desk.open(ExplainPrompt(emergency, stop.stop_id, reason))
        case SwitchTrigger(name, _, state):
            desk.open(switch_prompt(name, state))
        case DefineTrigger() as wanted:
            from core.triggers.watch import topics

            definition = definition_of(wanted, desk.picture)
            if not isinstance(definition, str):  # the fleet may have changed since it was read
                desk.want_samples(tuple(topics(definition)))
                desk.open(define_prompt(definition, new=wanted.name not in desk.picture.state.triggers))
        case Do(action):
            find(action).run(desk)
        case None:
            pass
        case intention:
            _look(intention, desk)


def _look(intention: Show | Ask | Foresee | Narrow | Order | Wear | Freeze, desk: Desk) -> None:
    match intention:
        case Ask(selector):
            desk.open(Reading(f"WHY {selector}", lambda picture: explanation(picture, selector)))
        case Foresee(level, selector):
            title = f"PREVIEW of {level} stop of {selector}"
            desk.open(Reading(clean(title, 120), lambda picture: stop_reach(picture, level, (selector,))))
        case Show(name):
            desk.show_list(name)
        case Narrow(text):
            desk.filter(text)
        case Order(column):
            if why_not := desk.sort(column):
                desk.say(why_not)
        case Wear(theme):
            desk.wear(theme)
        case Freeze(still):
            desk.freeze(still=still)


def _open(aim: Aim, desk: Desk, reason: str, *, on: bool) -> None:
    desk.open(ResumePrompt(aim, desk.picture, reason) if on else PausePrompt(aim, reason))
