"""What may happen to the file of a database, on real files, each with its cure."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path


class Fault(ABC):
    """Something that keeps a database from being written. ``folder`` is where the database is to lie."""

    needs_nobody = False
    """Whether it can only come over a database that nobody has open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "fleet.db"

    def prepare(self) -> None:
        """Make the place where the database will lie."""
        self.folder.mkdir()

    @abstractmethod
    def strike(self, keeper_pid: int | None) -> None:
        """Let it happen."""

    @abstractmethod
    def mend(self) -> None:
        """Undo it."""

    def remove(self) -> None:
        """Take the place away."""
        shutil.rmtree(self.folder)


class Gone(Fault):
    """Somebody removes the file, and later puts it back from another link to it."""

    def strike(self, keeper_pid: int | None) -> None:
        self._kept = self.folder / "kept"
        os.link(self.database, self._kept)
        self.database.unlink()

    def mend(self) -> None:
        self._kept.rename(self.database)


class Locked(Fault):
    """Another process holds the database exclusively and does not let go."""

    def strike(self, keeper_pid: int | None) -> None:
        hold = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1],isolation_level=None); c.execute('BEGIN EXCLUSIVE')"
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{hold}; print(flush=True); sys.stdin.read()", str(self.database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def mend(self) -> None:
        self._process.communicate()


class Full(Fault):
    """No room is left: root gets a small file system of its own, others a limit on the size of the keeper's files."""

    _root = os.geteuid() == 0

    def prepare(self) -> None:
        super().prepare()
        if self._root:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "ops-test", str(self.folder)], check=True)

    def strike(self, keeper_pid: int | None) -> None:
        if self._root:
            with (self.folder / "filler").open("wb", buffering=0) as filler:
                try:
                    while filler.write(bytes(4096)):
                        pass
                except OSError:
                    return
        assert keeper_pid is not None
        self._pid = keeper_pid
        self._before = resource.prlimit(keeper_pid, resource.RLIMIT_FSIZE)
        resource.prlimit(keeper_pid, resource.RLIMIT_FSIZE, (4096, self._before[1]))

    def mend(self) -> None:
        if self._root:
            (self.folder / "filler").unlink()
        else:
            resource.prlimit(self._pid, resource.RLIMIT_FSIZE, self._before)

    def remove(self) -> None:
        if self._root:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        super().remove()


class ReadOnly(Fault):
    """The file system is read-only: root mounts it so, for whom permissions do not count, others take them away.

    The kernel refuses that for a file system with files open for writing, so whoever had it open has ended before.
    """

    needs_nobody = True
    _root = os.geteuid() == 0

    def prepare(self) -> None:
        super().prepare()
        if self._root:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "ops-test", str(self.folder)], check=True)

    def strike(self, keeper_pid: int | None) -> None:
        if self._root:
            subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)
        else:
            for path in (*self.folder.iterdir(), self.folder):
                path.chmod(0o555 if path.is_dir() else 0o444)

    def mend(self) -> None:
        if self._root:
            subprocess.run(["mount", "-o", "remount,rw", str(self.folder)], check=True)
        else:
            self.folder.chmod(0o755)
            for path in self.folder.iterdir():
                path.chmod(0o644)

    def remove(self) -> None:
        if self._root:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        super().remove()


FAULTS: tuple[type[Fault], ...] = (Gone, Locked, Full, ReadOnly)
