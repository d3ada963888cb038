"""PostgreSQL ends suddenly, or freezes with all its connections open: a stop takes effect all the same and is recorded
when the server is back. A server of this test's own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest

from backends import spool, stop_lane
from core.errors import BackendUnavailable
from opsgate.clock import elapsed_s
from opsgate.order import Order
from tests.keeper.fleet import kept_fleet
from tests.simulation.harness import tell
from tests.support.postgres import Server
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that may be ended."""
    made = Server.start()
    yield made
    made.remove()


def send_all(server: Server, number: int) -> None:
    """A signal to the server and to each process that serves a connection."""
    parent = psutil.Process(server.pid())
    for process in (parent, *parent.children(recursive=True)):
        os.kill(process.pid, number)


ENDS: dict[str, tuple[Callable[[Server], None], Callable[[Server], None]]] = {
    "ended": (lambda server: server.stop("immediate"), lambda server: server.resume()),
    "frozen": (lambda server: send_all(server, signal.SIGSTOP), lambda server: send_all(server, signal.SIGCONT)),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_stop_works_without_its_server_and_is_recorded_afterwards(server: Server, how: str) -> None:
    end, mend = ENDS[how]
    with server.database() as url, kept_fleet(url) as fleet:
        worker = fleet.worker("w1")
        end(server)
        try:
            order = stop_lane.new_order(reason=how)
            began_s = elapsed_s()
            fired = fleet.fire(order)
            answered_s = elapsed_s() - began_s
            told_s = eventually(lambda: worker.heard("order")) + answered_s
            worker.beat(order.stop_id)

            assert (fired.durable, fired.keeper) == ("spool", "answered")
            with pytest.raises(BackendUnavailable):
                spool.require_recorded(fleet.backend, timeout_s=0.5)
        finally:
            mend(server)
        mended_s = elapsed_s()

        eventually(lambda: known(fleet.result, order))
        recorded_s = elapsed_s() - mended_s
        eventually(lambda: fleet.result(order) == "verified")
        stop = fleet.find(order)
        assert stop is not None
        assert stop.of == ("w1",)
        tell(
            f"{how}: answered after {answered_s * 1000:.0f} ms, gate told by {told_s * 1000:.0f} ms, "
            f"recorded {recorded_s * 1000:.0f} ms after the cure"
        )


def known(result: Callable[[Order], str], order: Order) -> bool:
    """Whether the journal has the order; a server that is coming back may refuse the question."""
    try:
        return result(order) != "unknown"
    except BackendUnavailable:
        return False
