"""Trying a trigger out: on samples that somebody names, on recorded ones, and on those that the engine has kept."""

from __future__ import annotations

from datetime import UTC, datetime
from heapq import merge
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from core.capabilities.triggers import AddTrigger, trigger_named
from core.faults import sentence
from core.messages import command_from
from core.state import State
from core.triggers.definition import Definition
from core.triggers.rehearsal import Occasion, rehearse
from core.triggers.sample import AGE_MAX_S, Sample
from core.triggers.suppression import judge
from core.triggers.watch import Watch, topics
from opsconsole.cli.engine import Engine
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.recorded import samples_in
from opsconsole.views.words import counted
from opsgate.hold import timestamp
from opsgate.selector import scope_text


def definition_of(engine: Engine, name: str, candidate: dict[str, Any] | None) -> Definition:
    """The trigger of this name, or what it would be; raises what adding that would."""
    if candidate is None:
        return trigger_named(engine.backend.state(timeout_s=engine.timeout_s), name).definition
    _, then = engine.foresee(command_of(name, candidate))
    return trigger_named(then, name).definition


def on_recorded(definition: Definition, recorded: Path) -> list[Occasion]:
    """On the samples in a file: JSON lines, or CSV by its ending. A file that holds none is the caller's fault."""
    try:
        with recorded.open(encoding="utf-8", newline="") as lines:
            return list(rehearse(definition, samples_in(lines, is_csv=recorded.suffix.lower() == ".csv")))
    except (ValueError, OSError) as error:
        raise click.UsageError(f"{recorded}: {error}") from error


def on_kept(engine: Engine, definition: Definition, last_s: float) -> list[Occasion]:
    """On what the engine has kept, up to now."""
    if not 0 < last_s <= AGE_MAX_S:
        raise click.UsageError(f"samples are kept for {AGE_MAX_S / 3600:g} hours: say --last {AGE_MAX_S / 3600:g}h")
    ask, metrics = engine.backend.samples, tuple(topics(definition))
    parts = [ask(metric, last_s=last_s, timeout_s=engine.timeout_s) for metric in metrics]
    samples = list(merge(*parts, key=lambda sample: sample.at_s))
    for metric, part in zip(metrics, parts, strict=True):
        since = f", since {moment(part[0].at_s)}" if part else "; kept is what a trigger or a gate looks at"
        engine.invocation.say(f"{counted(len(part), 'sample')} of {metric}{since}")
    if not metrics:
        engine.invocation.say("it looks at no samples, so there is nothing to rehearse it with")
    return list(rehearse(definition, samples, engine.now().timestamp()))


def moment(at_s: float) -> str:
    """Seconds since the epoch, as times are written."""
    return timestamp(datetime.fromtimestamp(at_s, UTC))


def command_of(name: str, fields: dict[str, Any]) -> AddTrigger:
    """The command that sets a trigger of this name to these fields; what is wrong with them is the caller's fault."""
    try:
        command = command_from({"kind": "add-trigger"} | fields | {"name": name})
    except ValidationError as error:
        raise click.UsageError(sentence(error)) from error
    assert isinstance(command, AddTrigger), "its kind says so"
    return command


def say_unheard(invocation: Invocation, definition: Definition, samples: tuple[tuple[str, float], ...]) -> None:
    """Which of the samples mean nothing to a trigger, and what it listens to."""
    wanted = tuple(topics(definition))
    for metric in dict.fromkeys(metric for metric, _ in samples):
        if metric not in wanted:
            listens = f"it listens to {', '.join(wanted)}" if wanted else "it listens to no samples"
            invocation.say(f"warning: {definition.name} does not listen to {metric}: {listens}")


def tried(
    state: State, name: str, samples: tuple[tuple[str, float], ...], account: str | None, now: datetime
) -> dict[str, Any]:
    """What these samples would do now, with nothing before them, as a row."""
    trigger = trigger_named(state, name)
    definition, watch = trigger.definition, Watch()
    watch.put(definition.model_copy(update={"is_active": True}), 0.0)
    edges = []
    for metric, value in samples:
        edges += watch.take(Sample(metric, now.timestamp(), value, account or definition.account_id), 0.0, 0.0)
    edges += watch.sweep(0.0)
    crossed = [edge.value for edge in edges if edge.crossed]
    verdict = judge(state, trigger, now)
    watcher = watch.watchers[name]
    return {
        "name": name,
        "crosses": bool(crossed),
        "value": crossed[-1] if crossed else None,
        "would": "nothing" if not crossed else "stop" if verdict.why is None else f"be suppressed ({verdict.why})",
        "detail": verdict.detail or watcher.fault or None,
        "level": definition.stop_level,
        "scope": scope_text(definition.selectors()),
    }
