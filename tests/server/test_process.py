"""``opsconsole serve`` as somebody starts it."""

import os
import re
import shlex
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import gethostname
from urllib.parse import urlsplit

import httpx
import pytest

from backends import stop_lane
from backends.server.listening import Listening, listen, own_urls
from opsconsole.cli.main import run
from opsgate import latch
from opsgate.paths import fleet_of_url
from tests.support.serving import DEADLINE_S, server_process, serving
from tests.support.waiting import eventually


def test_it_serves_on_ports_and_on_sockets_of_this_host_and_ends_when_told(home: Path, tmp_path: Path) -> None:
    with server_process(f"sqlite:///{tmp_path / 'fleet.db'}", "--dev") as served:
        fleet = served.get("/v1/state").json()["fleet"]
        path = home / "run" / "opsconsole" / f"{fleet}.http.sock"
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=transport, base_url="http://localhost", timeout=DEADLINE_S) as local:
            assert local.get("/v1/state").json()["fleet"] == fleet
        thread = max(int(task.name) for task in Path(f"/proc/{served.pid}/task").iterdir())
        os.kill(thread, signal.SIGTERM)  # to the process, and this is the thread that the kernel interrupts for it
        eventually(lambda: not path.exists(), within_s=DEADLINE_S)
    assert not path.exists()


def test_a_server_whose_starter_ignored_the_end_of_children_hears_of_its_own(tmp_path: Path) -> None:
    """Or the exit code of every command that stops or looks at a service would be 0."""
    starter = ("env", "--ignore-signal=CHLD")
    with server_process(f"sqlite:///{tmp_path / 'fleet.db'}", "--dev", starter=starter) as served:
        [ignored] = re.findall(r"^SigIgn:\s*(\w+)", Path(f"/proc/{served.pid}/status").read_text(), re.MULTILINE)
        assert not int(ignored, 16) & 1 << (signal.SIGCHLD - 1)


@pytest.mark.parametrize("host", ["0.0.0.0", "example.org"])
def test_a_server_for_developers_listens_to_this_host_alone(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--dev", "--host", host]) == 2
    assert "lets everybody in" in capsys.readouterr().err


def test_a_server_that_nobody_could_ask_says_how_the_first_administrator_is_made(home: Path, tmp_path: Path) -> None:
    backend = f"sqlite:///{tmp_path / 'fleet.db'}"
    with server_process(backend) as served:
        assert served.get("/v1/state").status_code == 401
        said = shlex.split(served.said[served.said.index("opsconsole -b") :].splitlines()[0])
        made = subprocess.run([sys.executable, "-m", *said], capture_output=True, text=True, check=True)
        bearer = {"authorization": f"Bearer {made.stdout.strip()}"}
        eventually(lambda: served.get("/v1/whoami", headers=bearer).status_code == 200)
        assert served.get("/v1/whoami", headers=bearer).json()["role"] == "admin"


def test_a_stop_that_a_server_was_killed_over_is_recorded_by_the_next_one_there(home: Path, tmp_path: Path) -> None:
    """It was ordered on the server's host by a URL, and lies latched under that: no fleet is named anywhere."""
    backend, order = f"sqlite:///{tmp_path / 'fleet.db'}", stop_lane.new_order(reason="fire")
    with server_process(backend, "--dev") as served, ThreadPoolExecutor() as pool:
        url = served.url.replace("127.0.0.1", "localhost")
        os.kill(served.pid, signal.SIGSTOP)  # it takes connections, and no more
        fired = pool.submit(stop_lane.fire, order, url=url)
        eventually(lambda: latch.latched(order.stop_id, [fleet_of_url(url)]))
        os.kill(served.pid, signal.SIGKILL)
        assert fired.result().durable == "spool"

    with serving(backend, port=urlsplit(url).port) as again:
        eventually(lambda: order.stop_id in again.room.runtime.latest().stops, within_s=DEADLINE_S)
        stop = again.room.runtime.latest().stops[order.stop_id]
        assert (stop.reason, stop.ordered_at) == ("fire", order.ordered_at)

        recovered = again.command("recover", emergency_id=stop.emergency_id, reason="mended", confirm="all")
        assert recovered.status_code == 200
        eventually(lambda: not latch.latched(order.stop_id, [fleet_of_url(url)]), within_s=DEADLINE_S)


@pytest.mark.parametrize(
    ("listening", "expected"),
    [
        (Listening(), {"http://127.0.0.1:{}", "http://localhost:{}", "http://[::1]:{}"}),
        (Listening(host="localhost"), {"http://127.0.0.1:{}", "http://localhost:{}", "http://[::1]:{}"}),
        (Listening(host="127.0.0.2"), {"http://127.0.0.2:{}", "http://localhost:{}"}),
        (Listening(host="0.0.0.0"), {"http://127.0.0.1:{}", "http://localhost:{}", "http://" + gethostname() + ":{}"}),
        (Listening(certificate=Path("c.pem")), {"https://127.0.0.1:{}", "https://localhost:{}"}),
    ],
)
def test_a_server_knows_the_urls_by_which_its_host_reaches_it(listening: Listening, expected: set[str]) -> None:
    with listen(listening.host, 0) as channel:
        port = channel.getsockname()[1]

        assert {url.format(port) for url in expected} <= set(own_urls(listening, channel))


def test_what_is_no_network_is_refused_before_anything_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--allow", "10.0.0.0/33"]) == 2
    assert "--allow: '10.0.0.0/33'" in capsys.readouterr().err
