"""``demo``: a live fleet of real worker processes, and the console over it; without a terminal, an incident."""

from __future__ import annotations

from typing import Final

import click

from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation, dress_of
from opsconsole.demo.fleet import Fleet, throw_away_folder
from opsconsole.demo.live import live_fleet
from opsconsole.demo.plan import CHARACTERS, FEWEST_SITES, FEWEST_WORKERS

NEW_DEMO: Final = "opsconsole demo (another fleet: this one is thrown away)"


@click.command(short_help="A live fleet of worker processes, and the console over it.")
@click.option(
    "--workers",
    type=click.IntRange(FEWEST_WORKERS, 500),
    default=12,
    metavar="N",
    help="Worker processes (default 12).",
)
@click.option("--sites", type=click.IntRange(FEWEST_SITES, 10_000), default=6, metavar="N", help="Sites (default 6).")
@click.option(
    "--seconds",
    type=click.IntRange(1, 3_600),
    default=20,
    metavar="S",
    help="How long the incident takes, without a terminal (default 20).",
)
@click.pass_obj
def demo(invocation: Invocation, workers: int, sites: int, seconds: int) -> int:
    """Start a keeper, worker processes that ask the gate before each piece of work, and services that depend on each
    other, and show the console.

    One worker is slow to stop, one never does. Each service has a driver of another kind, and a trigger stops two of
    them. Everything lies in a folder that is thrown away, unless -b names a database, which then gets no services.
    Without a terminal an incident plays for about S seconds: exit 0 when it went as told and everybody who did not
    acknowledge was named.
    """
    with throw_away_folder() as folder, live_fleet(invocation, folder, workers, sites, services=True) as fleet:
        for member, process in fleet.workers.values():
            invocation.say(f"  process {process.pid:>7}  {member.worker:<24} {CHARACTERS[member.character]}")
        if fleet.services is not None:
            for name, process in fleet.services.processes.items():
                invocation.say(f"  process {process.pid:>7}  {name:<24} a service")
        if not invocation.interactive:
            return _play(invocation, fleet, seconds)
        invocation.say(f"in another terminal: opsconsole -b {fleet.url} status")
        from opsconsole.app import run_console
        from opsconsole.credential import Address

        settings = invocation.settings
        return run_console(
            Address(fleet.url),
            operator=invocation.actor,
            profile="DEMO",
            dress=dress_of(settings),
            keys=settings.keys,
            again=NEW_DEMO if fleet.url.startswith(f"sqlite:///{folder}") else "",
        )


def _play(invocation: Invocation, fleet: Fleet, seconds: int) -> int:
    from opsconsole.cli.engine import opened
    from opsconsole.demo.incident import Incident

    with opened(invocation) as engine:
        summary, as_told = Incident(engine, fleet, seconds).play()
    invocation.show(summary)
    return Exit.OK if as_told else Exit.REFUSED
