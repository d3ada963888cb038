"""``workflows``: recurring jobs that can be switched off by name."""

from __future__ import annotations

import click

from core.facts import workflows as facts_of_workflows
from opsconsole.cli.commands.nouns import name_argument, names_argument, one_of, show_list, show_one
from opsconsole.cli.commands.switches import add_switch, turn
from opsconsole.cli.engine import opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import FreeText, reason_option

_all_option = click.option("--all", "everything", is_flag=True, help="Every registered workflow.")


@click.group(short_help="Workflows: add, on, off, list, show.")
def workflows() -> None:
    """Workflows, each with a switch."""


@workflows.command("add")
@name_argument("workflow")
@click.option("--title", type=FreeText(), default="", help="What people call it.")
@click.pass_obj
def add(invocation: Invocation, name: str, title: str) -> int:
    """Register a custom workflow. It is on."""
    return add_switch(invocation, "workflow", name, title)


@workflows.command("on")
@names_argument("workflow", required=False)
@_all_option
@reason_option(required=False)
@click.pass_obj
def on(invocation: Invocation, names: tuple[str, ...], everything: bool, reason: str) -> int:
    """Switch on: release the switch's own hold and nobody else's. Says what still holds."""
    return turn(invocation, "workflow", names, on=True, everything=everything, reason=reason)


@workflows.command("off")
@names_argument("workflow", required=False)
@_all_option
@reason_option(required=False)
@click.option("--create", is_flag=True, help="Register names that nobody registered.")
@click.pass_obj
def off(invocation: Invocation, names: tuple[str, ...], everything: bool, reason: str, create: bool) -> int:
    """Switch off: nothing new of it starts."""
    return turn(invocation, "workflow", names, on=False, everything=everything, reason=reason, create=create)


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
