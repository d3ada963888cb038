"""``opsconsole serve`` as somebody starts it."""

import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from opsconsole.cli.main import run
from tests.support.serving import server_process
from tests.support.waiting import eventually


def test_it_serves_on_ports_and_on_sockets_of_this_host_and_ends_when_told(home: Path, tmp_path: Path) -> None:
    with server_process(f"sqlite:///{tmp_path / 'fleet.db'}", "--dev") as served:
        fleet = served.get("/v1/state").json()["fleet"]
        path = home / "run" / "opsconsole" / f"{fleet}.http.sock"
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost") as local:
            assert local.get("/v1/state").json()["fleet"] == fleet
    assert not path.exists()


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


def test_what_is_no_network_is_refused_before_anything_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--allow", "10.0.0.0/33"]) == 2
    assert "--allow: '10.0.0.0/33'" in capsys.readouterr().err
