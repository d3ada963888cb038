"""Programs that start without importing anything: each is forked from one interpreter that has done so once.

A command spends a second of processor time on imports and then some milliseconds on what a test is about; a console
spends a second and a half. Each process of the suite keeps one interpreter that has everything loaded and no thread,
and has it fork: what comes of that is a process like any other, with a home, streams, a session and, where it is told
so, a terminal of its own. What is about starting itself, about the interpreter's own variables or about what is
imported when needs an interpreter of its own and does not belong here. A keeper that one of them starts comes from
there as well.
"""

from __future__ import annotations

import atexit
import faulthandler
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
READY_S = 120.0
REQUEST_BYTES = 1 << 18
STREAMS = 3

LOADED = ("backends.keeper", "backends.runtime", "opsconsole.console", "tests.console.hostile_fleet")
"""What most of them need; the modules of the commands come with it."""

LATER = {"backends.keeper": ("backends.keeper.log", "backends.keeper.service"), "serve": ("backends.server.serving",)}
"""What a module or a command needs beyond that, loaded when the first of them is wanted."""


@dataclass(frozen=True)
class Wanted:
    """What is to run, as it crosses to the interpreter that forks it: ``python -m module arguments``."""

    module: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: str = str(ROOT)
    hangup: str | None = None
    """What SIGHUP does to it, where its standard input is to be its controlling terminal."""
    prelude: str = ""
    """A program that it runs first, as a shell or a service manager would."""


class Process:
    """A process that was forked: as much of `subprocess.Popen` as a test needs."""

    def __init__(self, wanted: Wanted, streams: Sequence[int | IO[bytes]]) -> None:
        self._told, telling = os.pipe()
        descriptors = [stream if isinstance(stream, int) else stream.fileno() for stream in streams]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as way:
                way.connect(_address())
                socket.send_fds(way, [json.dumps(asdict(wanted)).encode()], [*descriptors, telling])
        finally:
            os.close(telling)
        weakref.finalize(self, os.close, self._told)  # not at its end: more than one thread may wait for that
        self._ending = threading.Lock()
        self.returncode: int | None = None
        self.pid = int(self._line(READY_S))

    def poll(self) -> int | None:
        """Its exit code, a signal's number below zero, or None while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _end(self) -> None:
        with self._ending:
            if self.returncode is None:
                self.returncode = int(self._line(READY_S))

    def _line(self, within_s: float) -> bytes:
        said, deadline = b"", time.monotonic() + within_s
        while not said.endswith(b"\n"):
            assert select.select([self._told], [], [], max(0.0, deadline - time.monotonic()))[0], "nothing was forked"
            byte = os.read(self._told, 1)
            assert byte, "the interpreter that forks has ended"
            said += byte
        return said


def start(
    module: str,
    *arguments: str | bytes,
    streams: Sequence[int | IO[bytes]],
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    hangup: str | None = None,
    prelude: str = "",
) -> Process:
    """``python -m module arguments`` with these standard streams, and with `hangup` on a terminal of its own."""
    words = tuple(os.fsdecode(argument) for argument in arguments)
    return Process(Wanted(module, words, dict(environment or os.environ), str(folder), hangup, prelude), streams)


def run(
    module: str,
    *arguments: str | bytes,
    text: str = "",
    environment: Mapping[str, str] | None = None,
    prelude: str = "",
    timeout_s: float,
) -> tuple[int, bytes, bytes]:
    """Run ``python -m module arguments`` to its end without a terminal: its exit code, output and error output."""
    with tempfile.TemporaryFile() as typed, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        typed.write(text.encode())
        typed.seek(0)
        process = start(
            module,
            *arguments,
            streams=(typed, out, err),
            environment=environment,
            folder=Path.cwd(),
            prelude=prelude,
        )
        try:
            code = process.wait(timeout_s)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()


def in_place_of_subprocess(
    command: Sequence[str], *, env: Mapping[str, str], timeout: float, **_: object
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` of ``python [options] -m module arguments`` that reads nothing and whose text is captured."""
    module, *arguments = command[command.index("-m") + 1 :]
    code, out, err = run(module, *arguments, environment=env, timeout_s=timeout)
    return subprocess.CompletedProcess(command, code, out.decode(), err.decode())


