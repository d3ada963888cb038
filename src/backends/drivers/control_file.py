"""The control file driver: writes ``pause`` or ``resume`` where the service looks, and reads what the service says."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field

from backends.drivers import status_file
from backends.drivers.base import (
    Action,
    DriverConfig,
    DriverConfigError,
    DriverOrder,
    Host,
    Observation,
    Outcome,
    example,
)
from backends.drivers.status_file import StatusFile


class ControlFileConfig(DriverConfig):
    """A file at which the service looks, and one in which it says what it does."""

    model_config = example(file="/run/mailer/control", status={"path": "/run/mailer/state", "fresh_s": 30})

    file: str = Field(description="where the service looks, in a folder that only it and the keeper's user can write")
    status: StatusFile = Field(description="where it says what it does, by which alone it is known to have stopped")
    stop_word: str = Field(default="pause", pattern=r"^[a-z-]{1,32}$", description="what is written to stop it")
    start_word: str = Field(default="resume", pattern=r"^[a-z-]{1,32}$", description="what is written to have it go on")


class ControlFileDriver:
    """One service that looks at a file."""

    kind: ClassVar[str] = "control-file"

    def __init__(self, config: ControlFileConfig) -> None:
        """`DriverConfigError` where a path is not absolute."""
        self._config = config
        self._file = status_file.checked(config.file, "file")
        status_file.checked(config.status.path, "status.path")
        self.can: frozenset[Action] = frozenset({"stop", "start"})
        self.settle_s = 0.0

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """As `Driver.build`."""
        return cls(ControlFileConfig.read(config))

    def observe(self, timeout_s: float) -> Observation:
        """What the service says in its own file; the word that we wrote is no sign of anything."""
        return self._config.status.observe()

    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Have it pause."""
        return self._say(self._config.stop_word)

    def start(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Have it go on."""
        return self._say(self._config.start_word)

    def _say(self, word: str) -> Outcome:
        try:
            write_word(self._file, word)
        except (OSError, DriverConfigError) as error:
            return Outcome("failed", str(error))
        return Outcome("done", f"{self._file} says {word!r}")


def write_word(file: Path, word: str) -> None:
    """Put a word into a file in one step, for good, in a folder where nobody else could have put something in its way.

    Raises OSError, or `DriverConfigError` where others can write the folder.
    """
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(folder)
        if found.st_mode & stat.S_IWOTH:
            raise DriverConfigError(f"everybody can write {file.parent}: nothing is put there")
        temporary = f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}"
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=folder
        )
        try:
            with os.fdopen(descriptor, "w") as stream:
                stream.write(word + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, file.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)
    finally:
        os.close(folder)
