"""``stop`` as Click knows it: for help, completion and the sentence about what is wrong."""

from __future__ import annotations

from typing import Any

import click

from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import dimensions_of, selector_options
from opsconsole.cli.stop_line import OPTIONS, Option, Wanted


@click.command(short_help="Emergency stop.")
@selector_options
@click.pass_obj
def stop(invocation: Invocation, /, everything: bool, **options: Any) -> int:
    """Stop, verifiably. Without a selector: everything.

    The latch is placed first, and needs nothing else alive. Then it waits to the end of the level's budget. Exit 0:
    everybody acknowledged; 5: somebody did not, and is named. Only recover ends it.
    """
    from opsconsole.cli.stopping import stop as carry_out

    return carry_out(
        Wanted(
            flags=invocation.flags,
            everything=everything,
            dimensions=dimensions_of(options),
            level=options["level"] or "immediate",
            target=options["target"],
            reason=options["reason"] or "",
            local=options["local"],
            no_wait=options["no_wait"],
            create=options["create"],
        )
    )


def _option(spec: Option) -> click.Option:
    if not spec.metavar:
        return click.Option([spec.flag], is_flag=True, help=spec.help)
    kind = click.Choice(spec.choices) if spec.choices else click.STRING
    return click.Option([spec.flag], type=kind, multiple=spec.many, metavar=spec.metavar, help=spec.help)


stop.params.extend(map(_option, OPTIONS))
