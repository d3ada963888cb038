"""``recoveries``: the way back in steps. ``recover`` begins one; here it is looked at, held, continued, turned back."""

from __future__ import annotations

import json
from typing import Any

import click
from pydantic import ValidationError

from core.capabilities.procedures import RemoveProcedure, SetProcedure
from core.capabilities.recovery import AbortRecovery, ContinueRecovery, HoldRecovery, RollBackRecovery
from core.faults import sentence
from core.service_facts import procedure_rows
from core.service_facts import recoveries as facts_of_recoveries
from opsconsole.cli.commands.nouns import change, one_of, show_list, show_one
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import JsonObject, NameOf, reason_option
from opsgate.selector import SelectorError

_emergency_argument = click.argument("emergency_id", metavar="EMERGENCY")


@click.group(short_help="Recoveries: list, show, hold, continue, abort, roll back.")
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


@recoveries.command("procedures")
@click.pass_obj
def procedures(invocation: Invocation) -> int:
    """Every procedure that `recover --procedure` knows beside direct_recovery."""
    with opened(invocation) as engine:
        rows = procedure_rows(engine.backend.state(timeout_s=engine.timeout_s))
        show_list(engine, ("name", "own", "title", "checks", "gates", "max_tries"), rows, "no procedure")
    return Exit.OK


@recoveries.command("set-procedure")
@click.argument("procedure", type=JsonObject(), metavar="JSON")
@click.pass_obj
def set_procedure(invocation: Invocation, procedure: dict[str, Any]) -> int:
    """Define a procedure, or another one under its name: a JSON object, or @FILE. A built-in one may be replaced."""
    with opened(invocation, create=True) as engine:
        try:
            wanted = SetProcedure.model_validate_json(json.dumps({"procedure": procedure}))
        except ValidationError as error:
            raise SelectorError(sentence(error)) from None
        change(engine, wanted, f"procedure {wanted.procedure.name} is set")
    return Exit.OK


@recoveries.command("remove-procedure")
@click.argument("name", type=NameOf("procedure"), metavar="NAME")
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
    with opened(invocation) as engine:
        wanted = built(HoldRecovery, emergency_id=emergency_id, reason=reason)
        change(engine, wanted, f"the recovery of {emergency_id} is held")
    return Exit.OK


@recoveries.command("continue")
@_emergency_argument
@click.pass_obj
def continue_(invocation: Invocation, emergency_id: str) -> int:
    """Have a recovery that is held go on; its present step begins anew."""
    with opened(invocation) as engine:
        engine.require_recorded()
        change(engine, built(ContinueRecovery, emergency_id=emergency_id), f"the recovery of {emergency_id} goes on")
    return Exit.OK


@recoveries.command("abort")
@_emergency_argument
@reason_option(required=False)
@click.pass_obj
def abort(invocation: Invocation, emergency_id: str, reason: str) -> int:
    """End a recovery: nothing is admitted any more, and what it started stops again."""
    with opened(invocation) as engine:
        wanted = built(AbortRecovery, emergency_id=emergency_id, reason=reason)
        change(engine, wanted, f"the recovery of {emergency_id} turns back")
    return Exit.OK


@recoveries.command("rollback")
@_emergency_argument
@reason_option(required=False)
@click.pass_obj
def rollback(invocation: Invocation, emergency_id: str, reason: str) -> int:
    """The same, because what was restored is not good enough: it counts as rolled back, and not as aborted."""
    with opened(invocation) as engine:
        wanted = built(RollBackRecovery, emergency_id=emergency_id, reason=reason)
        change(engine, wanted, f"the recovery of {emergency_id} is rolled back")
    return Exit.OK
