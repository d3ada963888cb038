"""Run the command line: Click's own ways of ending, in front of those of every command."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

import click

from opsconsole.cli.exits import Exit
from opsconsole.cli.guard import guarded
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.output import complain
from opsconsole.cli.root import root

_OTHER_WORDS: Final = {"remove": "rm", "delete": "rm"}
"""What is typed for a command that is close to another one by its letters: nobody who removes is told to resume."""


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; returns its exit code and never raises."""
    return guarded(lambda: command_line(arguments), arguments)


def command_line(arguments: Sequence[str]) -> int:
    """Carry out one command line; raises what the command raises, but for what Click says about its form."""
    try:
        return int(
            root.main(args=list(arguments), prog_name="opsconsole", obj=Invocation(), standalone_mode=False) or 0
        )
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE
    except click.Abort:
        return Exit.INTERRUPTED
    except click.ClickException as error:
        complain(_usage(error))
        return Exit.USAGE


def _usage(error: click.ClickException) -> str:
    """What is wrong with the command line, and where its help is."""
    if isinstance(error, click.NoSuchCommand):
        return _no_such(error)
    message = error.format_message().rstrip(".")
    if isinstance(error, click.MissingParameter) and isinstance(error.param, click.Option) and error.param.help:
        message += f": {error.param.help[0].lower()}{error.param.help[1:].rstrip('.')}"
    context = getattr(error, "ctx", None)
    return f"{message}; see '{context.command_path} --help'" if context else message


def _no_such(error: click.NoSuchCommand) -> str:
    """What was typed for a command, and what may have been meant: of the root too, which imports none to know it."""
    typed, context = error.command_name, error.ctx
    group = context.command if context else None
    names = group.list_commands(context) if context and isinstance(group, click.Group) else []
    other = _OTHER_WORDS.get(typed)
    near = [other] if other in names else difflib.get_close_matches(typed, names, n=2)
    meant = f". Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"{error.message.rstrip('.')}{meant}" + (f"; see '{context.command_path} --help'" if context else "")
