"""A whole incident over HTTP: workers, the console and its operator know the fleet by a server and tokens alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cli.shell import run
from tests.support.serving import server_process

SCRIPT = Path(__file__).parent / "scripts" / "through-a-server.yaml"

WORKER = """
import sys, threading
from opsgate import Gate
url, token, name = sys.argv[1:]
gate = Gate.open(url, token=token, worker=name)
while True:
    gate.wait_until_allowed(site="shop-eu")
    with gate.work(site="shop-eu") as work:
        while work and (name == "stuck" or work.checkpoint()):
            threading.Event().wait(0.05)
"""
"""It works until it is told to halt; one of them never looks."""


@contextmanager
def worker(url: str, token: str, name: str) -> Iterator[None]:
    """A worker process that knows nothing but a server and its own token."""
    process = subprocess.Popen([sys.executable, "-c", WORKER, url, token, name], env=dict(os.environ))
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)


@pytest.mark.xdist_group("demo")
def test_an_incident_is_driven_from_a_console_behind_a_server(home: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'fleet.db'}"

    def token(*options: str) -> str:
        made = run("-b", database, "token", "create", *options)
        assert made.code == 0, made.err
        return made.out.strip()

    assert run("-b", database, "sites", "add", "shop-eu").code == 0
    ana = tmp_path / "ana.token"
    ana.touch(0o600)
    ana.write_text(token("--role", "responder", "--name", "ana"))
    with ExitStack() as fleet:
        served = fleet.enter_context(server_process(database))
        for name in ("w1", "w2", "stuck"):
            fleet.enter_context(worker(served.url, token("--role", "worker", "--worker", name), name))
        console = ("-b", served.url, "--token-file", str(ana), "script", str(SCRIPT), "--out", str(tmp_path))

        answer = run(*console, timeout_s=280)

        assert answer.code == 0, answer.out + answer.err
        assert {picture.suffix for picture in tmp_path.glob("partial-through-a-server.*")} == {".svg", ".png"}
    acts = run("-b", database, "audit", "list", "-o", "jsonl").jsonl
    stops = [
        act["actor"]["name"] if isinstance(act["actor"], dict) else act["actor"]
        for act in acts
        if act["kind"] == "stop.ordered"
    ]
    assert stops == ["ana"], "who acts is who the token says"
