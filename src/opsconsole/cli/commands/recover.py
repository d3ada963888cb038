"""``recover``: the only way back from an emergency. Typed scope, checks, release of exactly that emergency's holds."""

from __future__ import annotations

import click

from opsconsole.cli.confirming import confirm_scope
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import reason_option
from opsgate.selector import scope_text


@click.command(short_help="The only way back from an emergency.")
@click.argument("emergency", metavar="EMERGENCY")
@reason_option(required=True)
@click.option("--confirm", metavar="SCOPE", help="The emergency's scope, typed as it is printed: all, or site=s1.")
@click.pass_obj
def recover(invocation: Invocation, emergency: str, reason: str, confirm: str | None) -> int:
    """End an emergency: release its holds, once its stops have come to a result.

    The id of one of its stops names it too. What was looked at is printed. Where nothing else holds, work starts at
    once.
    """
    from core.capabilities.recovery import Recover, recovery_checks
    from opsconsole.cli.engine import built, opened
    from opsconsole.cli.receipts import released

    with opened(invocation) as engine:
        engine.require_recorded()
        state = engine.backend.state(timeout_s=engine.timeout_s)
        if emergency in state.stops:  # who was told the id of a stop means the emergency that it opened or joined
            emergency = state.stops[emergency].emergency_id
        known = state.emergencies.get(emergency)
        expected, scope = None, confirm or ""
        if known is not None and known.status == "active":
            checks = [str(check) for check in recovery_checks(state, known)]
            for check in checks:
                invocation.say(check)
            asked = confirm_scope(invocation, scope_text(known.selectors), confirm, ())
            expected, scope = state.control_revision if asked else None, scope_text(known.selectors)
        command = built(Recover, emergency_id=emergency, reason=reason, confirm=scope)
        receipt = engine.submit(command, expected_revision=expected)
        for note in receipt.notes:
            invocation.say(note)
        invocation.show(released(receipt, f"recovered {emergency} at revision {receipt.revision}"))
    return Exit.OK
