"""The signal driver: tells a process to pause and to go on by signals that it listens for."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field

from backends.drivers import process, status_file
from backends.drivers.base import Action, DriverConfig, DriverOrder, Host, Observation, Outcome, cut, example
from backends.drivers.process import Message, ProcessConfig, ProcessDriver, tell
from backends.drivers.status_file import StatusFile


class SignalConfig(DriverConfig):
    """How a process is found, as the process driver finds it, and which signals it listens for. An immediate stop kills
    it, and without a command nothing of ours brings it back."""

    model_config = example(pidfile="/run/feeds/pid", exe="/usr/sbin/feedsd", status={"path": "/run/feeds/state"})

    pidfile: str = Field(description=process.PIDFILE)
    status: StatusFile = Field(description="where it says whether it is paused, by which alone that is known")
    user: str | int | None = Field(default=None, description=process.USER)
    exe: str = Field(default="", description=process.EXE)
    stop_signal: Message = Field(default="USR1", description="has it pause")
    start_signal: Message = Field(default="USR2", description="has it go on")
    command: tuple[str, ...] = Field(default=(), description=process.STARTED_BY)


class SignalDriver:
    """One process that pauses at a signal and stays alive."""

    kind: ClassVar[str] = "signal"

    def __init__(self, service: str, config: SignalConfig, host: Host) -> None:
        """`DriverConfigError` where the configuration cannot be carried out."""
        self._config = config
        status_file.checked(config.status.path, "status.path")
        found_by = ProcessConfig(pidfile=config.pidfile, user=config.user, exe=config.exe, command=config.command)
        self._process = ProcessDriver(service, found_by, host)
        self.can: frozenset[Action] = frozenset({"stop", "start", "kill"})
        self.settle_s = 0.0

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """As `Driver.build`."""
        return cls(service, SignalConfig.read(config), host)

    def observe(self, timeout_s: float) -> Observation:
        """What it says, as long as it lives; a process that is gone has stopped, whatever its file says."""
        alive = self._process.observe(timeout_s)
        if alive.standing != "running":
            return alive
        said = self._config.status.observe()
        return Observation(said.standing, cut(f"{alive.detail}; {said.detail}"), alive.facts)

    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Have it pause. One that is gone has nothing to be told."""
        if self._process.observe(timeout_s).standing == "stopped":
            return Outcome("done", "nothing of it was running")
        return self._tell(self._config.stop_signal)

    def start(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Have it go on, or start it where it is gone."""
        if self._config.command and self._process.observe(timeout_s).standing != "running":
            return self._process.start(order, timeout_s)
        return self._tell(self._config.start_signal)

    def kill(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """End it, with all that came of it."""
        return self._process.kill(order, timeout_s)

    def _tell(self, message: Message) -> Outcome:
        named = self._process.named()
        if named.fault:
            return Outcome("refused", cut(named.fault))
        return tell(named.process, signal.Signals[f"SIG{message}"])
