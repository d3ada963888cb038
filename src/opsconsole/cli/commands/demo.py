"""``demo``: a live fleet of real worker processes, and the console over it; without a terminal, an incident."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from core.errors import BackendUnavailable
from opsconsole.cli.exits import Exit
from opsconsole.cli.guard import undisturbed
from opsconsole.cli.invocation import Invocation, dress_of
from opsconsole.demo.fleet import Fleet, forget, throw_away_folder
from opsconsole.demo.plan import CHARACTERS, FEWEST_SITES, FEWEST_WORKERS, members, site_names, title

_KEEPER_ENDS_WITHIN_S: Final = 3.0


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
    """Start a keeper and worker processes that ask the gate before each piece of work, and show the console.

    One worker is slow to stop, one never does. Everything lies in a folder that is thrown away, unless -b names a
    database. Without a terminal an incident plays for about S seconds: exit 0 when it went as told and everybody who
    did not acknowledge was named.
    """
    with throw_away_folder() as folder, _fleet(invocation, folder, workers, sites) as fleet:
        for member, process in fleet.workers.values():
            invocation.say(f"  process {process.pid:>7}  {member.worker:<24} {CHARACTERS[member.character]}")
        if not invocation.interactive:
            return _play(invocation, fleet, seconds)
        invocation.say(f"in another terminal: opsconsole -b {fleet.url} status")
        from opsconsole.app import run_console

        settings = invocation.settings
        return run_console(
            fleet.url, operator=invocation.actor, profile="DEMO", dress=dress_of(settings), keys=settings.keys
        )


def _play(invocation: Invocation, fleet: Fleet, seconds: int) -> int:
    from opsconsole.cli.engine import opened
    from opsconsole.demo.incident import Incident

    with opened(invocation) as engine:
        summary, as_told = Incident(engine, fleet, seconds).play()
    invocation.show(summary)
    return Exit.OK if as_told else Exit.REFUSED


@contextmanager
def _fleet(invocation: Invocation, folder: Path, workers: int, sites: int) -> Iterator[Fleet]:
    """A running fleet: sites registered, a keeper, workers. All of it is gone afterwards, in whatever way it ends."""
    from backends.keeper import KeeperError, ensure
    from core.capabilities.configuration import ApplyConfiguration, Configuration, NameEntry
    from opsconsole.cli.engine import opened

    own = "backend" not in invocation.flags
    if own:
        invocation.flags["backend"] = f"sqlite:///{folder / 'fleet.db'}"
    url = invocation.settings.backend
    if not url.startswith("sqlite:"):
        raise click.UsageError("workers join through an SQLite file: give the demo one with -b, or none")
    entries = {name: NameEntry(title=title(name)) for name in site_names(sites)}
    with opened(invocation, create=True) as engine:
        engine.submit(ApplyConfiguration(configuration=Configuration(sites=entries)))
        id_of_fleet = engine.backend.latest().fleet
    fleet = Fleet(url, folder)
    try:
        try:
            ensure(url)
        except KeeperError as error:
            raise BackendUnavailable("no-keeper", str(error)) from error
        fleet.start(members(workers, sites))
        yield fleet
    finally:
        with undisturbed():
            fleet.end()
            if own:
                _end_keeper(id_of_fleet)
                forget(url, id_of_fleet)


def _end_keeper(fleet: str) -> None:
    """End the keeper of a fleet that is thrown away, and wait until it is gone."""
    from backends.keeper.peers import is_running, started
    from opsgate.paths import keeper_socket
    from opsgate.wire import ask

    answer = ask(str(keeper_socket(fleet)), "ping", timeout_s=1.0)
    pid = answer.get("pid") if answer else None
    if not isinstance(pid, int) or pid <= 1:
        return
    start, deadline_s = started(pid), time.monotonic() + _KEEPER_ENDS_WITHIN_S
    try:
        os.kill(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return  # gone already, or never ours
    while is_running(pid, start) and time.monotonic() < deadline_s:
        time.sleep(0.02)
