"""Hear of a file that appears in a folder, also of one that does not exist yet, without asking the disk all the time.

Linux' inotify through ctypes. Where there is none, or the host has run out of watches, the caller looks by itself from
time to time.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

_log = logging.getLogger("opsgate")

_CREATE, _DELETE, _MOVED_FROM, _MOVED_TO = 0x0100, 0x0200, 0x0040, 0x0080
_CLOSE_WRITE, _DELETE_SELF, _MOVE_SELF = 0x0008, 0x0400, 0x0800
_UNMOUNT, _OVERFLOW, _ONLY_FOLDERS = 0x2000, 0x4000, 0x0100_0000
_CHANGES: Final = _CREATE | _DELETE | _MOVED_FROM | _MOVED_TO | _CLOSE_WRITE | _DELETE_SELF | _MOVE_SELF
_WENT: Final = _DELETE | _MOVED_FROM
_FOLDERS_CHANGED: Final = _UNMOUNT | _OVERFLOW | _DELETE_SELF | _MOVE_SELF
_EVENT: Final = struct.Struct("iIII")
_ARMINGS: Final = 10
_NOBODY: Final[frozenset[str]] = frozenset()


class Heard(NamedTuple):
    """What changed: which files came, whether any went, and whether the folders themselves did (arm again then)."""

    came: frozenset[str] = frozenset()
    went: bool = False
    folders: bool = False


class FolderWatch:
    """Becomes readable when something changes in one of some folders. ``descriptor`` is None where that is not to be
    had."""

    def __init__(self, matters: Callable[[str], bool]) -> None:
        """``matters`` says of a file's name whether its coming or going is worth waking up for."""
        self.descriptor: int | None = None
        self._matters = matters
        self._watched: dict[Path, int] = {}
        self._awaited: dict[int, set[str]] = {}  # watch → names that are waited for; "" for all of the folder's own
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
        """Watch these folders and the one above each, or where it does not exist the nearest one above it that does.

        To be called again when ``drain`` says folders, before looking at them: the one that was awaited may be there.
        And now and then, because nobody tells of a disk that is mounted over a folder.
        """
        awaited: dict[Path, set[str]] = {}
        for folder in folders:
            for _ in range(_ARMINGS):  # a folder that is made between two looks starts the climb again
                nearest = next(path for path in (folder, *folder.parents) if _is_folder(path) or path == path.parent)
                names = awaited.setdefault(nearest, set())
                self._watch(nearest)
                if nearest == folder:
                    names.add("")
                    awaited.setdefault(folder.parent, set()).add(folder.name)
                    self._watch(folder.parent)
                    break
                names.add(folder.relative_to(nearest).parts[0])
                if not _is_folder(nearest / folder.relative_to(nearest).parts[0]):
                    break
        for folder in self._watched.keys() - awaited.keys():
            self._libc.inotify_rm_watch(self.descriptor, self._watched.pop(folder))
        self._awaited = {watch: awaited[folder] for folder, watch in self._watched.items()}

    def drain(self) -> Heard:
        """What was told since the last time."""
        came, went, folders = set(), False, False
        for watch, mask, name in self._events():
            names = self._awaited.get(watch, _NOBODY)
            if mask & _FOLDERS_CHANGED or (name and name in names):
                folders = True
            elif "" in names and name and self._matters(name):
                if mask & _WENT:
                    went = True
                else:
                    came.add(name)
        return Heard(frozenset(came), went, folders)

    def close(self) -> None:
        """Watch nothing any more."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
            self._watched.clear()

    def _events(self) -> Iterator[tuple[int, int, str]]:
        while self.descriptor is not None:
            try:
                buffer = os.read(self.descriptor, 65536)
            except BlockingIOError:
                return
            offset = 0
            while offset < len(buffer):
                watch, mask, _cookie, length = _EVENT.unpack_from(buffer, offset)
                offset += _EVENT.size + length
                yield watch, mask, os.fsdecode(buffer[offset - length : offset].rstrip(b"\0"))

    def _watch(self, folder: Path) -> None:
        if self.descriptor is None:
            return
        watch = int(self._libc.inotify_add_watch(self.descriptor, os.fsencode(folder), _CHANGES | _ONLY_FOLDERS))
        if watch >= 0:
            before, self._watched[folder] = self._watched.get(folder, watch), watch
            if before != watch:  # another folder lies there now
                self._libc.inotify_rm_watch(self.descriptor, before)
        elif ctypes.get_errno() not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):  # those: the next look decides
            reason = os.strerror(ctypes.get_errno())
            _log.warning("latches cannot be watched (%s): looking for them twice a second", reason)
            self.close()


def _is_folder(path: Path) -> bool:
    """Whether a folder is there that this user may see."""
    return os.path.isdir(path)  # noqa: PTH112 (that of Path raises for one that may not be seen)
