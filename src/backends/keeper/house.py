"""The keeper's house on this host: a private directory, a lock for each fleet, two sockets, names that lead there.

The lock is what makes a keeper the only one of its fleet here; the kernel drops it with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from backends.keeper.peers import tell_senders
from opsgate.paths import fleet_of_url, keeper_socket, runtime_home, stop_socket

_PATH_MAX_BYTES: Final = 107


class HouseError(OSError):
    """The keeper cannot live here: the directory is not private, or its path is too long for a socket."""


def private_directory() -> Path:
    """The directory of sockets, made where it is missing; `HouseError` where it is not ours alone."""
    directory = runtime_home()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.stat(follow_symlinks=False)
    except OSError as error:
        raise HouseError(error.errno, f"{directory} cannot be made: {error.strerror}; set XDG_RUNTIME_DIR") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise HouseError(None, f"{directory} is not a directory of this user: set XDG_RUNTIME_DIR to one that is")
    if found.st_mode & 0o077:
        raise HouseError(None, f"{directory} is open to others: chmod 700 {directory}")
    return directory


class Lock:
    """A lock on a file that is held until `close`, or until the process ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def take(self, *, wait: bool) -> bool:
        """Whether the lock is ours now."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Give it up."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class House:
    """The sockets of one fleet's keeper. ``post`` carries everything but stops, ``stops`` carries stops alone."""

    def __init__(self, fleet: str, url: str) -> None:
        """Take the house of a fleet. Raises `HouseError`, or BlockingIOError where its keeper lives here already."""
        directory = private_directory()
        self._fleet = fleet
        self._lock = Lock(directory / f"{fleet}.lock")
        if not self._lock.take(wait=False):
            self._lock.close()
            raise BlockingIOError(f"a keeper of fleet {fleet} runs on this host already")
        self.address = keeper_socket(fleet)
        self.post = _listen(self.address)
        self.stops = _listen(stop_socket(fleet))
        alias = fleet_of_url(url)
        _lead(keeper_socket(alias), self.address)
        _lead(stop_socket(alias), stop_socket(fleet))

    def close(self) -> None:
        """Leave: nobody is to find a socket that no one reads. The aliases stay, as word of which fleet lived here."""
        self.address.unlink(missing_ok=True)
        stop_socket(self._fleet).unlink(missing_ok=True)
        self.post.close()
        self.stops.close()
        self._lock.close()


def _listen(path: Path) -> socket.socket:
    """A datagram socket at ``path``, put there in one step, so that nobody meets half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    if len(os.fsencode(temporary)) > _PATH_MAX_BYTES:
        raise HouseError(None, f"{path} is too long for a socket: set XDG_RUNTIME_DIR to a shorter path")
    temporary.unlink(missing_ok=True)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    tell_senders(channel)
    channel.setblocking(False)
    channel.bind(str(temporary))
    temporary.chmod(0o600)
    temporary.replace(path)
    return channel


def _lead(alias: Path, target: Path) -> None:
    temporary = alias.with_name(f".{alias.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target.name)
    temporary.replace(alias)
