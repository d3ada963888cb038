"""``opsconsole serve`` as somebody starts it."""

from pathlib import Path

import httpx
import pytest

from opsconsole.cli.main import run
from tests.support.serving import server_process


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
