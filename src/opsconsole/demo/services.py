"""The services of the demo: S1's five, each with a driver of another kind, and a group of workers behind the gate."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.capabilities.procedures import SetProcedure
from core.capabilities.services import AddService
from core.capabilities.triggers import AddTrigger
from core.messages import Command
from core.procedures import Procedure, RampStep
from opsgate.clock import elapsed_s

ACCOUNT: Final = "account-123"
TRIGGER: Final = "health-score-critical"
TARGETS: Final = ("behavioralEngine", "sessionManager")
"""What the trigger of the demo stops."""

QUICK: Final = "drill_recovery"
"""The procedure of the scripted incident: the steps of any other, without their long waits."""

_SERVICE: Final = Path(__file__).with_name("service.py")
_PYTHON: Final = str(Path(sys.executable).resolve())
_SH: Final = "/bin/sh"
_UP_WITHIN_S: Final = 60.0
_ENDS_WITHIN_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Member:
    """One service: how it is driven, what it depends on, and whether a process stands behind it."""

    name: str
    driver: str
    title: str
    depends_on: tuple[str, ...] = ()
    criticality: int = 2
    has_process: bool = True


MEMBERS: Final = (
    Member("sessionManager", "process", "Sessions of the account", criticality=4),
    Member("realtimeSync", "signal", "Events as they come", ("sessionManager",), criticality=3),
    Member("antiDetectionManager", "http", "How requests are spread", ("sessionManager",), criticality=3),
    Member("behavioralEngine", "control-file", "What is done next", ("sessionManager", "antiDetectionManager")),
    Member("accountHealthMonitor", "command", "The account's scores", ("realtimeSync",)),
    Member("catalogue", "gate", "The workers of the first site", ("sessionManager",), has_process=False),
)
"""What depends on others comes behind them."""


@dataclass
class Services:
    """Running services. Each has a folder of its own."""

    folder: Path
    site: str
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Start a process for each that has one, and wait until it says that it runs. TimeoutError where one does
        not."""
        for member in MEMBERS:
            if member.has_process:
                home = self._home(member.name)
                home.mkdir(parents=True)
                quiet = subprocess.DEVNULL
                process = subprocess.Popen(self._command(member), stdin=quiet, stdout=quiet, stderr=quiet, env={})
                self.processes[member.name] = process
        deadline_s = elapsed_s() + _UP_WITHIN_S
        for name, process in self.processes.items():
            while not (self._home(name) / "status").exists():
                if elapsed_s() > deadline_s:
                    raise TimeoutError(f"service {name} did not come up within {_UP_WITHIN_S:.0f} s")
                time.sleep(0.01)  # a file in another process's hand
            _write_pid(self._home(name) / "pid", process.pid)

    def commands(self) -> Iterator[Command]:
        """What makes a fleet know them, a trigger that stops two of them, and procedures that a demo can wait for."""
        for member in MEMBERS:
            yield AddService(
                name=member.name,
                driver=member.driver,
                title=member.title,
                account=ACCOUNT if member.has_process else None,
                depends_on=member.depends_on,
                criticality=member.criticality,
                config=dict(self._config(member)),
                health=self._health(member),
            )
        yield AddTrigger(
            name=TRIGGER,
            trigger_type="health_score_critical",
            description="Stops what acts for an account whose health score falls below 30",
            account_id=ACCOUNT,
            thresholds={"healthScore": 30.0},
            clear={"healthScore": 50.0},
            target_services=TARGETS,
            stop_level="graceful",
            priority=3,
        )
        yield SetProcedure(procedure=_procedure(QUICK, settle_s=0.1, waits_s=(0.3, 0.0), monitor_s=0.5))
        for name in ("standard_recovery", "critical_recovery"):
            yield SetProcedure(procedure=_procedure(name, settle_s=1.0, waits_s=(3.0, 3.0, 0.0), monitor_s=10.0))

    def pids(self) -> list[int]:
        """The processes behind them now, whoever started them."""
        return [pid for name in self.processes if (pid := _read_pid(self._home(name) / "pid"))]

    def end(self) -> None:
        """End each process, whoever started it; returns when none of ours is left."""
        theirs = [pid for pid in self.pids() if pid not in {process.pid for process in self.processes.values()}]
        for pid in theirs:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # ------------------------------------------------------------------------------------------------------ inside
    def _home(self, name: str) -> Path:
        return self.folder / "services" / name

    def _command(self, member: Member) -> Sequence[str]:
        words = [_PYTHON, "-I", "-S", str(_SERVICE), str(self._home(member.name)), str(os.getpid())]
        return [*words, str(self.port)] if member.driver == "http" else words

    def _config(self, member: Member) -> Mapping[str, Any]:
        home = self._home(member.name)
        status = {"path": f"{home}/status", "fresh_s": 10.0}
        match member.driver:
            case "process":
                return {"pidfile": f"{home}/pid", "command": [*self._command(member)], "restart_s": 0.05}
            case "signal":
                return {"pidfile": f"{home}/pid", "status": status, "command": [*self._command(member)]}
            case "control-file":
                return {"file": f"{home}/control", "status": status}
            case "http":
                return {
                    "url": f"http://127.0.0.1:{self.port}",
                    "allow": ["127.0.0.1"],
                    "stop": {"path": "/emergencyStop"},
                    "start": {"path": "/start"},
                    "status": {"path": "/state"},
                }
            case "command":
                said = f'read -r word < "{home}/status"; test "$word" = running || exit 3'
                return {
                    "stop": [_SH, "-c", f'echo pause > "{home}/control"'],
                    "start": [_SH, "-c", f'echo resume > "{home}/control"'],
                    "save_state": [_SH, "-c", f'cp "{home}/status" "{home}/saved" && echo "{home}/saved"'],
                    "status": [_SH, "-c", said],
                }
            case _:
                return {"scope": {"site": self.site}}

    def _health(self, member: Member) -> dict[str, Any]:
        match member.driver:
            case "process":
                return {"kind": "file", "path": f"{self._home(member.name)}/status", "fresh_s": 10.0}
            case "http":
                return {"kind": "tcp", "host": "127.0.0.1", "port": self.port, "allow": ["127.0.0.1"]}
            case _:
                return {"kind": "driver"}


@contextmanager
def running_services(folder: Path, site: str) -> Iterator[Services]:
    """The services, up; all of them are gone afterwards. ``site`` is whose workers stand behind the gate."""
    services = Services(folder, site, _free_port())
    try:
        services.start()
        yield services
    finally:
        services.end()


def _procedure(name: str, *, settle_s: float, waits_s: tuple[float, ...], monitor_s: float) -> Procedure:
    shares = (0.25, 1.0) if len(waits_s) == 2 else (0.05, 0.25, 1.0)
    return Procedure(
        name=name,
        title="Bring back what was stopped, at the pace of a demo",
        settle_s=settle_s,
        ramp=tuple(RampStep(admit=share, wait_s=wait_s) for share, wait_s in zip(shares, waits_s, strict=True)),
        monitor_s=monitor_s,
    )


def _free_port() -> int:
    """A port below those that connections are given, or one of them could have it before the service listens there.
    Each process looks from another one on. OSError where none is free."""
    for port in range(20_001 + os.getpid() % 5_000 * 2, 32_000, 2):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free for a service")


def _write_pid(path: Path, pid: int) -> None:
    path.touch(0o600)
    path.write_text(f"{pid}\n")


def _read_pid(path: Path) -> int | None:
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
