"""``triggers``: what stops work by itself. Tried out before they may: by ``test``, ``rehearse`` and ``--shadow``."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TextIO

import click

from core.capabilities.firing import FireTrigger
from core.capabilities.triggers import BoundTriggers, RemoveTrigger, SetTrigger, trigger_named
from core.facts import triggers as facts_of_triggers
from core.triggers import TYPES
from opsconsole.cli.commands.nouns import change, one_of, show_facts, show_list, show_one
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import Duration, NameOf, reason_option
from opsconsole.cli.trying import command_of, definition_of, moment, on_kept, on_recorded, say_unheard, tried
from opsconsole.views.words import counted
from opsgate.order import LEVELS
from opsgate.selector import Selector, SelectorError, scope_text

_name = click.argument("name", type=NameOf("trigger"), metavar="NAME")
_TYPES: Final = click.Choice(sorted(TYPES))


class Pair(click.ParamType[tuple[str, float]]):
    """``name=number``."""

    name = "pair"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Read it."""
        if isinstance(value, tuple):
            return value
        key, _, number = str(value).partition("=")
        try:
            return key, float(number)
        except ValueError:
            raise click.BadParameter(f"{value!a} is no NAME=NUMBER", ctx, param) from None


class Scope(click.ParamType[Selector]):
    """``site=s1,operation=ab_testing``."""

    name = "scope"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Selector:
        """Read it."""
        try:
            return value if isinstance(value, Selector) else Selector.parse(str(value))
        except SelectorError as error:
            raise click.BadParameter(str(error), ctx, param) from error


@click.group(short_help="Triggers: add, rm, on, off, bound, fire, test, rehearse, list, show.")
def triggers() -> None:
    """Triggers stop work by themselves: by thresholds, by the clock, by a rule, or when a person fires one by name."""


@triggers.command("add")
@_name
@click.option("--type", "trigger_type", type=_TYPES, help="One of the twelve types.")
@click.option("--threshold", "thresholds", type=Pair(), multiple=True, metavar="NAME=NUMBER", help="Where it fires.")
@click.option("--clear", type=Pair(), multiple=True, metavar="NAME=NUMBER", help="Where it lets go (hysteresis).")
@click.option("--window", type=Duration(), metavar="DURATION", help="How far back it looks (60s).")
@click.option("--cooldown", type=Duration(), metavar="DURATION", help="Rest after the end of its stop (5m).")
@click.option("--priority", type=click.IntRange(1, 4), help="1 low to 4 critical; the highest stops first.")
@click.option("--level", "stop_level", type=click.Choice(LEVELS), help="How it stops (graceful).")
@click.option("--target", "target_services", multiple=True, metavar="SERVICE", help="What it stops (all).")
@click.option("--scope", type=Scope(), multiple=True, metavar="SELECTOR", help="Only this work, as site=s1.")
@click.option("--account", "account_id", type=NameOf("account"), metavar="ID", help="One account, not the whole fleet.")
@click.option("--min-samples", type=click.IntRange(1, 1000), help="Samples that it takes (1).")
@click.option("--absent-after", type=Duration(), metavar="DURATION", help="Fire when no sample comes for so long.")
@click.option("--rule", metavar="CEL", help="The rule of a custom one.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="What a rule listens to.")
@click.option("--cron", metavar="'M H D M W'", help="When one by the clock is due.")
@click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="The clock's time zone.")
@click.option("--channel", "notification_channels", multiple=True, metavar="NAME", help="Whom it tells.")
@click.option("--description", metavar="TEXT", help="For people.")
@click.option("--auto-recover", is_flag=True, help="What it stopped may recover by itself.")
@click.option("--shadow", is_flag=True, help="Only record what it would do.")
@click.option("--off", is_flag=True, help="Not yet.")
@click.option("--create", is_flag=True, help="Register the services and sites that it names.")
@click.option("--from", "document", type=click.File("r"), metavar="FILE", help="A JSON object with its fields instead.")
@click.pass_obj
def add(invocation: Invocation, /, name: str, document: TextIO | None, **said: Any) -> int:
    """Add a trigger, or change the one called NAME to this."""
    fields = _fields(said) if document is None else _read(document)
    with opened(invocation, create=True) as engine:
        change(engine, command_of(name, fields), f"trigger {name} is set")
    return Exit.OK


@triggers.command("rm")
@_name
@click.pass_obj
def rm(invocation: Invocation, name: str) -> int:
    """Remove a trigger. What it has stopped stays stopped."""
    with opened(invocation) as engine:
        change(engine, built(RemoveTrigger, trigger=name), f"trigger {name} is removed")
    return Exit.OK


@triggers.command("on")
@_name
@click.pass_obj
def on(invocation: Invocation, name: str) -> int:
    """Switch a trigger on."""
    return _switch(invocation, name, active=True)


@triggers.command("off")
@_name
@click.pass_obj
def off(invocation: Invocation, name: str) -> int:
    """Switch a trigger off. What it has stopped stays stopped."""
    return _switch(invocation, name, active=False)


@triggers.command("bound")
@click.argument("percent", type=click.FloatRange(0, 100), metavar="PERCENT")
@click.pass_obj
def bound(invocation: Invocation, percent: float) -> int:
    """The share of the sites that automatic stops may take together. A person's stop is not bounded."""
    with opened(invocation) as engine:
        change(
            engine, built(BoundTriggers, share=percent / 100), f"automatic stops may take {percent:g} % of the sites"
        )
    return Exit.OK


