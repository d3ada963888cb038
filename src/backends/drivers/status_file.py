"""The file in which a service says itself what it does: ``running`` or ``paused``, kept fresh as long as it lives."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Final

from pydantic import Field

from backends.drivers.base import DriverConfig, DriverConfigError, Observation, Standing, cut

_BYTES_MAX: Final = 4096

_STANDING: Final[dict[str, Standing]] = {
    "paused": "stopped",
    "stopped": "stopped",
    "running": "running",
    "starting": "starting",
    "stopping": "stopping",
    "pausing": "stopping",
    "draining": "stopping",
}


class StatusFile(DriverConfig):
    """The file in which a service says what it does, in one word: `running`, `starting`, `stopping`, `pausing`,
    `draining`, `paused` or `stopped`."""

    path: str = Field(description="its absolute path")
    fresh_s: float = Field(default=15.0, gt=0, le=3600, description="how old it may be before its word is nobody's")

    def observe(self) -> Observation:
        """What the service says. A file that is old, or not there, is the word of nobody."""
        try:
            word, age_s = _read(Path(self.path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            return Observation("unknown", cut(f"{self.path}: {reason}"))
        if age_s > self.fresh_s:
            return Observation("unknown", cut(f"{self.path} says {word!r} for {age_s:.0f} s: nobody keeps it fresh"))
        return Observation(_STANDING.get(word, "unknown"), cut(f"{self.path} says {word!r}"))


def checked(path: str, what: str) -> Path:
    """``path`` where it is absolute. `DriverConfigError` where it is not."""
    if not path.startswith("/") or "\0" in path or ".." in Path(path).parts:
        raise DriverConfigError(f"{what}: {path[:60]!r} is not an absolute path")
    return Path(path)


def _read(path: Path) -> tuple[str, float]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no file")
        words = os.read(descriptor, _BYTES_MAX).decode("utf-8", "replace").split()
    finally:
        os.close(descriptor)
    return (words[0].lower()[:32] if words else ""), max(0.0, time.time() - found.st_mtime)
