"""Drivers that ask somebody else: programs, services behind HTTP, files. What reaches them, and what does not."""

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backends.drivers import driver_of
from backends.drivers.base import Driver, DriverConfigError, Host, perform
from backends.drivers.contract import HOSTILE, ORDER
from backends.drivers.health import check_of
from backends.drivers.running import OUTPUT_MAX_BYTES, checked_command, run
from tests.support.services import Web, agent, alive, as_json, ended_afterwards
from tests.support.waiting import eventually

SH = "/bin/sh"


def made(kind: str, config: object, host: Host | None = None) -> Driver:
    return driver_of("billing", kind, json.dumps(config), host or Host())


# ------------------------------------------------------------------------------------------------------------ commands
def test_what_was_asked_for_reaches_a_command_as_text_and_nowhere_else(tmp_path: Path) -> None:
    """The reason stands in its environment and in its input, and is never a part of a line that is carried out."""
    script = tmp_path / "stop.sh"
    script.write_text(f'cd {tmp_path}; cat > given; env > environment; printf %s "$OPSCONSOLE_REASON" > reason\n')
    driver = made("command", {"stop": [SH, str(script)], "status": [SH, "-c", "exit 3"]})
    assert perform(driver, "stop", ORDER, 10.0).result == "done"
    assert (tmp_path / "reason").read_bytes().decode() == HOSTILE
    assert json.loads((tmp_path / "given").read_text())["reason"] == HOSTILE
    assert not (tmp_path / "canary").exists()
    assert not Path("/canary").exists()


def test_a_command_has_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process was given (secrets among it) is nobody else's."""
    monkeypatch.setenv("OPSCONSOLE_TOKEN", "secret")
    monkeypatch.setenv("LD_PRELOAD", "/nonexistent.so")
    said = run(["/usr/bin/env"], timeout_s=10.0, environment={"OPSCONSOLE_SERVICE": "billing"}).said
    assert {line.split("=")[0] for line in said.splitlines()} - {"PWD", "SHLVL", "_"} == {
        "PATH",
        "LANG",
        "OPSCONSOLE_SERVICE",
    }


def test_a_command_that_says_too_much_is_heard_to_its_limit_and_no_further() -> None:
    ran = run([SH, "-c", "yes | head -c 3000000; exit 7"], timeout_s=20.0, environment={})
    assert (ran.code, len(ran.said)) == (7, OUTPUT_MAX_BYTES - 1), "the last line end is taken off"


@pytest.mark.parametrize("patterns", [("deaf", "forks", "orphans"), ("leaves",)], ids=["out of time", "at its end"])
def test_nothing_of_a_command_outlives_it(tmp_path: Path, patterns: tuple[str, ...]) -> None:
    """Neither what hangs when its time is up, nor what it left behind."""
    with ended_afterwards(tmp_path):
        ran = run(agent(tmp_path, *patterns), timeout_s=20.0 if "leaves" in patterns else 1.0, environment={})
        assert ran.code == (0 if "leaves" in patterns else None)
        assert alive(tmp_path) == []


def test_a_command_that_crashes_has_failed_and_says_how() -> None:
    driver = made("command", {"stop": [SH, "-c", "kill -SEGV $$"], "status": [SH, "-c", "exit 0"]})
    outcome = perform(driver, "stop", ORDER, 10.0)
    assert (outcome.result, outcome.detail) == ("failed", "exit 139")


def test_a_command_that_lies_is_found_out_by_its_status() -> None:
    """It says that it stopped something, which runs."""
    driver = made("command", {"stop": [SH, "-c", "exit 0"], "status": [SH, "-c", "exit 0"]})
    assert perform(driver, "stop", ORDER, 10.0).result == "done"
    assert driver.observe(10.0).standing == "running"


def test_a_command_that_nothing_could_contradict_is_refused() -> None:
    with pytest.raises(DriverConfigError, match="status command or a health check"):
        made("command", {"stop": [SH, "-c", "exit 0"]})


@pytest.mark.parametrize("argv", [[], ["sh"], ["./sh"], ["/bin/sh\0x"], ["/nonexistent/program"]])
def test_a_program_is_an_absolute_path_that_is_there(argv: list[str]) -> None:
    with pytest.raises(DriverConfigError):
        checked_command(argv, None)


def test_a_program_that_others_could_change_or_that_the_host_does_not_list_is_not_run(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o777)
    with pytest.raises(DriverConfigError, match="can be changed by others"):
        checked_command([str(program)], None)
    program.chmod(0o755)
    assert checked_command([str(program), "x"], [f"{tmp_path}/*"])
    for listed in ([], ["/usr/bin/*"], [f"{tmp_path}/other"]):
        with pytest.raises(DriverConfigError, match=r"drivers\.toml"):
            checked_command([str(program)], listed)


