"""Hear from the kernel that a file of a folder was written to, instead of asking for its time again and again."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from pathlib import Path
from typing import Final

_CHANGES: Final = 0x0002 | 0x0040 | 0x0080 | 0x0100 | 0x0200
"""Written to, moved away or here, made, deleted."""

_EVENT: Final = struct.Struct("iIII")
_OVERFLOW: Final = 0x4000


class LogWatch:
    """Waits until somebody writes to a file, or rings. `hears` is False where the kernel does not tell."""

    def __init__(self, file: Path) -> None:
        self._name = os.fsencode(file.name)
        self._ear, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._descriptor = _watch(file.parent)
        self._poller = select.poll()
        for descriptor in (self._ear, self._descriptor):
            if descriptor >= 0:
                self._poller.register(descriptor, select.POLLIN)

    @property
    def hears(self) -> bool:
        """Whether the kernel tells."""
        return self._descriptor >= 0

    def ring(self) -> None:
        """End a wait. From any thread."""
        try:
            os.write(self._bell, b"!")
        except OSError:
            pass  # it is full, so it rings already; or nobody waits any more

    def wait(self, timeout_s: float) -> bool:
        """Whether the file was written to; False when the time is over, or somebody rang."""
        told = {descriptor for descriptor, _ in self._poller.poll(timeout_s * 1000)}
        if self._ear in told:
            os.read(self._ear, 4096)
        return self._descriptor in told and self._drain()

    def close(self) -> None:
        """Let go of the descriptors, when nobody waits any more."""
        for descriptor in (self._ear, self._bell, self._descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        self._ear = self._bell = self._descriptor = -1

    def _drain(self) -> bool:
        written = False
        while True:
            try:
                buffer = os.read(self._descriptor, 65536)
            except BlockingIOError:
                return written
            offset = 0
            while offset < len(buffer):
                _, mask, _, length = _EVENT.unpack_from(buffer, offset)
                offset += _EVENT.size + length
                name = buffer[offset - length : offset].rstrip(b"\0")
                written = written or name == self._name or bool(mask & _OVERFLOW)


def _watch(folder: Path) -> int:
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    except (OSError, AttributeError):
        return -1
    if descriptor >= 0 and libc.inotify_add_watch(descriptor, os.fsencode(folder), _CHANGES) < 0:
        os.close(descriptor)
        return -1
    return descriptor
