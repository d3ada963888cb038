"""The parts of a keeper without its process: one runtime in memory, and both clocks in the hands of the test."""

from __future__ import annotations

import socket
from datetime import timedelta

from backends.keeper.beats import Beat
from backends.keeper.leader import Leader
from backends.keeper.office import Office
from backends.keeper.peers import Peer
from backends.keeper.roster import Instant, Roster
from backends.local.memory import Memory, MemoryStore
from backends.runtime import Runtime
from core.state import State
from opsgate import wire
from tests.support.fleets import Clock

_opened: list[socket.socket] = []


def endpoint() -> socket.socket:
    """A datagram socket that never waits and is closed at the end of the test."""
    channel = wire.endpoint()
    channel.setblocking(False)
    _opened.append(channel)
    return channel


def close_endpoints() -> None:
    """Close what `endpoint` opened."""
    while _opened:
        _opened.pop().close()


class Parts:
    """A fleet in memory, a roster and an office over it. ``jump`` moves the time of day alone, ``pass_`` both."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = memory or Memory("f-0123456789ab")
        self.clock = Clock()
        self.elapsed_s = 1000.0
        self.runtime = Runtime(MemoryStore(self.memory), clock=self.clock)
        self.runtime.keeper_since = self.clock.now
        self.roster = Roster(lambda pid, start: True, lambda pid: "then")
        self.leader = Leader(self.runtime)
        self.office = Office(self.runtime, self.roster, self.leader)

    def now(self) -> Instant:
        """This moment."""
        return Instant(self.clock.now, self.elapsed_s)

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.pass_(seconds)
        self.elapsed_s += seconds

    def jump(self, seconds: float) -> None:
        """Set the time of day forward or back."""
        self.clock.now += timedelta(seconds=seconds)

    @property
    def state(self) -> State:
        """The state now."""
        return self.runtime.state()

    def hear(self, worker: str, *stops: str, **draining: int) -> None:
        """Let a worker beat, with what still drains as ``S_1=2``."""
        fields = {"stops": stops, "draining": {name.replace("_", "-"): count for name, count in draining.items()}}
        self.roster.beat(Beat.of({"worker": worker, **fields}), Peer(0, 7, f"\0{worker}"), self.now())

    def write(self) -> None:
        """Write the roster down."""
        self.runtime.put_workers(self.roster.unwritten())

    def kinds(self, after: int = 17) -> list[str]:
        """The kinds of the events behind a revision; a fleet begins with seventeen."""
        return [row.kind for row in self.runtime.journal(after=after)]

    def close(self) -> None:
        """Close the runtime."""
        self.runtime.close()
