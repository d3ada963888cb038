"""``doctor``: look at everything that could go wrong here, and say the next step."""

from __future__ import annotations

from dataclasses import asdict

import click

from opsconsole.cli.checkup import findings
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.render import Listing


@click.command(short_help="Look at everything that could go wrong here.")
@click.pass_obj
def doctor(invocation: Invocation) -> int:
    """Look at this host, the backend and the fleet. Exit 1 where something needs mending."""
    rows = [asdict(finding) for finding in findings(invocation)]
    invocation.show(Listing(("verdict", "what", "detail", "hint"), rows))
    return Exit.REFUSED if any(row["verdict"] == "fail" for row in rows) else Exit.OK
