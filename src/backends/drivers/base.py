"""What a driver is: it observes one service, and does whichever of stop, kill, start, drain and save-state it can.

What a driver says that it did is a claim. Whether the service has stopped is what an observation says, which must not
rest on that claim: the process is gone, the port is closed, the file says so, the workers acknowledged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

Action = Literal["save-state", "drain", "stop", "kill", "start"]
"""What can be asked of a driver beside an observation."""

Standing = Literal["unknown", "running", "stopping", "stopped", "not-stopped", "starting", "failed"]
"""What was observed of a service. ``not-stopped``: it was told to, time is up, and it runs. ``failed``: it should run
and does not."""

Result = Literal["done", "failed", "timed-out", "refused", "skipped"]
"""What became of an action, by the driver's own account. ``refused``: it may or can not do that."""

DETAIL_MAX: Final = 300
"""Characters of a detail; what is longer is cut."""


class DriverConfigError(ValueError):
    """A driver's configuration is wrong, or asks for what this host does not allow: the administrator's fault."""


@dataclass(frozen=True, slots=True)
class DriverOrder:
    """Why something is done: what a driver may pass on to the service. Never a part of a command line."""

    correlation_id: str
    stop_id: str = ""
    level: str = ""
    reason: str = ""
    actor: str = ""
    saved: str = ""
    """Where the service saved its state before, for a start that restores it."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a service is doing now, as seen from outside. ``facts`` are for people who look closer."""

    standing: Standing
    detail: str = ""
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action. ``saved`` is a reference to the state that was saved, where one was."""

    result: Result
    detail: str = ""
    saved: str = ""


class Driver(Protocol):
    """One service's driver. Every call ends by itself within about ``timeout_s``.

    Calls may overlap: one that takes too long is left behind and goes on beside the next, and a stop does not wait for
    what a recovery asks. So what a driver remembers between calls bears several threads, and is not locked for as long
    as anything outside may take.
    """

    kind: ClassVar[str]

    can: frozenset[Action]
    """What this one can do, as it is configured."""

    settle_s: float
    """Seconds for which it must be seen stopped before that is believed: what restarts it would by then have done so.
    """

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """The driver of a service. `DriverConfigError` where the configuration is wrong or this host forbids it."""

    def observe(self, timeout_s: float) -> Observation:
        """Look. Never raises for the state of the world: what cannot be seen is ``unknown``."""


@runtime_checkable
class Stops(Protocol):
    """Can be asked to end by itself."""

    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Ask it to end what it does and stop."""


@runtime_checkable
class Kills(Protocol):
    """Can be ended without being asked."""

    def kill(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """End it now: freeze it first where that can be done."""


@runtime_checkable
class Starts(Protocol):
    """Can be started."""

    def start(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Start it. One that runs already is left alone."""


@runtime_checkable
class Drains(Protocol):
    """Can be asked to take nothing new."""

    def drain(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Have it finish what runs and begin nothing."""


@runtime_checkable
class SavesState(Protocol):
    """Can save its state for a later start."""

    def save_state(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Have it save its state."""


@runtime_checkable
class Resumes(Protocol):
    """Sees by what it was told. A keeper that comes after another one tells it again."""

    def resume(self, order: DriverOrder) -> None:
        """It has stopped for this already."""


class EachAlike(ABC):
    """The actions of a driver that does each in the same way: by a program, or by a request, of the administrator's."""

    @abstractmethod
    def do(self, action: Action, order: DriverOrder, timeout_s: float) -> Outcome:
        """Do one of those that it can."""

    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """As `Stops.stop`."""
        return self.do("stop", order, timeout_s)

    def kill(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """As `Kills.kill`."""
        return self.do("kill", order, timeout_s)

    def start(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """As `Starts.start`."""
        return self.do("start", order, timeout_s)

    def drain(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """As `Drains.drain`."""
        return self.do("drain", order, timeout_s)

    def save_state(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """As `SavesState.save_state`."""
        return self.do("save-state", order, timeout_s)


def perform(driver: Driver, action: Action, order: DriverOrder, timeout_s: float) -> Outcome:
    """Have a driver do something. What it cannot do is ``refused``; what it raises is a fault of its own, and raised.

    Repeating an action is harmless: a stop of what has stopped is done.
    """
    if action in driver.can:
        match action:
            case "stop" if isinstance(driver, Stops):
                return driver.stop(order, timeout_s)
            case "kill" if isinstance(driver, Kills):
                return driver.kill(order, timeout_s)
            case "start" if isinstance(driver, Starts):
                return driver.start(order, timeout_s)
            case "drain" if isinstance(driver, Drains):
                return driver.drain(order, timeout_s)
            case "save-state" if isinstance(driver, SavesState):
                return driver.save_state(order, timeout_s)
    return Outcome("refused", f"a {driver.kind} driver that is configured like this cannot {action}")


@dataclass(frozen=True, slots=True)
class Member:
    """One worker of a group, as it last spoke: what the gate driver looks at."""

    worker_id: str
    scope: Mapping[str, tuple[str, ...]]
    is_live: bool
    has_left: bool
    stops: frozenset[str]
    """The stops that it acknowledged and that nothing which they cover runs under any more."""

    in_flight: int


@dataclass(frozen=True, slots=True)
class Host:
    """What drivers on this host may do, and whom they may ask.

    ``commands`` are the programs that may be started: absolute paths, or a folder with ``/*`` after it; None means any
    that only this user or root can change. ``destinations`` are ``host``, ``host:port``, addresses and networks that
    may be asked; None means those that a service's own configuration lists. ``members`` are the workers heard of here.
    """

    commands: tuple[str, ...] | None = None
    destinations: tuple[str, ...] | None = None
    members: Callable[[], tuple[Member, ...]] = tuple


SETTLES: Final = "for how long it must be seen stopped before that is believed"
"""What the field ``settle_s`` of a configuration means."""


class DriverConfig(BaseModel):
    """The base of every driver's configuration: closed, strict, frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Self:
        """The configuration in a JSON object. `DriverConfigError` with one sentence where it is none."""
        try:
            return cls.model_validate_json(_json(config))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the configuration"
            raise DriverConfigError(f"{where}: {first['msg']}") from None


def example(**config: JsonValue) -> ConfigDict:
    """The part of a model that shows one configuration as people would write it, for the reference."""
    return ConfigDict(json_schema_extra={"example": config})


def _json(config: Mapping[str, Any]) -> str:
    import json

    try:
        return json.dumps(config)
    except (TypeError, ValueError, RecursionError) as error:
        raise DriverConfigError("the configuration is not a JSON object") from error


def cut(detail: str) -> str:
    """``detail`` as one line, not longer than may be kept."""
    line = " ".join(detail.split())
    return line if len(line) <= DETAIL_MAX else line[: DETAIL_MAX - 1] + "…"
