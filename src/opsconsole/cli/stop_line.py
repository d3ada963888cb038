"""The command line of ``stop``, read by the standard library alone, so that a stop is out before anything is loaded.

One table says what can be given; Click's command is made from it too, for help, completion and the sentence about what
is wrong. Whatever is not plainly a stop is left to Click.
"""

from __future__ import annotations

import getopt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from opsconsole.settings import SETTINGS
from opsgate.names import DIMENSIONS
from opsgate.order import LEVELS, Level, is_level


class Option(NamedTuple):
    """One option of ``stop``: a switch where it has no ``metavar``."""

    key: str
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False

    @property
    def flag(self) -> str:
        """As it is typed."""
        return "--" + self.key.replace("_", "-")


OPTIONS: Final = (
    Option("level", "How hard, and within what time (default immediate).", "LEVEL", choices=LEVELS),
    Option("target", "A service; may be repeated. The same as --service.", "SERVICE", many=True),
    Option("reason", "Why; it never holds up a stop: what cannot be kept of it is cut.", "TEXT"),
    Option("local", "By the latch of this host alone: no database, no server, no configuration."),
    Option("no_wait", "Do not wait for acknowledgements (exit 5: not verified)."),
    Option("create", "Register names that nobody registered."),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stop as it was asked for. ``flags`` are the global options given; ``reason`` is as typed, however long."""

    flags: Mapping[str, str | bool | None] = field(default_factory=dict)
    everything: bool = False
    dimensions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    level: Level = "immediate"
    target: tuple[str, ...] = ()
    reason: str = ""
    local: bool = False
    no_wait: bool = False
    create: bool = False


def read(arguments: Sequence[str]) -> Wanted | None:
    """The stop that these arguments ask for, or None where they are no stop, or not a sound one."""
    taking = [*(s.flag for s in SETTINGS if s.kind != "switch"), *(o.flag for o in OPTIONS if o.metavar)]
    taking += [f"--{dimension}" for dimension in DIMENSIONS]
    plain = [*(s.flag for s in SETTINGS if s.kind == "switch"), *(o.flag for o in OPTIONS if not o.metavar)]
    plain += ["--no-read-only", "--all"]
    short = "".join(f"{s.short[1:]}:" for s in SETTINGS if s.short)
    try:
        given, words = getopt.gnu_getopt(
            list(arguments), short, [*(f"{flag[2:]}=" for flag in taking), *(flag[2:] for flag in plain)]
        )
    except getopt.GetoptError:
        return None
    if words != ["stop"] or not all(_spelt_out(flag, arguments) for flag, _ in given):
        return None
    return _wanted(given)


def _spelt_out(flag: str, arguments: Sequence[str]) -> bool:
    """getopt takes abbreviations, Click does not: one command line must not mean two things."""
    return not flag.startswith("--") or any(text == flag or text.startswith(f"{flag}=") for text in arguments)


def _wanted(given: Sequence[tuple[str, str]]) -> Wanted | None:
    """What was asked for; None where a value is not one that can be carried out."""
    values: dict[str, list[str]] = {}
    for flag, value in given:
        values.setdefault(flag, []).append(value)
    flags: dict[str, str | bool | None] = {}
    for flag, value in given:
        for setting in SETTINGS:
            if flag in (setting.flag, setting.short):
                flags[setting.key] = value if setting.kind != "switch" else True
        if flag == "--no-read-only":
            flags["read_only"] = False
    level = values.get("--level", ["immediate"])[-1]
    if not is_level(level):
        return None
    return Wanted(
        flags=flags,
        everything="--all" in values,
        dimensions={dimension: values.get(f"--{dimension}", ()) for dimension in DIMENSIONS},
        level=level,
        target=tuple(values.get("--target", ())),
        reason=values.get("--reason", [""])[-1],
        local="--local" in values,
        no_wait="--no-wait" in values,
        create="--create" in values,
    )
