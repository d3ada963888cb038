"""``status``: whether the fleet runs, what holds it, and who has acknowledged. Without an engine, where it can."""

from __future__ import annotations

from typing import Final

import click

from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.parts import in_parts
from opsconsole.cli.times import ago
from opsconsole.render import Document
from opsgate.evaluate import describe, rank
from opsgate.status import FleetStatus, read_status

_SIGNS: Final = {"running": "[ RUN]", "stopped": "[STOP]", "partly": "[PART]", "unknown": "[????]"}
_EXITS: Final = {"running": Exit.OK, "stopped": Exit.BLOCKED, "partly": Exit.PARTLY, "unknown": Exit.UNREADABLE}
_HOLDS_SHOWN: Final = 20


@click.command(short_help="Whether the fleet runs, what holds it, and who has acknowledged.")
@click.option("--exit-code", is_flag=True, help="Exit 0 running, 10 stopped, 11 partly, 12 unknown.")
@click.pass_obj
def status(invocation: Invocation, exit_code: bool) -> int:
    """Show the state of the fleet.

    Exit 0, or 3 where the state cannot be read; with --exit-code the code says what was found.
    """
    found = show_status(invocation)
    if exit_code:
        return _EXITS[found.state]
    return Exit.UNREACHABLE if found.state == "unknown" else Exit.OK


def show_status(invocation: Invocation) -> FleetStatus:
    """Write the status to stdout and return it."""
    found = _found(invocation)
    invocation.show(Document(found.as_dict(), list(_lines(found))))
    return found


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
    read = "" if found.age_s is None else f", read {ago(found.age_s)} ago"
    lines = [f"{_SIGNS[found.state]} {found.state} at revision {found.revision}{read}"]
    if found.fault:
        lines.append(f"  {found.fault}")
    elif found.state == "partly":
        lines.append(f"  {in_parts(found)}")
    lines.append(f"  workers: {found.live} live, {found.lost} lost")
    for stop in found.stops:
        emergency = stop.emergency_id or "no emergency yet"
        counts = f"{len(stop.of) - len(stop.missing)}/{len(stop.of)} acknowledged"
        missing = f", MISSING {', '.join(stop.missing)}" if stop.missing else ""
        lines.append(f"  {stop.stop_id} of {emergency}, {stop.level}: {stop.result}, {counts}{missing}")
    holds = sorted(found.known.table().by_id.values(), key=rank)
    lines += [f"  {hold.hold_id}: {describe(hold)} ({hold.mode})" for hold in holds[:_HOLDS_SHOWN]]
    if len(holds) > _HOLDS_SHOWN:
        lines.append(f"  and {len(holds) - _HOLDS_SHOWN} more: opsconsole holds list")
    return lines
