"""What ``doctor`` looks at: each question asked by itself, so that one answer that fails leaves the others standing."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from core.errors import OpsError
from opsgate import latch
from opsgate.clock import elapsed_s
from opsgate.paths import keeper_socket, latch_home, runtime_home, sqlite_path
from opsgate.wire import ask

if TYPE_CHECKING:
    from core.ports import Backend
    from core.state import State
    from opsconsole.cli.invocation import Invocation

Verdict = Literal["ok", "warn", "fail"]

_ROOM_BYTES: Final = 100 * 1024 * 1024
_SOUND_SQLITE: Final = (3, 51, 3)
_KEEPER_WITHIN_S: Final = 1.0
_CONNECT_S: Final = 5
_READABLE: Final = "chmod u+rx {}, as its owner or root"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer: ``fail`` needs mending, ``warn`` is to be known. ``hint`` is the next step."""

    verdict: Verdict
    what: str
    detail: str
    hint: str = ""


def findings(invocation: Invocation) -> Iterator[Finding]:
    """Look at this host, then at the backend, then at the fleet."""
    yield _python()
    yield _sqlite()
    yield from _folders()
    url = invocation.settings.backend
    if url.startswith("sqlite:"):
        yield from _file(sqlite_path(url))
    yield from _backend(invocation)
    if url.startswith(("postgresql:", "postgres:")):
        yield from _pooler(url)


def _python() -> Finding:
    return Finding("ok", "python", f"{platform.python_implementation()} {platform.python_version()}")


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= _SOUND_SQLITE:
        return Finding("ok", "sqlite", f"{version}, Python's own")
    return Finding(
        "warn",
        "sqlite",
        f"{version}, Python's own; before 3.51.3 two checkpoints at once may damage a log",
        "only the keeper makes checkpoints here, so nothing has to be done",
    )


def _folders() -> Iterator[Finding]:
    yield _private("sockets", runtime_home())
    home = latch_home()
    try:
        existing = next(folder for folder in (home, *home.parents) if folder.exists())
    except OSError as error:
        yield Finding("fail", "latches", f"{home} cannot be reached: {error.strerror}", _READABLE.format(home.parent))
        return
    if existing == home and not os.access(home, os.R_OK | os.X_OK):
        yield Finding("fail", "latches", f"{home} cannot be read: gates stop everything", _READABLE.format(home))
    elif existing == home and home.stat().st_mode & stat.S_IWOTH:
        yield Finding("fail", "latches", f"{home} is world-writable: anyone could stop or un-stop", f"chmod o-w {home}")
    elif not os.access(existing, os.W_OK):
        yield Finding(
            "fail",
            "latches",
            f"{home} cannot be written: a stop has no spool",
            f"make {existing} writable for this user",
        )
    else:
        yield Finding("ok", "latches", str(home))


def _private(what: str, folder: Path) -> Finding:
    try:
        found = folder.stat()
    except OSError:
        return Finding("ok", what, f"{folder}, made when first needed")
    if found.st_uid not in (os.getuid(), 0) or found.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        return Finding("fail", what, f"{folder} is not private to you", f"chmod 700 {folder}")
    return Finding("ok", what, str(folder))


def _pooler(url: str) -> Iterator[Finding]:
    import psycopg

    from backends.local.postgres_link import is_pooled

    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_S) as connection:
            pooled = is_pooled(connection)
    except psycopg.Error:
        return  # what is wrong with it was said of the backend
    if pooled:
        yield Finding(
            "warn",
            "pooler",
            "a connection pooler stands before the database: what others change is seen up to a quarter second late",
            "name the database itself, or have it pool by session",
        )
    else:
        yield Finding("ok", "pooler", "none stands before the database")


def _file(path: Path) -> Iterator[Finding]:
    if not path.exists():
        yield Finding("warn", "file", f"{path} does not exist yet", "the first command that writes makes it")
        return
    found = path.stat()
    if found.st_mode & (stat.S_IWOTH | stat.S_IWGRP):
        yield Finding("warn", "file", f"{path} is writable by others: each of them is an admin", f"chmod 600 {path}")
    else:
        yield Finding("ok", "file", f"{path}, {found.st_size} bytes")
    free = shutil.disk_usage(path.parent).free
    verdict: Verdict = "ok" if free > _ROOM_BYTES else "warn"
    yield Finding(verdict, "disk", f"{free // 1024**2} MB free", "" if verdict == "ok" else "make room: a full disk")


def _backend(invocation: Invocation) -> Iterator[Finding]:
    from opsconsole.cli.engine import opened

    try:
        began_s = elapsed_s()
        with opened(invocation) as engine:
            state = engine.backend.state(timeout_s=engine.timeout_s)
            took_ms = 1000 * (elapsed_s() - began_s)
            yield Finding(
                "ok", "backend", f"fleet {state.fleet} at revision {state.revision}, read in {took_ms:.0f} ms"
            )
            for question in (_journal, _keeper, _unrecorded, _workers, _overdue, _services, _channels, _clock):
                yield _answered(question, engine.backend, state)
    except OpsError as error:
        yield Finding("fail", "backend", error.message, error.hint)


