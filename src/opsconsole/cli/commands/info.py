"""``info``: what runs here, where things lie, and which backend is meant."""

from __future__ import annotations

import os
import platform
import sqlite3

import click

from backends.configuration import config_files
from core.errors import OpsError
from opsconsole import __version__
from opsconsole.cli.engine import opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.render import Document
from opsgate.paths import last_known_home, latch_home, runtime_home


@click.command(short_help="Versions, paths and the backend in use.")
@click.pass_obj
def info(invocation: Invocation) -> int:
    """Versions, paths and the backend in use. Exit 0 also where the backend cannot be reached; that is shown."""
    settings = invocation.settings
    facts = {
        "version": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
        "user": invocation.actor,
        "pid": os.getpid(),
        "profile": settings.profile,
        "backend": None,
        "fleet": None,
        "revision": None,
        "unreachable": None,
        "config_files": [str(file) for file in config_files() if file.exists()],
        "latches": str(latch_home()),
        "sockets": str(runtime_home()),
        "last_known": str(last_known_home()),
    }
    try:
        with opened(invocation) as engine:
            state = engine.backend.state(timeout_s=engine.timeout_s)
            facts |= {"backend": engine.backend.url, "fleet": state.fleet, "revision": state.revision}
    except OpsError as error:
        facts["unreachable"] = str(error)
    room = max(map(len, facts))
    lines = [f"{key.replace('_', ' '):<{room}}  {_shown(value)}" for key, value in facts.items()]
    invocation.show(Document(facts, lines))
    return Exit.OK


def _shown(value: object) -> str:
    return ", ".join(value) or "-" if isinstance(value, list) else "-" if value is None else str(value)
