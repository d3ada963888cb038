"""The stop lane: latch and keeper are told at once, and each route is reported by itself."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from backends import stop_lane
from backends.stop_lane import ANSWER_S
from opsconsole.lane import Lane
from opsgate import latch, wire
from opsgate.paths import ALL_FLEETS, fleet_of_url, keeper_socket, latch_home, runtime_home, stop_socket
from opsgate.selector import Selector
from tests.hygiene.tree import run_python
from tests.support.waiting import eventually

URL = "sqlite:////nowhere/at/all.db"
Answer = Callable[[Mapping[str, Any]], bytes | None]


@contextmanager
def someone_listens(fleet: str, answer: Answer) -> Iterator[list[Mapping[str, Any]]]:
    """A socket where the keeper's stop socket of ``fleet`` would be; yields what it is told."""
    runtime_home().mkdir(mode=0o700, parents=True, exist_ok=True)
    told: list[Mapping[str, Any]] = []
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(str(stop_socket(fleet)))

    def listen() -> None:
        while True:
            datagram, sender = channel.recvfrom(wire.MAX_DATAGRAM * 4)
            message = wire.decode(datagram)
            if message is None or message["t"] == "end":
                return
            told.append(message)
            if reply := answer(message):
                channel.sendto(reply, sender)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield told
    finally:
        wire.tell(str(stop_socket(fleet)), "end")
        thread.join()
        channel.close()
        stop_socket(fleet).unlink()


def recorded(message: Mapping[str, Any]) -> bytes:
    """What a keeper says that has recorded the order."""
    stop_id = message["order"]["stop_id"]
    return wire.encode("ordered", stop_id=stop_id, durable="database", revision=7, emergency_id="E-5", of=12)


def test_with_nothing_alive_the_order_is_spooled_as_a_latch_that_says_everything() -> None:
    order = stop_lane.new_order(
        (Selector.of(site="s1"),), level="graceful", reason="smoke", actor="ada", door="console"
    )

    fired = stop_lane.fire(order, url=URL)

    assert (fired.durable, fired.keeper, fired.latched, fired.in_force) == ("spool", "absent", True, True)
    assert latch.in_force([fleet_of_url(URL)]) == (order,)


def test_a_keeper_that_records_the_order_answers_with_its_place_in_the_journal() -> None:
    order = stop_lane.new_order()
    with someone_listens("f1", recorded) as told:
        fired = stop_lane.fire(order, url=URL, fleet="f1")

    assert (fired.durable, fired.keeper, fired.revision, fired.emergency_id, fired.of) == (
        "database",
        "answered",
        7,
        "E-5",
        12,
    )
    assert [message["order"]["stop_id"] for message in told] == [order.stop_id]
    assert latch.latched(order.stop_id, ["f1"])


class Impatient(socket.socket):
    """A socket that notes for how long it was told to wait."""

    waits_s: list[float]

    def settimeout(self, value: float | None, /) -> None:
        """Note it."""
        assert value is not None, "it would wait for ever"
        self.waits_s.append(value)
        super().settimeout(value)


