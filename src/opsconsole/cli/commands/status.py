"""``status``: whether the fleet runs, what holds it, and who has acknowledged. Without an engine, where it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.parts import in_parts
from opsconsole.cli.times import ago
from opsconsole.render import Document
from opsgate.evaluate import describe, rank
from opsgate.status import FleetStatus, read_status

if TYPE_CHECKING:
    from core.figures import Figures

_SIGNS: Final = {"running": "[ RUN]", "stopped": "[STOP]", "partly": "[PART]", "unknown": "[????] unknown"}
_EXITS: Final = {"running": Exit.OK, "stopped": Exit.BLOCKED, "partly": Exit.PARTLY, "unknown": Exit.UNREADABLE}
_HOLDS_SHOWN: Final = 20


@click.command(short_help="Whether the fleet runs, what holds it, and who has acknowledged.")
@click.option("--exit-code", is_flag=True, help="Exit 0 running, 10 stopped, 11 partly, 12 unknown.")
@click.option("--metrics", is_flag=True, help="Also how triggers, stops and recoveries went so far.")
@click.pass_obj
def status(invocation: Invocation, exit_code: bool, metrics: bool) -> int:
    """Show the state of the fleet.

    --metrics adds how often triggers fired, how many stops were verified and how long they took, and how many
    recoveries were successful: of all emergencies that are active, and of the latest fifty that have ended.

    Exit 0, or 3 where the state cannot be read; with --exit-code the code says what was found.
    """
    found = show_status(invocation, metrics=metrics)
    if exit_code:
        return _EXITS[found.state]
    return Exit.UNREACHABLE if found.state == "unknown" else Exit.OK


def show_status(invocation: Invocation, *, metrics: bool = False) -> FleetStatus:
    """Write the status to stdout and return it. ``metrics`` takes the engine, which the rest does without."""
    found = _found(invocation)
    data, lines = found.as_dict(), list(_lines(found))
    if metrics and found.state != "unknown":
        measured = _figures(invocation)
        data["metrics"] = measured.as_dict()
        lines += _measured(measured)
    invocation.show(Document(data, lines))
    return found


def _figures(invocation: Invocation) -> Figures:
    from core.figures import figures
    from opsconsole.cli.engine import opened

    with opened(invocation) as engine:
        return figures(engine.backend.state(timeout_s=engine.timeout_s))


def _measured(found: Figures) -> list[str]:
    average, rate = found.average_stop_time_ms, found.recovery_success_rate
    took = "" if average is None else f", {average / 1000:.2f} s on average"
    share = "" if rate is None else f" ({rate:.0%})"
    return [
        f"  triggers: {found.active_triggers} active, fired {found.total_triggers} times",
        f"  stops: {found.successful_stops} verified, {found.failed_stops} not{took}",
        f"  recoveries: {found.successful_recoveries} successful, {found.failed_recoveries} failed{share}",
    ]


def _found(invocation: Invocation) -> FleetStatus:
    url = invocation.settings.backend
    if url.startswith("sqlite:"):
        return read_status(url)
    from core.errors import BackendUnavailable
    from opsconsole.cli.engine import opened
    from opsconsole.cli.standing import status_of

    try:
        with opened(invocation) as engine:
            return status_of(engine.backend, engine.timeout_s)
    except BackendUnavailable as error:
        return FleetStatus("unknown", fault=str(error))


def _lines(found: FleetStatus) -> list[str]:
    lines = [_SIGNS[found.state]]
    if found.age_s is not None:  # else nothing was read, and nothing is said of it
        lines = [f"{_SIGNS[found.state]} at revision {found.revision}, read {ago(found.age_s)} ago"]
    if found.fault:
        lines.append(f"  {found.fault}")
    elif found.state == "partly":
        lines.append(f"  {in_parts(found)}")
    if found.age_s is not None:
        lines.append(f"  workers: {found.live} live, {found.lost} lost")
    for stop in found.stops:
        emergency = stop.emergency_id or "no emergency yet"
        counts = f"{len(stop.of) - len(stop.missing)}/{len(stop.of)} acknowledged"
        missing = f", MISSING {', '.join(stop.missing)}" if stop.missing else ""
        due = f", due {stop.deadline_at:%H:%M:%S}Z" if stop.result == "pending" and stop.deadline_at else ""
        lines.append(f"  {stop.stop_id} of {emergency}, {stop.level}: {stop.result}{due}, {counts}{missing}")
    lines += [f"  channel {each.name} fails since {each.since}: {each.why}" for each in found.failing]
    holds = sorted(found.known.table().by_id.values(), key=rank)
    lines += [f"  {hold.hold_id}: {describe(hold)} ({hold.mode})" for hold in holds[:_HOLDS_SHOWN]]
    if len(holds) > _HOLDS_SHOWN:
        lines.append(f"  and {len(holds) - _HOLDS_SHOWN} more: opsconsole holds list")
    return lines
