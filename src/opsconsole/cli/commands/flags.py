"""``flags``: feature flags, which are operations under another name. Either name does."""

from __future__ import annotations

import click

from core.facts import flags as facts_of_flags
from opsconsole.cli.commands.nouns import name_argument, one_of, show_list, show_one
from opsconsole.cli.commands.switches import switchable
from opsconsole.cli.engine import opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsgate.names import operation_named


@click.group(short_help="Feature flags: add, on, off, list, show.")
def flags() -> None:
    """Feature flags. A flag and the operation it switches are one thing: enableABTesting is ab_testing."""


switchable(flags, "operation", "flag")


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
