"""What only real programs show: OpenSSH's client and tmux between an operator and the console.

Not part of the suite, for a bare machine has neither; ``make acceptance`` runs it.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.capabilities.holds import PlaceHold
from opsconsole.cli.engine import opened
from opsconsole.cli.invocation import Invocation
from opsgate.paths import latch_home
from opsgate.selector import EVERYTHING
from tests.cli.shell import keeper_of
from tests.console.sshd import HOST, USER, SshServer, in_the_background
from tests.console.terminal import DEADLINE_S, Terminal, terminal
from tests.console.test_ssh import ARMED, CONSOLE, PATIENCE_S, state

TMUX = ("tmux", "-L", "ops-acceptance", "-f", "/dev/null")
IN_TMUX = (*TMUX, "new-session", "-A", "-s", "ops", *CONSOLE)


def tool(name: str) -> str:
    """Where a program of this machine is; make has looked that there is one."""
    found = shutil.which(name)
    assert found is not None, f"{name} is missing"
    return found


@contextmanager
def login(server: SshServer, home: Path, width: int = 80, height: int = 24) -> Iterator[Terminal]:
    """An operator's terminal with OpenSSH in it, when the console has painted the first state."""
    known = home / "known_hosts"
    known.write_text(f"[{HOST}]:{server.port} {server.host_key}\n")
    options = {
        "UserKnownHostsFile": str(known), "StrictHostKeyChecking": "yes", "IdentitiesOnly": "yes", "BatchMode": "yes",
        "LogLevel": "ERROR",
    }  # fmt: skip
    arguments = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    arguments += ["-tt", "-F", "/dev/null", "-i", str(server.key_file), "-p", str(server.port), f"{USER}@{HOST}"]
    with terminal(*arguments, program=tool("ssh"), width=width, height=height) as guest:
        guest.until(lambda: "live" in guest.text())
        yield guest


def arm(guest: Terminal) -> None:
    """Press ``!`` until the stop is armed: right behind another key it does not count."""
    pressed_at = float("-inf")

    def armed() -> bool:
        nonlocal pressed_at
        if ARMED not in guest.text() and time.monotonic() - pressed_at > PATIENCE_S:
            guest.type(b"!")
            pressed_at = time.monotonic()
        return ARMED in guest.text()

    guest.until(armed)


def drop(guest: Terminal) -> None:
    """The client dies without a word."""
    guest.process.send_signal(signal.SIGKILL)
    guest.process.wait()


def ended(server: SshServer) -> int:
    """Wait for the end of the last session's program; its exit code."""
    return server.sessions[-1].wait(DEADLINE_S)


def nothing_fired() -> bool:
    return not state().stops and not list(latch_home().glob("*/S-*"))


@pytest.fixture(autouse=True)
def keeper() -> Iterator[None]:
    """A fleet without workers, and its keeper."""
    state()
    with keeper_of(Invocation().settings.backend):
        yield


@pytest.fixture
def direct(home: Path) -> Iterator[SshServer]:
    """A server whose sessions are consoles."""
    with in_the_background(SshServer(CONSOLE, home)) as server:
        yield server


@pytest.fixture
def multiplexed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    """A server whose sessions are clients of one tmux, in which the console runs."""
    monkeypatch.setenv("TMUX_TMPDIR", str(home))
    monkeypatch.delenv("TMUX", raising=False)
    try:
        with in_the_background(SshServer(IN_TMUX, home)) as server:
            yield server
    finally:
        subprocess.run([*TMUX, "kill-server"], stderr=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36), (200, 60)])
def test_a_stop_through_openssh_and_tmux_at_each_size(
    width: int, height: int, multiplexed: SshServer, home: Path
) -> None:
    with login(multiplexed, home, width, height) as guest:
        until = guest.until
        until(lambda: "[ RUN]" in guest.text())
        guest.resize(100, 30)
        until(lambda: "! S STOP ALL" in guest.text() and len(guest.text().split("\n")[2].rstrip()) <= 100)
        guest.resize(width, height)
        until(lambda: guest.text().count("! S STOP ALL") == 1)
        guest.type(b"3")
        until(lambda: "enableABTesting" in guest.text())
        arm(guest)
        assert nothing_fired()
        guest.type(b"S")
        until(lambda: "[STOP] GLOBAL" in guest.text())
        (stop,) = state().active_stops()
        assert stop.selectors == (EVERYTHING,)
        until(lambda: "reason (optional)" in guest.text())
        guest.type(b"\x1b")
        until(lambda: "reason (optional)" not in guest.text())
        guest.type(b"q")
        until(lambda: guest.process.poll() is not None)


def test_the_exit_code_passes_through_openssh(direct: SshServer, home: Path) -> None:
    with login(direct, home) as guest:
        direct.sessions[-1].send_signal(signal.SIGTERM)
        guest.until(lambda: guest.process.poll() is not None)
        assert guest.process.returncode == 143


def test_a_client_that_dies_over_an_armed_stop_ends_the_console_and_fires_nothing(
    direct: SshServer, home: Path
) -> None:
    with login(direct, home) as guest:
        arm(guest)
        drop(guest)
        assert ended(direct) == 129
    assert nothing_fired()


def test_a_client_that_dies_in_a_countdown_ends_the_console_and_releases_nothing(direct: SshServer, home: Path) -> None:
    with opened(Invocation()) as engine:
        engine.submit(PlaceHold(selectors=(EVERYTHING,), reason="INC-412"))
    before = state().control_revision
    with login(direct, home) as guest:
        for keys, words in ((b"R", "reason (needed)"), (b"mended\r", 'type "all"'), (b"all", "resuming all in")):
            guest.type(keys)
            guest.until_said(words)
        drop(guest)
        assert ended(direct) == 129
    assert state().control_revision == before


def test_in_tmux_an_armed_stop_waits_for_whoever_comes_back(multiplexed: SshServer, home: Path) -> None:
    """There the console outlives the connection. It goes on waiting for the second key, and only for a person's."""
    with login(multiplexed, home) as guest:
        arm(guest)
        drop(guest)
    ended(multiplexed)
    assert nothing_fired()
    with login(multiplexed, home) as guest:
        guest.until(lambda: ARMED in guest.text())
        guest.type(b"\x1b")
        guest.until(lambda: ARMED not in guest.text())
        guest.type(b"q")
        guest.until(lambda: guest.process.poll() is not None)
    assert nothing_fired()
