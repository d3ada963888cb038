"""An engine room may live where another one of its fleet has the sockets, and takes them over when that one leaves."""

from pathlib import Path

import pytest

from backends import keeper, open_backend, stop_lane
from backends.keeper.room import EngineRoom
from core.capabilities.emergencies import OrderStop
from core.capabilities.names import AddName
from core.capabilities.recovery import AbortRecovery, Recover
from opsgate.selector import EVERYTHING
from tests.support.fleets import say
from tests.support.waiting import eventually


def test_the_second_one_lives_without_the_sockets_and_has_them_when_the_first_has_left(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    open_backend(url).close()
    first = EngineRoom(url)
    first.start()
    with pytest.raises(BlockingIOError):
        EngineRoom(url, alone=True)
    second = EngineRoom(url, alone=False)
    second.start()
    assert (first.house is not None, second.house) == (True, None)
    assert first.services.host().commands is None, "nobody but this user says what services there are"

    first.close("it is time")

    eventually(lambda: second.house is not None)
    eventually(lambda: keeper.alive(url))
    assert stop_lane.fire(stop_lane.new_order(), url=url).keeper == "answered"
    second.close("it is time")
    assert keeper.alive(url) is None


def test_it_does_not_leave_while_something_is_being_recovered(tmp_path: Path) -> None:
    """Nobody else would watch what has come back, or stop it again."""
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    backend = open_backend(url)
    emergency_id = str(backend.submit(say(OrderStop(stop_id="S-1", selectors=(EVERYTHING,)))).emergency_id)
    room = EngineRoom(url)
    room.start()
    eventually(lambda: room.idle_for_s() > 0)

    backend.submit(
        say(Recover(emergency_id=emergency_id, reason="mended", confirm="all", procedure="standard_recovery"))
    )
    room.runtime.state()
    assert room.idle_for_s() == 0.0

    backend.submit(say(AbortRecovery(emergency_id=emergency_id)))
    room.runtime.state()
    eventually(lambda: room.idle_for_s() > 0)
    room.close("it is time")
    backend.close()


def test_who_records_stops_does_not_fold_what_the_room_has_folded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    open_backend(url).close()
    room = EngineRoom(url)
    room.start()
    names = iter(range(10_000))

    def is_taken_over() -> bool:
        folded, known = room._stop_runtime.latest(), room.runtime.latest()
        if folded is not known and folded.revision == known.revision:  # it looked while that was being committed
            room.runtime.submit(say(AddName(dimension="site", name=f"s{next(names)}")))
        return folded is known

    eventually(is_taken_over)
    room.close("it is time")
