"""The stop lane has nothing in common with what is in its way."""

from __future__ import annotations

import json
import resource
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends import stop_lane
from backends.server.writer import WAITING_MAX
from opsconsole.cli.main import run
from opsgate import Gate
from opsgate.order import Order
from opsgate.wire import DOOR_HEADER
from tests.conftest import FULL
from tests.support.serving import Served, adjacent, server_process, serving
from tests.support.waiting import eventually

AS_STOP_PORT = {DOOR_HEADER: "stop"}

IDLE = 5_000 if FULL else 500
"""Connections that say nothing."""

WAITING = WAITING_MAX + 20
"""Commands that wait for the database: more than there is room for."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server in a process of its own: this one must not open its database in the same process."""
    with server_process(f"sqlite:///{tmp_path / 'fleet.db'}", "--dev") as one:
        yield one


def saturate(served: Served, opened: ExitStack) -> None:
    """Connections that say nothing, and commands that wait for a database which nobody gets."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    body = json.dumps({"kind": "set-limit", "name": "sites", "limit": 3}).encode()
    head = (
        b"POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for _ in range(min(IDLE, most - WAITING - 500)):
        opened.enter_context(socket.create_connection((host, int(port))))
    for _ in range(WAITING):
        asking = opened.enter_context(socket.create_connection((host, int(port))))
        asking.sendall(head % len(body) + body)


def test_a_stop_is_in_force_while_the_database_is_locked_and_every_request_waits(served: Served) -> None:
    with ExitStack() as opened:
        events = opened.enter_context(served.stream("/v1/gate/events"))
        assert next(event for event in events if event["event"] == "snapshot")
        path = served.backend.removeprefix("sqlite:///")
        lock = opened.enter_context(closing(sqlite3.connect(f"/{path.lstrip('/')}", isolation_level=None)))
        gate = opened.enter_context(Gate.open(served.url, worker="w1"))
        eventually(lambda: gate.freshness == "valid")
        lock.execute("BEGIN IMMEDIATE")
        saturate(served, opened)

        pool = opened.enter_context(ThreadPoolExecutor(1))
        stopping = pool.submit(served.stop, reason="smoke", stop_id="S-locked")
        took_s = eventually(lambda: not gate.allowed(site="any"))
        answer = stopping.result()
        order = next(event for event in events if event["event"] == "order")

        assert (answer.status_code, answer.json()["durable"] == "database") == (202, False), "the journal has to wait"
        eventually(lambda: served.stop(reason="smoke", stop_id="S-locked").json()["durable"] == "spool")  # latched
        assert order["data"]["stop_id"] == "S-locked"
        assert [one["stop_id"] for one in served.get("/v1/gate").json()["orders"]] == ["S-locked"]
        assert served.get("/v1/check", params={"site": "any"}).json()["outcome"] == "blocked"
        print(f"in force at a gate after {took_s * 1000:.0f} ms")  # noqa: T201 (shown with -rP)

        lock.execute("ROLLBACK")
        eventually(lambda: served.get("/v1/gate").json()["orders"] == [])
        assert "S-locked" in [stop["stop_id"] for stop in served.get("/v1/gate").json()["snapshot"]["stops"]]


def test_a_stop_is_taken_by_whatever_way_it_is_said(served: Served) -> None:
    port = f"{served.stop_url}/v1/stop"
    assert served.http.post(port).status_code in {200, 202}
    typed = served.http.post(port, content=b'{"reason": "x"}', headers={"content-type": "text/plain"})
    assert typed.status_code in {200, 202}
    keyed = [served.http.post(port, headers={"Idempotency-Key": '"S-mine"'}) for _ in range(2)]
    assert [answer.json()["stop_id"] for answer in keyed] == ["S-mine", "S-mine"]
    whole = Order("S-whole", datetime.now(UTC), reason="r" * 400, actor="somebody else").as_dict()
    assert served.http.post("/v1/stop", json=whole).json()["stop_id"] == "S-whole", "the other port takes it too"
    eventually(lambda: served.get("/v1/gate").json()["orders"] == [])
    stops = served.get("/v1/state").json()["state"]["stops"]
    assert [stop[7] for stop in stops if stop[0] == "S-whole"] == ["dev"], "by whom, the credential says"
    page = served.http.post(port, headers={"Origin": "http://evil.example"})
    assert page.status_code == 403


def test_a_stop_for_one_server_is_not_done_by_another_whose_main_port_is_behind_its_own(tmp_path: Path) -> None:
    """The one that is meant is away; nobody knows yet which fleet that is."""
    with (
        adjacent() as (first, second),
        serving(f"sqlite:///{tmp_path / 'other.db'}", port=second) as other,
    ):
        before = other.revision
        fired = stop_lane.fire(stop_lane.new_order(), url=f"http://127.0.0.1:{first}")

        assert [told.word for told in fired.servers] == ["absent"]
        assert (other.revision, other.get("/v1/gate").json()["orders"]) == (before, [])


def test_a_stop_port_behind_its_main_one_says_whose_it_is_and_one_elsewhere_is_none(tmp_path: Path) -> None:
    with adjacent() as (first, second), serving(f"sqlite:///{tmp_path / 'a.db'}", port=first, stop_port=second) as one:
        answers = [one.http.post(f"{url}/v1/stop", headers=AS_STOP_PORT) for url in (one.stop_url, one.url)]
        plain = one.stop(stop_id="S-plain").json()

    taken, refused = answers
    assert {taken.json()["server"], plain["server"]} == {taken.json()["server"]}
    assert (taken.json()["fleet"], taken.json()["door"]) == (one.room.fleet, "stop")
    assert (refused.status_code, refused.json()["code"]) == (421, "another-door")
    assert "this is the main port of server" in refused.json()["detail"]


def test_a_server_whose_stop_port_is_taken_does_not_start_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with adjacent() as (first, second), socket.create_server(("127.0.0.1", second)):
        backend = f"sqlite:///{tmp_path / 'a.db'}"
        assert run(["serve", "-b", backend, "--dev", "--port", str(first)]) == 1

    said = capsys.readouterr().err
    assert f"nobody can listen on 127.0.0.1 port {second}" in said
    assert "end what listens there, or choose another one by --stop-port" in said
    assert not (tmp_path / "a.db").exists()
