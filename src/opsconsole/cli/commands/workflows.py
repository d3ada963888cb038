"""``workflows``: recurring jobs that can be switched off by name."""

from __future__ import annotations

import click

from core.facts import workflows as facts_of_workflows
from opsconsole.cli.commands.nouns import name_argument, one_of, show_list, show_one
from opsconsole.cli.commands.switches import switchable
from opsconsole.cli.engine import opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation


@click.group(short_help="Workflows: add, on, off, list, show.")
def workflows() -> None:
    """Workflows, each with a switch."""


switchable(workflows, "workflow", "workflow")


@workflows.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each workflow and whether it is on."""
    with opened(invocation) as engine:
        rows = facts_of_workflows(engine.backend.state(timeout_s=engine.timeout_s))
        show_list(
            engine,
            ("name", "enabled", "last_updated", "updated_by", "holds", "title"),
            rows,
            "no workflow is registered",
        )
    return Exit.OK


@workflows.command("show")
@name_argument("workflow")
@click.pass_obj
def show(invocation: Invocation, name: str) -> int:
    """One workflow."""
    with opened(invocation) as engine:
        rows = facts_of_workflows(engine.backend.state(timeout_s=engine.timeout_s))
        show_one(engine, one_of(rows, "name", name, "workflows"))
    return Exit.OK
