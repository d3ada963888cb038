"""``services``: what drivers can stop and start."""

from __future__ import annotations

from typing import Any

import click

from core.capabilities.services import AddService, RemoveService
from core.service_facts import services as facts_of_services
from opsconsole.cli.commands.nouns import change, name_argument, one_of, show_list, show_one
from opsconsole.cli.drivable import fault_of
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import FreeText, JsonObject, NameOf


class Label(click.ParamType[tuple[str, str]]):
    """``site=s1``."""

    name = "label"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split it."""
        key, equals, said = str(value).partition("=")
        if not (key and equals and said):
            self.fail("write NAME=VALUE, such as site=s1", param, ctx)
        return key, said


@click.group(short_help="Services: add, rm, check, list, show.")
def services() -> None:
    """The services that drivers can stop and start."""


@services.command("add")
@name_argument("service")
@click.option("--driver", type=NameOf("driver"), required=True, help="What stops and starts it: process, http, …")
@click.option("--config", type=JsonObject(), default="{}", help="What the driver is told: a JSON object, or @FILE.")
@click.option("--health", type=JsonObject(), default="{}", help="Its health check: a JSON object, or @FILE.")
@click.option("--depends-on", multiple=True, type=NameOf("service"), metavar="NAME", help="It needs this service.")
@click.option("--label", "labels", multiple=True, type=Label(), metavar="NAME=VALUE", help="Such as site=s1.")
@click.option("--account", type=NameOf("account"), help="Whose it is.")
@click.option("--criticality", type=click.IntRange(1, 4), default=2, show_default=True, help="4 may be missed least.")
@click.option("--host", help="The host whose keeper drives it; without it the leader does.")
@click.option("--title", type=FreeText(), default="", help="What people call it.")
@click.pass_obj
def add(invocation: Invocation, /, name: str, labels: tuple[tuple[str, str], ...], **fields: Any) -> int:
    """Register a service, or give a registered one another definition: what is not said has its default."""
    with opened(invocation, create=True) as engine:
        change(engine, built(AddService, name=name, labels=dict(labels), **fields), f"service {name} is registered")
        if fault := fault_of(engine.backend, engine.backend.state(timeout_s=engine.timeout_s), name):
            invocation.say(f"warning: as it is, no stop can end {name}, and no recovery start it: {fault}")
    return Exit.OK


@services.command("rm")
@name_argument("service")
@click.pass_obj
def remove(invocation: Invocation, name: str) -> int:
    """Take a service out of the registry; refused while something names it."""
    with opened(invocation) as engine:
        change(engine, built(RemoveService, name=name), f"service {name} is no longer registered")
    return Exit.OK


@services.command("check")
@name_argument("service")
@click.pass_obj
def check(invocation: Invocation, name: str) -> int:
    """Look at a service once, through its driver and its health check, from this host: a trial of how it is registered.

    Nothing is touched, and nothing recorded. Exit 0: it was seen how it stands, whatever that is; 1: it could not be
    seen, and why.
    """
    from opsconsole.cli.service_trial import tried

    with opened(invocation) as engine:
        state = engine.backend.state(timeout_s=engine.timeout_s)
        one_of(facts_of_services(state), "name", name, "services")
        found = tried(engine, state, name)
    invocation.show(found)
    return Exit.OK if found.data["seen"] else Exit.REFUSED


@services.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each service and how it was seen to stand last."""
    with opened(invocation) as engine:
        rows = facts_of_services(engine.backend.state(timeout_s=engine.timeout_s))
        columns = ("name", "standing", "driver", "account", "depends_on", "criticality", "observed_at", "detail", "why")
        show_list(engine, columns, rows, "no service is registered: opsconsole services add NAME --driver KIND")
    return Exit.OK


@services.command("show")
@name_argument("service")
@click.pass_obj
def show(invocation: Invocation, name: str) -> int:
    """One service."""
    with opened(invocation) as engine:
        rows = facts_of_services(engine.backend.state(timeout_s=engine.timeout_s))
        show_one(engine, one_of(rows, "name", name, "services"))
    return Exit.OK
