"""The console over SSH: a terminal far away, whose connection may break at any moment, and what is real behind it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pyte
import pytest

from core.capabilities.holds import PlaceHold
from core.state import State
from opsconsole.cli.engine import opened
from opsconsole.cli.invocation import Invocation
from opsgate.paths import latch_home
from opsgate.selector import EVERYTHING
from tests.cli.shell import keeper_of
from tests.console.sshd import HOST, READ_BYTES, USER, SshServer

pytestmark = [pytest.mark.asyncio, pytest.mark.xdist_group("ssh")]

CONSOLE = "opsconsole"
DEADLINE_S = 60.0
PATIENCE_S = 3.0
ARMED = "S = stop everything now"


class Visit:
    """A session as its client sees it."""

    def __init__(self, connection: asyncssh.SSHClientConnection, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._connection = connection
        self._process = process
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)

    def text(self) -> str:
        """The screen."""
        return "\n".join(row.rstrip() for row in self.screen.display)

    def type(self, keys: bytes) -> None:
        """Send keys."""
        self._process.stdin.write(keys)

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        self.screen.resize(height, width)
        self._process.change_terminal_size(width, height)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something, reading what comes."""
        deadline = time.monotonic() + DEADLINE_S
        while not true():
            assert time.monotonic() < deadline, f"never came true; the screen said:\n{self.text()}"
            try:
                self._stream.feed(await asyncio.wait_for(self._process.stdout.read(READ_BYTES), 0.05))
            except TimeoutError:
                pass  # nothing was painted, and it may have come true all the same

    async def until_said(self, words: str) -> None:
        """Wait until the screen says something."""
        await self.until(lambda: words in self.text())

    async def arm(self) -> None:
        """Press ``!`` until the stop is armed: right behind another key it does not count."""
        pressed_at = float("-inf")

        def armed() -> bool:
            nonlocal pressed_at
            if ARMED not in self.text() and time.monotonic() - pressed_at > PATIENCE_S:
                self.type(b"!")
                pressed_at = time.monotonic()
            return ARMED in self.text()

        await self.until(armed)

    async def code(self) -> int | None:
        """Wait for the end of the program; its exit code as the client gets it."""
        ended = await asyncio.wait_for(self._process.wait(), DEADLINE_S)
        return ended.exit_status

    def drop(self) -> None:
        """The connection breaks."""
        self._connection.abort()


def state() -> State:
    """What is true in the database."""
    with opened(Invocation(), create=True) as engine:
        return engine.backend.state()


@pytest.fixture(autouse=True)
def keeper() -> Iterator[None]:
    """A fleet without workers, and its keeper."""
    state()
    with keeper_of(Invocation().settings.backend):
        yield


@asynccontextmanager
async def visit(home: Path) -> AsyncIterator[tuple[Visit, SshServer]]:
    """A client that has logged in with a key and looks at the console."""
    async with (
        SshServer(CONSOLE, home).listening() as server,
        asyncssh.connect(
            HOST,
            server.port,
            username=USER,
            client_keys=[str(server.key_file)],
            known_hosts=asyncssh.import_known_hosts(f"[{HOST}]:{server.port} {server.host_key}\n"),
            config=None,
            agent_path=None,
        ) as connection,
    ):
        process = await connection.create_process(term_type="xterm-256color", term_size=(80, 24), encoding=None)
        guest = Visit(connection, process)
        await guest.until_said("live")
        yield guest, server


async def ended(server: SshServer) -> int:
    """Wait until the console of the only session has ended; its exit code."""
    (program,) = server.sessions
    return await asyncio.wait_for(asyncio.to_thread(program.wait), DEADLINE_S)


async def test_a_stop_over_ssh_stops_what_is_real(home: Path) -> None:
    async with visit(home) as (guest, _):
        assert guest.text().startswith(" [ RUN]")
        guest.resize(120, 36)
        await guest.until(lambda: "┌─ 1 Global" in guest.text() and "6 Recovery" in guest.text())
        guest.type(b"4z")
        await guest.until(lambda: "┏━ 4 " in guest.text() and " 1 Global" not in guest.text())
        await guest.arm()
        assert not state().stops
        guest.type(b"S")
        await guest.until(lambda: guest.text().startswith(" [STOP] GLOBAL"))
        (stop,) = state().active_stops()
        assert stop.selectors == (EVERYTHING,)
        guest.type(b"\x1b")
        await guest.until(lambda: "reason (optional)" not in guest.text())
        guest.type(b"q")
        assert await guest.code() == 0


async def test_the_exit_code_passes_through(home: Path) -> None:
    async with visit(home) as (guest, server):
        server.sessions[0].send_signal(signal.SIGTERM)
        assert await guest.code() == 143


async def test_a_connection_that_breaks_over_an_armed_stop_ends_the_console_and_fires_nothing(home: Path) -> None:
    async with visit(home) as (guest, server):
        await guest.arm()
        guest.drop()
        assert await ended(server) == 129
    assert not state().stops
    assert list(latch_home().glob("*/S-*")) == []


async def test_a_connection_that_breaks_in_a_countdown_ends_the_console_and_releases_nothing(home: Path) -> None:
    with opened(Invocation()) as engine:
        engine.submit(PlaceHold(selectors=(EVERYTHING,), reason="INC-412"))
    before = state().control_revision
    async with visit(home) as (guest, server):
        assert guest.text().startswith(" [STOP] GLOBAL")
        guest.type(b"R")
        await guest.until_said("reason (needed)")
        guest.type(b"mended\r")
        await guest.until_said('type "all"')
        guest.type(b"all")
        await guest.until_said("resuming all in")
        guest.drop()
        assert await ended(server) == 129
    assert state().control_revision == before
    assert state().holds_on(EVERYTHING)


async def test_without_a_terminal_the_state_is_printed_as_a_command_would(home: Path) -> None:
    """No terminal is asked for, so the server says that one is needed: a console has no other way to be looked at."""
    async with SshServer(CONSOLE, home).listening() as server:
        known = asyncssh.import_known_hosts(f"[{HOST}]:{server.port} {server.host_key}\n")
        key = [str(server.key_file)]
        async with asyncssh.connect(
            HOST, server.port, username=USER, client_keys=key, known_hosts=known, config=None, agent_path=None
        ) as connection:
            answer = await connection.run()
            assert answer.exit_status == 2
            assert server.sessions == []
