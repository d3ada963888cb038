"""The command driver: a program of the administrator's for each action. What was asked for reaches it by its
environment and its standard input alone, never on its command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

from pydantic import Field

from backends.drivers import health
from backends.drivers.base import (
    SETTLES,
    Action,
    DriverConfig,
    DriverConfigError,
    DriverOrder,
    EachAlike,
    Host,
    Observation,
    Outcome,
    Standing,
    cut,
    example,
)
from backends.drivers.running import Ran, checked_command, run, variable

_STANDING: Final[dict[int, Standing]] = {0: "running", 3: "stopped", 4: "starting", 5: "stopping"}

Argv = tuple[str, ...]


class CommandConfig(DriverConfig):
    """A program for each action, as a list of words with an absolute path; what has none is not done. `status` or
    `health` there must be."""

    model_config = example(
        stop=["/usr/local/libexec/billing/stop"],
        start=["/usr/local/libexec/billing/start"],
        status=["/usr/local/libexec/billing/status"],
    )

    stop: Argv = Field(default=(), description="stops it")
    kill: Argv = Field(default=(), description="ends it at once")
    start: Argv = Field(default=(), description="starts it")
    drain: Argv = Field(default=(), description="has it take nothing new")
    save_state: Argv = Field(default=(), description="saves its state; the last line that it prints says where")
    status: Argv = Field(default=(), description="exits 0 while it runs, 3 when it has stopped, 4 starting, 5 stopping")
    health: dict[str, Any] | None = Field(default=None, description=health.UP)
    settle_s: float = Field(default=0.0, ge=0, le=60, description=SETTLES)


class CommandDriver(EachAlike):
    """One service that programs stop and start."""

    kind: ClassVar[str] = "command"

    def __init__(self, service: str, config: CommandConfig, host: Host) -> None:
        """`DriverConfigError` where a program may not be run here, or where nothing would say whether it runs."""
        self._service, self._config = service, config
        given: dict[Action, Argv] = {
            "stop": config.stop,
            "kill": config.kill,
            "start": config.start,
            "drain": config.drain,
            "save-state": config.save_state,
        }
        self._argv = {action: checked_command(argv, host.commands) for action, argv in given.items() if argv}
        self._status = checked_command(config.status, host.commands) if config.status else ()
        self._health = health.check_of(config.health, host) if config.health is not None else None
        if not self._status and self._health is None:
            raise DriverConfigError("a command says that it stopped something: name a status command or a health check")
        self.can: frozenset[Action] = frozenset(self._argv)
        self.settle_s = config.settle_s

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """As `Driver.build`."""
        return cls(service, CommandConfig.read(config), host)

    def observe(self, timeout_s: float) -> Observation:
        """What the status command, and the health check where there is one too, say: running if either does."""
        seen = [self._by_status(timeout_s)] if self._status else []
        if self._health is not None:
            seen.append(health.as_observation(self._health.check(timeout_s)))
        return next((look for look in seen if look.standing != "stopped"), seen[0])

    def _by_status(self, timeout_s: float) -> Observation:
        try:
            ran = self._run(self._status, "status", DriverOrder(""), timeout_s)
        except OSError as error:
            return Observation("unknown", cut(str(error)))
        return Observation(_STANDING.get(-1 if ran.code is None else ran.code, "unknown"), cut(ran.detail))

    def _run(self, argv: Argv, action: str, order: DriverOrder, timeout_s: float) -> Ran:
        told = {
            "service": self._service,
            "action": action,
            "stop_id": order.stop_id,
            "correlation_id": order.correlation_id,
            "level": order.level,
            "reason": order.reason,
            "actor": order.actor,
            "saved": order.saved,
        }
        variables = {f"OPSCONSOLE_{name.upper()}": variable(value) for name, value in told.items()}
        return run(argv, timeout_s=timeout_s, given=json.dumps(told).encode(), environment=variables)

    def do(self, action: Action, order: DriverOrder, timeout_s: float) -> Outcome:
        """Run the command of that action."""
        try:
            ran = self._run(self._argv[action], action, order, timeout_s)
        except OSError as error:
            return Outcome("failed", cut(str(error)))
        if ran.code is None:
            return Outcome("timed-out", cut(ran.detail))
        saved = ran.said.splitlines()[-1][:300] if action == "save-state" and ran.said and not ran.code else ""
        return Outcome("failed" if ran.code else "done", cut(ran.detail), saved)
