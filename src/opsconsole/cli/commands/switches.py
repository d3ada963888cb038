"""What ``flags`` and ``workflows`` share: names that are switched on and off. Off is a hold, on is its release."""

from __future__ import annotations

from collections.abc import Sequence

import click

from core.capabilities.names import AddName
from core.capabilities.switches import SetSwitch
from core.errors import CommandRejected
from opsconsole.cli.commands.nouns import change, name_argument, names_argument
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import FreeText, reason_option


def switchable(group: click.Group, dimension: str, noun: str) -> None:
    """Give a group the verbs that register and switch the names of a dimension, which people call ``noun``."""
    all_option = click.option("--all", "everything", is_flag=True, help=f"Every registered {noun}.")

    @group.command("add", help=f"Register a custom {noun}. It is on.")
    @name_argument(dimension)
    @click.option("--title", type=FreeText(), default="", help="What people call it.")
    @click.pass_obj
    def add(invocation: Invocation, name: str, title: str) -> int:
        return _register(invocation, dimension, name, title)

    @group.command("on")
    @names_argument(dimension, required=False)
    @all_option
    @reason_option(required=False)
    @click.pass_obj
    def on(invocation: Invocation, names: tuple[str, ...], everything: bool, reason: str) -> int:
        """Switch on: release the switch's own hold and nobody else's. Says what still holds."""
        return _turn(invocation, dimension, names, on=True, everything=everything, reason=reason)

    @group.command("off")
    @names_argument(dimension, required=False)
    @all_option
    @reason_option(required=False)
    @click.option("--create", is_flag=True, help="Register names that nobody registered.")
    @click.pass_obj
    def off(invocation: Invocation, names: tuple[str, ...], everything: bool, reason: str, create: bool) -> int:
        """Switch off: nothing new of it starts."""
        return _turn(invocation, dimension, names, on=False, everything=everything, reason=reason, create=create)


def _register(invocation: Invocation, dimension: str, name: str, title: str) -> int:
    """Register a custom flag or workflow; it is on."""
    with opened(invocation, create=True) as engine:
        change(engine, built(AddName, dimension=dimension, name=name, title=title), f"{name} is registered")
    return Exit.OK


def _turn(
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
