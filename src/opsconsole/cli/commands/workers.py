"""``workers``: who asks the gate, what each last said, and whom nobody waits for any more."""

from __future__ import annotations

import click

from core.capabilities.workers import ForgetWorkers
from core.facts import for_people
from core.facts import workers as facts_of_workers
from opsconsole.cli.commands.nouns import change, one_of, show_list, show_one
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation


@click.group(short_help="Workers: list, show, forget.")
def workers() -> None:
    """The workers of the fleet."""


@workers.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each worker and what it last said."""
    with opened(invocation) as engine:
        rows = facts_of_workers(engine.backend.observe(timeout_s=engine.timeout_s))
        if invocation.settings.output == "table":
            state = engine.backend.state(timeout_s=engine.timeout_s)
            rows = for_people(rows, state)
        columns = ("worker_id", "state", "pid", "env", "scope", "age_s", "revision", "in_flight")
        show_list(engine, columns, rows, "no worker has been heard of")
    return Exit.OK


@workers.command("show")
@click.argument("worker_id", metavar="ID")
@click.pass_obj
def show(invocation: Invocation, worker_id: str) -> int:
    """One worker."""
    with opened(invocation) as engine:
        rows = facts_of_workers(engine.backend.observe(timeout_s=engine.timeout_s))
        show_one(engine, one_of(rows, "worker_id", worker_id, "workers"))
    return Exit.OK


@workers.command("forget")
@click.argument("worker_ids", nargs=-1, required=True, metavar="ID...")
@click.pass_obj
def forget(invocation: Invocation, worker_ids: tuple[str, ...]) -> int:
    """Take workers that are known to be gone off every list: no stop waits for them any more."""
    with opened(invocation) as engine:
        change(engine, built(ForgetWorkers, workers=worker_ids), f"forgot {', '.join(worker_ids)}")
    return Exit.OK
