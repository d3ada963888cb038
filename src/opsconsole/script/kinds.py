"""What a kind of step is, and what steps are read in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from core.capabilities.rate_limits import SEED_LIMITS
from opsconsole.script.header import Script
from opsconsole.script.reading import Given
from opsconsole.script.steps import Step
from opsconsole.text import clean


class Entry(NamedTuple):
    """One kind of step: how it is read, what it does, and how it looks."""

    read: Callable[[Given, Scope], tuple[Step, ...]]
    says: str
    looks: str


@dataclass(slots=True)
class Scope:
    """What steps are read in: the header, and the names that the steps above them have made."""

    header: Script
    workers: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=lambda: [limit[0] for limit in SEED_LIMITS])
    services: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)


def shown(text: str) -> str:
    """A word of the script as it is quoted in what is wrong with it."""
    return f"'{clean(text, 60)}'"
