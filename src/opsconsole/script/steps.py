"""The steps of a script as values. Each knows the line where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from core.messages import Command
from core.services import Standing
from opsconsole.script.expecting import Expected


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, one after the other, as a person would."""

    line: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """Type a text, at the speed of prose."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Give:
    """Give a command on the line of command mode; ``text`` has no colon in front."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """Expect something now, or wait for it: until it is so, or ``within_s`` seconds are over."""

    line: int
    expected: Expected
    within_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Resize:
    """Give the terminal another size, in columns and rows."""

    line: int
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shoot:
    """Take a picture. With ``shown_s`` it is a frame of the recording of this name, shown that many seconds."""

    line: int
    name: str
    shown_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Do:
    """Somebody else gives a command to the engine."""

    line: int
    by: str
    command: Command


@dataclass(frozen=True, slots=True)
class Pass:
    """Time passes in a seeded fleet."""

    line: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Workers of a seeded fleet come to life: name → the sites that it serves."""

    line: int
    workers: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Workers of a seeded fleet say that they have stopped, for every stop in force. Empty: all of them."""

    line: int
    workers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lose:
    """Workers of a seeded fleet go silent."""

    line: int
    workers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """Units of a limit are used in a seeded fleet: so many in each tenth of its window, oldest first."""

    line: int
    limit: str
    tenths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stand:
    """Services of a seeded fleet stand so from now on, and its keeper sees it."""

    line: int
    standings: tuple[tuple[str, Standing], ...]


@dataclass(frozen=True, slots=True)
class Away:
    """The backend of a seeded fleet goes away with these words; with none it is back."""

    line: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Keep:
    """A keeper of a seeded fleet is there, or not."""

    line: int
    there: bool


OfWorld = Pass | Work | Acknowledge | Lose | Use | Stand | Away | Keep
"""What only a seeded fleet can do: its world is the script's."""

Step = Press | Type | Give | Look | Resize | Shoot | Do | OfWorld