_lives_at: list[str] = []


def _address() -> str:
    """Where the interpreter of this process listens; of one that was forked it is that which it came from."""
    if not _lives_at:
        _lives_at.append(_start())
    return _lives_at[0]


def _start() -> str:
    """Start the interpreter, which ends when this process does."""
    folder = tempfile.mkdtemp(prefix="ops-warm-")
    address = f"{folder}/s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen(64)
        interpreter = subprocess.Popen(
            [sys.executable, "-c", "from tests.support import warm; warm.main()", str(listening.fileno()), address],
            pass_fds=[listening.fileno()],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
            start_new_session=True,  # Ctrl-C at the suite ends the suite, and that ends this
        )

    def end() -> None:
        interpreter.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return address


def _load() -> None:
    """Import what any of them may need, in the environment in which the console would."""
    from opsconsole import loading
    from opsconsole.app import own_environment
    from opsconsole.dress import DARK

    own_environment(DARK)
    loading.begin()
    from opsconsole.cli import commands

    for name in (*LOADED, *(f"{commands.__name__}.{each.name}" for each in pkgutil.iter_modules(commands.__path__))):
        importlib.import_module(name)
    loading.end()
    vars(sys.modules["backends.keeper"])["_run"] = in_place_of_subprocess
    gc.disable()  # until it forks: what is looked through is copied


def _fork_for_ever(listening: socket.socket) -> tuple[Wanted, list[int]] | None:
    """Fork whatever is asked for. Returns in each process that came of it; None when nobody is left to ask."""
    while True:
        if sys.stdin.fileno() in select.select([sys.stdin.fileno(), listening.fileno()], [], [])[0]:
            return None
        with listening.accept()[0] as way:
            request, descriptors, _, _ = socket.recv_fds(way, REQUEST_BYTES, STREAMS + 1)
        document = json.loads(request)
        for each in (document["module"], *document["arguments"]):
            for module in LATER.get(each, ()):
                importlib.import_module(module)
        if os.fork() == 0:
            listening.close()
            *streams, telling = descriptors
            if pid := os.fork():
                _tell(pid, streams, telling)
            os.close(telling)
            return Wanted(**document | {"arguments": tuple(document["arguments"])}), streams
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _tell(pid: int, streams: Sequence[int], telling: int) -> None:
    """Tell who asked which process it is and, once it has ended, how; nothing else is left to do here."""
    for descriptor in streams:
        os.close(descriptor)
    os.write(telling, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(telling, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(wanted: Wanted, streams: Sequence[int]) -> None:
    """Be what a fresh interpreter would be in its place."""
    os.setsid()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if wanted.hangup is not None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, getattr(signal, wanted.hangup))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        usual = getattr(sys, f"__{name}__")
        stream = open(  # noqa: SIM115 - it lives as long as the process
            number,
            "w" if number else "r",
            encoding=usual.encoding,
            errors=usual.errors,
            closefd=False,
            buffering=1 if os.isatty(number) or name == "stderr" else -1,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.chdir(wanted.folder)
    os.environ.clear()
    os.environ.update(wanted.environment)
    tempfile.tempdir = None  # where temporary files lie is asked anew
    sys.argv = [wanted.module, *wanted.arguments]
    faulthandler.enable()
    gc.enable()


def main() -> None:
    """Load everything, then fork for as long as somebody asks."""
    descriptor, address = sys.argv[1:]
    _lives_at.append(address)
    listening = socket.socket(fileno=int(descriptor))
    _load()
    if asked := _fork_for_ever(listening):
        _become(*asked)
        exec(asked[0].prelude, {})
        runpy.run_module(asked[0].module, run_name="__main__", alter_sys=True)
