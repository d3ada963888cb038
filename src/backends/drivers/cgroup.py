"""A control group (version 2) that holds one service: the kernel keeps count, and nothing forks out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from backends.drivers import procs
from backends.drivers.base import DriverConfigError
from backends.drivers.procs import Seen
from opsgate.clock import elapsed_s

_LOOK_S: Final = 0.005


class Group:
    """The cgroup in one folder. Refuses one that holds this process: to end it would end whoever stops things."""

    def __init__(self, folder: Path) -> None:
        """`DriverConfigError` where the folder can be no service's cgroup."""
        if not folder.is_absolute() or ".." in folder.parts:
            raise DriverConfigError(f"cgroup: {folder} is not an absolute path")
        self._folder = folder

    @property
    def is_there(self) -> bool:
        """Whether there is such a group of version 2 now."""
        return (self._folder / "cgroup.kill").exists()

    @property
    def is_ours(self) -> bool:
        """Whether this process, or one from which it descends, is in it or below it."""
        own = procs.untouchable()
        return any(pid in own for pid in self._numbers())

    def make(self) -> bool:
        """Make it where it is missing; whether it is there then."""
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError:
            return False
        return self.is_there

    def members(self) -> tuple[Seen, ...]:
        """Everybody alive in it and below it."""
        found = (procs.seen(pid) for pid in self._numbers())
        return tuple(process for process in found if process is not None and process.is_alive)

    @property
    def is_populated(self) -> bool:
        """Whether anything in it or below it lives, by the kernel's own count."""
        try:
            return "populated 1" in (self._folder / "cgroup.events").read_text()
        except OSError:
            return False

    def freeze(self, on: bool) -> bool:
        """Hold all of it, or let it go on; False where the kernel did not take that."""
        return self._write("cgroup.freeze", "1" if on else "0")

    def kill(self, timeout_s: float) -> bool:
        """End all of it at once, what is frozen and what is being forked too; whether nothing is left."""
        if self.is_ours or not self._write("cgroup.kill", "1"):
            return False
        import select

        until_s = elapsed_s() + timeout_s
        while self.is_populated and elapsed_s() < until_s:
            select.select([], [], [], _LOOK_S)
        return not self.is_populated

    def _numbers(self) -> list[int]:
        numbers: list[int] = []
        for listing in (self._folder / "cgroup.procs", *self._folder.glob("**/cgroup.procs")):
            try:
                numbers += map(int, listing.read_text().split())
            except OSError:
                continue  # that part has just gone
        return list(dict.fromkeys(numbers))

    def _write(self, name: str, value: str) -> bool:
        try:
            (self._folder / name).write_text(value)
        except OSError:
            return False
        return True
