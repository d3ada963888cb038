"""The process driver: a program on this host with everything that came of it, found by a file that names it."""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field

from backends.drivers import pidfile, procs, running
from backends.drivers.base import (
    Action,
    DriverConfig,
    DriverConfigError,
    DriverOrder,
    Host,
    Observation,
    Outcome,
    cut,
    example,
)
from backends.drivers.cgroup import Group
from backends.drivers.procs import Seen
from backends.drivers.tree import Tree, sweep
from opsgate.clock import elapsed_s

_LOOK_S: Final = 0.02

Ending = Literal["TERM", "INT", "QUIT", "HUP"]
Message = Literal["USR1", "USR2", "HUP", "WINCH"]

PIDFILE: Final = "the absolute path of the file that names the process by its number"
USER: Final = "whose process it is, by name or number; without it: the keeper's user"
EXE: Final = "the program that it runs, by which its absence can be told where the file is missing"
STARTED_BY: Final = "what starts it, as a list of words; without it nothing of ours does"


class ProcessConfig(DriverConfig):
    """How a program on this host is found, with all that came of it, and what it understands."""

    model_config = example(
        pidfile="/run/billing/pid", exe="/usr/sbin/billingd", user="billing", drain_signal="USR1", restart_s=1
    )

    pidfile: str = Field(description=PIDFILE)
    user: str | int | None = Field(default=None, description=USER)
    exe: str = Field(default="", description=EXE)
    cgroup: str = Field(default="", description="the folder of a control group (version 2) of the service's own")
    command: tuple[str, ...] = Field(default=(), description=STARTED_BY)
    stop_signal: Ending = Field(default="TERM", description="asks it to end")
    drain_signal: Message | None = Field(default=None, description="has it take nothing new; it has to listen for it")
    save_signal: Message | None = Field(default=None, description="has it save its state; it has to listen for it")
    restart_s: float = Field(
        default=0.1,
        ge=0,
        le=60,
        description="how long whatever restarts it waits before it does; three times as long it must be seen stopped",
    )


