"""The last known state on disk: what a worker starts from when it can reach nothing else.

One file for each fleet and host, shared by all workers there: ``FLEET.json``, beside it ``uHASH.json``, which says
which fleet an URL was. Written whole (temporary file, fsync, rename), under a lock, and never backwards, so that a
worker that lags behind cannot take back a stop that another one has seen. Latches are kept with where they lay: whoever
starts from here looks there first, and only a folder that is gone by then leaves them in force. A file that is there
and cannot be read is not the same as none: something was known, and perhaps a stop.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from opsgate.clock import elapsed_s
from opsgate.hold import Hold, moment, timestamp
from opsgate.identity import boot_id
from opsgate.known import Known
from opsgate.order import Order
from opsgate.paths import last_known_home
from opsgate.snapshot import FORMAT, Notice, Snapshot

_log = logging.getLogger("opsgate")

RENEWED_S: Final = 30.0
"""Seconds after which an unchanged state is written again, so that its age on disk stays honest."""

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was on disk: the knowledge, and when it was last confirmed, by this host's running clock."""

    known: Known
    confirmed_at_s: float


@dataclass(frozen=True, slots=True)
class Illegible:
    """Something was on disk, and it cannot be read, or is of another fleet. ``why`` says so for people."""

    why: str


class LastKnown:
    """The last known state of the fleet behind one URL. For use by one thread at a time."""

    def __init__(self, url_key: str) -> None:
        """``url_key`` is the hash of the canonical URL, which names the fleet until its id is known."""
        self._url_key = url_key
        self._pointed_at: str | None = None
        self._held_back = False

    def load(self) -> Remembered | Illegible | None:
        """What is on disk; None where nothing is. A file that cannot be read is an error line, never an exception."""
        path = last_known_home() / f"{self._url_key}.json"
        try:
            fleet = str(json.loads(path.read_bytes())["fleet"])
            path = last_known_home() / f"{fleet}.json"
            document = json.loads(path.read_bytes())
            found = Remembered(_known(document["header"], document["snapshot"]), _confirmed(document["header"]))
            if (theirs := found.known.fleet) != fleet:
                raise ValueError(f"it is of fleet {theirs}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except _UNREADABLE as error:
            _log.error(
                "the last known state in %s cannot be read (%s): everything is closed until the fleet can be; if you "
                "know that nothing was stopped, remove the file and start the worker again",
                path,
                error,
            )
            return Illegible(f"nor can what was last known of the fleet be read, from {path}")
        self._pointed_at = fleet
        return found

    def save(self, known: Known, confirmed_at_s: float) -> bool:
        """Write the knowledge down, merged with what other workers wrote; False when one of them is writing, so that
        it has to be tried again. A disk that refuses is a warning, once.

        Takes no time where another worker has written the same already.
        """
        if known.snapshot is None:
            return True
        try:
            home = last_known_home()
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(home / f"{known.snapshot.fleet}.lock") as alone:
                if not alone:
                    return False
                self._write(home / f"{known.snapshot.fleet}.json", known, confirmed_at_s)
            self._point(home, known.snapshot.fleet)
        except OSError as error:
            if not self._held_back:
                _log.warning("the last known state cannot be kept on disk: %s", error)
            self._held_back = True
        else:
            self._held_back = False
        return True

    def _write(self, path: Path, known: Known, confirmed_at_s: float) -> None:
        theirs = _header(path)
        orders, place = _merged_orders(known, theirs), (known.line, known.revision)
        their_place = (theirs.get("line", 0), theirs.get("revision", -1))
        if their_place > place:  # somebody has seen more of the fleet: all that can be new to them are orders
            if orders.keys() == {order["stop_id"] for order in theirs["orders"]}:
                return
            document = json.loads(path.read_bytes())
            header, snapshot = {**document["header"], "orders": list(orders.values())}, document["snapshot"]
        else:
            header = _header_of(known, orders, confirmed_at_s)
            told = their_place == place and header["orders"] == theirs["orders"] and _says_latched(theirs, header)
            if told and confirmed_at_s - _confirmed(theirs) < RENEWED_S:
                return
            assert known.snapshot is not None, "what nobody has read is not kept"
            snapshot = known.snapshot.as_dict()
        _replace(path, f'{{"header": {json.dumps(header)},\n"snapshot": {json.dumps(snapshot)}}}\n')

    def _point(self, home: Path, fleet: str) -> None:
        if self._pointed_at != fleet:
            _replace(home / f"{self._url_key}.json", json.dumps({"format": FORMAT, "fleet": fleet}))
            self._pointed_at = fleet


def _merged_orders(known: Known, theirs: Mapping[str, Any]) -> dict[str, Any]:
    """The orders that this worker or another one heard and no table has taken over, by stop id."""
    orders = {order["stop_id"]: order for order in theirs.get("orders", ()) if order["stop_id"] not in known.ended}
    orders |= {stop_id: order.as_dict() for stop_id, order in known.orders.items()}
    recorded = {notice.stop_id for notice in known.snapshot.stops} if known.snapshot else set()
    return {stop_id: order for stop_id, order in orders.items() if stop_id not in recorded}


def _header_of(known: Known, orders: Mapping[str, Any], confirmed_at_s: float) -> dict[str, Any]:
    recorded = {notice.stop_id for notice in known.snapshot.stops} if known.snapshot else set()
    latched = {p: order for p, order in known.latched.items() if order.stop_id not in recorded | orders.keys()}
    return {
        "format": FORMAT,
        "line": known.line,
        "revision": known.revision,
        "confirmed_at": timestamp(datetime.now(UTC)),
        "confirmed_s": confirmed_at_s,
        "boot_id": boot_id(),
        "orders": list(orders.values()),
        "latched": {str(path): order.as_dict() for path, order in latched.items()},
        "kept": [hold.as_dict() for hold in known.kept],
        "kept_stops": [notice.as_dict() for notice in known.kept_stops],
    }


def _says_latched(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> bool:
    """Whether their header has all latches of this one. It may have more: not every worker looks at every latch."""
    return bool(mine["latched"].keys() <= theirs.get("latched", {}).keys())


def _known(header: Mapping[str, Any], snapshot: Mapping[str, Any]) -> Known:
    known = Known().read(Snapshot.from_dict(snapshot))
    for order in header["orders"]:
        known = known.ordered(_order(order))
    known = known.keeping(
        tuple(Hold.from_dict(hold) for hold in header["kept"]),
        tuple(Notice.from_dict(notice) for notice in header["kept_stops"]),
    )
    latched = {Path(path): _order(order) for path, order in header.get("latched", {}).items()}
    return replace(known, line=int(header["line"]), latched=latched)


def _order(document: Mapping[str, Any]) -> Order:
    """An order as it was kept. One that was found latched goes by the name of its file, which need not be an id."""
    return replace(Order.from_dict({**document, "stop_id": "any"}), stop_id=str(document["stop_id"]))


def _confirmed(header: Mapping[str, Any]) -> float:
    """When the state was last confirmed, by this host's clock since it started; before that where it was restarted.

    After a restart only the wall clock is left, and it may have been set back: the state is then at least as old as
    the host has been up.
    """
    if header["boot_id"] and header["boot_id"] == boot_id():
        return float(header["confirmed_s"])
    passed_s = (datetime.now(UTC) - moment(header["confirmed_at"])).total_seconds()
    return elapsed_s() - max(passed_s, elapsed_s())


def _header(path: Path) -> Mapping[str, Any]:
    """The first line of the file, which holds all that decides whether the rest must be written; empty for no file."""
    try:
        with path.open("rb") as file:
            line = file.readline()
        header = json.loads(line.strip().removeprefix(b'{"header": ').removesuffix(b","))
    except _UNREADABLE:
        return {}
    return header if isinstance(header, dict) else {}


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether the lock was free; nobody waits for it, because what waits here is a worker's ear."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(
        f".{path.name}.{os.getpid()}.{threading.get_ident()}"
    )  # a process may have several gates
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
