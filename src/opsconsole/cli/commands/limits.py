"""``limits``: at most so many units of work within any window. Zero stops the operation that a limit charges."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import click

from core.capabilities.rate_limits import HOUR_S, AddLimit, ResetLimit, SetLimit, limit_named
from core.facts import limits as facts_of_limits
from opsconsole.cli.commands.nouns import change, one_of, show_list, show_one
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import Duration, NameOf

_UNITS: Final = click.IntRange(0, 1_000_000_000)
_limit_name = click.argument("name", type=NameOf("limit"), metavar="NAME")


class Window(Duration):
    """``hour``, ``day`` or any duration."""

    name = "window"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it."""
        words = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
        return words.get(value) or super().convert(value, param, ctx)


_NEGATIVE: Final = {"ignore_unknown_options": True}
"""So that -5 is read as a number, and refused as one."""


@click.group(short_help="Rate limits: add, set, reset, list, show.")
def limits() -> None:
    """Rate limits over sliding windows."""


@limits.command("add", context_settings=_NEGATIVE)
@_limit_name
@click.argument("limit", type=_UNITS, metavar="UNITS")
@click.option("--per", type=Window(), default="hour", show_default=True, metavar="WINDOW", help="hour, day, or 15m.")
@click.option("--operation", type=NameOf("operation"), metavar="NAME", help="What it charges; at 0 that is stopped.")
@click.pass_obj
def add(invocation: Invocation, name: str, limit: int, per: timedelta, operation: str | None) -> int:
    """Define a limit of UNITS within any window."""
    with opened(invocation, create=True) as engine:
        command = built(AddLimit, name=name, limit=limit, window_s=per.total_seconds(), operation=operation)
        change(engine, command, f"limit {name} is {limit} per {_window(per.total_seconds())}")
    return Exit.OK


@limits.command("set", context_settings=_NEGATIVE)
@_limit_name
@click.argument("limit", type=_UNITS, metavar="UNITS")
@click.option("--per", type=Window(), metavar="WINDOW", help="Another window: hour, day, or 15m.")
@click.pass_obj
def set_(invocation: Invocation, name: str, limit: int, per: timedelta | None) -> int:
    """Change a limit. A lower one acts at once; 0 stops what it charges."""
    with opened(invocation, create=True) as engine:
        command = built(SetLimit, name=name, limit=limit, window_s=None if per is None else per.total_seconds())
        change(engine, command, f"limit {name} is {limit}")
    return Exit.OK


@limits.command("reset")
@_limit_name
@click.pass_obj
def reset(invocation: Invocation, name: str) -> int:
    """Forget what has been used of a limit."""
    with opened(invocation) as engine:
        change(engine, built(ResetLimit, name=name), f"what was used of {name} is forgotten")
    return Exit.OK


@limits.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each limit and what is used of it."""
    with opened(invocation) as engine:
        state = engine.backend.state(timeout_s=engine.timeout_s)
        rows = facts_of_limits(state, engine.backend.observe(timeout_s=engine.timeout_s))
        show_list(engine, ("name", "used", "limit", "percent", "window_s", "operation", "alias"), rows, "no limit")
    return Exit.OK


@limits.command("show")
@_limit_name
@click.pass_obj
def show(invocation: Invocation, name: str) -> int:
    """One limit, by its own name or S0's."""
    with opened(invocation) as engine:
        state = engine.backend.state(timeout_s=engine.timeout_s)
        rows = facts_of_limits(state, engine.backend.observe(timeout_s=engine.timeout_s))
        show_one(engine, one_of(rows, "name", limit_named(state, name).name, "limits"))
    return Exit.OK


def _window(seconds: float) -> str:
    return {HOUR_S: "hour", 86_400.0: "day"}.get(seconds, f"{seconds:g} s")
