"""What a typed line asks for, as values, and what may be wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from opsgate.order import Level
from opsgate.selector import Selector


class Fault(NamedTuple):
    """What is wrong, at which column of the line (from 1, the colon not counted), and what was expected there."""

    column: int
    sentence: str
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Show:
    """Look at a list."""

    name: str


@dataclass(frozen=True, slots=True)
class Do:
    """What a key does."""

    action: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Pause sites, or resume them. `sites` may be patterns; each comes with its column."""

    verb: Literal["pause", "resume"]
    sites: tuple[tuple[str, int], ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """Switch a flag (dimension operation) or a workflow."""

    dimension: Literal["operation", "workflow"]
    name: str
    column: int
    on: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Recover an emergency, or explain it."""

    verb: Literal["recover", "explain"]
    emergency: str
    column: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask why a scope may not run."""

    selector: Selector


@dataclass(frozen=True, slots=True)
class Foresee:
    """Ask what a stop would hit."""

    level: Level
    selector: Selector


@dataclass(frozen=True, slots=True)
class SwitchTrigger:
    """Switch a trigger on or off, or remove it."""

    name: str
    column: int
    state: Literal["on", "off", "remove"]


@dataclass(frozen=True, slots=True)
class DefineTrigger:
    """Add a trigger, or change what the words name of the one that there is. ``tail`` is its rule or its schedule."""

    name: str
    column: int
    words: Mapping[str, Any]
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Filter the list in front."""

    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """Sort the list in front."""

    column: str


@dataclass(frozen=True, slots=True)
class Wear:
    """Change the theme."""

    theme: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """Hold the lists still, or let them move again."""

    still: bool


Intention = (
    Show | Do | Hold | Switch | Case | Ask | Foresee | SwitchTrigger | DefineTrigger | Narrow | Order | Wear | Freeze
)
