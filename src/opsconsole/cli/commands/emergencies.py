"""``emergencies``: the cases around stops. They end by ``recover`` alone."""

from __future__ import annotations

import click

from opsconsole.cli.commands.nouns import one_of, show_list, show_one
from opsconsole.cli.engine import opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.facts import emergencies as facts_of_emergencies
from opsconsole.cli.invocation import Invocation


@click.group(short_help="Emergencies: list, show.")
def emergencies() -> None:
    """Emergencies, active and lately ended."""


@emergencies.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each emergency, the latest first."""
    with opened(invocation) as engine:
        rows = list(facts_of_emergencies(engine.backend.state(timeout_s=engine.timeout_s)))
        for row in rows:
            row["result"] = " ".join(f"{stop['result']} {stop['acked']}/{stop['of']}" for stop in row["stops"])
        columns = ("emergency_id", "status", "level", "scope", "result", "opened_at", "opened_by", "reason")
        show_list(engine, columns, rows, "no emergency")
    return Exit.OK


@emergencies.command("show")
@click.argument("emergency_id", metavar="ID")
@click.pass_obj
def show(invocation: Invocation, emergency_id: str) -> int:
    """One emergency with its stops."""
    with opened(invocation) as engine:
        rows = facts_of_emergencies(engine.backend.state(timeout_s=engine.timeout_s))
        show_one(engine, one_of(rows, "emergency_id", emergency_id, "emergencies"))
    return Exit.OK
