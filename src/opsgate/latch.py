"""The latch: a stop order as a file, the channel that works when everything else is gone.

A latch is written whole (temporary file, fsync, rename, fsync of the directory), so a reader sees all of it or
nothing. Files that are no order still stop: someone put them there to stop something, and half a disk is no reason
to go on.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from opsgate.order import Lying, Order
from opsgate.paths import ALL_FLEETS, latch_home, latch_homes

_MAX_BYTES = 16 * 1024 * 1024
"""Far above the largest order (ten thousand selectors), so that no whole order is ever read as a torn one."""

_RECOVERED = ".recovered-"
_TORN = "unreadable latch"


class LatchError(OSError):
    """The latch could not be placed or its directory is not safe to use; the text says what to do."""


def place(order: Order, fleet: str) -> Path:
    """Write ``order`` as the latch of one fleet (or of ``all``), durable when this returns. Idempotent.

    Raises `LatchError` when the directory cannot be made or written, or is open to everybody.
    """
    directory = latch_home() / fleet
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        _refuse_unsafe(directory)
        target, temporary = directory / order.stop_id, directory / f".{order.stop_id}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
        try:
            _write_whole(descriptor, json.dumps(order.as_dict()).encode())
            os.fsync(descriptor)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        temporary.replace(target)
        _sync_directory(directory)
    except OSError as error:
        raise LatchError(
            error.errno, f"the latch could not be placed in {directory}: {error.strerror or error}"
        ) from error
    return target


def remove(stop_id: str, fleet: str) -> bool:
    """Take one latch away; False when there was none. Only after the release of its hold has been recorded."""
    removed = False
    for home in latch_homes():
        target = home / fleet / stop_id
        if os.path.lexists(target):
            target.unlink(missing_ok=True)
            _sync_directory(target.parent)
            removed = True
    return removed


def recovered(stop_id: str, fleets: Sequence[str]) -> None:
    """Take away what a recovered stop left on this host: the latches of the fleet that goes by these names, and its
    part in one that was ordered for all fleets. Only after the release of its holds has been recorded.

    A latch for all fleets stays for those that have not recovered from it: a mark says who has, and the last one on
    this host takes the file away. Raises OSError when the directory cannot be written; repeat it then.
    """
    for fleet in fleets:
        remove(stop_id, fleet)
    for home in latch_homes():
        everybody = home / ALL_FLEETS / stop_id
        if not os.path.lexists(everybody):
            _unmark(home, stop_id)
            continue
        for fleet in fleets:
            _mark(home / fleet, stop_id)
        if all((directory / f"{_RECOVERED}{stop_id}").exists() for directory in _fleets_in(home)):
            everybody.unlink(missing_ok=True)
            _sync_directory(everybody.parent)
            _unmark(home, stop_id)


def folders(fleets: Iterable[str]) -> list[Path]:
    """Where latches of these fleets, and of all, may lie on this host."""
    return [home / fleet for home in latch_homes() for fleet in (*fleets, ALL_FLEETS)]


def look(fleets: Sequence[str], before: Mapping[Path, Order]) -> Lying:
    """What a gate of these fleets has to obey, and which folders are not there.

    A file that is no order counts as a stop of everything. ``before`` is what the gate found when it last looked: what
    cannot be read at this moment (no descriptor left, a disk that fails, no permission) counts as it was then, and a
    file that could never be read as a stop of everything.
    """
    orders: dict[Path, Order] = {}
    missing = set()
    whole = True
    for directory, name, found in _look(fleets):
        path = directory / name
        if isinstance(found, Order):
            orders[path] = found
        elif isinstance(found, FileNotFoundError | NotADirectoryError):
            missing.add(directory)
        elif name:
            whole = False
            orders[path] = before.get(path) or _unread(directory, name, found)
        else:
            whole = False
            orders |= {path: order for path, order in before.items() if path.parent == directory}
    return Lying(orders, frozenset(missing), tuple(fleets), whole)


def lies(fleets: Iterable[str]) -> bool:
    """Whether anything lies in the directories of these fleets and of all, or one cannot be listed. No file is read."""
    for directory in folders(fleets):
        try:
            if os.listdir(directory):  # noqa: PTH208 (asked for every command that lets something run)
                return True
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return True
    return False


def in_force(fleets: Iterable[str]) -> tuple[Order, ...]:
    """The orders latched for any of these fleets and for all of them that can be read at this moment, by stop id.

    A file that is no order counts as a stop of everything. What cannot be read is left for another time, and
    `unreadable` says what that is.
    """
    found_all = (found for _, _, found in _look(fleets))
    return tuple({found.stop_id: found for found in found_all if isinstance(found, Order)}.values())


def unreadable(fleets: Iterable[str]) -> tuple[Order, ...]:
    """What lies there and cannot be read at this moment, each as a stop of everything by the name of its file (of the
    directory, where that cannot be listed); its reason is a sentence for people that says what to do.

    Gates obey it. Nobody can record it, so whoever would release something has to wait until it can be read.
    """
    orders: dict[str, Order] = {}
    readable: set[str] = set()
    for directory, name, found in _look(fleets):
        if isinstance(found, Order):
            readable.add(name)
        elif not isinstance(found, FileNotFoundError | NotADirectoryError):
            orders[name or directory.name] = _unread(directory, name, found)
    return tuple(order for name, order in orders.items() if name not in readable)


def is_by_hand(order: Order) -> bool:
    """Whether it stands for a file that is no order, made by somebody who gave it some name, or cut short by a disk."""
    return order.door == "latch" and order.reason == _TORN


def latched(stop_id: str, fleets: Iterable[str]) -> bool:
    """Whether a latch of this stop lies in the directory of one of these fleets."""
    return any(os.access(home / fleet / stop_id, os.F_OK) for home in latch_homes() for fleet in fleets)


def _look(fleets: Iterable[str]) -> Iterator[tuple[Path, str, Order | OSError]]:
    """Each latch in the directories of these fleets and of all: where it lies, its name, and what it says or why it
    cannot be read. A directory that cannot be listed, or is not there, comes without a name."""
    over: set[str] = set()
    for directory in sorted(folders(tuple(fleets)), key=lambda path: path.name == ALL_FLEETS):
        try:
            names = sorted(path.name for path in directory.iterdir())
        except OSError as error:
            yield directory, "", error
            continue
        over.update(name for name in names if name.startswith("."))
        for name in names:
            if name.startswith(".") or (directory.name == ALL_FLEETS and f"{_RECOVERED}{name}" in over):
                continue
            try:
                order = _read(directory / name)
            except OSError as error:
                yield directory, name, error
                continue
            if order is not None:
                yield directory, name, order


def _read(path: Path) -> Order | None:
    """The order in a file; None where it has just been taken away, or is no file. OSError where it cannot be read."""
    try:
        found = path.stat(follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            return None
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES)
    except FileNotFoundError:
        return None
    try:
        return replace(Order.from_dict(json.loads(text)), stop_id=path.name)  # by this name it is taken away again
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _torn(path.name, found.st_mtime)


def _torn(name: str, at_s: float) -> Order:
    """What a latch that says nothing stands for: everything, since its file was written as far as that is known."""
    try:
        ordered_at = datetime.fromtimestamp(at_s, UTC)
    except (OverflowError, ValueError, OSError):  # a time that no calendar has
        ordered_at = datetime.fromtimestamp(0, UTC)
    return Order(stop_id=name, ordered_at=ordered_at, reason=_TORN, actor="unknown", door="latch")


def _unread(directory: Path, name: str, error: OSError) -> Order:
    """What a latch stands for that lies there and cannot be read: everything, since nobody knows when."""
    reason = (
        f"{directory / name} cannot be read ({error.strerror or error}): let its owner or root make it readable for "
        "this user, or remove it when what it stops may run"
    )
    return replace(_torn(name or directory.name, 0.0), reason=reason)


def _write_whole(descriptor: int, content: bytes) -> None:
    """A disk that fills up may take a part and report no error; half an order would stop everything."""
    if os.write(descriptor, content) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _fleets_in(home: Path) -> list[Path]:
    try:
        return [Path(entry) for entry in os.scandir(home) if entry.is_dir() and entry.name != ALL_FLEETS]
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # not there, or none of this user's business
        return []


def _mark(directory: Path, stop_id: str) -> None:
    directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    (directory / f"{_RECOVERED}{stop_id}").touch(mode=0o640)
    _sync_directory(directory)


def _unmark(home: Path, stop_id: str) -> None:
    for directory in _fleets_in(home):
        (directory / f"{_RECOVERED}{stop_id}").unlink(missing_ok=True)


def _refuse_unsafe(directory: Path) -> None:
    for place_ in (directory, directory.parent):
        if place_.stat().st_mode & stat.S_IWOTH:
            raise LatchError(None, f"{place_} is world-writable: chmod o-w it, anyone could stop or un-stop the fleet")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
