"""What ``flags`` and ``workflows`` share: names that are switched on and off. Off is a hold, on is its release."""

from __future__ import annotations

from collections.abc import Sequence

import click

from core.capabilities.names import AddName
from core.capabilities.switches import SetSwitch
from core.errors import CommandRejected
from opsconsole.cli.commands.nouns import change
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation


def add_switch(invocation: Invocation, dimension: str, name: str, title: str) -> int:
    """Register a custom flag or workflow; it is on."""
    with opened(invocation, create=True) as engine:
        change(engine, built(AddName, dimension=dimension, name=name, title=title), f"{name} is registered")
    return Exit.OK


def turn(
    invocation: Invocation,
    dimension: str,
    names: Sequence[str],
    *,
    on: bool,
    everything: bool,
    reason: str,
    create: bool = False,
) -> int:
    """Set switches, all in one transaction. Exit 0 also where another's hold keeps one off; that is narrated."""
    if bool(names) == everything:
        raise click.UsageError("give names, or --all for every one that is registered")
    with opened(invocation, create=not on) as engine:
        chosen = tuple(engine.names(dimension)) if everything else tuple(names)
        if not chosen:
            raise CommandRejected("nothing-registered", f"no {dimension} is registered", "add one first")
        command = built(SetSwitch, dimension=dimension, names=chosen, on=on, reason=reason, create=create)
        shown = f"all {len(chosen)}" if everything else ", ".join(chosen)
        change(engine, command, f"switched {'on' if on else 'off'}: {shown}")
    return Exit.OK
