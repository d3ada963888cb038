"""``token``: the credentials by which a server knows people and workers. A secret is shown once, and kept nowhere."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, Final, get_args

import click

from core import facts
from core.authority import ROLES
from core.capabilities.tokens import CreateToken, RevokeToken, digest_of, secret_of
from core.messages import Receipt, Role
from core.scope import Scope
from opsconsole.cli.commands.nouns import change, show_list
from opsconsole.cli.drivable import faults_of
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import Duration, NameOf, reason_option
from opsconsole.render import Document
from opsgate.hold import timestamp

_ROLE_HELP: Final = "; ".join(f"{role}: {says}" for role, says in ROLES.items())


class Lifetime(Duration):
    """A duration, or ``never``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it; `_NEVER` for a token that lasts until it is revoked."""
        return _NEVER if value == "never" else super().convert(value, param, ctx)


_NEVER: Final = timedelta(0)


@click.group(short_help="Tokens for servers: create, list, revoke.")
def token() -> None:
    """Tokens: who a server lets in, and as what.

    They are facts of the fleet, so every server of it knows them, and knows within a second when one is revoked.
    """


@token.command("create")
@click.option("--role", type=click.Choice(get_args(Role)), required=True, help=_ROLE_HELP)
@click.option(
    "--name", metavar="TEXT", help="Who it is for; the journal names its acts so (default: the worker, or ID)."
)
@click.option("--site", "sites", multiple=True, type=NameOf("site"), metavar="NAME", help="For this site only.")
@click.option("--env", "envs", multiple=True, type=NameOf("env"), metavar="NAME", help="For this environment only.")
@click.option("--worker", metavar="ID", type=NameOf("worker"), help="The one worker that a worker's token speaks for.")
@click.option(
    "--for",
    "lifetime",
    type=Lifetime(),
    default="90d",
    show_default=True,
    metavar="DURATION",
    help="How long it is good, or never: until it is revoked.",
)
@click.pass_obj
def create(
    invocation: Invocation,
    role: Role,
    name: str | None,
    sites: tuple[str, ...],
    envs: tuple[str, ...],
    worker: str | None,
    lifetime: timedelta,
) -> int:
    """Make a token and print its secret, this once: only a digest of it is kept."""
    token_id = f"t-{os.urandom(6).hex()}"
    secret = secret_of(token_id, os.urandom(32))
    with opened(invocation, create=True) as engine:
        command = built(
            CreateToken,
            token_id=token_id,
            name=name or worker or token_id,
            digest=digest_of(secret),
            role=role,
            sites=sites,
            envs=envs,
            worker_id=worker,
            expires_at=engine.now() + lifetime if lifetime else None,
        )
        receipt = engine.submit(command)
        faults = faults_of(engine.backend, engine.backend.state(timeout_s=engine.timeout_s))
    for service, fault in faults.items():
        invocation.say(
            f"from now on others may say what services there are. Service {service} cannot be driven wholly: {fault}"
        )
    invocation.say(f"{_in_words(command)}; revoke it with 'opsconsole token revoke {token_id}'")
    invocation.say("this is its secret, shown this once: put it into a file that only its owner can read (chmod 600)")
    invocation.show(_shown(command, secret, receipt))
    return Exit.OK


@token.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each token; those that have ended stay on the list for thirty days."""
    with opened(invocation) as engine:
        rows = facts.tokens(engine.backend.state(timeout_s=engine.timeout_s), engine.now())
        columns = ("token_id", "name", "role", "scope", "worker_id", "state", "expires_at", "created_by")
        show_list(engine, columns, rows, "no token: opsconsole token create --role ROLE --name NAME")
    return Exit.OK


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@reason_option(required=False)
@click.pass_obj
def revoke(invocation: Invocation, token_id: str, reason: str) -> int:
    """End a token for good. Whatever it holds open ends within a second."""
    with opened(invocation) as engine:
        change(engine, built(RevokeToken, token_id=token_id, reason=reason), f"revoked {token_id}")
    return Exit.OK


def _in_words(made: CreateToken) -> str:
    scope = Scope(frozenset(made.sites), frozenset(made.envs))
    within = f" on {scope}" if str(scope) != "all" else ""
    until = f"until {timestamp(made.expires_at)}" if made.expires_at else "until it is revoked"
    return f"token {made.token_id} lets {made.name} in as {made.role}{within}, {until}"


def _shown(made: CreateToken, secret: str, receipt: Receipt) -> Document:
    data = made.model_dump(mode="json", exclude={"kind", "digest"})
    return Document(data | {"secret": secret, "revision": receipt.revision}, [secret])
