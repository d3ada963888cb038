"""The reception: what workers say of themselves, by whichever door, reaches the roster and those it is for.

Returns at once, from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from backends.keeper.beats import Ack, Beat
from backends.keeper.peers import Peer
from backends.keeper.roster import Heard, Instant, Roster
from core.ports import WorkerRow


class Concerned(Protocol):
    """Who has to hear of it. Each returns at once."""

    def acknowledged(self, worker_id: str) -> None:
        """A worker said something new about stops in its beat, or left."""

    def obeying(self, stop_id: str) -> None:
        """More workers obey a stop."""

    def joined(self, worker_id: str, address: bytes | str, revision: int) -> None:
        """A worker is heard of at this address for the first time; it knows the fleet up to ``revision``."""

    def obeys(self, address: bytes | str, revision: int, stop_ids: Sequence[str]) -> None:
        """A worker that knows the fleet up to ``revision`` has these stops in force; said with each beat."""


class Reception:
    """Hears workers for one roster."""

    def __init__(self, roster: Roster, concerned: Concerned, now: Callable[[], Instant]) -> None:
        self._roster = roster
        self._concerned = concerned
        self._now = now

    def beat(self, beat: Beat, peer: Peer) -> Heard:
        """Hear one heartbeat; the answer says where it was not believed."""
        heard = self._roster.beat(beat, peer, self._now())
        if heard.refused:
            return heard
        if heard.fresh:
            self._concerned.joined(beat.worker_id, peer.address, beat.revision)
        if heard.acknowledged:
            self._concerned.acknowledged(beat.worker_id)
        if beat.stops:
            self._concerned.obeys(peer.address, beat.revision, beat.stops)
        return heard

    def acknowledge(self, acks: Iterable[tuple[Ack, Peer]]) -> None:
        """Hear that workers obey one more stop each."""
        for stop_id in self._roster.acknowledge(acks, self._now()):
            self._concerned.obeying(stop_id)

    def meet(self, rows: Iterable[WorkerRow]) -> None:
        """Take over what other keepers wrote down of workers that are not known here."""
        self._roster.seed(rows, self._now())

    def leave(self, worker_id: str, peer: Peer, boot: str = "") -> bool:
        """Hear that a worker ends on purpose; False where it is unknown, or said by somebody else."""
        left = self._roster.leave(worker_id, peer, self._now(), boot)
        if left:
            self._concerned.acknowledged(worker_id)
        return left
