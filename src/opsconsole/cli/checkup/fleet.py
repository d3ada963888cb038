"""What ``doctor`` asks of a fleet: whether it can be read, and whether something in it waits for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from core.errors import OpsError
from opsconsole.cli.checkup.finding import Finding
from opsgate import latch
from opsgate.clock import elapsed_s
from opsgate.paths import keeper_socket
from opsgate.wire import ask

if TYPE_CHECKING:
    from core.ports import Backend
    from core.state import State
    from opsconsole.cli.invocation import Invocation

_KEEPER_WITHIN_S: Final = 1.0


def fleet(invocation: Invocation) -> Iterator[Finding]:
    """Open it, and ask one thing after the other."""
    from opsconsole.cli.engine import opened

    try:
        began_s = elapsed_s()
        with opened(invocation) as engine:
            state = engine.backend.state(timeout_s=engine.timeout_s)
            took_ms = 1000 * (elapsed_s() - began_s)
            yield Finding(
                "ok", "backend", f"fleet {state.fleet} at revision {state.revision}, read in {took_ms:.0f} ms"
            )
            for question in _QUESTIONS:
                yield _answered(question, engine.backend, state)
    except OpsError as error:
        yield Finding("fail", "backend", error.message, error.hint)


def _answered(question: Callable[[Backend, State], Finding], backend: Backend, state: State) -> Finding:
    try:
        return question(backend, state)
    except OpsError as error:
        return Finding("fail", question.__name__.lstrip("_"), error.message, error.hint)


def _version(backend: Backend, _state: State) -> Finding:
    if backend.contact().newer:
        return Finding("warn", "version", "the server is of a later one: not all of it is shown here", "upgrade here")
    return Finding("ok", "version", "this program knows all that it was told")


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


_QUESTIONS: Final = (_version, _journal, _keeper, _unrecorded, _workers, _overdue, _services, _channels, _clock)
