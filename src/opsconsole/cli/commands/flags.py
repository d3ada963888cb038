"""``flags``: feature flags, which are operations under another name. Either name does."""

from __future__ import annotations

import click

from core.facts import flags as facts_of_flags
from opsconsole.cli.commands.nouns import name_argument, names_argument, one_of, show_list, show_one
from opsconsole.cli.commands.switches import add_switch, turn
from opsconsole.cli.engine import opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import FreeText, reason_option
from opsgate.names import operation_named

_all_option = click.option("--all", "everything", is_flag=True, help="Every registered flag.")


@click.group(short_help="Feature flags: add, on, off, list, show.")
def flags() -> None:
    """Feature flags. A flag and the operation it switches are one thing: enableABTesting is ab_testing."""


@flags.command("add")
@name_argument("operation")
@click.option("--title", type=FreeText(), default="", help="What people call it.")
@click.pass_obj
def add(invocation: Invocation, name: str, title: str) -> int:
    """Register a custom flag. It is on."""
    return add_switch(invocation, "operation", name, title)


@flags.command("on")
@names_argument("operation", required=False)
@_all_option
@reason_option(required=False)
@click.pass_obj
def on(invocation: Invocation, names: tuple[str, ...], everything: bool, reason: str) -> int:
    """Switch on: release the switch's own hold and nobody else's. Says what still holds."""
    return turn(invocation, "operation", names, on=True, everything=everything, reason=reason)


@flags.command("off")
@names_argument("operation", required=False)
@_all_option
@reason_option(required=False)
@click.option("--create", is_flag=True, help="Register names that nobody registered.")
@click.pass_obj
def off(invocation: Invocation, names: tuple[str, ...], everything: bool, reason: str, create: bool) -> int:
    """Switch off: nothing new of it starts."""
    return turn(invocation, "operation", names, on=False, everything=everything, reason=reason, create=create)


@flags.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each flag and whether it is on."""
    with opened(invocation) as engine:
        rows = facts_of_flags(engine.backend.state(timeout_s=engine.timeout_s))
        show_list(
            engine,
            ("name", "operation", "state", "holds", "changed_at", "changed_by", "title"),
            rows,
            "no flag is registered",
        )
    return Exit.OK


@flags.command("show")
@name_argument("operation")
@click.pass_obj
def show(invocation: Invocation, name: str) -> int:
    """One flag."""
    with opened(invocation) as engine:
        rows = facts_of_flags(engine.backend.state(timeout_s=engine.timeout_s))
        show_one(engine, one_of(rows, "operation", operation_named(name), "flags"))
    return Exit.OK
