"""``sites``: the registered sites, one by one or many by a pattern."""

from __future__ import annotations

from typing import Any

import click

from core.capabilities.names import AddName, RemoveName
from core.facts import sites as facts_of_sites
from opsconsole.cli.commands.holding import (
    Chosen,
    pause_of,
    pause_options,
    pause_work,
    resume_options,
    resume_work,
)
from opsconsole.cli.commands.nouns import change, name_argument, one_of, show_list, show_one
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import FreeText, PatternOf
from opsconsole.cli.selectors import selectors_of

_sites_argument = click.argument("names", nargs=-1, type=PatternOf("site"), metavar="NAME...")
_all_option = click.option("--all", "everything", is_flag=True, help="Every registered site.")


@click.group(short_help="Sites: add, rm, pause, resume, list, show.")
def sites() -> None:
    """The registered sites."""


@sites.command("add")
@name_argument("site")
@click.option("--title", type=FreeText(), default="", help="What people call it.")
@click.pass_obj
def add(invocation: Invocation, name: str, title: str) -> int:
    """Register a site, or give a registered one another title."""
    with opened(invocation, create=True) as engine:
        change(engine, built(AddName, dimension="site", name=name, title=title), f"site {name} is registered")
    return Exit.OK


@sites.command("rm")
@name_argument("site")
@click.pass_obj
def remove(invocation: Invocation, name: str) -> int:
    """Take a site out of the registry; refused while a hold names it."""
    with opened(invocation) as engine:
        change(engine, built(RemoveName, dimension="site", name=name), f"site {name} is no longer registered")
    return Exit.OK


@sites.command("pause")
@_sites_argument
@_all_option
@pause_options
@click.pass_obj
def pause(invocation: Invocation, /, names: tuple[str, ...], everything: bool, **options: Any) -> int:
    """Pause sites, each by name or many by a pattern such as 'shop-*'."""
    return pause_work(invocation, pause_of(options), _chosen(names, everything))


@sites.command("resume")
@_sites_argument
@_all_option
@resume_options
@click.pass_obj
def resume(invocation: Invocation, /, names: tuple[str, ...], everything: bool, **options: Any) -> int:
    """Release the operator holds on exactly these sites."""
    return resume_work(invocation, options, _chosen(names, everything))


@sites.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each site and whether it runs."""
    with opened(invocation) as engine:
        rows = facts_of_sites(engine.backend.state(timeout_s=engine.timeout_s))
        columns = ("name", "state", "holds", "changed_at", "changed_by", "title")
        show_list(engine, columns, rows, "no site is registered: opsconsole sites add NAME")
    return Exit.OK


@sites.command("show")
@name_argument("site")
@click.pass_obj
def show(invocation: Invocation, name: str) -> int:
    """One site."""
    with opened(invocation) as engine:
        show_one(
            engine, one_of(facts_of_sites(engine.backend.state(timeout_s=engine.timeout_s)), "name", name, "sites")
        )
    return Exit.OK


def _chosen(names: tuple[str, ...], everything: bool) -> Chosen:
    """The sites that were named, or all that are registered; a hold on each, never one on everything."""
    if bool(names) == everything:
        raise click.UsageError("give names, or --all for every one that is registered")
    return lambda known: selectors_of(False, {"site": ("*",) if everything else names}, known)
