"""The commands: their names, what they take, and their line in the help and in the palette."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from opsconsole.actions import ACTIONS, Action
from opsconsole.dress import THEMES


class Takes(StrEnum):
    """What may stand behind a command."""

    NOTHING = ""
    SITES = "SITE..."
    FLAG = "FLAG on|off"
    WORKFLOW = "WORKFLOW on|off"
    EMERGENCY = "EMERGENCY"
    SELECTOR = "SELECTOR"
    FILTER = "WORDS"
    COLUMN = "COLUMN"
    THEME = "|".join(THEMES)
    TRIGGER = "TRIGGER on|off|remove|TYPE|WORD=VALUE..."
    LEVEL = "[LEVEL] [SELECTOR]"


REASONED: Final = frozenset({Takes.SITES, Takes.FLAG, Takes.WORKFLOW, Takes.EMERGENCY})
"""Behind these a reason may stand."""

TAILED: Final = REASONED | {Takes.TRIGGER}
"""Behind these some text may stand."""


class Verb(NamedTuple):
    """One command. `about` says what it does; `action` is the id of the action that it is, or stands for alone."""

    name: str
    takes: Takes
    about: str
    action: str = ""

    @property
    def usage(self) -> str:
        """As it is typed."""
        reason = " [-- REASON]" if self.takes in REASONED else ""
        reason = " [-- RULE or CRON]" if self.takes is Takes.TRIGGER else reason
        return f":{self.name}{' ' if self.takes else ''}{self.takes}{reason}"


OWN: Final = (
    Verb("pause", Takes.SITES, "pause sites by name or pattern; alone, what the cursor is on", "pause"),
    Verb("resume", Takes.SITES, "resume sites by name or pattern; alone, what the cursor is on", "resume"),
    Verb("flag", Takes.FLAG, "switch a flag on or off"),
    Verb("workflow", Takes.WORKFLOW, "switch a workflow on or off"),
    Verb("recover", Takes.EMERGENCY, "recover an emergency by its id; alone, as its key does", "recover"),
    Verb(
        "explain", Takes.EMERGENCY, "give the reason of a stop that was fired without one; alone, as its key", "explain"
    ),
    Verb("why", Takes.SELECTOR, "every hold on site=NAME, flag=NAME, all, ...; alone, on what the cursor is on", "why"),
    Verb("trigger", Takes.TRIGGER, "add or change a trigger, or switch it on or off: rehearsed, and asked for"),
    Verb("preview", Takes.LEVEL, "what a stop would hit: workers, services tier by tier, times; it stops nothing"),
    Verb("filter", Takes.FILTER, "show only rows with these words, -word without; alone, all of them"),
    Verb("sort", Takes.COLUMN, "sort by a column, -COLUMN the other way round; alone, worst first"),
    Verb("theme", Takes.THEME, "change the colours"),
    Verb("still", Takes.NOTHING, "hold the lists still to read them; row 1 and 2 go on telling the truth"),
    Verb("live", Takes.NOTHING, "let the lists move again"),
)
"""The commands that are more than the key of an action."""

NEVER_TYPED: Final = frozenset({"stop", "command", "palette", "cancel", "mark", "unmark", "range", "enter"})
"""What is a key and no command: the stop above all, which no typed line may fire."""

ALIASES: Final[Mapping[str, str]] = {"q": "quit", "h": "help", "?": "help", "acknowledgements": "acks"}


def vocabulary(lists: Sequence[str], actions: Sequence[Action] = ACTIONS) -> dict[str, Verb]:
    """Every command by its name, with one for each of the `lists`, in the order in which they are offered."""
    verbs = {verb.name: verb for verb in OWN}
    for name in lists:
        verbs.setdefault(name, Verb(name, Takes.NOTHING, f"look at the list of {name}"))
    for action in actions:
        if action.id not in NEVER_TYPED:
            verbs.setdefault(action.id, Verb(action.id, Takes.NOTHING, action.about, action.id))
    return verbs