# ---------------------------------------------------------------------------------------------------------------- HTTP
FORBIDDEN = """
http://127.0.0.1/ http://localhost/ http://127.1/ http://2130706433/ http://0x7f000001/ http://0177.0.0.1/ http://0/
http://0.0.0.0/ http://[::1]/ http://[::]/ http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/ http://[::127.0.0.1]/
http://169.254.169.254/latest/meta-data/ http://[::ffff:169.254.169.254]/ http://[fe80::1]/ http://[fd00:ec2::254]/
http://[64:ff9b::7f00:1]/ http://[64:ff9b::a9fe:a9fe]/ http://[2002:7f00:1::]/ http://100.100.100.200/
http://224.0.0.1/ http://255.255.255.255/ http://240.0.0.1/ http://127.0.0.1:80/ http://127.255.255.254/
https://localhost/ http://127.0.0.1./ http://ip6-localhost/
""".split()

MALFORMED = """
gopher://billing/ file:///etc/passwd ftp://billing/ //billing/ billing http:// http:///x http://user@billing/
http://user:secret@billing/ http://billing:99999/ http://billing:x/ http://billing/#part http://bill\\ing/ javascript:x
http://billing/\\r\\nX:y http://b\u00edlling/ http://[::1 http://billing@169.254.169.254/ unix:///run/docker.sock
""".split()


@pytest.mark.parametrize("url", FORBIDDEN)
def test_what_a_name_or_a_number_leads_to_is_looked_at_before_anybody_connects(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This host, its links and its cloud's secrets, in every way of writing them: never by their name alone."""
    connected: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **_: connected.append(args))
    try:
        driver = made("http", {"url": url, "stop": {"path": "/x"}, "status": {"path": "/y"}})
    except DriverConfigError:
        return  # it is a number, and is refused before anybody asks
    assert perform(driver, "stop", ORDER, 1.0).result == "failed"
    assert connected == []


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_no_plain_address_is_refused_when_it_is_configured(url: str) -> None:
    with pytest.raises(DriverConfigError):
        made("http", {"url": url, "stop": {"path": "/x"}, "status": {"path": "/y"}})


def test_a_host_that_lists_its_destinations_has_the_last_word() -> None:
    """A service's own list is nothing then."""
    config = {"url": "http://127.0.0.1:9", "allow": ["127.0.0.1"], "stop": {"path": "/x"}, "status": {"path": "/y"}}
    with pytest.raises(DriverConfigError, match="not among the destinations"):
        made("http", config, Host(destinations=("billing.internal",)))
    assert made("http", config, Host(destinations=("127.0.0.0/8",))).can == {"stop"}


def test_a_name_is_asked_for_once_and_the_address_that_was_checked_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that says something else the second time is not asked a second time."""
    answers = iter(["203.0.113.7", "127.0.0.1", "127.0.0.1"])
    asked, connected = [], []

    def lookup(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", connect)
    driver = made("http", {"url": "http://flips.example", "stop": {"path": "/x"}, "status": {"path": "/y"}})
    assert perform(driver, "stop", ORDER, 1.0).result == "failed"
    assert (asked, connected) == (["flips.example"], [("203.0.113.7", 80)])
    assert "not among the allowed addresses" in perform(driver, "stop", ORDER, 1.0).detail
    assert len(connected) == 1


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web(lambda *_: (200, as_json({"state": "running"})))
    yield server
    server.close()


def http(web: Web, **more: object) -> Driver:
    config: dict[str, object] = {
        "url": web.url,
        "allow": ["127.0.0.1"],
        "stop": {"path": "/x"},
        "status": {"path": "/y"},
    }
    return made("http", config | more)


def test_a_redirect_is_an_answer_and_is_not_followed(web: Web) -> None:
    web.answer = lambda *_: (302, f"{web.url}/elsewhere".encode())
    assert perform(http(web), "stop", ORDER, 5.0).result == "failed"
    assert [path for _, path, _ in web.asked] == ["/x"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"success": false}'),
        (200, b'{"ok": false}'),
        (500, b""),
        (404, b"{}"),
        (200, b'{"ok": false}' + b" " * 9),
    ],
)
def test_an_answer_that_says_no_is_no(web: Web, status: int, body: bytes) -> None:
    web.answer = lambda *_: (status, body)
    assert perform(http(web), "stop", ORDER, 5.0).result == "failed"


@pytest.mark.parametrize(
    "body", [b"", b"stopped", b"[1]", b'{"state": 3}', b"[" * 60_000, b'{"state": "st' + b"x" * 99_999]
)
def test_an_answer_that_makes_no_sense_stops_nothing(web: Web, body: bytes) -> None:
    web.answer = lambda *_: (200, body)
    assert http(web).observe(5.0).standing == "unknown"


def test_a_service_that_takes_the_connection_and_says_nothing_is_out_of_time() -> None:
    """And so is one that says a byte now and then: the time is for the whole."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def drip() -> None:
            client, _ = door.accept()
            with closing(client):
                try:
                    while True:
                        client.sendall(b"H")
                        threading.Event().wait(0.02)
                except OSError:
                    pass

        threading.Thread(target=drip, daemon=True).start()
        config = {
            "url": f"http://127.0.0.1:{door.getsockname()[1]}",
            "allow": ["127.0.0.1"],
            "stop": {"path": "/x"},
            "status": {"path": "/y"},
        }
        driver = made("http", config)
        assert perform(driver, "stop", ORDER, 0.3).result == "timed-out"
        assert driver.observe(0.3).standing == "unknown"