def test_a_silent_keeper_costs_half_a_second_and_leaves_the_stop_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_lane, "ANSWER_S", ANSWER_S)
    channel = Impatient(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind("")
    channel.waits_s = []
    with someone_listens("f1", lambda _message: None), monkeypatch.context() as patched:
        patched.setattr(wire, "endpoint", lambda: channel)
        fired = stop_lane.fire(stop_lane.new_order(), url=URL, fleet="f1")

    assert fired.keeper == "silent"
    assert channel.waits_s == sorted(channel.waits_s, reverse=True), "the time that is left, and no more"
    assert channel.waits_s[0] <= 0.5
    eventually(lambda: latch.in_force(["f1"]))


def test_an_answer_to_another_order_is_not_taken_for_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = wire.encode("ordered", stop_id="S-other", durable="database", revision=9)
    with someone_listens("f1", lambda _message: stranger), no_thread_to_be_had(monkeypatch):
        fired = stop_lane.fire(stop_lane.new_order(), url=URL, fleet="f1", timeout_s=0.2)

    assert (fired.durable, fired.keeper, fired.revision) == ("spool", "silent", None)


def test_without_a_place_for_the_latch_the_keeper_alone_stops_the_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSGATE_LATCH_DIR", "/proc/self/no-such-place")
    with someone_listens("f1", recorded):
        fired = stop_lane.fire(stop_lane.new_order(), url=URL, fleet="f1")

    assert (fired.durable, fired.latched, fired.in_force) == ("database", False, True)
    assert "no-such-place" in fired.latch_fault


def test_an_order_that_reached_neither_disk_nor_keeper_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSGATE_LATCH_DIR", "/proc/self/no-such-place")

    fired = stop_lane.fire(stop_lane.new_order(), url=URL)

    assert (fired.durable, fired.in_force) == ("memory", False)


def test_a_latch_directory_that_anyone_may_write_is_not_used(home: Path) -> None:
    latch_home().mkdir(parents=True)
    latch_home().chmod(0o777)

    fired = stop_lane.fire(stop_lane.new_order(), url=URL)

    assert not fired.latched
    assert "chmod" in fired.latch_fault


def test_a_disk_that_hangs_holds_up_neither_the_keeper_nor_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(latch, "place", lambda *_: release.wait(120))
    with someone_listens("f1", recorded) as told:
        fired = stop_lane.fire(stop_lane.new_order(), url=URL, fleet="f1", timeout_s=0.5)
    release.set()

    assert (len(told), fired.latched) == (1, False)
    assert fired.keeper in {"answered", "silent"}, "a busy one may be late"


@contextmanager
def no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every thread that is to be started is refused, as where the user's processes or the memory are used up."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        yield


def test_where_no_thread_can_be_started_the_stop_leaves_by_both_routes_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = stop_lane.new_order()
    with someone_listens("f1", recorded) as told, no_thread_to_be_had(monkeypatch):
        fired = stop_lane.fire(order, url=URL, fleet="f1")

    assert (fired.durable, fired.keeper, fired.latched) == ("database", "answered", True)
    assert [message["order"]["stop_id"] for message in told] == [order.stop_id]
    assert latch.in_force(["f1"]) == (order,)


def test_where_no_thread_can_be_started_the_keeper_is_told_before_the_disk_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = threading.Event()
    heard_first: set[bool] = set()

    def answer(message: Mapping[str, Any]) -> bytes:
        heard.set()
        return recorded(message)

    monkeypatch.setattr(latch, "place", lambda *_: heard_first.add(heard.wait(60)))
    with someone_listens("f1", answer), no_thread_to_be_had(monkeypatch):
        fired = stop_lane.fire(stop_lane.new_order(), url=URL, fleet="f1")

    assert heard_first == {True}
    assert (fired.keeper, fired.latched) == ("answered", True)


def test_the_console_that_can_start_no_thread_stops_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[stop_lane.Fired | Exception] = []
    lane = Lane(stop_lane.new_order, lambda order: stop_lane.fire(order, url=URL))
    lane.answered = lambda _order, answer: answers.append(answer)

    with no_thread_to_be_had(monkeypatch):
        order = lane.fire()

    assert [answer.durable for answer in answers if isinstance(answer, stop_lane.Fired)] == ["spool"]
    assert latch.in_force([fleet_of_url(URL)]) == (order,)


def test_where_servers_are_told_with_a_credential_no_keeper_of_this_host_is_told_without_one() -> None:
    with someone_listens("f1", recorded) as told:
        fired = stop_lane.fire(stop_lane.new_order(), url="http://127.0.0.1:1", fleet="f1", token="t")

    assert told == []
    assert (fired.keeper, fired.latched, [each.word for each in fired.servers]) == ("absent", True, ["absent"])


def test_where_no_socket_can_be_had_the_latch_alone_stops_the_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> socket.socket:
        raise OSError(24, "Too many open files")

    order = stop_lane.new_order()
    with someone_listens("f1", recorded), monkeypatch.context() as patched:
        patched.setattr(wire, "endpoint", refuse)
        fired = stop_lane.fire(order, url=URL, fleet="f1")

    assert (fired.durable, fired.keeper, fired.in_force) == ("spool", "absent", True)
    assert latch.in_force(["f1"]) == (order,)


def test_a_latch_that_fails_in_an_unforeseen_way_does_not_keep_the_order_from_the_keeper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def burst(*_: object) -> None:
        raise MemoryError("no memory for the order")

    monkeypatch.setattr(latch, "place", burst)
    with someone_listens("f1", recorded), no_thread_to_be_had(monkeypatch):
        fired = stop_lane.fire(stop_lane.new_order(), url=URL, fleet="f1")

    assert (fired.keeper, fired.in_force, fired.latched) == ("answered", True, False)
    assert "no memory" in fired.latch_fault


def test_an_order_too_large_for_a_datagram_is_named_and_lies_in_the_latch() -> None:
    sites = tuple(Selector.of(site=f"a-site-with-quite-a-long-name-{number}") for number in range(5_000))
    order = stop_lane.new_order(sites)
    with someone_listens("f1", lambda _message: None) as told:
        stop_lane.fire(order, url=URL, fleet="f1", timeout_s=0.2)

    assert told == [{"t": "order", "stop_id": order.stop_id}]
    eventually(lambda: latch.in_force(["f1"]) == (order,))


def test_a_stop_without_a_backend_is_for_every_fleet_of_the_host() -> None:
    order = stop_lane.new_order()
    with someone_listens("f1", recorded) as one, someone_listens("f2", recorded) as two:
        fired = stop_lane.fire(order, url=None)

    assert [len(one), len(two)] == [1, 1]
    assert (fired.durable, fired.keeper) == ("database", "answered")
    assert latch.latched(order.stop_id, [ALL_FLEETS])


def test_the_word_of_a_keeper_names_the_fleet_and_an_old_word_does_no_harm() -> None:
    """A keeper leaves a link from the URL's hash to its fleet; the latch then lies under both names."""
    runtime_home().mkdir(mode=0o700, parents=True)
    keeper_socket(fleet_of_url(URL)).symlink_to("f9.sock")
    order = stop_lane.new_order()

    stop_lane.fire(order, url=URL)

    assert stop_lane.known_fleet(URL) == "f9"
    assert latch.latched(order.stop_id, ["f9"])
    assert latch.latched(order.stop_id, [fleet_of_url(URL)])


def test_stopping_loads_nothing_but_the_standard_library_and_the_gate() -> None:
    probe = """
import json, sys
from backends.stop_lane import fire, new_order
fire(new_order(), url=None)
tops = {name.partition(".")[0] for name in sys.modules}
print(json.dumps(sorted(tops - sys.stdlib_module_names - {"__main__"})))
print(json.dumps(sorted({"sqlite3", "asyncio", "ctypes", "http", "ssl", "random"} & set(sys.modules))))
"""
    ours, heavy = map(json.loads, run_python("-S", "-c", probe).stdout.splitlines())

    assert set(ours) <= {"backends", "core", "opsgate"}  # of core no more than its errors, or it would need pydantic
    assert heavy == []


def test_a_stop_that_has_been_fired_survives_the_death_of_whoever_fired_it(home: Path) -> None:
    probe = """
import os, signal
from backends.stop_lane import fire, new_order
fire(new_order(reason="last words"), url="sqlite:////nowhere/at/all.db")
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run(
        [sys.executable, "-c", probe], env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, check=False
    )

    assert ended.returncode == -9
    assert [order.reason for order in latch.in_force([fleet_of_url(URL)])] == ["last words"]
