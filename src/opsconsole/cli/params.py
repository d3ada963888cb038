"""Parameter types and options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from opsconsole.cli import times
from opsconsole.cli.completing import complete_names
from opsconsole.cli.reasons import problem_of
from opsgate.names import DIMENSIONS
from opsgate.selector import SelectorError, checked_identifier

F = TypeVar("F", bound=Callable[..., Any])


class JsonObject(click.ParamType[dict[str, Any]]):
    """A JSON object, or ``@FILE`` that holds one."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Read it, or say what is wrong with it."""
        try:
            text = str(value)
            if text.startswith("@"):
                text = Path(text[1:]).read_text("utf-8")
            document = json.loads(text)
        except (OSError, ValueError, RecursionError) as error:
            self.fail(f"not a JSON object: {error}", param, ctx)
        if not isinstance(document, dict):
            self.fail('not a JSON object: write one such as {"url": "http://127.0.0.1:8080/"}', param, ctx)
        return document


class Duration(click.ParamType[timedelta]):
    """``90``, ``90s``, ``2h30m``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it, or say what one looks like."""
        try:
            return value if isinstance(value, timedelta) else times.duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType[datetime]):
    """A time, in the zone of this host unless it says otherwise."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or say what one looks like."""
        try:
            return value if isinstance(value, datetime) else times.moment(value, datetime.now(UTC))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class FreeText(click.ParamType[str]):
    """A reason or a title: up to 300 characters, kept as typed."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Reject what is too long or no text; never cut or repair it."""
        if problem := problem_of(str(value)):
            self.fail(problem, param, ctx)
        return str(value)


class NameOf(click.ParamType[str]):
    """A name of one dimension, completed from the database."""

    name = "name"

    def __init__(self, dimension: str) -> None:
        self.dimension = dimension

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Reject what is no identifier; never strip it."""
        try:
            return checked_identifier(value, self.dimension)
        except SelectorError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """The registered names that begin so."""
        return complete_names(ctx, self.dimension, incomplete)


class PatternOf(NameOf):
    """A value of a selector: a name, or a pattern over registered names. `cli.selectors` judges it."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take it as it is."""
        return str(value)


def selector_options(command: F) -> F:
    """``--all`` and an option for each dimension; the command gets them as ``everything`` and by their names."""
    for dimension in reversed(DIMENSIONS):
        command = click.option(
            f"--{dimension}", multiple=True, type=PatternOf(dimension), metavar="NAME", help=_HELP[dimension]
        )(command)
    return click.option("--all", "everything", is_flag=True, help="Everything.")(command)


_HELP: Final = {
    "site": "Work of this site.",
    "operation": "This operation; a flag's name is the operation it switches.",
    "workflow": "This workflow.",
    "service": "What runs in this service of ours.",
    "dependency": "What needs this third party.",
    "campaign": "Work of this campaign.",
    "account": "Work for this account.",
    "agent": "The work of this agent.",
    "env": "Work in this environment.",
}


def dimensions_of(options: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """The selector's part of a command's options."""
    return {dimension: options.get(dimension) or () for dimension in DIMENSIONS}


def reason_option(*, required: bool) -> Callable[[F], F]:
    """``--reason``."""
    help_ = "Why; it is recorded and shown."
    if required:
        return click.option("--reason", type=FreeText(), required=True, help=help_)
    return click.option("--reason", type=FreeText(), default="", help=help_)
