"""Processes, by number and start time: a number alone is given again to somebody else.

A signal goes through a descriptor of the process (pidfd) that was compared with what was meant after it was opened, so
it reaches that process or nobody.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from typing import Final, NamedTuple

PROC: Final = "/proc"

_LINE_S: Final = 0.5

_PAUSE: Final = 2.0
"""How many times as long as a look at all processes took of the processor the next one waits: who asks meanwhile shares
it. What it waited for others is no reason to wait longer, least of all in a stop."""

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


class Seen(NamedTuple):
    """One process as it was seen. ``started`` is in clock ticks since the host did."""

    pid: int
    started: int
    parent: int
    session: int
    state: str
    uid: int

    @property
    def identity(self) -> tuple[int, int]:
        """What tells it from every other process of this host."""
        return self.pid, self.started

    @property
    def is_alive(self) -> bool:
        """Whether anything of it can still run: a zombie waits for its parent only."""
        return self.state not in "ZX"

    @property
    def age_s(self) -> float:
        """How many seconds ago it started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.started / _TICKS_PER_S


def seen(pid: int) -> Seen | None:
    """The process with this number now; None where there is none."""
    try:
        descriptor = os.open(f"{PROC}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            line = os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
        uid = os.stat(f"{PROC}/{pid}").st_uid  # noqa: PTH116 (a look at a thousand processes makes no thousand paths)
    except OSError:
        return None
    rest = line.rpartition(b")")[2].split()  # the name before it may itself hold spaces and parentheses
    return Seen(pid, int(rest[19]), int(rest[1]), int(rest[3]), rest[0].decode("ascii"), uid)


@dataclass(frozen=True, slots=True)
class Census:
    """Everybody who was seen in one look: by number, and the numbers of each one's children and session."""

    everybody: Mapping[int, Seen]
    children: Mapping[int, Sequence[int]]
    sessions: Mapping[int, Sequence[int]]

    @classmethod
    def taken(cls) -> Census:
        """A look at all processes, now."""
        everybody: dict[int, Seen] = {}
        children: dict[int, list[int]] = {}
        sessions: dict[int, list[int]] = {}
        for name in os.listdir(PROC):  # noqa: PTH208 (a look at a thousand processes makes no thousand paths)
            if name.isdigit() and (found := seen(int(name))) is not None:
                everybody[found.pid] = found
                children.setdefault(found.parent, []).append(found.pid)
                sessions.setdefault(found.session, []).append(found.pid)
        return cls(everybody, children, sessions)

    def has(self, process: Seen) -> bool:
        """Whether exactly this process was there."""
        now = self.everybody.get(process.pid)
        return now is not None and now.identity == process.identity


class Looks:
    """Looks at all processes, shared: whoever asks gets one that began after it asked, and a hundred who ask at once
    get the same.

    One of those who ask looks for all who asked before it began, and leaves the next look to one who came later. Each
    waits on a box of its own: on a common condition a hundred would wake to queue for its lock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_looking = False
        """Whether somebody looks, or is about to."""
        self._waiting: list[SimpleQueue[Census | None]] = []
        """Who gets the next look. One who gets None is to look."""
        self._rests_until_s = 0.0

    @property
    def waiting(self) -> int:
        """How many wait for the next look."""
        return len(self._waiting)

    def census(self) -> Census:
        """Everybody, as of now or a moment later."""
        with self._lock:
            box: SimpleQueue[Census | None] | None = SimpleQueue() if self.is_looking else None
            if box is not None:
                self._waiting.append(box)
            self.is_looking = True
        found = box.get() if box is not None else None
        return found if found is not None else self._look()

    def _look(self) -> Census:
        """Look for all who wait by the time it begins. They are told even where it fails, and then look for themselves,
        one after the other."""
        mine: list[SimpleQueue[Census | None]] = []
        found = None
        try:
            time.sleep(max(0.0, self._rests_until_s - time.monotonic()))  # those who ask meanwhile share this look
            with self._lock:
                mine, self._waiting = self._waiting, mine
            began_s = time.thread_time()
            found = Census.taken()
            self._rests_until_s = time.monotonic() + _PAUSE * (time.thread_time() - began_s)
        finally:
            with self._lock:
                if found is None:
                    mine, self._waiting = [], mine + self._waiting
                following = self._waiting.pop(0) if self._waiting else None
                self.is_looking = following is not None
            for box in mine:
                box.put(found)
            if following is not None:
                following.put(None)
        return found


LOOKS: Final = Looks()
"""The looks of this process."""


def forebears(pid: int) -> frozenset[int]:
    """The numbers of a process and of all from which it descends."""
    line: set[int] = set()
    while pid > 0 and pid not in line:
        line.add(pid)
        found = seen(pid)
        pid = found.parent if found else 0
    return frozenset(line)


def untouchable() -> frozenset[int]:
    """Who is never signalled: nobody, the first process, this one, and all from which it descends."""
    return _line(os.getpid(), os.getppid(), int(time.monotonic() / _LINE_S)) | {0, 1}


@lru_cache(maxsize=1)
def _line(own: int, parent: int, _now: int) -> frozenset[int]:
    """The forebears of this process, asked for anew when it is another one or has another parent, and now and then: a
    stop of a hundred services asks a thousand times."""
    return forebears(own)


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal whose default would be its death."""
    mask = _status(pid).get("SigCgt")
    return mask is not None and bool(int(mask, 16) >> (number - 1) & 1)


def program(pid: int) -> str:
    """The file that a process runs; empty where that cannot be seen."""
    try:
        return str(Path(f"{PROC}/{pid}/exe").readlink()).removesuffix(" (deleted)")
    except OSError:
        return ""


def _status(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"{PROC}/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@contextmanager
def held(process: Seen) -> Iterator[int | None]:
    """A descriptor of exactly this process, or None where it is gone or may not be touched."""
    descriptor = None
    if process.pid not in untouchable():
        try:
            descriptor = os.pidfd_open(process.pid)
        except OSError:
            pass  # it is gone
    try:
        now = None if descriptor is None else seen(process.pid)
        yield descriptor if now is not None and now.identity == process.identity else None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def send(process: Seen, number: signal.Signals) -> bool:
    """Signal exactly this process; False where it is gone, out of reach, or may not be touched."""
    with held(process) as descriptor:
        if descriptor is None:
            return False
        try:
            signal.pidfd_send_signal(descriptor, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def ended_within(process: Seen, timeout_s: float) -> bool:
    """Wait until exactly this process has ended; whether it has."""
    with held(process) as descriptor:
        if descriptor is None:
            now = seen(process.pid)
            return now is None or now.identity != process.identity or not now.is_alive
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(max(0.0, timeout_s) * 1000))
