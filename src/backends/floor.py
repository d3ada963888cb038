"""The floor: how far a fleet is known to have come, kept outside its database.

An old backup that is put back would bring back a state in which nothing was stopped. This host remembers the last
revision that changed what may run, with its chain hash; a database that lacks that event has lost something, and the
first who opens it holds everything until a person has looked.

The file is small and replaced whole. It is not flushed to disk, and failing to write it never fails a command: it can
only lag behind, which makes the guard weaker by one event and never stops anything that should run.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from opsgate.paths import state_home


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the journal: an event's revision and its chain hash."""

    revision: int
    chain: str


class Floor:
    """The mark of one fleet on this host."""

    def __init__(self, fleet: str) -> None:
        self._path = state_home() / "opsconsole" / "floor" / fleet

    def read(self) -> Mark | None:
        """The mark, or None where there is none that can be read."""
        try:
            document = json.loads(self._path.read_bytes())
            return Mark(int(document["revision"]), str(document["chain"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def settle(self, mark: Mark) -> None:
        """Take ``mark`` as the truth, also a lower one."""
        text = json.dumps({"revision": mark.revision, "chain": mark.chain}).encode()
        try:
            try:
                self._write(text)
            except FileNotFoundError:
                for folder in (self._path.parent.parent, self._path.parent):
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._write(text)
        except OSError:
            pass  # a floor that lags is weaker, a stop that fails for it would be worse

    def _write(self, text: bytes) -> None:
        """Replace the file whole. Whoever gave a command waits for this, so it takes four calls of the system."""
        temporary = f"{self._path.parent}/.{self._path.name}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, text)
        finally:
            os.close(descriptor)
        os.replace(temporary, self._path)  # noqa: PTH105 (the path is made once)
