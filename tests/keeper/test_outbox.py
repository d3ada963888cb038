"""The outbox: whoever does not read holds up nobody else."""

from __future__ import annotations

from backends.keeper.outbox import GATES, Outbox
from tests.keeper.parts import endpoint


def test_hundreds_who_do_not_read_leave_room_for_one_who_does() -> None:
    """A datagram that nobody reads stays in its sender's buffer; one socket's is full after a few hundred."""
    outbox, reader = Outbox(GATES), endpoint()
    deaf = [endpoint().getsockname() for _ in range(500)]

    taken = sum(outbox.send(bytes(300), address) for address in deaf for _ in range(10))
    through = outbox.send(b"stop", reader.getsockname())
    outbox.close()

    assert taken > 4000
    assert through
    assert reader.recv(100) == b"stop"


def test_a_full_queue_is_told_apart_from_a_socket_that_is_gone() -> None:
    outbox, full, gone = Outbox(), endpoint(), endpoint()
    address = gone.getsockname()
    gone.close()

    answers = [outbox.send(b"x", full.getsockname()) for _ in range(1000)]
    to_nobody = outbox.send(b"x", address)
    outbox.close()

    assert (answers[0], answers[-1]) == (True, False)
    assert to_nobody
