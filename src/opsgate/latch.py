"""The latch: a stop order as a file, the channel that works when everything else is gone.

A latch is written whole (temporary file, fsync, rename, fsync of the directory), so a reader sees all of it or
nothing. Files that are no order still stop: someone put them there to stop something, and half a disk is no reason
to go on.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from opsgate.order import Order
from opsgate.paths import ALL_FLEETS, latch_home

_MAX_BYTES = 64 * 1024


class LatchError(OSError):
    """The latch could not be placed or its directory is not safe to use; the text says what to do."""


def place(order: Order, fleet: str) -> Path:
    """Write ``order`` as the latch of one fleet (or of ``all``), durable when this returns. Idempotent.

    Raises `LatchError` when the directory cannot be made or written, or belongs to somebody else.
    """
    directory = latch_home() / fleet
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        _refuse_unsafe(directory)
        target, temporary = directory / order.stop_id, directory / f".{order.stop_id}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
        try:
            os.write(descriptor, json.dumps(order.as_dict()).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(target)
        _sync_directory(directory)
    except OSError as error:
        raise LatchError(error.errno, f"the latch could not be placed in {directory}: {error.strerror or error}") from error
    return target


def remove(stop_id: str, fleet: str) -> bool:
    """Take one latch away; False when there was none. Only after the release of its hold has been recorded."""
    target = latch_home() / fleet / stop_id
    try:
        target.unlink()
    except FileNotFoundError:
        return False
    _sync_directory(target.parent)
    return True


def in_force(fleets: Iterable[str]) -> tuple[Order, ...]:
    """The orders latched for any of these fleets and for all of them, by stop id.

    A directory that cannot be read counts as empty; a file that is no order counts as a stop of everything.
    """
    orders: dict[str, Order] = {}
    for fleet in (*fleets, ALL_FLEETS):
        directory = latch_home() / fleet
        try:
            names = sorted(entry.name for entry in os.scandir(directory) if not entry.name.startswith("."))
        except OSError:
            continue
        for name in names:
            order = _read(directory / name)
            if order is not None:
                orders[order.stop_id] = order
    return tuple(orders.values())


def _read(path: Path) -> Order | None:
    try:
        found = path.stat(follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            return None
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES)
    except OSError:
        return None
    try:
        return Order.from_dict(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        when = datetime.fromtimestamp(found.st_mtime, UTC)
        return Order(stop_id=path.name, ordered_at=when, reason="unreadable latch", actor="unknown", door="latch")


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
