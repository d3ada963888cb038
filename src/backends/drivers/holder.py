"""Holds a process and everything that comes of it: run by path, by a bare interpreter, as a process of its own.

    holder.py run FD -- PROGRAM ARGUMENT…      ends with it, and leaves nothing of it behind
    holder.py keep PIDFILE CGROUP -- PROGRAM …  starts it to stay, and says in PIDFILE who it is

The kernel gives it every orphan of its tree (child subreaper), so whoever double-forks is still found as a descendant.
It imports nothing of this project: it must start quickly, and whatever else runs here must not be in it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from typing import NoReturn

_SUBREAPER = 36
_LOOK_S = 0.002
_PATIENCE_S = 10.0


def main(arguments: list[str]) -> int:
    """Hold what the arguments name."""
    mark = arguments.index("--")
    options, program = arguments[:mark], arguments[mark + 1 :]
    _adopt_orphans()
    if options[0] == "run":
        return _run(int(options[1]), program)
    return _keep(options[1], options[2], program)


def _adopt_orphans() -> None:
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


# ------------------------------------------------------------------------------------------------- to its end
def _run(leash: int, program: list[str]) -> int:
    """Run it until it ends or the other end of ``leash`` is closed; then end all that is left of it."""
    child = os.fork()
    if child == 0:
        os.close(leash)
        _become(program)
    news, bell = os.pipe()
    os.set_blocking(bell, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(bell)
    code = None
    while code is None:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
        elif leash in select.select([news, leash], [], [])[0]:
            code = 124
        else:
            os.read(news, 512)
    _end_all()
    return code if code >= 0 else 128 - code


def _end_all() -> None:
    """Freeze and kill every descendant until there is none."""
    until_s = time.monotonic() + _PATIENCE_S
    while (left := _descendants()) and time.monotonic() < until_s:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in _descendants() | left if number is signal.SIGKILL else left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)  # a descendant's number is not given away while it waits for us to reap it
        _reap()
        time.sleep(_LOOK_S)  # who was killed ends a moment later, and tells its own parent, which need not be this one


def _descendants() -> set[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 (a bare interpreter starts quicker without pathlib)
        if not name.isdigit():
            continue
        try:
            rest = _stat(int(name))
        except OSError:
            continue
        if rest[0] not in b"ZX":
            children.setdefault(int(rest[1]), []).append(int(name))
    found: set[int] = set()
    waiting = [os.getpid()]
    while waiting:
        new = children.get(waiting.pop(), ())
        found.update(new)
        waiting += new
    return found


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # nobody is left


# --------------------------------------------------------------------------------------------------- to stay
def _keep(pidfile: str, cgroup: str, program: list[str]) -> int:
    """Start it in a process that stays and holds it; returns when it runs, or has failed to."""
    told, tell = os.pipe()
    if os.fork() == 0:
        os.close(told)
        os.setsid()
        _stay(pidfile, cgroup, program, tell)
    os.close(tell)
    with os.fdopen(told, "rb") as answer:
        said = answer.read(300)
    sys.stderr.buffer.write(said)
    return 1 if said else 0


def _stay(pidfile: str, cgroup: str, program: list[str], tell: int) -> NoReturn:
    _adopt_orphans()
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    begun, begin = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(begin)
        os.setsid()
        os.dup2(nothing, 2)
        if not os.read(begun, 1):  # written down first: what runs is always known
            os._exit(1)
        _become(program, tell)
    os.close(begun)
    try:
        if cgroup:
            _write(f"{cgroup}/cgroup.procs", str(child))
        _put(pidfile, f"{child} {_started(child)} {os.getpid()} {_started(os.getpid())}\n")
    except OSError as error:
        os.write(tell, str(error).encode()[:300])
        os._exit(1)
    os.write(begin, b"!")
    os.close(begin)
    os.close(tell)
    os.dup2(nothing, 2)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            os._exit(0)  # the file stays: whom it names is gone, which says more than no file


def _started(pid: int) -> str:
    return _stat(pid)[19].decode()


def _stat(pid: int) -> list[bytes]:
    """What the kernel says of a process, from its state on: the name before that may hold spaces and parentheses."""
    with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (a bare interpreter starts quicker without pathlib)
        return file.read().rpartition(b")")[2].split()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 (a bare interpreter starts quicker without pathlib)
        file.write(text)


def _put(path: str, text: str) -> None:
    """Put a file there in one step, so that nobody reads half of it."""
    temporary = f"{path}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)  # noqa: PTH105 (a bare interpreter starts quicker without pathlib)


def _become(program: list[str], tell: int | None = None) -> NoReturn:
    """Be this program. Where it cannot be run, that is said on ``tell`` or standard error, and the code is 127."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # which an interpreter ignores, and what it starts would too
    os.umask(0o022)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, 0)  # whoever stops things has precedence, and what it starts has not
    try:
        os.execv(program[0], program)  # noqa: S606 (no shell: that is what is meant)
    except OSError as error:
        os.write(2 if tell is None else tell, f"{program[0]}: {error.strerror}".encode()[:300])
    os._exit(127)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
