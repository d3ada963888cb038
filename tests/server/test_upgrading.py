"""A server through an upgrade: while the schema is locked it stops all the same, and so does one whose journal is ahead
of it. Real servers on real locks, as a migration takes them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic

import httpx
import psycopg
import pytest

from backends import open_runtime
from backends.runtime import Runtime
from core.audit import Row, body_digest, link
from core.policy import gate_change
from core.state import State
from opsgate import Gate
from opsgate.paths import runtime_home
from tests.simulation.harness import tell
from tests.support.postgres import postgres_server, postgres_url
from tests.support.serving import Served, server_process
from tests.support.waiting import eventually

__all__ = ["postgres_server", "postgres_url"]

LONG_S = 60.0

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("upgrading")]

Lock = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Scene:
    """A server as a process, its database beside it, and what locks that as a migration does."""

    served: Served
    backend: Runtime
    locked: Lock
    fleet: str


@pytest.fixture(params=["sqlite", "postgres"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """On each database."""
    url, locked = f"sqlite:///{tmp_path}/fleet.db", lambda: _file_locked(tmp_path / "fleet.db")
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        locked = lambda: _all_tables_locked(url)  # noqa: E731 (both are one line)
    with server_process(url, "--dev") as served, closing(open_runtime(url)) as backend:
        yield Scene(served, backend, locked, backend.state().fleet)


@contextmanager
def _all_tables_locked(url: str) -> Iterator[None]:
    """What `ALTER TABLE` takes: nobody reads, nobody writes."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE gate_head, journal, worker, lease, receipt IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def _file_locked(file: Path) -> Iterator[None]:
    """Another process, because a second connection of ours to the file would drop its locks when it is closed."""
    hold = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1],isolation_level=None); c.execute('BEGIN EXCLUSIVE')"
    migration = subprocess.Popen(
        [sys.executable, "-c", f"{hold}; print(flush=True); sys.stdin.read()", str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert migration.stdout is not None
    try:
        migration.stdout.readline()
        yield
    finally:
        migration.communicate()


def by_port(scene: Scene, account: str) -> str:
    """Stop by the port that is for nothing else."""
    return str(scene.served.stop(selector={"account": account}).json()["durable"])


def by_socket(scene: Scene, account: str) -> str:
    """Stop by the socket of this host."""
    path = runtime_home() / f"{scene.fleet}.http.stop.sock"
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=60) as client:
        return str(client.post("http://here/v1/stop", json={"selector": {"account": account}}).json()["durable"])


def by_command(scene: Scene, account: str) -> str:
    """Stop by the command line, beside the server."""
    command = [sys.executable, "-m", "opsconsole", "stop", "--account", account, "--no-wait", "-o", "json"]
    command += ["-b", scene.served.backend]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "the keeper goes on trying" in done.stderr) == (5, True), done.stderr
    return str(json.loads(done.stdout)["durable"])


DOORS = {"port": by_port, "socket": by_socket, "command": by_command}


def test_a_stop_during_a_migration_is_in_force_at_once_and_recorded_afterwards(scene: Scene) -> None:
    with Gate.open(scene.served.url, worker="w1") as gate, ThreadPoolExecutor(1) as thread:
        eventually(lambda: gate.freshness == "valid" and "w1" in scene.backend.state().workers, within_s=LONG_S)
        with scene.locked():
            for account, door in DOORS.items():
                began_s = monotonic()
                answer = thread.submit(door, scene, account)
                obeyed_s = eventually(partial(_blocks, gate, account), within_s=LONG_S)
                durable = answer.result()
                answered_s = monotonic() - began_s
                tell(f"by {account}: obeyed after {obeyed_s * 1000:.0f} ms, answered after {answered_s * 1000:.0f} ms")

                assert durable in {"spool", "memory"}
            assert gate.allowed(account="another")
        eventually(lambda: _stopped(scene.backend) == set(DOORS), within_s=LONG_S)


def test_a_server_that_cannot_read_what_a_newer_one_wrote_stops_releases_nothing_and_says_why(scene: Scene) -> None:
    scene.served.command("place-hold", selectors=[{"account": "held"}]).raise_for_status()
    with Gate.open(scene.served.url, worker="w1") as gate:
        eventually(lambda: _blocks(gate, "held"), within_s=LONG_S)
        _write_as_a_newer_one(scene.backend)

        refused = scene.served.command("release-holds", selectors=[{"account": "held"}], reason="x")
        answer = scene.served.stop(selector={"account": "other"})

        assert (refused.status_code, "upgrade opsconsole" in refused.text) == (503, True)
        assert answer.json()["durable"] in {"spool", "memory"}
        eventually(lambda: _blocks(gate, "other"))
        assert _blocks(gate, "held")


def _write_as_a_newer_one(backend: Runtime) -> None:
    """An event of a kind that nobody knows yet, sealed into the chain as any other."""
    with backend.store.write(timeout_s=LONG_S) as transaction:
        head, salt, body = transaction.head(), "0" * 32, "{}"
        row = Row(head.revision + 1, "mood.changed", 1, "2026-11-22T14:00:00.000000Z", "c", "c", salt, body, "", "")
        row = replace(row, digest=body_digest(salt, body))
        nothing = gate_change(State(), State(), ())
        transaction.append([replace(row, chain=link(row, head.chain))], nothing, head.names_revision)


def _blocks(gate: Gate, account: str) -> bool:
    return not gate.allowed(account=account)


def _stopped(backend: Runtime) -> set[str | None]:
    return {hold.selector.as_dict().get("account") for hold in backend.state().holds.values()}
