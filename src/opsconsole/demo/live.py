"""A running demo fleet: sites and services registered, a keeper, worker processes; all of it gone afterwards."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from core.errors import BackendUnavailable
from opsconsole.cli.guard import undisturbed
from opsconsole.cli.invocation import Invocation
from opsconsole.demo.fleet import Fleet, forget
from opsconsole.demo.plan import members, site_names, title

if TYPE_CHECKING:
    from opsconsole.demo.services import Services

_KEEPER_ENDS_WITHIN_S: Final = 3.0


@contextmanager
def live_fleet(
    invocation: Invocation, folder: Path, workers: int, sites: int, *, services: bool = False
) -> Iterator[Fleet]:
    """A running fleet: sites registered, a keeper, workers. All of it is gone afterwards, in whatever way it ends.

    With ``services`` it has those too, unless its database is somebody's own: there they would be left behind, and
    missing in every stop."""
    from backends.keeper import KeeperError, ensure
    from core.capabilities.configuration import ApplyConfiguration, Configuration, NameEntry
    from opsconsole.cli.engine import opened

    own = "backend" not in invocation.flags
    if own:
        invocation.flags["backend"] = f"sqlite:///{folder / 'fleet.db'}"
    url = invocation.settings.backend
    if not url.startswith("sqlite:"):
        raise click.UsageError("workers join through an SQLite file: give the demo one with -b, or none")
    team = members(workers, sites)
    entries = {name: NameEntry(title=title(name)) for name in site_names(sites)}
    with opened(invocation, create=True) as engine:
        engine.submit(ApplyConfiguration(configuration=Configuration(sites=entries)))
        id_of_fleet = engine.backend.latest().fleet
    fleet = Fleet(url, folder)
    behind = ExitStack()
    try:
        try:
            ensure(url)
        except KeeperError as error:
            raise BackendUnavailable("no-keeper", str(error)) from error
        invocation.say(f"starting {len(team)} workers{' and the services of one site' if services and own else ''}")
        fleet.start(team)
        if services and own:
            fleet.services = behind.enter_context(with_services(invocation, folder, team[0].site))
        yield fleet
    finally:
        with undisturbed():
            fleet.end()
            behind.close()
            if own:
                _end_keeper(id_of_fleet)
                forget(url, id_of_fleet)


@contextmanager
def with_services(invocation: Invocation, folder: Path, site: str) -> Iterator[Services]:
    """Running services that the fleet knows, until the block ends. Raises `BackendUnavailable` where one does not come
    up."""
    from opsconsole.cli.engine import opened
    from opsconsole.demo.services import running_services

    with ExitStack() as behind:
        try:
            services = behind.enter_context(running_services(folder, site))
        except TimeoutError as error:
            raise BackendUnavailable("no-demo", f"{error}: this host is very busy; run it again") from error
        with opened(invocation) as engine:
            for command in services.commands():
                engine.submit(command)
        yield services


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
        time.sleep(0.02)  # whose child it is need not be known
