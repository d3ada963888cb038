"""Hear of a file that appears in a folder, also of one that does not exist yet, without asking the disk all the time.

Linux' inotify through ctypes. Where there is none, or the host has run out of watches, the caller looks by itself from
time to time.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_log = logging.getLogger("opsgate")

_CHANGES: Final = 0x00000008 | 0x00000040 | 0x00000080 | 0x00000100 | 0x00000200 | 0x00000400 | 0x00000800
"""IN_CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE, DELETE_SELF, MOVE_SELF."""
_ONLY_FOLDERS: Final = 0x01000000
_ARMINGS: Final = 10


class FolderWatch:
    """Becomes readable when something changes in one of some folders. ``descriptor`` is None where that is not to be
    had."""

    def __init__(self) -> None:
        self.descriptor: int | None = None
        self._watched: dict[Path, int] = {}
        try:
            self._libc = ctypes.CDLL(None, use_errno=True)
            descriptor = int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        except (OSError, AttributeError):
            descriptor = -1
        if descriptor < 0:
            _log.info("this host tells of no changes in folders: latches are looked for twice a second")
        else:
            self.descriptor = descriptor

    def arm(self, folders: Iterable[Path]) -> None:
        """Watch these folders, and for each that does not exist the nearest one above it that does.

        To be called again after every change, before looking at the folders: the folder above may have become one.
        """
        wanted: set[Path] = set()
        for folder in folders:
            for _ in range(_ARMINGS):  # a folder that is made between two looks starts the climb again
                nearest = next(path for path in (folder, *folder.parents) if path.is_dir() or path == path.parent)
                wanted.add(nearest)
                self._watch(nearest)
                if nearest == folder or not (nearest / folder.relative_to(nearest).parts[0]).is_dir():
                    break
        for folder in self._watched.keys() - wanted:
            self._libc.inotify_rm_watch(self.descriptor, self._watched.pop(folder))

    def drain(self) -> None:
        """Forget what was told so far."""
        while self.descriptor is not None:
            try:
                if not os.read(self.descriptor, 65536):
                    return
            except BlockingIOError:
                return
            except InterruptedError:
                continue

    def close(self) -> None:
        """Watch nothing any more."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
            self._watched.clear()

    def _watch(self, folder: Path) -> None:
        if self.descriptor is None:
            return
        watch = int(self._libc.inotify_add_watch(self.descriptor, os.fsencode(folder), _CHANGES | _ONLY_FOLDERS))
        if watch >= 0:
            self._watched[folder] = watch
        elif ctypes.get_errno() not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):  # those: the next look decides
            reason = os.strerror(ctypes.get_errno())
            _log.warning("latches cannot be watched (%s): looking for them twice a second", reason)
            self.close()
