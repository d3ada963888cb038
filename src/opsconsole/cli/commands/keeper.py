"""``keeper``: the process that runs the loops of one fleet. Started by the console and the demo, hidden from people."""

from __future__ import annotations

import click

from opsconsole.cli.emergency_flags import emergency_flags
from opsconsole.cli.invocation import Invocation


@click.command(hidden=True, short_help="The process that runs the loops of one fleet.")
@emergency_flags
@click.pass_obj
def keeper(invocation: Invocation, settings: tuple[str, ...]) -> int:
    """Run until nobody has needed it for a minute, or its database is gone."""
    from backends.keeper import run

    return run(invocation.settings.backend, settings=settings, debug=invocation.settings.debug)
