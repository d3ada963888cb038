"""An SSH server on a loopback port: each session is a program on a terminal of its own, as a real server would run it.

A connection that goes away takes the terminal with it, and nothing else is done about the program: that it ends then is
the program's own affair.
"""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Event, Thread

import asyncssh

from tests.console.terminal import ROOT, owning, resize
from tests.support.warm import Process, start

HOST = "127.0.0.1"
USER = "ana"
READ_BYTES = 1 << 16
NO_TERMINAL = b"a console needs a terminal: ssh -t\n"
START_S = 30.0


class SshServer:
    """Runs `command` for each session, or forks a module of that name.

    Host key and user key are made for it and lie in `folder`.
    """

    def __init__(self, command: str | Sequence[str], folder: Path) -> None:
        self._command = command
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.key_file = folder / "key"
        key.write_private_key(self.key_file)
        self.key_file.chmod(0o600)
        self._users = folder / "authorized_keys"
        key.write_public_key(self._users)
        self.host_key = self._host_key.export_public_key().decode().strip()
        self.sessions: list[subprocess.Popen[bytes] | Process] = []
        self.port = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[SshServer]:
        """Answer for as long as the block lasts; programs that still run at its end are killed."""
        acceptor = await asyncssh.listen(
            HOST,
            0,
            server_host_keys=[self._host_key],
            authorized_client_keys=str(self._users),
            process_factory=self._session,
            encoding=None,
            line_editor=False,
        )
        self.port = acceptor.get_port()
        try:
            yield self
        finally:
            acceptor.close()
            for program in self.sessions:
                program.kill()
                await asyncio.to_thread(program.wait)
            await acceptor.wait_closed()

    async def _session(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        kind = process.get_terminal_type()
        if kind is None:
            process.stderr.write(NO_TERMINAL)
            process.exit(2)
            return
        master, slave = pty.openpty()
        width, height, *_ = process.get_terminal_size()
        resize(master, width, height)
        program = self._start(slave, os.environ | {"TERM": kind, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"})
        os.close(slave)
        os.set_blocking(master, False)
        self.sessions.append(program)
        shown, typed = (
            asyncio.create_task(self._show(process, master)),
            asyncio.create_task(self._type(process, master)),
        )
        await asyncio.wait({shown, typed}, return_when=asyncio.FIRST_COMPLETED)
        for task in (shown, typed):
            task.cancel()
        await asyncio.gather(shown, typed, return_exceptions=True)
        os.close(master)
        code = await asyncio.to_thread(program.wait)
        process.exit(code if code >= 0 else 128 - code)

    def _start(self, slave: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes] | Process:
        if isinstance(self._command, str):
            return start(self._command, streams=[slave] * 3, environment=environment, hangup="SIG_DFL")
        return subprocess.Popen(
            owning(*self._command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )

    @staticmethod
    async def _show(process: asyncssh.SSHServerProcess[bytes], master: int) -> None:
        """From the program to the client, no faster than that takes it."""
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(master, readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                try:
                    data = os.read(master, READ_BYTES)
                except BlockingIOError:  # what the event told of was read the time before
                    continue
                except OSError:  # the program has closed its terminal
                    return
                process.stdout.write(data)
                await process.stdout.drain()
        finally:
            loop.remove_reader(master)

    @staticmethod
    async def _type(process: asyncssh.SSHServerProcess[bytes], master: int) -> None:
        """From the client to the program. asyncssh tells a new size as an exception of the reader."""
        while True:
            try:
                data = await process.stdin.read(READ_BYTES)
            except asyncssh.TerminalSizeChanged as changed:
                resize(master, changed.width, changed.height)
            except (asyncssh.SignalReceived, asyncssh.BreakReceived):
                continue
            except (asyncssh.Error, ConnectionError):
                return
            else:
                if not data:
                    return
                os.write(master, data)


@contextmanager
def in_the_background(server: SshServer) -> Iterator[SshServer]:
    """The same for a test that has no event loop."""
    started, over = Event(), Event()

    async def listen() -> None:
        async with server.listening():
            started.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=asyncio.run, args=(listen(),), name="ssh-server")
    thread.start()
    try:
        assert started.wait(START_S)
        yield server
    finally:
        over.set()
        thread.join()