def _answered(question: Callable[[Backend, State], Finding], backend: Backend, state: State) -> Finding:
    try:
        return question(backend, state)
    except OpsError as error:
        return Finding("fail", question.__name__.lstrip("_"), error.message, error.hint)


def _journal(backend: Backend, _state: State) -> Finding:
    report = backend.verify()
    if report.fault is None:
        return Finding("ok", "journal", f"verified from {report.since + 1} to {report.revision}")
    return Finding("fail", "journal", report.fault.what, "keep the file as it is, and put a copy of it beside a backup")


def _keeper(_backend: Backend, state: State) -> Finding:
    answer = ask(str(keeper_socket(state.fleet)), "ping", timeout_s=_KEEPER_WITHIN_S)
    if answer is None:
        return Finding(
            "warn",
            "keeper",
            "none is running on this host: nothing expires, and nobody hears workers",
            "the console starts one",
        )
    if answer.get("automatic_stops") is False:
        off = "EMERGENCY_STOP_ENABLED is false at the keeper: no trigger and no alert stops anything"
        return Finding("warn", "keeper", off, "set it to true, and start the keeper again")
    leads = "runs the loops" if answer.get("leader") else "stands by"
    found = f"process {answer.get('pid')} {leads}; database {answer.get('database')}"
    if strains := answer.get("strains"):
        return Finding("warn", "keeper", "; ".join([found, *strains]), "see MAX_MEMORY_USAGE and MAX_CPU_USAGE")
    return Finding("ok", "keeper", found)


def _unrecorded(backend: Backend, state: State) -> Finding:
    from backends.spool import names_of, pending

    waiting = pending(names_of(state, backend.url), state)
    if not waiting:
        return Finding("ok", "spool", f"no stop waits to be recorded ({len(latch.in_force((state.fleet,)))} latched)")
    if unreadable := latch.unreadable(names_of(state, backend.url)):
        fault, _, hint = unreadable[0].reason.partition(": ")
        return Finding("fail", "spool", f"{fault}: gates stop everything, and nothing can be released", hint)
    shown = ", ".join(order.stop_id for order in waiting[:3])
    are = "stop is" if len(waiting) == 1 else "stops are"
    hint = "whatever releases something records it first, and so does the console"
    return Finding("warn", "spool", f"{len(waiting)} latched {are} not in the journal yet: {shown}", hint)


def _workers(backend: Backend, _state: State) -> Finding:
    from core.facts import standing

    seen = backend.observe()
    standings = [standing(row, seen.at) for row in seen.workers]
    lost = standings.count("lost")
    hint = "see 'opsconsole workers list'; forget those that are known to be gone" if lost else ""
    return Finding("warn" if lost else "ok", "workers", f"{standings.count('live')} live, {lost} lost", hint)


def _overdue(_backend: Backend, state: State) -> Finding:
    overdue = sorted(hold.hold_id for hold in state.holds.values() if hold.overdue)
    if not overdue:
        return Finding("ok", "holds", f"{len(state.holds)} in force, none overdue")
    shown = ", ".join(overdue[:5])
    return Finding(
        "warn", "holds", f"fell due while no keeper watched: {shown}", "release them, if they are meant to end"
    )


def _services(backend: Backend, state: State) -> Finding:
    from opsconsole.cli.drivable import faults_of

    faults = faults_of(backend, state)
    if not faults:
        return Finding("ok", "services", f"{len(state.services)} registered, none that this host could not drive")
    name, fault = next(iter(faults.items()))
    more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
    return Finding(
        "fail", "services", f"{name} cannot be driven wholly: {fault}{more}", "a stop or a recovery would not reach it"
    )


def _channels(backend: Backend, state: State) -> Finding:
    from backends.runtime import Runtime
    from opsconsole.cli.sinks import standing

    cursors = backend.store.cursors() if isinstance(backend, Runtime) else ()
    failing = [(each.name, found) for each in cursors if (found := standing(each, state.revision))["state"] != "ok"]
    if not failing:
        return Finding("ok", "channels", f"{len(cursors)} told of what happens, none failing")
    name, found = failing[0]
    said = f"{name} has failed since {found['since']}, {found['behind']} events behind: {found['why']}"
    return Finding("fail", "channels", said, f"'opsconsole notify test' tries it ({len(failing)} failing)")


def _clock(backend: Backend, state: State) -> Finding:
    from opsgate.hold import moment

    last = backend.journal(after=max(0, state.revision - 1), limit=1)
    ahead_s = (moment(last[0].at) - backend.observe().at).total_seconds() if last else 0.0
    if ahead_s > 1.0:
        return Finding("warn", "clock", f"the journal is {ahead_s:.0f} s ahead of this host", "set the clock right")
    return Finding("ok", "clock", "agrees with the journal")