class ProcessDriver:
    """One process and its tree."""

    kind: ClassVar[str] = "process"

    def __init__(self, service: str, config: ProcessConfig, host: Host) -> None:
        """`DriverConfigError` where the configuration names nothing. What this host does not allow to be started can be
        stopped all the same: ``start_fault`` says why it cannot be started here."""
        self._service, self._config = service, config
        self._pidfile = Path(config.pidfile)
        if not self._pidfile.is_absolute():
            raise DriverConfigError(f"pidfile: {config.pidfile} is not an absolute path")
        self._uid = _uid(config.user)
        self._group = Group(Path(config.cgroup)) if config.cgroup else None
        self._command, self.start_fault = _checked(config.command, host)
        self._tree = Tree()
        self._was_seen = False
        self.settle_s = 3 * config.restart_s
        can: set[Action] = {"stop", "kill"}
        can |= {"start"} if config.command else set()
        can |= {"drain"} if config.drain_signal else set()
        can |= {"save-state"} if config.save_signal else set()
        self.can = frozenset(can)

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """As `Driver.build`."""
        return cls(service, ProcessConfig.read(config), host)

    # ------------------------------------------------------------------------------------------------ looking
    def observe(self, timeout_s: float) -> Observation:
        """Whether the process, or anything that came of it, lives."""
        named, members = self._look()
        if named.fault:
            return Observation("unknown", cut(named.fault))
        if members:
            return Observation("running", _told(named.process, members), {"pids": " ".join(map(_pid, members))})
        if not (named.is_there or self._was_seen or self._has_group):
            return self._unnamed()
        return Observation("stopped", "the process and all that came of it are gone")

    def _look(self) -> tuple[pidfile.Named, tuple[Seen, ...]]:
        """What the file says, and everybody who is of this service."""
        written = pidfile.read(self._pidfile, self._uid)
        if written.fault:
            return pidfile.Named(fault=written.fault), ()
        grouped = self._group.members() if self._group is not None and not self._group.is_ours else ()
        now = procs.LOOKS.census()  # after all else was read, so that it has whoever that names
        named = pidfile.named(self._pidfile, self._uid, written, now.everybody)
        if named.fault:
            return named, ()
        if named.younger and (not self._config.exe or self._runs(named.younger)):
            said = (
                f"process {named.younger.pid} is younger than the file that names it, by a clock that may have been set"
            )
            return pidfile.Named(fault=said if self._config.exe else f"{said}: name its exe"), ()
        if self._config.exe and named.process and named.process.is_alive and not self._runs(named.process):
            said = f"process {named.process.pid} runs {procs.program(named.process.pid) or 'what cannot be seen'}"
            return pidfile.Named(fault=f"{said}, not {self._config.exe}"), ()
        held = frozenset({named.holder.pid}) if named.holder else frozenset()
        roots = (named.process, *grouped) if named.process else grouped
        members = self._tree.members(now, roots, without=held)
        self._was_seen = self._was_seen or bool(members)
        return named, members

    @property
    def _has_group(self) -> bool:
        """Whether the kernel counts who is in its group."""
        return self._group is not None and self._group.is_there and not self._group.is_ours

    def _unnamed(self) -> Observation:
        """There is no file, and nothing was ever seen. Whoever runs the program may be it, or somebody else: that
        nobody does is all that is certain."""
        if not self._config.exe:
            said = (
                f"{self._pidfile} is not there, and nothing was ever seen: name its exe, so that it can be looked for"
            )
            return Observation("unknown", cut(said))
        running = [p for p in procs.LOOKS.census().everybody.values() if p.is_alive and self._runs(p)]
        if running:
            return Observation("unknown", f"no file names it, and process {running[0].pid} runs its program")
        return Observation("stopped", "no file names it, and nobody runs its program")

    def _runs(self, process: Seen) -> bool:
        return process.uid == self._uid and procs.program(process.pid) == str(Path(self._config.exe).resolve())

    def named(self) -> pidfile.Named:
        """Whom its file names, checked."""
        return self._look()[0]

    def _members(self) -> tuple[Seen, ...]:
        return self._look()[1]

    # ------------------------------------------------------------------------------------------------- ending
    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Ask the process to end, and then what it left behind, and wait until all of it has."""
        until_s = elapsed_s() + timeout_s
        named, members = self._look()
        if named.fault:
            return Outcome("refused", cut(named.fault))
        number = signal.Signals[f"SIG{self._config.stop_signal}"]
        asked: set[tuple[int, int]] = set()
        while members and elapsed_s() < until_s:
            first = [p for p in members if named.process and p.identity == named.process.identity] or list(members)
            for process in first:
                if process.identity not in asked:
                    asked.add(process.identity)
                    procs.send(process, number)
                    procs.send(process, signal.SIGCONT)  # one that is halted would hear of it too late
            procs.ended_within(first[0], min(_LOOK_S, max(0.0, until_s - elapsed_s())))
            named, members = self._look()
        if members:
            return Outcome("timed-out", _told(named.process, members))
        return Outcome("done", "it ended" if asked else "nothing of it was running")

    def kill(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Freeze all of it and end it; whoever is put in its place meanwhile, too."""
        named, members = self._look()
        if named.fault:
            return Outcome("refused", cut(named.fault))
        if self._group is not None and self._group.is_there:
            self._group.freeze(True)
            self._group.kill(timeout_s)
        left = sweep(members, self._members, timeout_s)
        if left:
            return Outcome("failed", _told(None, left))
        return Outcome("done", f"{len(members)} ended" if members else "nothing of it was running")

    # ---------------------------------------------------------------------------------------------- the others
    def start(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Start it, where nothing of it runs."""
        if self.start_fault:
            return Outcome("refused", cut(self.start_fault))
        named, members = self._look()
        if named.fault or members:
            return Outcome("refused", cut(named.fault)) if named.fault else Outcome("done", "it runs already")
        cgroup = ""
        if self._group is not None:
            if not self._group.make():
                return Outcome("failed", f"{self._config.cgroup} cannot be made")
            self._group.freeze(False)
            cgroup = self._config.cgroup
        environment = _told_to_a_service(self._service, order)
        try:
            ran = running.keep(self._command, self._pidfile, cgroup, timeout_s=timeout_s, environment=environment)
        except OSError as error:
            return Outcome("failed", cut(str(error)))
        if ran.code is None:
            return Outcome("timed-out", "it did not start in time")
        return Outcome("failed" if ran.code else "done", cut(ran.said))

    def drain(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Tell it to take nothing new."""
        return self._tell(self._config.drain_signal)

    def save_state(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Tell it to save its state."""
        return self._tell(self._config.save_signal)

    def _tell(self, message: Message | None) -> Outcome:
        """Send a signal that is a message, never one that would be a death."""
        named, _ = self._look()
        if named.fault or message is None:
            return Outcome("refused", cut(named.fault))
        return tell(named.process, signal.Signals[f"SIG{message}"])


def _checked(command: tuple[str, ...], host: Host) -> tuple[tuple[str, ...], str]:
    """The command that starts it, or why this host does not run that."""
    if not command:
        return (), ""
    try:
        return running.checked_command(command, host.commands), ""
    except DriverConfigError as error:
        return (), str(error)


def tell(process: Seen | None, number: signal.Signals) -> Outcome:
    """Send a signal to a process that listens for it. One that does not would die of it, and is left alone."""
    if process is None:
        return Outcome("failed", "nothing of it is running")
    if not procs.catches(process.pid, number):
        return Outcome("refused", f"process {process.pid} does not catch {number.name} and would die of it")
    return Outcome("done") if procs.send(process, number) else Outcome("failed", f"process {process.pid} is gone")


def _told_to_a_service(service: str, order: DriverOrder) -> dict[str, str]:
    told = {"OPSCONSOLE_SERVICE": service, "OPSCONSOLE_CORRELATION_ID": running.variable(order.correlation_id)}
    return told | ({"OPSCONSOLE_SAVED": running.variable(order.saved)} if order.saved else {})


def _told(process: Seen | None, members: tuple[Seen, ...]) -> str:
    """Who lives, in a few words."""
    who = f"process {process.pid}" if process and process in members else "not its main process, but"
    count = len(members) - (process in members)
    rest = f" and {count} more" if process in members and count else f" {count} that came of it" if count else ""
    states = {p.state for p in members}
    how = ", frozen" if states <= {"T", "t"} else ", some waiting in the kernel" if "D" in states else ""
    numbers = f" ({' '.join(map(_pid, members[:8]))})" if rest else ""
    return cut(f"{who}{rest}{how}{numbers}")


def _pid(process: Seen) -> str:
    return str(process.pid)


def _uid(user: str | int | None) -> int:
    if user is None:
        return os.geteuid()
    if isinstance(user, int):
        return user
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise DriverConfigError(f"user: there is no user {user!r} on this host") from None
