"""The fields of a trigger as texts that a form shows and takes, and the trigger that they say. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opsconsole.command.trigger_line import FIELDS, types
from opsgate.order import LEVELS
from opsgate.selector import Selector

if TYPE_CHECKING:
    from pydantic import ValidationError

    from core.triggers.definition import Definition

YES_NO: Final = ("no", "yes")

AT: Final = "at."
"""How the key of a threshold begins; its name follows."""

CLEAR: Final = "clear."
"""How the key of the value begins at which it lets go again."""

_FIELD: Final = {"name": "name", "type": "trigger_type", "active": "is_active", "scope": "scope", "rule": "rule"} | {
    "description": "description",
    **{word: field for word, (field, _) in FIELDS.items() if word != "zone"},
}
"""The field that each key sets; those of thresholds and of the schedule are put together."""


class Entry(NamedTuple):
    """One line of the form: what it is called, what may be chosen where that is a few words, and what it takes."""

    key: str
    label: str
    takes: str = ""
    choices: tuple[str, ...] = ()


def entries(type_name: str, *, new: bool) -> list[Entry]:
    """The lines of a trigger of this type, those that matter most first."""
    from core.triggers import TYPES

    kind = TYPES.get(type_name)
    found = [Entry("name", "name", "letters, digits and . _ ~ -")] if new else []
    found.append(Entry("type", "type", "", types()))
    for each in kind.thresholds if kind else ():
        takes = f"fires {each.crosses}; {each.unit} {each.least:g}-{each.most:g}"
        found.append(Entry(AT + each.name, each.name, takes))
        found.append(Entry(CLEAR + each.name, "  lets go at", "or empty: where it fires"))
    if kind and kind.needs == "rule":
        found += [Entry("rule", "rule", "CEL, as value > 5.0"), Entry("metrics", "metrics", "names, with commas")]
    if kind and kind.needs == "schedule":
        found += [Entry("cron", "cron", "M H D M W"), Entry("zone", "time zone", "as Europe/Berlin")]
    return [
        *found,
        Entry("level", "stop level", "", LEVELS),
        Entry("scope", "scope", "as site=s1; site=s2, or empty for everything"),
        Entry("targets", "services", "names, with commas, or all"),
        Entry("account", "account", "a name, or empty for the whole fleet"),
        Entry("window", "window", "as 60s"),
        Entry("cooldown", "cooldown", "as 5m, from the end of its stop"),
        Entry("priority", "priority", "1 low to 4 critical", ("1", "2", "3", "4")),
        Entry("samples", "min samples", "a whole number"),
        Entry("absent", "absent after", "as 5m, or empty"),
        Entry("channels", "tells", "channels, with commas"),
        Entry("active", "switched on", "", YES_NO),
        Entry("shadow", "shadow", "only records", YES_NO),
        Entry("auto-recover", "auto-recover", "", YES_NO),
        Entry("description", "description", "for people"),
    ]


def texts_of(definition: Definition | None) -> dict[str, str]:
    """What stands in the form of a trigger; of a new one its defaults."""
    if definition is None:
        return {"level": "graceful", "targets": "all", "window": "60s", "cooldown": "300s", "priority": "2"} | {
            "samples": "1",
            "zone": "UTC",
            "active": "yes",
            "shadow": "no",
            "auto-recover": "no",
        }
    texts = {
        "name": definition.name,
        "type": definition.trigger_type,
        "rule": definition.rule,
        "metrics": ",".join(definition.metrics),
        "level": definition.stop_level,
        "scope": "; ".join(map(str, definition.scope)),
        "targets": ",".join(definition.target_services),
        "account": definition.account_id or "",
        "window": _seconds(definition.time_window_ms),
        "cooldown": _seconds(definition.cooldown_period_ms),
        "priority": str(definition.priority),
        "samples": str(definition.min_samples),
        "absent": "" if definition.absent_after_ms is None else _seconds(definition.absent_after_ms),
        "channels": ",".join(definition.notification_channels),
        "active": YES_NO[definition.is_active],
        "shadow": YES_NO[definition.shadow],
        "auto-recover": YES_NO[definition.auto_recover],
        "description": definition.description,
        "cron": definition.schedule.cron if definition.schedule else "",
        "zone": definition.schedule.zone if definition.schedule else "UTC",
    }
    texts |= {AT + name: f"{value:.17g}" for name, value in definition.thresholds.items()}
    return texts | {CLEAR + name: f"{value:.17g}" for name, value in definition.clear.items()}


class Read(NamedTuple):
    """What the texts say: a trigger, or what is wrong, with the key of the line where it is; "" where it is no single
    one."""

    definition: Definition | None
    key: str = ""
    fault: str = ""


def read(texts: Mapping[str, str], before: Definition | None) -> Read:
    """The trigger that these texts say, checked as the engine would. ``before`` is the one that is changed."""
    from pydantic import ValidationError

    from core.faults import sentence
    from core.triggers.definition import Definition
    from core.triggers.validation import faults

    shown = [entry.key for entry in entries(texts.get("type", ""), new=before is None)]
    said = {key: texts.get(key, "").strip() for key in shown}
    if before is None and not said["name"]:
        return Read(None, "name", "give it a name")
    if not said["type"]:
        return Read(None, "type", "choose what it watches: Left and Right")
    fields = {} if before is None else before.model_dump(include={"name", "title"})
    for key, text in said.items():
        try:
            fields |= _field(key, text)
        except ValueError as error:
            return Read(None, key, str(error))
    fields["thresholds"] = {key.removeprefix(AT): float(text) for key, text in said.items() if text and key[:3] == AT}
    fields["clear"] = {key.removeprefix(CLEAR): float(text) for key, text in said.items() if text and key[:6] == CLEAR}
    if before is not None and before.trigger_type == said["type"] == "custom_rule_trigger":
        fields |= {"thresholds": dict(before.thresholds), "clear": dict(before.clear)}  # its rule alone knows them
    if said.get("cron"):
        fields["schedule"] = {"cron": said["cron"], "zone": said["zone"] or "UTC"}
    try:
        definition = Definition.model_validate(fields)
    except ValidationError as error:
        return Read(None, _place(error), sentence(error))
    fault = next(faults(definition), "")
    return Read(None if fault else definition, _named(fault, shown), fault)


def _field(key: str, text: str) -> dict[str, Any]:
    """The field that one line sets; none where it is left to its default, or put together with others."""
    if key.startswith((AT, CLEAR)):
        if text:
            _number(text)
        return {}
    if key in {"cron", "zone"} or (not text and key not in {"name", "type"}):
        return {}
    if key == "scope":
        return {"scope": tuple(Selector.parse(each.strip()).as_dict() for each in text.split(";") if each.strip())}
    if key in {"active", "shadow", "auto-recover"}:
        return {_FIELD[key]: text == "yes"}
    if key == "cooldown" and text.rstrip("s") == "0":
        return {"cooldown_period_ms": 0}
    if key not in FIELDS:
        return {_FIELD[key]: text}
    field, take = FIELDS[key]
    try:
        return {field: take(text)}
    except ValueError as error:
        raise ValueError(f"{text[:40]} is no whole number" if take is int else str(error)) from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text[:40]} is no number") from None


def _place(error: ValidationError) -> str:
    """The line of a fault that was found in the whole."""
    loc = [str(part) for part in error.errors(include_url=False)[0]["loc"]]
    first, second = loc[0] if loc else "", loc[1] if len(loc) > 1 else ""
    if first in {"thresholds", "clear"}:
        return (AT if first == "thresholds" else CLEAR) + second
    return next((key for key, field in _FIELD.items() if field == first), "cron" if first == "schedule" else "")


def _named(fault: str, keys: list[str]) -> str:
    """The line whose threshold a fault begins with, where it does."""
    word = fault.partition(" ")[0]
    found: Iterator[str] = (key for key in (AT + word, CLEAR + word) if key in keys)
    at, clear = next(found, ""), next(found, "")
    return clear if " clears " in fault and clear else at


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.17g}s"
