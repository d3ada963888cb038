"""A file that names a process: believed only as far as it can be checked."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backends.drivers import procs
from backends.drivers.procs import Seen

_SLACK_S: Final = 1.0
"""How much later than its file a process may seem to have started: the two times are read from different clocks."""

_BYTES_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Named:
    """What a file says, checked. ``process`` is None where the one that it means is gone; ``holder`` is the process
    that gathers its tree, where one of ours does. ``younger`` has its number and user, and seems to have started after
    the file was written: another one, or the clock was put forward since. ``fault`` is why nothing of it is believed.
    """

    process: Seen | None = None
    holder: Seen | None = None
    is_there: bool = True
    fault: str = ""
    younger: Seen | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a file says, before anybody has looked whether it is so. ``is_own`` is whether it is ours: of a file of
    somebody else's only the number is believed."""

    numbers: tuple[int, ...] = ()
    written_s: float = 0.0
    is_own: bool = False
    is_there: bool = True
    fault: str = ""


def read(path: Path, uid: int) -> Written:
    """What a file of this user, of ours or of root says: ``PID``, or ``PID TICKS HOLDER TICKS`` as we write it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o022 or found.st_uid not in (0, uid, os.geteuid()):
                return Written(fault=f"{path}: others can write what it says: it is not believed")
            words = os.read(descriptor, _BYTES_MAX).split()
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return Written(is_there=False)
    except OSError as error:
        return Written(fault=f"{path}: {error.strerror}")
    if not words or not all(word.isdigit() and len(word) < 20 for word in words[:4]):
        return Written(fault=f"{path}: it names no process")
    numbers = tuple(int(word) for word in words[:4])
    return Written(numbers, found.st_mtime, is_own=found.st_uid == os.geteuid())


def named(path: Path, uid: int, written: Written, everybody: Mapping[int, Seen]) -> Named:
    """Whom a file names, among ``everybody`` who was seen after it was read."""
    if written.fault or not written.is_there:
        return Named(is_there=written.is_there, fault=written.fault)
    process = everybody.get(written.numbers[0])
    known = written.numbers[1] if len(written.numbers) > 1 else None
    younger = None
    if process is not None and not _is_meant(process, known, written.written_s):
        younger = process if known is None and process.uid == uid and process.is_alive else None
        process = None  # its number was given to another one since
    if process is not None and process.pid in procs.untouchable():
        return Named(fault=f"{path} names process {process.pid}, which is never touched")
    if process is not None and process.uid != uid:
        return Named(fault=f"{path} names process {process.pid} of user {process.uid}, not of user {uid}")
    return Named(process, _holder(written, everybody), younger=younger)


def _is_meant(process: Seen, started: int | None, written_s: float) -> bool:
    """Whether a process is the one that was meant: it started at that tick, or before the file was written."""
    if started is not None:
        return process.started == started
    return process.age_s + _SLACK_S >= time.time() - written_s


def _holder(written: Written, everybody: Mapping[int, Seen]) -> Seen | None:
    """The process of ours that gathers the tree, where it still lives. Only our own file is believed in that."""
    if len(written.numbers) < 4 or not written.is_own:
        return None
    found = everybody.get(written.numbers[2])
    ours = found is not None and found.started == written.numbers[3] and found.uid == os.geteuid() and found.is_alive
    return found if ours and written.numbers[2] not in procs.untouchable() else None
