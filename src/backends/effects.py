"""What happens outside the database after a commit: latches go, and the keeper is told to look."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from backends.milestones import Milestone, passing
from backends.spool import recorded_id
from core.engine import Effect
from opsgate import latch
from opsgate.paths import fleet_of_url, keeper_socket
from opsgate.wire import encode


def carry_out(effects: Iterable[Effect], fleet: str, url: str) -> tuple[str, ...]:
    """Remove the latches of what was released; returns a note for each that could not be removed.

    A latch may lie under the fleet's id or under the hash of the URL (placed when the id was not known). One for all
    fleets stays for the others. One that cannot be removed keeps this host stopped: that is the safe side, and somebody
    must be told.
    """
    notes = []
    for effect in effects:
        names = fleet, fleet_of_url(url)
        by_hand = (order.stop_id for order in latch.in_force(names) if recorded_id(order) == effect.stop_id)
        passing(Milestone.LATCH_REMOVING)
        try:
            latch.recovered(next(by_hand, effect.stop_id), names)
        except OSError as error:
            notes.append(f"a latch of {effect.stop_id} is still on this host: {error.strerror}")
        passing(Milestone.LATCH_REMOVED)
    return tuple(notes)


def hint(fleet: str) -> None:
    """Tell the keeper of this host, if one is alive, that something was committed. Never waits, never fails."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.setblocking(False)
        try:
            channel.sendto(encode("hint"), str(keeper_socket(fleet)))
        except OSError:
            pass  # nobody listens, or is too busy to need the hint: the database is the truth