@triggers.command("fire")
@_name
@reason_option(required=False)
@click.pass_obj
def fire(invocation: Invocation, name: str, reason: str | None) -> int:
    """Fire a manual trigger: stop what it is set on."""
    with opened(invocation) as engine:
        stop_id = f"S-{name[:80]}-{uuid.uuid4().hex[:12]}"
        change(engine, built(FireTrigger, trigger=name, stop_id=stop_id, value=reason or ""), f"trigger {name} fired")
    return Exit.OK


@triggers.command("test")
@_name
@click.option("--sample", "samples", type=Pair(), multiple=True, metavar="METRIC=NUMBER", help="A sample, in order.")
@click.option("--account", type=NameOf("account"), metavar="ID", help="Whom the samples are about.")
@click.pass_obj
def test(invocation: Invocation, name: str, samples: tuple[tuple[str, float], ...], account: str | None) -> int:
    """What these samples would do now, with nothing before them. Nothing is stopped and nothing recorded."""
    with opened(invocation) as engine:
        state = engine.backend.state(timeout_s=engine.timeout_s)
        show_facts(invocation, tried(state, name, samples, account, engine.now()))
        say_unheard(invocation, trigger_named(state, name).definition, samples)
    return Exit.OK


@triggers.command("rehearse")
@_name
@click.option(
    "--from",
    "recorded",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Samples: JSON lines, or CSV with a header (metric, value, at, account, source).",
)
@click.option("--last", type=Duration(), metavar="DURATION", help="The samples that the engine has kept, up to a day.")
@click.option(
    "--candidate", type=click.File("r"), metavar="FILE", help="Its fields, as those of `add --from`, instead."
)
@click.pass_obj
def rehearse_(
    invocation: Invocation, name: str, recorded: Path | None, last: timedelta | None, candidate: TextIO | None
) -> int:
    """When a trigger would have fired: on recorded samples (--from), or on those of the engine (--last 2h).

    With --candidate it is not the trigger called NAME that is rehearsed, but what it would be by that file; there need
    be none of that name. Nothing is stopped, and nothing recorded.
    """
    if (recorded is None) == (last is None):
        raise click.UsageError("say on which samples: --last DURATION, or --from FILE")
    fields = None if candidate is None else _read(candidate)
    with opened(invocation) as engine:
        definition = definition_of(engine, name, fields)
        if recorded is not None:
            found = on_recorded(definition, recorded)
        else:
            assert last is not None, "one of the two was said"
            found = on_kept(engine, definition, last.total_seconds())
        rows = [{"at": moment(one.at_s), "what": one.what, "value": one.value} for one in found]
        fired = [one for one in found if one.what == "fired"]
        first = f", first at {moment(fired[0].at_s)}," if fired else ""
        times = counted(len(fired), "time")
        invocation.say(f"it would have fired {times}{first} and stopped {scope_text(definition.selectors())}")
        show_list(engine, ("at", "what", "value"), rows, "it would have done nothing")
    return Exit.OK


@triggers.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each trigger, and what has become of it."""
    with opened(invocation) as engine:
        rows = facts_of_triggers(engine.backend.state(timeout_s=engine.timeout_s))
        columns = ("name", "state", "priority", "condition", "level", "scope", "fired", "suppressed", "why", "fired_at")
        show_list(engine, columns, rows, "no trigger: opsconsole triggers add NAME --type TYPE")
    return Exit.OK


@triggers.command("show")
@_name
@click.pass_obj
def show(invocation: Invocation, name: str) -> int:
    """One trigger with all that it is told."""
    with opened(invocation) as engine:
        rows = facts_of_triggers(engine.backend.state(timeout_s=engine.timeout_s))
        show_one(engine, one_of(rows, "name", name, "triggers"))
    return Exit.OK


def _switch(invocation: Invocation, name: str, *, active: bool) -> int:
    with opened(invocation) as engine:
        change(engine, built(SetTrigger, trigger=name, active=active), f"trigger {name} is {'on' if active else 'off'}")
    return Exit.OK


def _fields(said: dict[str, Any]) -> dict[str, Any]:
    """What was said on the command line, as the fields of a command."""
    times = {"window": "time_window_ms", "cooldown": "cooldown_period_ms", "absent_after": "absent_after_ms"}
    fields: dict[str, Any] = {"is_active": not said.pop("off")}
    cron, zone = said.pop("cron"), said.pop("zone")
    if cron is not None:
        fields["schedule"] = {"cron": cron, "zone": zone}
    for option, field in times.items():
        length: timedelta | None = said.pop(option)
        if length is not None:
            fields[field] = round(length.total_seconds() * 1000)
    for name in ("thresholds", "clear"):
        fields[name] = dict(said.pop(name))
    fields["scope"] = [selector.as_dict() for selector in said.pop("scope")]
    return fields | {name: value for name, value in said.items() if value not in (None, ())}


def _read(document: TextIO) -> dict[str, Any]:
    try:
        fields = json.load(document)
    except ValueError as error:
        raise click.UsageError(f"{document.name} is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise click.UsageError(f"{document.name} holds no object")
    return fields
