"""``holds``: every reason for not running that is in force."""

from __future__ import annotations

import click

from core.facts import holds as facts_of_holds
from opsconsole.cli.commands.nouns import one_of, show_list, show_one
from opsconsole.cli.engine import opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation


@click.group(short_help="Holds in force: list, show.")
def holds() -> None:
    """Holds in force, whoever placed them."""


@holds.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each hold, oldest first."""
    with opened(invocation) as engine:
        rows = facts_of_holds(engine.backend.state(timeout_s=engine.timeout_s))
        columns = ("hold_id", "selector", "source", "owner", "mode", "placed_at", "expires_at", "reason")
        show_list(engine, columns, rows, "nothing is held")
    return Exit.OK


@holds.command("show")
@click.argument("hold_id", metavar="ID")
@click.pass_obj
def show(invocation: Invocation, hold_id: str) -> int:
    """One hold."""
    with opened(invocation) as engine:
        rows = facts_of_holds(engine.backend.state(timeout_s=engine.timeout_s))
        show_one(engine, one_of(rows, "hold_id", hold_id, "holds"))
    return Exit.OK
