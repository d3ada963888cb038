"""What the server keeps for workers that ask now and then is bounded, however many names there have been."""

from backends.server import gates
from backends.server.gates import Gates
from opsgate import wire


def test_of_names_that_never_ask_again_the_oldest_are_let_go() -> None:
    kept = Gates()
    message = wire.encode("moved", revision=3)

    for number in range(gates._ADDRESSES_MAX + 5):
        kept.tell(message, f"http:pod-{number}")

    assert kept.messages_for("http:pod-0") == []
    assert kept.messages_for(f"http:pod-{gates._ADDRESSES_MAX + 4}") == [wire.decode(message)]
