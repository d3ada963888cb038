"""Health checks: is a service up, as seen by somebody who did not start it or stop it?"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, Protocol

from pydantic import Field, TypeAdapter, ValidationError

from backends.drivers.base import Driver, DriverConfig, DriverConfigError, Host, Observation, cut, example
from backends.drivers.destinations import ALLOW, AllowList, Destination, allowed_for, destination_of
from backends.drivers.process import EXE, PIDFILE, USER, ProcessConfig, ProcessDriver
from backends.drivers.running import checked_command, run
from backends.drivers.web import CA_FILE, Site, WebFault

UP: Final = "a health check, which is up while the service runs and does not ask the service itself"
"""What the field ``health`` of a driver's configuration means."""


class Health(NamedTuple):
    """What a check found: ``is_up`` is None where it could not tell."""

    is_up: bool | None
    detail: str = ""


class Check(Protocol):
    """One way to tell. For use by one thread at a time."""

    def check(self, timeout_s: float) -> Health:
        """Look. Never raises for the state of the world."""


def as_observation(found: Health) -> Observation:
    """What a check says of the service's standing: down is stopped, whoever stopped it."""
    standing: Final = "unknown" if found.is_up is None else "running" if found.is_up else "stopped"
    return Observation(standing, found.detail)


class HttpCheck(DriverConfig):
    """Up while it answers as it should. Down only when nobody listens there: another answer, or none, says nothing."""

    model_config = example(kind="http", url="https://billing.internal:8443/healthz")

    kind: Literal["http"]
    url: str = Field(description="what is asked for, by a GET")
    status: int = Field(default=200, description="the status of an answer that is well")
    allow: tuple[str, ...] = Field(default=(), description=ALLOW)
    ca_file: str = Field(default="", description=CA_FILE)

    def made(self, host: Host, observe: Observe | None) -> Callable[[float], Health]:
        """The check. `DriverConfigError` where the destination is not allowed."""
        destination = destination_of(self.url)
        site = Site.of(destination, allowed_for(destination, self.allow, host.destinations), ca_file=self.ca_file)

        def check(timeout_s: float) -> Health:
            if (door := _door(site.allowed, destination, timeout_s)).is_up is not True:
                return door
            try:
                answer = site.ask("GET", destination.path, timeout_s=timeout_s)
            except WebFault as error:
                return Health(None, cut(str(error)))
            return Health(answer.status == self.status or None, f"status {answer.status}")

        return check


class TcpCheck(DriverConfig):
    """Up while somebody takes a connection, down when it is refused."""

    model_config = example(kind="tcp", host="127.0.0.1", port=9000, allow=["127.0.0.1:9000"])

    kind: Literal["tcp"]
    host: str = Field(description="a name or an address")
    port: int = Field(gt=0, lt=65536, description="its port")
    allow: tuple[str, ...] = Field(default=(), description=ALLOW)

    def made(self, host: Host, observe: Observe | None) -> Callable[[float], Health]:
        """The check. `DriverConfigError` where the destination is not allowed."""
        destination = Destination("http", self.host.lower(), self.port, "/")
        allowed = allowed_for(destination, self.allow, host.destinations)
        allowed.require(destination)
        return lambda timeout_s: _door(allowed, destination, timeout_s)


class CommandCheck(DriverConfig):
    """Up while a program exits 0, down at 3; anything else says nothing."""

    model_config = example(kind="command", argv=["/usr/local/libexec/billing/is-well"])

    kind: Literal["command"]
    argv: tuple[str, ...] = Field(description="the program, as a list of words with an absolute path")

    def made(self, host: Host, observe: Observe | None) -> Callable[[float], Health]:
        """The check. `DriverConfigError` where the program is not allowed."""
        argv = checked_command(self.argv, host.commands)

        def check(timeout_s: float) -> Health:
            try:
                ran = run(argv, timeout_s=timeout_s, environment={})
            except OSError as error:
                return Health(None, cut(str(error)))
            return Health({0: True, 3: False}.get(-1 if ran.code is None else ran.code), cut(ran.detail))

        return check


