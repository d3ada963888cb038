"""``recoveries``: the way back in steps. ``recover`` begins one; here it is looked at, held, continued, turned back."""

from __future__ import annotations

import difflib
from typing import Final

import click

from core.capabilities.procedures import RemoveProcedure, SetProcedure, procedure_named
from core.capabilities.recovery import AbortRecovery, ContinueRecovery, HoldRecovery, RollBackRecovery
from core.emergency_rules import Rules
from core.messages import Command
from core.procedures import Procedure, described, document_of, steps_of
from core.procedures import procedures as named_procedures
from core.service_facts import procedure_rows
from core.service_facts import recoveries as facts_of_recoveries
from opsconsole.cli.commands.nouns import change, one_of, show_list, show_one
from opsconsole.cli.documents import dump, read
from opsconsole.cli.engine import Engine, built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import NameOf, reason_option
from opsconsole.render import Document

_emergency_argument = click.argument("emergency_id", metavar="EMERGENCY")
_procedure_argument = click.argument("name", type=NameOf("procedure"), metavar="NAME")
_EXAMPLE: Final = "'opsconsole recoveries procedures show standard_recovery' prints a whole one"


@click.group(short_help="Recoveries: list, show, procedures, hold, continue, abort, rollback.")
def recoveries() -> None:
    """Recoveries in steps, and the procedures that they go by."""


@recoveries.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """The latest recovery of each emergency, the latest first."""
    with opened(invocation) as engine:
        rows = facts_of_recoveries(engine.backend.state(timeout_s=engine.timeout_s))
        columns = ("recovery_id", "emergency_id", "procedure", "status", "phase", "step", "of", "admit", "doing", "why")
        show_list(engine, columns, rows, "no recovery")
    return Exit.OK


@recoveries.command("show")
@click.argument("name", metavar="ID")
@click.pass_obj
def show(invocation: Invocation, name: str) -> int:
    """One recovery, by its id or that of its emergency, with its steps and what was seen last."""
    with opened(invocation) as engine:
        rows = tuple(facts_of_recoveries(engine.backend.state(timeout_s=engine.timeout_s)))
        key = "emergency_id" if any(row["emergency_id"] == name for row in rows) else "recovery_id"
        show_one(engine, one_of(rows, key, name, "recoveries"))
    return Exit.OK


@recoveries.group("procedures", short_help="The ways back: list, show, add, rm.")
def procedures() -> None:
    """What recoveries go by: checks, tiers, steps of the ramp, gates and waits, as YAML documents."""


@procedures.command("list")
@click.pass_obj
def list_procedures(invocation: Invocation) -> int:
    """Every procedure that `recover --procedure` knows beside direct_recovery."""
    with opened(invocation) as engine:
        rows = procedure_rows(engine.backend.state(timeout_s=engine.timeout_s))
        show_list(engine, ("name", "own", "title", "checks", "gates", "max_tries"), rows, "no procedure")
    return Exit.OK


@procedures.command("show")
@_procedure_argument
@click.pass_obj
def show_procedure(invocation: Invocation, name: str) -> int:
    """One procedure as the document that `add` takes: a built-in one is a good beginning for one of your own."""
    with opened(invocation) as engine:
        document = document_of(procedure_named(engine.backend.state(timeout_s=engine.timeout_s), name))
        invocation.show(Document(document, dump(document)))
    return Exit.OK


@procedures.command("add")
@click.option("-f", "--file", "file", required=True, metavar="FILE", help="The document; - reads it from stdin.")
@click.option("--dry-run", is_flag=True, help="Print the steps and what would be another, and do nothing.")
@click.pass_obj
def add_procedure(invocation: Invocation, file: str, dry_run: bool) -> int:
    """Define a procedure, or another one under its name; a built-in one may be replaced.

    'opsconsole recoveries procedures show standard_recovery' prints a document to begin with. What it leaves out has
    its default:

    \b
        name: careful
        gates: [running, health]
        ramp:
          - {admit: 0.01, wait_s: 300}
          - {admit: 1.0, wait_s: 0}
    """
    procedure = read(file, Procedure, _EXAMPLE)
    with opened(invocation, create=not dry_run) as engine:
        if dry_run:
            _say_plan(engine, procedure)
        else:
            change(engine, SetProcedure(procedure=procedure), f"procedure {procedure.name} is set")
    return Exit.OK


@procedures.command("rm")
@_procedure_argument
@click.pass_obj
def remove_procedure(invocation: Invocation, name: str) -> int:
    """Remove one of the fleet's own; a built-in one of that name is in force again."""
    with opened(invocation) as engine:
        change(engine, built(RemoveProcedure, name=name), f"procedure {name} is removed")
    return Exit.OK


@recoveries.command("hold")
@_emergency_argument
@reason_option(required=False)
@click.pass_obj
def hold(invocation: Invocation, emergency_id: str, reason: str) -> int:
    """Have a recovery stay at its present step; it is watched all the same."""
    return _see_to(invocation, HoldRecovery, "is held", emergency_id=emergency_id, reason=reason)


@recoveries.command("continue")
@_emergency_argument
@click.pass_obj
def continue_(invocation: Invocation, emergency_id: str) -> int:
    """Have a recovery that is held go on; its present step begins anew."""
    return _see_to(invocation, ContinueRecovery, "goes on", emergency_id=emergency_id)


@recoveries.command("abort")
@_emergency_argument
@reason_option(required=False)
@click.pass_obj
def abort(invocation: Invocation, emergency_id: str, reason: str) -> int:
    """End a recovery: nothing is admitted any more, and what it started stops again."""
    return _see_to(invocation, AbortRecovery, "turns back", emergency_id=emergency_id, reason=reason)


@recoveries.command("rollback")
@_emergency_argument
@reason_option(required=False)
@click.pass_obj
def rollback(invocation: Invocation, emergency_id: str, reason: str) -> int:
    """The same, because what was restored is not good enough: it counts as rolled back, and not as aborted."""
    return _see_to(invocation, RollBackRecovery, "is rolled back", emergency_id=emergency_id, reason=reason)


def _see_to(invocation: Invocation, what: type[Command], done: str, *, emergency_id: str, **said: str) -> int:
    with opened(invocation) as engine:
        change(engine, built(what, emergency_id=emergency_id, **said), f"the recovery of {emergency_id} {done}")
    return Exit.OK


def _say_plan(engine: Engine, procedure: Procedure) -> None:
    """The steps, were all the fleet's services stopped, and what differs from the procedure of that name."""
    engine.rehearse(SetProcedure(procedure=procedure))
    state = engine.backend.state(timeout_s=engine.timeout_s)
    known = named_procedures(state.procedures).get(procedure.name)
    old = [] if known is None else dump(document_of(known))
    difference = list(difflib.unified_diff(old, dump(document_of(procedure)), "now", "then", lineterm="", n=1))
    steps = [
        f"{step.phase}: {described(step)}" for step in steps_of(procedure, state.services, state.services, Rules())
    ]
    engine.invocation.say("dry run: nothing was done")
    facts = {"procedure": procedure.name, "steps": steps, "difference": difference}
    numbered = [f"{number:3}. {step}" for number, step in enumerate(steps, 1)]
    engine.invocation.show(
        Document(facts, [f"{procedure.name}, of all services:", *numbered, *(difference or ["no difference"])])
    )