def test_a_token_is_sent_to_the_service_and_its_file_is_ours_alone(tmp_path: Path, web: Web) -> None:
    said: list[str] = []

    def answer(method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        said.append(headers["Authorization"])
        return 200, b"{}"

    web.answer = answer
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")
    secret.chmod(0o644)
    with pytest.raises(DriverConfigError, match="only this user"):
        http(web, token_file=str(secret))
    secret.chmod(0o600)
    perform(http(web, token_file=str(secret)), "stop", ORDER, 5.0)
    assert said == ["Bearer s3cret"]
    with pytest.raises(DriverConfigError, match="https only"):
        made("http", {"url": "http://far", "token_file": str(secret), "status": {"path": "/y"}})


def test_a_service_whose_port_is_closed_has_stopped_by_its_health_check(web: Web) -> None:
    """What does not answer has not stopped; where nobody listens any more, it has."""
    health = {"kind": "tcp", "host": "127.0.0.1", "port": web.port, "allow": ["127.0.0.1"]}
    driver = http(web, health=health)
    assert driver.observe(5.0).standing == "running"
    web.close()
    eventually(lambda: driver.observe(5.0).standing == "stopped")
    assert http(web).observe(5.0).standing == "unknown"


# ------------------------------------------------------------------------------------------------------- control files
def control(folder: Path) -> Driver:
    return made("control-file", {"file": f"{folder}/control", "status": {"path": f"{folder}/status"}})


def test_a_word_is_put_there_whole_and_a_link_in_its_way_is_replaced(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    (tmp_path / "control").symlink_to(victim)
    assert perform(control(tmp_path), "stop", ORDER, 1.0).result == "done"
    assert (victim.read_text(), (tmp_path / "control").read_text()) == ("as it was", "pause\n")
    assert not (tmp_path / "control").is_symlink()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_nothing_is_written_where_everybody_may_write(tmp_path: Path) -> None:
    tmp_path.chmod(tmp_path.stat().st_mode | stat.S_IWOTH)
    assert perform(control(tmp_path), "stop", ORDER, 1.0).result == "failed"
    assert not (tmp_path / "control").exists()


@pytest.mark.parametrize("said", [None, "", "paused-ish", "PAUSING"])
def test_a_status_that_is_not_there_or_not_known_is_no_stop(tmp_path: Path, said: str | None) -> None:
    if said is not None:
        (tmp_path / "status").write_text(said)
    assert control(tmp_path).observe(1.0).standing in ("unknown", "stopping")


def test_a_status_that_nobody_keeps_fresh_is_nobodys_word(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("paused")
    assert control(tmp_path).observe(1.0).standing == "stopped"
    os.utime(tmp_path / "status", (1, 1))
    assert control(tmp_path).observe(1.0).standing == "unknown"


# ------------------------------------------------------------------------------------------------------- health checks
def test_each_kind_of_check_tells_up_from_down_and_from_what_it_cannot_tell(tmp_path: Path, web: Web) -> None:
    host = Host()
    here = {"allow": ["127.0.0.1"]}
    up_then_down: list[dict[str, Any]] = [
        {"kind": "http", "url": f"{web.url}/healthz"} | here,
        {"kind": "tcp", "host": "127.0.0.1", "port": web.port} | here,
        {"kind": "file", "path": f"{tmp_path}/alive"},
        {"kind": "command", "argv": [SH, "-c", f"test -e {tmp_path}/alive || exit 3"]},
    ]
    (tmp_path / "alive").touch()
    checks = [check_of(config, host) for config in up_then_down]
    assert [check.check(5.0).is_up for check in checks] == [True] * 4
    web.answer = lambda *_: (503, b"")
    assert checks[0].check(5.0).is_up is None, "it is there, and not well"
    web.close()
    (tmp_path / "alive").unlink()
    assert [check.check(5.0).is_up for check in checks] == [False] * 4
    assert check_of({"kind": "file", "path": f"{tmp_path}/x" + "/y" * 5000}, host).check(1.0).is_up is None
    assert check_of({"kind": "command", "argv": [SH, "-c", "exit 9"]}, host).check(5.0).is_up is None


@pytest.mark.parametrize("config", [{}, {"kind": "x"}, {"kind": "tcp"}, {"kind": "http", "url": "http://u@h"}])
def test_a_check_that_is_none_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(DriverConfigError):
        check_of(config, Host())
