"""What a recovery asks of services, and what it hears of them: one port, and the values that pass through it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from core.recoveries import Recovery
from core.services import Service, Standing

Deed = Literal["start", "stop", "kill"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a service was seen to stand; None where nobody could see."""

    standing: Standing | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What a driver says that it did."""

    outcome: Literal["done", "failed", "timed-out", "refused", "skipped"]
    detail: str = ""
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """What a health check found; None where it could not tell."""

    is_up: bool | None
    detail: str = ""


class Hands(Protocol):
    """What touches services. Each call asks for all of them at once and ends by itself, whatever drivers do."""

    def look(self, services: Iterable[Service]) -> Mapping[str, Look]:
        """How each is seen to stand."""

    def health(self, services: Iterable[Service]) -> Mapping[str, Health]:
        """How each is by its health check; those that have none are left out."""

    def act(self, deed: Deed, services: Iterable[Service], recovery: Recovery) -> Mapping[str, Done]:
        """Have each started, with the state it saved where the step says so, stopped or killed."""
