"""Several servers on one host and one database: the first has the house, the others live without its sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from httpx import Response

from opsgate.http_faults import REPLACED
from tests.support.serving import Served, server_process, serving
from tests.support.waiting import eventually


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Served, Served]]:
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    with ExitStack() as running:
        first = running.enter_context(server_process(url, "--dev"))
        yield first, running.enter_context(server_process(url, "--dev"))


def test_what_one_server_is_told_the_clients_of_the_other_hear_and_a_stop_most_of_all(
    pair: tuple[Served, Served],
) -> None:
    first, second = pair
    beat = {"pid": 1, "started": "a", "scope": {}, "revision": 0, "stops": [], "in_flight": 0}
    assert first.http.put("/v1/workers/w1", json=beat).status_code == 200

    with first.stream("/v1/gate/events") as events:
        next(event for event in events if event["event"] == "snapshot")
        receipt = second.command("place-hold", selectors=[{"account": "a1"}]).json()
        delta = next(event for event in events if event["event"] == "delta")
        assert delta["data"]["delta"]["placed"][0]["hold_id"] == receipt["hold_ids"][0]

        eventually(lambda: "w1" in json.dumps(second.get("/v1/workers").json()))
        assert second.stop(stop_id="S-1").json()["stop_id"] == "S-1"
        heard = next(event for event in events if "S-1" in json.dumps(event["data"]))
        assert heard["event"] in {"order", "delta"}

    moved = second.http.put("/v1/workers/w1", json=beat | {"stops": ["S-1"]})
    assert moved.status_code == 200, "the same process may speak to any of them"

    def stop() -> tuple[str, int]:
        emergencies = second.get("/v1/emergencies").json()["emergencies"]
        if not emergencies:
            return "", 0
        found = emergencies[0]["stops"][0]
        return str(found["result"]), int(found["of"])

    eventually(lambda: stop() == ("verified", 1))  # it knew the worker of the other

    assert second.http.put("/v1/workers/w2", json=beat).status_code == 200
    eventually(lambda: "w2" in first.get("/v1/audit?after=17").text)
    assert first.http.delete("/v1/workers/w2").json() == {"left": True}, "goodbye may be said to any of them"
    eventually(lambda: "worker.left" in first.get("/v1/audit?after=17").text)
    assert "worker.lost" not in first.get("/v1/audit?after=17").text


def test_a_restart_of_a_worker_may_come_to_any_server_and_the_process_before_it_stands_still_at_all(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    with serving(url) as first:
        with serving(url) as second:
            assert _beat(first, "one").status_code == 200
            assert _beat(second, "two").status_code == 200, "it waits for nobody"

            eventually(lambda: _beat(first, "one").json().get("code") == REPLACED, within_s=60)
        assert _beat(first, "three").status_code == 200
    with serving(url) as again:
        assert _beat(again, "four").status_code == 200, "nor after a restart of the server"
        assert {_beat(again, boot).json()["code"] for boot in ("one", "two", "three")} == {REPLACED}


def _beat(server: Served, boot: str) -> Response:
    beat = {"pid": 1, "started": boot, "boot": boot, "scope": {}, "revision": 0, "stops": [], "in_flight": 0}
    return server.http.put("/v1/workers/w1", json=beat)
