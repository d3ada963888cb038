"""What workers say of themselves, as it arrives: read here, and believed or not by the roster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from opsgate.selector import IDENTIFIER

_STOPS_MAX: Final = 10_000

_TEXT_MAX: Final = 128
_COUNT_MAX: Final = 2**31 - 1
_REVISION_MAX: Final = 2**63 - 1
"""What the columns of every database take. All rows are written together, and before a stop is recorded: one of them
that cannot be written would keep the stop out of the journal."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker says of itself."""

    worker_id: str
    env: str
    scope: dict[str, list[str]]
    pid: int
    revision: int
    stops: tuple[str, ...]
    draining: dict[str, int]
    in_flight: int
    started: str = ""
    """When its process started, by its own word. Counts only where no kernel says who sent the beat."""
    boot: str = ""
    """A random name of its process; empty from workers that draw none. Counts where its start does."""

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Beat:
        """The beat in a message; ValueError, KeyError or TypeError when it is none: the worker is at fault."""
        worker_id, stops = message["worker"], message.get("stops", ())
        if not isinstance(worker_id, str) or not IDENTIFIER.fullmatch(worker_id) or len(stops) > _STOPS_MAX:
            raise ValueError("not a heartbeat")
        return cls(
            worker_id=worker_id,
            env=_text(message.get("env")),
            scope={str(dimension): [str(value) for value in values] for dimension, values in _scope(message).items()},
            pid=_number(message.get("pid", 0)),
            revision=_number(message.get("revision", 0), _REVISION_MAX),
            stops=tuple(str(stop_id) for stop_id in stops),
            draining={str(stop_id): _number(count) for stop_id, count in (message.get("draining") or {}).items()},
            in_flight=_number(message.get("in_flight", 0)),
            started=_text(message.get("started")),
            boot=_text(message.get("boot")),
        )


class Ack(NamedTuple):
    """A worker obeys one more stop; so many pieces of work that it covers run there still."""

    worker_id: str
    stop_id: str
    running: int

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Ack:
        """The acknowledgement in a message; KeyError, TypeError or ValueError when it is none."""
        return cls(str(message["worker"]), str(message["stop"]), _number(message["running"]))


def _scope(message: Mapping[str, Any]) -> Mapping[str, Any]:
    scope = message.get("scope") or {}
    if not isinstance(scope, dict):
        raise TypeError("a scope is an object of dimension → values")
    return scope


def _text(value: Any) -> str:
    text = str(value or "")
    if len(text) > _TEXT_MAX or not text.isprintable():
        raise ValueError("not a name of anything")
    return text


def _number(value: Any, at_most: int = _COUNT_MAX) -> int:
    try:
        number = int(value)
    except OverflowError:
        raise ValueError("infinity is no number of anything") from None
    if not 0 <= number <= at_most:
        raise ValueError("more than can be counted, or less than nothing")
    return number
