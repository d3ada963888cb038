"""What stands behind ``:trigger NAME``: a switch, or the fields of a trigger as short words. Pure.

:trigger health health_score_critical healthScore=30 clear.healthScore=50 level=cascading
:trigger health cooldown=10m priority=4
:trigger nightly time_based_trigger zone=Europe/Berlin -- 0 3 * * *
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, get_args

from opsconsole.cli.times import duration
from opsgate.order import LEVELS

SWITCHES: Final = ("off", "on", "remove")

FLAGS: Final[Mapping[str, str]] = {"shadow": "shadow", "auto-recover": "auto_recover"}
"""Words that stand alone, and the field that each sets."""


def _milliseconds(text: str) -> int:
    return round(duration(text).total_seconds() * 1000)


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def _level(text: str) -> str:
    if text not in LEVELS:
        raise ValueError(f"{text[:40]} is no level: one of {', '.join(LEVELS)}")
    return text


def _yes(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise ValueError(f"write yes or no, not {text[:40]}")
    return text == "yes"


FIELDS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "absent": ("absent_after_ms", _milliseconds),
    "account": ("account_id", str),
    "auto-recover": ("auto_recover", _yes),
    "channels": ("notification_channels", _names),
    "cooldown": ("cooldown_period_ms", _milliseconds),
    "level": ("stop_level", _level),
    "metrics": ("metrics", _names),
    "priority": ("priority", int),
    "samples": ("min_samples", int),
    "shadow": ("shadow", _yes),
    "targets": ("target_services", _names),
    "window": ("time_window_ms", _milliseconds),
    "zone": ("zone", str),
}
"""Each word that takes a value: the field that it sets, and how it is read. Any other name is a threshold's."""


@cache
def types() -> tuple[str, ...]:
    """The types of trigger. Loaded when a line asks for them, and not before the first frame."""
    from core.triggers.definition import TypeName

    return tuple(sorted(get_args(TypeName)))


@cache
def vocabulary() -> tuple[str, ...]:
    """What may stand behind the name of a trigger, but for thresholds; sorted."""
    return tuple(sorted((*types(), *SWITCHES, *FLAGS, *(f"{word}=" for word in FIELDS))))


def read_word(text: str) -> tuple[str, Any]:
    """A field and its value: of a threshold ``thresholds`` with its name and number, of one to clear at ``clear``.

    Raises ValueError with a sentence where it is none.
    """
    if text in FLAGS:
        return FLAGS[text], True
    word, sign, value = text.partition("=")
    if not sign and text in types():
        return "trigger_type", text
    if not sign:
        near = difflib.get_close_matches(text, vocabulary(), n=1)
        raise ValueError(f"{text[:40]} is no word for a trigger{f'; did you mean {near[0]}?' if near else ''}")
    if word in FIELDS:
        field, read = FIELDS[word]
        try:
            return field, read(value)
        except ValueError as error:
            said = f"{value[:40]} is no whole number" if read is int else str(error)
            raise ValueError(f"{word}: {said}") from None
    name = word.removeprefix("clear.")
    try:
        return ("clear" if word.startswith("clear.") else "thresholds"), (name, float(value))
    except ValueError:
        raise ValueError(f"{name[:40]}: {value[:40]} is no number") from None


def fields_of(words: Mapping[str, Any], known: Mapping[str, Any], tail: str) -> dict[str, Any]:
    """The fields of the whole trigger: those of the one that there is, changed by what was said. ``tail`` is the rule,
    or the schedule, as the type asks."""
    fields = dict(known)
    for field, value in words.items():
        if field in {"thresholds", "clear"}:
            fields[field] = {**(known.get(field) or {}), **value}
        elif field != "zone":
            fields[field] = value
    kind = fields.get("trigger_type")
    if kind == "time_based_trigger" and (tail or "zone" in words):
        before = dict(known.get("schedule") or {})
        cron, zone = tail or before.get("cron", ""), words.get("zone") or before.get("zone", "UTC")
        fields["schedule"] = {"cron": cron, "zone": zone}
    elif tail:
        fields["rule"] = tail
    return fields
