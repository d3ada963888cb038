"""Runs a command and leaves nothing of it behind: no shell, a clean environment, caps on time and output."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backends.drivers.base import DriverConfigError
from opsgate.clock import elapsed_s

OUTPUT_MAX_BYTES: Final = 64 * 1024
"""How much of what a command says is kept. The rest is read, slowly, and thrown away."""

HOLDER: Final = (sys.executable, "-I", "-S", "-E", str(Path(__file__).with_name("holder.py")))

_CLEAN: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
_END_S: Final = 2.0
"""Seconds that the end of a command that is out of time may take."""

_FLOOD_REST_S: Final = 0.01
"""Seconds between two readings of what is thrown away: a command that talks for ever waits for us, not we for it."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a command: its exit code (None: it was out of time, and ended), and what it said."""

    code: int | None
    said: str

    @property
    def detail(self) -> str:
        """For people."""
        end = "out of time" if self.code is None else f"exit {self.code}"
        return f"{end}: {self.said}" if self.said else end


def checked_command(argv: Sequence[str], allowed: Sequence[str] | None) -> tuple[str, ...]:
    """``argv`` where this host allows its program: an absolute path, listed, that nobody else could have changed.

    Raises `DriverConfigError`.
    """
    if not argv or not argv[0].startswith("/") or any("\0" in word for word in argv):
        raise DriverConfigError("a command is a list of words that begins with the absolute path of a program")
    path = Path(argv[0])
    if allowed is not None and not any(_covers(entry, path) for entry in allowed):
        raise DriverConfigError(_not_allowed(path, allowed))
    for part in (path, *path.parents):
        _trusted(part)
    return tuple(argv)


def _not_allowed(path: Path, allowed: Sequence[str]) -> str:
    if allowed:
        return f"{path} is not among the programs that this host's drivers.toml allows"
    return f"this host allows no programs: name {path} under commands in /etc/opsconsole/drivers.toml or the user's own"


def _covers(entry: str, path: Path) -> bool:
    if entry.endswith("/*"):
        return ".." not in path.parts and path.is_relative_to(entry[:-2])
    return entry == str(path)


def _trusted(path: Path) -> None:
    try:
        found = path.stat()
    except OSError as error:
        raise DriverConfigError(f"{path}: {error.strerror}") from error
    shared = found.st_mode & 0o022 and not (stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX)
    if found.st_uid not in (0, os.geteuid()) or shared:
        raise DriverConfigError(f"{path} can be changed by others: it is not run")


def variable(text: str) -> str:
    """``text`` as the value of a variable: without what ends one, and without what no encoding has."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def run(argv: Sequence[str], *, timeout_s: float, given: bytes = b"", environment: Mapping[str, str]) -> Ran:
    """Run a command to its end, with ``given`` on its standard input. Raises OSError where none can be started."""
    far, leash = os.pipe()
    try:
        with subprocess.Popen(
            [*HOLDER, "run", str(far), "--", *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_CLEAN | dict(environment),
            cwd="/",
            pass_fds=(far,),
            start_new_session=True,
        ) as process:
            os.close(far)
            far = -1
            said, in_time = _talk(process, given, elapsed_s() + timeout_s)
            os.close(leash)  # whatever is left of it ends now
            leash = -1
            code = _end(process)
    finally:
        for descriptor in (far, leash):
            if descriptor >= 0:
                os.close(descriptor)
    return Ran(code if in_time else None, said.decode("utf-8", "replace").strip())


def _talk(process: subprocess.Popen[bytes], given: bytes, until_s: float) -> tuple[bytes, bool]:
    """Give it its input and hear what it says, until it ends; whether it did so in time."""
    assert process.stdin is not None
    assert process.stdout is not None
    into, out = process.stdin.fileno(), process.stdout.fileno()
    os.set_blocking(into, False)
    said, poller, given = bytearray(), select.poll(), given[:OUTPUT_MAX_BYTES]
    poller.register(out, select.POLLIN)
    poller.register(into, select.POLLOUT)
    with _ending_of(process) as ended:
        poller.register(ended, select.POLLIN)
        while (left_s := until_s - elapsed_s()) > 0:
            ready = {descriptor for descriptor, _ in poller.poll(left_s * 1000)}
            if into in ready:
                given = _give(into, given)
                if not given:
                    poller.unregister(into)
                    process.stdin.close()
            if out in ready:
                heard = os.read(out, OUTPUT_MAX_BYTES)
                room = OUTPUT_MAX_BYTES - len(said)
                said += heard[:room]
                if not heard:
                    poller.unregister(out)
                elif not room:
                    time.sleep(_FLOOD_REST_S)  # else a flood would keep a processor busy
            elif ended in ready:
                return bytes(said), True
    return bytes(said), False


def _give(into: int, given: bytes) -> bytes:
    """Write what fits; returns what is left of it."""
    try:
        return given[os.write(into, given) :] if given else b""
    except BlockingIOError:
        return given
    except OSError:
        return b""  # it does not want to know


class _ending_of:  # noqa: N801 (used as a function)
    """A descriptor that is readable when a process has ended."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = os.pidfd_open(process.pid)

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _end(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return None


def keep(argv: Sequence[str], pidfile: Path, cgroup: str, *, timeout_s: float, environment: Mapping[str, str]) -> Ran:
    """Start a program to stay, held by a process that gathers whatever comes of it. ``pidfile`` then says who they
    are. Raises OSError where none can be started."""
    try:
        done = subprocess.run(
            [*HOLDER, "keep", str(pidfile), cgroup, "--", *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_CLEAN | dict(environment),
            cwd="/",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ran(None, "")
    return Ran(done.returncode, done.stderr.decode("utf-8", "replace").strip())
