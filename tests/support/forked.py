"""Processes of our own programs, forked from one that has imported them: they start in milliseconds.

What starts so is a process like any other, with its own environment, folder, arguments, standard streams, signals and
end; a keeper goes on to leave for a session of its own. Only the second of importing is not spent again and again: the
suite starts some hundred keepers and servers. How they start from nothing is shown where that is the matter.

    forked.run([sys.executable, "-P", "-m", "backends.keeper", "--detach"], env=environment, timeout=60.0)

Each process of a parallel run has one such parent, which ends with it.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, Self

ROOT: Final = Path(__file__).parents[2]

_NEEDED: Final = {
    "backends.keeper": (
        "backends.emergency_settings",
        "backends.notifiers.settings",
        "backends.keeper.log",
        "backends.keeper.service",
        "backends.local.sqlite",
    ),
    "opsconsole serve": (
        "opsconsole.cli.main",
        "opsconsole.cli.commands.serve",
        "backends.server.serving",
        "backends.local.sqlite",
    ),
}
"""What a program imports in any case."""


class Forked:
    """A process of a program, as far as tests ask of one what they ask of `subprocess.Popen`."""

    def __init__(self, channel: socket.socket, stderr: IO[str] | None) -> None:
        self._answers = channel.makefile("r")
        self._channel = channel
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None
        self.stderr = stderr

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.stderr is not None:
            self.stderr.close()
        self.wait()
        self._answers.close()
        self._channel.close()

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; its exit code, below zero where that was a signal. Raises `TimeoutExpired`."""
        if self.returncode is None:
            self._channel.settimeout(timeout)
            try:
                self.returncode = int(self._answers.readline())
            except TimeoutError as error:
                self._answers = self._channel.makefile("r")  # one that timed out is not read again
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0) from error
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to end."""
        self.send_signal(signal.SIGTERM)


def start(command: Sequence[str], *, env: Mapping[str, str], stderr: int | None = None) -> Forked:
    """A process of ``python [options] -m MODULE [arguments]``; ``stderr`` is None or `subprocess.PIPE`."""
    if stderr is None:
        return _born(command, env, (0, 1, 2), None)
    ours, its = os.pipe()
    try:
        return _born(command, env, (0, 1, its), os.fdopen(ours))
    finally:
        os.close(its)


def run(
    command: Sequence[str], *, env: Mapping[str, str], timeout: float, **_: Any
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` of such a command, with nothing to read and with what it says captured as text."""
    with open(os.devnull, "rb") as nothing, tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:  # noqa: PTH123 (a device)
        streams = (nothing.fileno(), out.fileno(), err.fileno())
        with _born(command, env, streams, None) as process:
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, process.wait(), out.read(), err.read())


def _born(
    command: Sequence[str], env: Mapping[str, str], streams: tuple[int, int, int], stderr: IO[str] | None
) -> Forked:
    words = list(command[command.index("-m") + 1 :])
    order = {"words": words, "env": dict(env), "folder": str(Path.cwd())}
    channel = socket.socket(socket.AF_UNIX)
    channel.connect(_address())
    order_bytes = json.dumps(order).encode()
    socket.send_fds(channel, [len(order_bytes).to_bytes(4, "big")], streams)
    channel.sendall(order_bytes)
    return Forked(channel, stderr)


_known: Final[list[str]] = []


def _address() -> str:
    """Where the parent listens; it is started by who asks first, and ends with that process."""
    if not _known:
        _known.append(_start_parent())
    return _known[0]


def _start_parent() -> str:
    folder = tempfile.mkdtemp(prefix="ops-forks-")
    address = f"{folder}/s"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    lasts = subprocess.Popen(
        [sys.executable, "-c", "from tests.support import forked; forked.parent()", str(listening.fileno()), address],
        stdin=subprocess.PIPE,
        pass_fds=[listening.fileno()],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
    )
    listening.close()

    def end() -> None:
        assert lasts.stdin is not None
        lasts.stdin.close()
        lasts.wait()
        Path(address).unlink()
        Path(folder).rmdir()

    atexit.register(end)
    return address


# --------------------------------------------------------------------------------------------------------- the parent
def parent() -> None:
    """Bear processes until standard input ends."""
    listening = socket.socket(fileno=int(sys.argv[1]))
    children_ask(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(listening, selectors.EVENT_READ)
    while True:
        for key, _events in waiting.select():
            if key.fileobj == 0:
                return
            if key.fileobj is listening:
                channel, _ = listening.accept()
                if child := _bear(channel, waiting):
                    waiting.register(os.pidfd_open(child), selectors.EVENT_READ, (child, channel))
            else:
                _bury(key, waiting)


def children_ask(address: str) -> None:
    """Have the keepers that a process of ours starts come from here as well."""
    from backends import keeper

    _known.append(address)
    vars(keeper)["_run"] = run


def _bear(channel: socket.socket, waiting: selectors.BaseSelector) -> int:
    """Fork a process as it was ordered; returns in the parent only."""
    size, streams, _flags, _sender = socket.recv_fds(channel, 4, 3)
    with channel.makefile("rb") as file:
        order = json.loads(file.read(int.from_bytes(size, "big")))
    words: list[str] = order["words"]
    for module in _NEEDED.get(words[0], ()) or _NEEDED.get(" ".join(words[:2]), ()):
        importlib.import_module(module)
    gc.freeze()
    if child := os.fork():
        for stream in streams:
            os.close(stream)
        channel.sendall(f"{child}\n".encode())
        return child
    for key in list(waiting.get_map().values()):  # the parent's
        if key.data:
            os.close(key.fd)
            key.data[1].close()
        elif key.fd:
            os.close(key.fd)
    waiting.close()
    channel.close()
    _live(words, order["env"], order["folder"], streams)
    raise AssertionError


def _live(words: list[str], environment: dict[str, str], folder: str, streams: list[int]) -> None:
    """Be that process."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    _open_streams()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.enable()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    sys.exit()


def _open_streams() -> None:
    """As the interpreter does when it starts: those of the parent know what theirs lead to, and not these."""
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115 (a descriptor)
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(  # type: ignore[misc]  # noqa: SIM115
        2, "w", buffering=1, errors="backslashreplace", closefd=False
    )


def _bury(key: selectors.SelectorKey, waiting: selectors.BaseSelector) -> None:
    """Tell how a process has ended."""
    child, channel = key.data
    _pid, status = os.waitpid(child, 0)
    waiting.unregister(key.fd)
    os.close(key.fd)
    with suppress(OSError), channel:
        channel.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
