"""A process and everything that came of it: found by descent, by session, by having been seen, or by its cgroup.

A tree that is to end is frozen first, until a look finds nothing new; then nothing in it can fork away. Members that
were once seen stay members, so one that lost its parent is not lost.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from typing import Final

from backends.drivers import procs
from backends.drivers.procs import Census, Seen
from opsgate.clock import elapsed_s

_LOOK_S: Final = 0.005
_LOOKS_MAX: Final = 200
"""Looks in which a tree that forks faster than it is frozen may go on; then what is known of it is killed all the same.
"""


class Tree:
    """The processes of one service. From any thread: nothing that could hang is done under its lock."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Seen] = {}
        self._lock = threading.Lock()

    def members(self, now: Census, roots: Iterable[Seen], *, without: frozenset[int] = frozenset()) -> tuple[Seen, ...]:
        """Everybody alive ``now`` who descends from these, from anyone seen before, or shares the session that one of
        them leads. Who may never be touched is left out, and ``without`` too: what descends from those is not."""
        never = procs.untouchable() | without
        with self._lock:
            return self._found(now, roots, without, never)

    def _found(
        self, now: Census, roots: Iterable[Seen], without: frozenset[int], never: frozenset[int]
    ) -> tuple[Seen, ...]:
        self._known = {key: process for key, process in self._known.items() if now.has(process) or _lives(process)}
        tree = {p.pid for p in (*roots, *self._known.values()) if now.has(p)} | (without & now.everybody.keys())
        uids = {now.everybody[pid].uid for pid in tree}
        for pid in tree - without:  # in the session that it leads; a holder leads one for its own
            tree = tree | {p for p in now.sessions.get(pid, ()) if now.everybody[p].uid in uids}
        waiting = list(tree)
        while waiting:
            new = [child for child in now.children.get(waiting.pop(), ()) if child not in tree]
            tree.update(new)
            waiting += new
        found = tuple(now.everybody[pid] for pid in sorted(tree - never) if now.everybody[pid].is_alive)
        self._known.update((process.identity, process) for process in found)
        return found


def _lives(process: Seen) -> bool:
    """Whether a process lives that an older look than another call's did not find."""
    found = procs.seen(process.pid)
    return found is not None and found.identity == process.identity


def sweep(first: tuple[Seen, ...], look: Callable[[], tuple[Seen, ...]], timeout_s: float) -> tuple[Seen, ...]:
    """Freeze these and whoever ``look`` finds until it finds nobody new, kill them all, and wait until they are gone.
    Returns those that are not: nobody can end a process that waits in the kernel."""
    until_s = elapsed_s() + timeout_s
    frozen = _freeze(first, look, until_s)
    for process in frozen:
        procs.send(process, signal.SIGKILL)
    for process in frozen:
        procs.ended_within(process, until_s - elapsed_s())
    while (left := look()) and elapsed_s() < until_s:
        for process in left:
            procs.send(process, signal.SIGKILL)
        procs.ended_within(left[0], min(_LOOK_S, max(0.0, until_s - elapsed_s())))
    return left


def _freeze(first: tuple[Seen, ...], look: Callable[[], tuple[Seen, ...]], until_s: float) -> tuple[Seen, ...]:
    frozen: dict[tuple[int, int], Seen] = {}
    new = list(first)
    for _ in range(_LOOKS_MAX):
        for process in new:
            procs.send(process, signal.SIGSTOP)
            frozen[process.identity] = process
        if not frozen or elapsed_s() >= until_s:
            break
        new = [process for process in look() if process.identity not in frozen]
        if not new:
            break
    return tuple(frozen.values())