class FileCheck(DriverConfig):
    """Up while a file is there. Down when it is gone; one that is too old says nothing."""

    model_config = example(kind="file", path="/run/billing/beat", fresh_s=30)

    kind: Literal["file"]
    path: str = Field(pattern=r"^/.+$", description="its absolute path")
    fresh_s: float | None = Field(default=None, gt=0, description="how old it may be; without it: any age")

    def made(self, host: Host, observe: Observe | None) -> Callable[[float], Health]:
        """The check."""

        def check(timeout_s: float) -> Health:
            try:
                age_s = time.time() - os.lstat(self.path).st_mtime
            except FileNotFoundError:
                return Health(False, "the file is gone")
            except OSError as error:
                return Health(None, cut(str(error)))
            return Health(None if self.fresh_s is not None and age_s > self.fresh_s else True, f"{age_s:.0f} s old")

        return check


class DriverCheck(DriverConfig):
    """Up while the service's own driver sees it running. Not for the `health` within that driver's configuration."""

    model_config = example(kind="driver")

    kind: Literal["driver"]

    def made(self, host: Host, observe: Observe | None) -> Callable[[float], Health]:
        """The check. `DriverConfigError` where there is no driver to ask."""
        if observe is None:
            raise DriverConfigError("a driver's own health check cannot ask that driver")

        def check(timeout_s: float) -> Health:
            seen = observe(timeout_s)
            up = {"running": True, "stopped": False, "failed": False}.get(seen.standing)
            return Health(up, seen.detail)

        return check


class ProcessCheck(DriverConfig):
    """Up while the process that a file names, or anything that came of it, lives."""

    model_config = example(kind="process", pidfile="/run/billing/pid", exe="/usr/sbin/billingd")

    kind: Literal["process"]
    pidfile: str = Field(description=PIDFILE)
    user: str | int | None = Field(default=None, description=USER)
    exe: str = Field(default="", description=EXE)

    def made(self, host: Host, observe: Observe | None) -> Callable[[float], Health]:
        """The check. `DriverConfigError` where it cannot be made."""
        driver = ProcessDriver("", ProcessConfig(pidfile=self.pidfile, user=self.user, exe=self.exe), host)
        return DriverCheck(kind="driver").made(host, driver.observe)


Observe = Callable[[float], Observation]

_ANY: TypeAdapter[HttpCheck | TcpCheck | CommandCheck | FileCheck | DriverCheck | ProcessCheck] = TypeAdapter(
    Annotated[HttpCheck | TcpCheck | CommandCheck | FileCheck | DriverCheck | ProcessCheck, Field(discriminator="kind")]
)


class _Made:
    def __init__(self, look: Callable[[float], Health]) -> None:
        self._look = look

    def check(self, timeout_s: float) -> Health:
        return self._look(timeout_s)


def check_of(config: Mapping[str, Any], host: Host, driver: Driver | None = None) -> Check:
    """The check in a JSON object, discriminated by ``kind``. ``driver`` is the service's own, for the kind ``driver``.

    Raises `DriverConfigError`.
    """
    import json

    try:
        read = _ANY.validate_json(json.dumps(config))
    except (ValidationError, TypeError, ValueError) as error:
        raise DriverConfigError(f"health: {cut(str(error))}") from None
    return _Made(read.made(host, driver.observe if driver else None))


def _door(allowed: AllowList, destination: Destination, timeout_s: float) -> Health:
    """Whether somebody listens there."""
    try:
        with socket.create_connection((allowed.resolve(destination), destination.port), timeout_s):
            return Health(True, "somebody listens")
    except ConnectionRefusedError:
        return Health(False, "nobody listens")
    except (OSError, DriverConfigError) as error:
        return Health(None, cut(str(error)))
