"""``recover``: the only way back from an emergency. Typed scope, checks, release of exactly that emergency's holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsconsole.cli.confirming import confirm_scope
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import reason_option
from opsgate.selector import scope_text

if TYPE_CHECKING:
    from core.messages import Receipt
    from core.state import Emergency, State
    from opsconsole.cli.engine import Engine


@click.command(short_help="The only way back from an emergency.")
@click.argument("emergency", metavar="EMERGENCY")
@reason_option(required=False)
@click.option(
    "--procedure",
    metavar="NAME",
    help="How: direct_recovery, standard_recovery, critical_recovery, or one of your own.",
)
@click.option("--abort", is_flag=True, help="End the recovery that is under way, and stop again what it started.")
@click.option("--dry-run", is_flag=True, help="Print the checks and the steps, and do nothing.")
@click.option("--confirm", metavar="SCOPE", help="The emergency's scope, typed as it is printed: all, or site=s1.")
@click.pass_obj
def recover(
    invocation: Invocation,
    emergency: str,
    reason: str,
    procedure: str | None,
    abort: bool,
    dry_run: bool,
    confirm: str | None,
) -> int:
    """End an emergency: release its holds, once its stops have come to a result. Needs --reason.

    The id of one of its stops names it too. What was looked at is printed. Where no service was stopped and no
    procedure is named, it ends at once, and where nothing else holds, work starts. Otherwise a keeper goes through the
    steps of the procedure: services come back one tier after the other, and work bit by bit; `recoveries show` says
    where it is.
    """
    from opsconsole.cli.engine import built, opened

    if not (reason or abort or dry_run):
        raise click.UsageError("Missing option '--reason'.")
    if abort and (dry_run or procedure):
        raise click.UsageError("--abort goes with neither --dry-run nor --procedure")
    with opened(invocation) as engine:
        if not (abort or dry_run):
            engine.require_recorded()
        state = engine.backend.state(timeout_s=engine.timeout_s)
        if emergency in state.stops:  # who was told the id of a stop means the emergency that it opened or joined
            emergency = state.stops[emergency].emergency_id
        if abort:
            from core.capabilities.recovery import AbortRecovery
            from opsconsole.cli.commands.nouns import change

            wanted = built(AbortRecovery, emergency_id=emergency, reason=reason)
            change(engine, wanted, f"the recovery of {emergency} turns back")
        elif dry_run:
            _say_plan(engine, state, emergency, procedure)
        else:
            _recover(engine, state, emergency, reason, procedure, confirm)
    return Exit.OK


def _recover(
    engine: Engine, state: State, emergency: str, reason: str, procedure: str | None, confirm: str | None
) -> None:
    from core.capabilities.recovery import Recover, recovery_checks
    from opsconsole.cli.engine import built
    from opsconsole.cli.receipts import released

    invocation = engine.invocation
    known = state.emergencies.get(emergency)
    expected, scope = None, confirm or ""
    if known is not None and known.status == "active":
        for check in recovery_checks(state, known):
            invocation.say(str(check))
        asked = confirm_scope(invocation, scope_text(known.selectors), confirm, ())
        expected, scope = state.control_revision if asked else None, scope_text(known.selectors)
    command = built(Recover, emergency_id=emergency, reason=reason, confirm=scope, procedure=procedure)
    receipt = engine.submit(command, expected_revision=expected)
    for note in receipt.notes:
        invocation.say(note)
    invocation.show(released(receipt, _came_to(engine, emergency, receipt)))


def _came_to(engine: Engine, emergency: str, receipt: Receipt) -> str:
    """What is done, or what has begun and who goes on with it."""
    if all(note.kind != "recovery.started" for note in receipt.events):
        return f"recovered {emergency} at revision {receipt.revision}"
    recovery = engine.backend.state(timeout_s=engine.timeout_s).emergencies[emergency].recovery
    assert recovery is not None, "it has just begun"
    if not engine.backend.observe(timeout_s=engine.timeout_s).keeper:
        engine.invocation.say("no keeper is alive here: the recovery goes on as soon as one is")
    steps = f"{recovery.procedure}, {len(recovery.steps)} steps"
    return f"{recovery.recovery_id} began at revision {receipt.revision}: {steps}"


def _say_plan(engine: Engine, state: State, emergency: str, procedure: str | None) -> None:
    """The checks and the steps, as they would be now."""
    from core.capabilities.ownership import require_emergency
    from core.capabilities.recovery import plan_of, procedure_of, recovery_checks
    from core.procedures import described
    from opsconsole.render import Document

    known: Emergency = require_emergency(state, emergency)
    name = procedure_of(state, known, procedure)
    checks = [str(check) for check in recovery_checks(state, known)]
    steps = [f"{step.phase}: {described(step)}" for step in plan_of(state, known, name)]
    steps = steps or ["release its holds at once; no service is started"]
    lines = [*checks, f"{name}:", *(f"{number:3}. {step}" for number, step in enumerate(steps, 1))]
    facts = {"emergency_id": emergency, "procedure": name, "checks": checks, "steps": steps}
    engine.invocation.show(Document(facts, lines))
