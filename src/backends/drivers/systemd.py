"""The systemd driver: a unit, by ``systemctl``. A stop masks it for this boot first, so that nothing (a timer, a
socket, ``Restart=``, another unit) starts it again before a recovery does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from pydantic import Field

from backends.drivers.base import Action, DriverConfig, DriverOrder, Host, Observation, Outcome, Standing, cut, example
from backends.drivers.cgroup import Group
from backends.drivers.running import Ran, checked_command, run
from opsgate.clock import elapsed_s

_ASKED: Final = "LoadState,ActiveState,SubState,MainPID,ControlGroup,UnitFileState,Result,NRestarts"

_STANDING: Final[dict[str, Standing]] = {
    "active": "running",
    "reloading": "running",
    "refreshing": "running",
    "activating": "starting",
    "deactivating": "stopping",
    "inactive": "stopped",
    "failed": "stopped",
    "maintenance": "stopped",
}


class SystemdConfig(DriverConfig):
    """A unit, and which manager is asked about it."""

    model_config = example(unit="billing.service")

    unit: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9:_.@\\-]{0,200}\.(service|scope|slice|target|socket|timer)$",
        description="its full name",
    )
    user: bool = Field(default=False, description="asks the manager of the keeper's user, not that of the host")
    mask: bool = Field(default=True, description="a stop masks it for this boot, so that nothing else starts it again")
    systemctl: str = Field(default="/usr/bin/systemctl", description="the program, which the host must allow")
    cgroups: str = Field(default="/sys/fs/cgroup", description="where control groups (version 2) are mounted")


class SystemdDriver:
    """One unit."""

    kind: ClassVar[str] = "systemd"

    def __init__(self, config: SystemdConfig, host: Host) -> None:
        """`DriverConfigError` where this host does not allow ``systemctl``."""
        self._config = config
        program = checked_command([config.systemctl], host.commands)
        self._systemctl = (*program, *(["--user"] if config.user else []), "--no-ask-password", "--no-pager")
        self.can: frozenset[Action] = frozenset({"stop", "kill", "start"})
        self.settle_s = 0.0

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """As `Driver.build`."""
        return cls(SystemdConfig.read(config), host)

    def observe(self, timeout_s: float) -> Observation:
        """What the manager says of the unit, and whether the kernel still counts anybody in its cgroup."""
        try:
            ran = self._ask("show", f"--property={_ASKED}", timeout_s=timeout_s)
        except OSError as error:
            return Observation("unknown", cut(str(error)))
        facts = dict(line.split("=", 1) for line in ran.said.splitlines() if "=" in line)
        if ran.code != 0 or facts.get("LoadState") in (None, "not-found", "error", "bad-setting"):
            if facts.get("LoadState") == "masked" or ran.code is None:
                return Observation("unknown", cut(ran.detail))
            return Observation("unknown", cut(f"LoadState={facts.get('LoadState', '?')} {ran.detail}"))
        standing = _STANDING.get(facts.get("ActiveState", ""), "unknown")
        if standing == "stopped" and (facts.get("MainPID", "0") != "0" or self._is_populated(facts)):
            standing = "stopping"  # the manager lets go of a unit before all of it has ended
        told = " ".join(
            f"{name}={facts[name]}" for name in ("ActiveState", "SubState", "UnitFileState") if name in facts
        )
        return Observation(standing, cut(told), facts)

    def _is_populated(self, facts: Mapping[str, str]) -> bool:
        group = facts.get("ControlGroup", "").strip("/")
        return bool(group) and ".." not in group and Group(Path(self._config.cgroups) / group).is_populated

    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Mask it and have it stopped; its own ``TimeoutStopSec`` may be longer than we wait."""
        return self._all((*self._masked(), ("stop",)), timeout_s)

    def kill(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Mask it, end every process of it, and have it stopped, or ``Restart=`` would bring it back."""
        return self._all((*self._masked(), ("kill", "--signal=SIGKILL", "--kill-whom=all"), ("stop",)), timeout_s)

    def start(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Take the mask of a stop away and have it started."""
        lifted = (("unmask", "--runtime"),) if self._config.mask else ()
        return self._all((*lifted, ("reset-failed",), ("start",)), timeout_s)

    def _masked(self) -> tuple[tuple[str, ...], ...]:
        return (("mask", "--runtime"),) if self._config.mask else ()

    def _all(self, verbs: tuple[tuple[str, ...], ...], timeout_s: float) -> Outcome:
        """Each in turn. What helps (a mask, a signal to nobody) may fail; the last one decides."""
        until_s, failed = elapsed_s() + timeout_s, ""
        ran = Ran(None, "")
        for verb in verbs:
            try:
                ran = self._ask(*verb, timeout_s=max(0.1, until_s - elapsed_s()))
            except OSError as error:
                return Outcome("failed", cut(str(error)))
            failed += f"{verb[0]}: {ran.detail} " if ran.code and verb is not verbs[-1] else ""
        result: Final = "timed-out" if ran.code is None else "failed" if ran.code else "done"
        return Outcome(result, cut(f"{failed}{verbs[-1][0]}: {ran.detail}"))

    def _ask(self, *verb: str, timeout_s: float) -> Ran:
        argv = (*self._systemctl, *verb, "--", self._config.unit)
        return run(argv, timeout_s=timeout_s, environment={"SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""})
