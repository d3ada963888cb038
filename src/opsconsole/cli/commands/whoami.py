"""``whoami``: in whose name commands are given here, and what that name is good for."""

from __future__ import annotations

from typing import Any

import click

from backends.documents import of_identity
from core.authority import Identity
from opsconsole.cli.commands.nouns import show_facts
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.credential import read_token


@click.command(short_help="Who acts here, in which role, and how far it reaches.")
@click.pass_obj
def whoami(invocation: Invocation) -> int:
    """Who acts here, in which role, and how far it reaches.

    At a server that is what your credential says. Whoever can write a database itself is its administrator.
    """
    backend = invocation.settings.backend
    identity = _at_server(invocation) if backend.startswith(("http:", "https:")) else None
    found = identity or Identity(invocation.actor, "admin")
    facts: dict[str, Any] = of_identity(found) | {"known_by": _known_by(identity)}
    show_facts(invocation, facts | {"scope": str(found.scope)})
    return Exit.OK


def _at_server(invocation: Invocation) -> Identity:
    from backends import known_as

    settings = invocation.settings
    return known_as(settings.backend, token=read_token(settings.token_file), timeout_s=settings.timeout_s)


def _known_by(identity: Identity | None) -> str:
    """What says so."""
    if identity is None:
        return "the database"
    return "a token" if identity.token_id else "the server"
