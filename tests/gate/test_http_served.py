"""The gate against a real server: what it decides, hears and acknowledges is what it does on the database itself."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backends.keeper import roster, starts
from backends.server.identity import Doorkeeper
from core.capabilities.holds import PlaceHold
from core.capabilities.tokens import CreateToken, RevokeToken, digest_of, secret_of
from core.ports import WorkerRow
from opsgate import Gate, Reservation, http_counter, leases, stream, teller
from opsgate.selector import Selector
from tests.support.fleets import say
from tests.support.serving import Served, serving
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long between two tries."""
    monkeypatch.setattr(stream, "RETRIES_S", (0.05, 0.1))
    monkeypatch.setattr(teller, "RETRIES_S", (0.05, 0.1))


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is reserved is answered, however busy the machine is."""
    for module in (http_counter, leases):
        monkeypatch.setattr(module, "ANSWER_WITHIN_S", 60.0)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a new fleet with two sites, for developers."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}") as one:
        for site in ("s1", "s2"):
            one.command("add-name", dimension="site", name=site)
        yield one


@pytest.fixture
def worker() -> str:
    """A name that no other test uses."""
    return f"w-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def gate(served: Served, worker: str) -> Iterator[Gate]:
    """A gate that hears the server, and is heard."""
    with Gate.open(served.url, worker=worker) as gate:
        eventually(lambda: gate.freshness == "valid" and worker in served.room.roster.entries)
        yield gate


def release(served: Served, **selector: str) -> None:
    served.command("release-holds", selectors=[selector], reason="over").raise_for_status()


def test_it_decides_as_a_gate_on_the_database_does(served: Served, gate: Gate) -> None:
    served.command("place-hold", selectors=[{"site": "s1"}], reason="broken")
    served.command("place-hold", selectors=[{"site": "s2", "operation": "ab_testing"}], mode="halt", admit=0.5)
    served.command("set-switch", dimension="operation", names=["enableSiteCreation"], on=False)
    served.command("set-switch", dimension="workflow", names=["xml-import"], on=False)
    served.command("set-limit", name="gsc_requests", limit=0)
    served.command("place-hold", selectors=[{"env": "dev"}, {"account": "a1"}])
    with Gate.open(served.backend) as other:
        eventually(lambda: gate.revision == other.revision == served.revision)
        for site, operation, workflow, env, key in itertools.product(
            (None, "s1", "s2", "s9"),
            (None, "site_creation", "gsc_verification", "ab_testing", "no_such"),
            (None, "xml-import", "status-sync"),
            (None, "dev"),
            (None, "k1", "k2"),
        ):
            ours, theirs = (
                each.check(site=site, operation=operation, workflow=workflow, env=env, key=key)
                for each in (gate, other)
            )
            assert {**ours.as_dict(), "age_s": 0} == {**theirs.as_dict(), "age_s": 0}
    assert not gate.check(site="s1")
    release(served, site="s1")
    eventually(lambda: gate.check(site="s1"))


def test_a_stop_by_the_port_for_stops_is_obeyed_and_acknowledged(served: Served, gate: Gate, worker: str) -> None:
    with gate.work(site="s2", operation="content_generation") as work:
        assert work
        placed = served.stop(selector={"site": "s2"}).json()

        eventually(lambda: not work.checkpoint())
        eventually(lambda: placed["stop_id"] in served.room.roster.entries[worker].row.stops)
        assert dict(served.room.roster.entries[worker].row.draining) == {placed["stop_id"]: 1}
    eventually(lambda: not served.room.roster.entries[worker].row.draining)
    recovery = {"emergency_id": placed["emergency_id"], "reason": "over", "confirm": "site=s2"}
    eventually(lambda: served.command("recover", **recovery).status_code == 200)
    eventually(lambda: gate.check(site="s2"))
    eventually(lambda: not served.room.roster.entries[worker].row.stops)


def test_a_worker_that_says_goodbye_has_left(served: Served, worker: str) -> None:
    with Gate.open(served.url, worker=worker, env="prod", scope={"site": ["s1"]}):
        eventually(lambda: worker in served.room.roster.entries)
        assert served.room.roster.entries[worker].row.env == "prod"

    eventually(lambda: served.room.roster.entries[worker].row.state == "left")


@contextmanager
def worker_process(served: Served, worker: str) -> Iterator[subprocess.Popen[str]]:
    """A worker as a process of its own, which the server has heard of; killed in the end."""
    command = [sys.executable, "-m", "tests.simulation.worker", served.url, worker]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            entries = served.room.roster
            eventually(lambda: worker in entries.entries and entries.entries[worker].row.pid == process.pid)
            yield process
        finally:
            process.kill()


def test_a_worker_that_is_killed_and_started_again_obeys_at_once_and_not_for_the_process_before_it(
    served: Served, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (roster, starts):
        monkeypatch.setattr(module, "LOST_AFTER_S", 3600.0)  # however slow this machine is

    def stop() -> tuple[str, int]:
        placed = served.stop(selector={"account": worker}).json()
        return placed["stop_id"], placed["revision"]

    def said() -> WorkerRow:
        return served.room.roster.entries[worker].row

    with worker_process(served, worker):
        before = served.room.roster.entries[worker].starts.boot
    with worker_process(served, worker):
        assert set(served.room.roster.entries[worker].starts.replaced) == {before}

        first, revision = stop()
        eventually(lambda: said().revision >= revision)
        assert not said().has_stopped(first), "nobody saw what the killed process has done since its last word"
        assert served.room.runtime.latest().stops[first].unacked == (worker,)

        served.http.delete(f"/v1/workers/{worker}?boot={before}")  # what its supervisor knows
        second, _ = stop()
        eventually(lambda: said().has_stopped(first) and said().has_stopped(second))
        eventually(lambda: not served.room.runtime.latest().stops[first].unacked)


def test_reservations_of_many_workers_are_never_more_than_the_limit(served: Served) -> None:
    name = f"l-{uuid.uuid4().hex[:8]}"
    served.command("add-limit", name=name, limit=120, window_s=3600.0).raise_for_status()
    granted: list[Reservation] = []

    def run(gate: Gate) -> None:
        granted.extend(filter(None, (gate.reserve(name) for _ in range(80))))

    with Gate.open(served.url, worker="w-fast") as one, Gate.open(served.url, worker="w-quick") as two:
        eventually(lambda: one.freshness == two.freshness == "valid")
        threads = [threading.Thread(target=run, args=(gate,)) for gate in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert granted[0].refund()
    assert 100 < len(granted) <= 120
    usage = {row["name"]: row["used"] for row in served.get("/v1/observations").json()["usage"]}
    assert usage[name] == len(granted) - 1, "what was left of blocks was given back at the end"


def test_what_the_limit_says_is_what_the_worker_is_told(served: Served, gate: Gate) -> None:
    name = f"l-{uuid.uuid4().hex[:8]}"
    served.command("add-limit", name=name, limit=2, window_s=3600.0).raise_for_status()

    granted, refused, never = gate.reserve(name, cost=2), gate.reserve(name), gate.reserve(name, cost=3)

    assert (granted.remaining, granted.reservation_id[:2]) == (0, "r-")
    assert refused.retry_after_s is not None
    assert 3000 < refused.retry_after_s <= 3600
    assert refused.reason == f"Limit {name} reached (2/2)"
    assert never.retry_after_s is None
    assert granted.refund()
    assert not granted.refund()
    unknown = gate.reserve("no-such-limit")
    assert (unknown.granted, unknown.retry_after_s, unknown.reason) == (False, None, "no limit is called no-such-limit")


def test_when_the_server_dies_the_last_known_state_decides_and_when_it_is_back_the_gate_resumes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    with serving(url) as first:
        port = int(first.url.rpartition(":")[2])
        first.command("add-name", dimension="site", name="s1")
        first.command("place-hold", selectors=[{"site": "s1"}])
        gate = Gate.open(first.url, worker="w1")
        eventually(lambda: not gate.check(site="s1") and gate.freshness == "valid")
    with gate:
        eventually(lambda: gate.freshness == "interrupted")
        assert not gate.check(site="s1")
        assert gate.check(operation="content_generation")

        with serving(url, port=port) as second:
            eventually(lambda: gate.freshness == "valid")
            release(second, site="s1")
            eventually(lambda: gate.check(site="s1"))
            eventually(lambda: "w1" in second.room.roster.entries)


def test_a_revoked_token_ends_what_it_held_open_and_stops_nothing_that_is_stopped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def token(number: int, worker: str) -> str:
        secret = secret_of(f"t-{number:012x}", bytes([number]) * 32)
        made = CreateToken(
            token_id=f"t-{number:012x}", name=worker, digest=digest_of(secret), role="worker", worker_id=worker
        )
        server.room.runtime.submit(say(made))
        return secret

    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    with serving(url, lambda room: Doorkeeper(room.runtime.latest)) as server:
        server.room.runtime.submit(say(PlaceHold(selectors=(Selector.of(account="a1"),))))
        mine, others = token(1, "w1"), token(2, "w2")
        with Gate.open(server.url, worker="w1", token=mine) as gate, Gate.open(server.url, token=others, worker="w3"):
            eventually(lambda: gate.freshness == "valid" and "w1" in server.room.roster.entries)
            eventually(lambda: "does not let this token speak for w3" in caplog.text)
            assert not gate.check(account="a1")

            server.room.runtime.submit(say(RevokeToken(token_id="t-000000000001")))

            eventually(lambda: gate.freshness == "interrupted")
            eventually(lambda: "does not take the token, which is unknown, expired or revoked" in caplog.text)
            assert not gate.check(account="a1")
            assert gate.check(account="a2")
        assert mine not in caplog.text
    assert "w3" not in server.room.roster.entries
