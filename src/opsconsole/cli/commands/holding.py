"""``pause`` and ``resume``: set, never toggle. Pausing asks nothing; resuming names what it releases and says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from opsconsole.cli.confirming import confirm_scope
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import Duration, Moment, dimensions_of, reason_option, selector_options
from opsconsole.cli.selectors import Names, selectors_of
from opsgate.selector import EVERYTHING, Selector, scope_text

F = TypeVar("F", bound=Callable[..., Any])

Chosen = Callable[[Names], Sequence[Selector]]
"""The selectors that were typed, once the registered names can be asked for."""


@dataclass(frozen=True, slots=True)
class Pause:
    """How to pause: everything but what."""

    reason: str
    length: timedelta | None
    until: datetime | None
    halt: bool
    create: bool
    dry_run: bool
    wait_acks: timedelta | None


def pause_options(command: F) -> F:
    """The options of everything that pauses."""
    for option in reversed(
        (
            reason_option(required=False),
            click.option("--for", "length", type=Duration(), metavar="DURATION", help="End by itself after this."),
            click.option("--until", type=Moment(), metavar="TIME", help="End by itself at this time."),
            click.option(
                "--drain/--halt",
                "drain",
                default=True,
                help="Running work finishes (the default), or stops at its next checkpoint.",
            ),
            click.option("--create", is_flag=True, help="Register names that nobody registered."),
            click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing."),
            click.option(
                "--wait-acks", type=Duration(), metavar="DURATION", help="Wait until every live worker has seen it."
            ),
        )
    ):
        command = option(command)
    return command


def pause_of(options: dict[str, Any]) -> Pause:
    """The options of `pause_options` as one value; UsageError where two of them disagree."""
    if options["length"] is not None and options["until"] is not None:
        raise click.UsageError("--for and --until are two ways to say one thing: give one of them")
    if options["dry_run"] and options["wait_acks"]:
        raise click.UsageError("a dry run places nothing that could be waited for: leave out --wait-acks")
    return Pause(
        reason=options["reason"],
        length=options["length"],
        until=options["until"],
        halt=not options["drain"],
        create=options["create"],
        dry_run=options["dry_run"],
        wait_acks=options["wait_acks"],
    )


def resume_options(command: F) -> F:
    """The options of everything that resumes."""
    for option in reversed(
        (
            reason_option(required=True),
            click.option("--hold", metavar="ID", help="Only this hold."),
            click.option("--force", is_flag=True, help="Also holds of other sources than operators."),
            click.option(
                "--expect-revision", type=click.IntRange(0), metavar="N", help="Refuse if holds changed after this."
            ),
            click.option("--confirm", metavar="SCOPE", help="The scope, typed: 'all', or site=s1 as it is printed."),
        )
    ):
        command = option(command)
    return command


@click.command(short_help="Place operator holds.")
@selector_options
@pause_options
@click.pass_obj
def pause(invocation: Invocation, /, everything: bool, **options: Any) -> int:
    """Place operator holds on the work that the selector selects.

    Nothing that it covers starts any more. A repeated option means or (one hold each), different options mean and;
    'a*' stands for the registered names that match now.
    """
    return pause_work(
        invocation, pause_of(options), lambda names: selectors_of(everything, dimensions_of(options), names)
    )


@click.command(short_help="Release operator holds, whoever placed them.")
@selector_options
@resume_options
@click.pass_obj
def resume(invocation: Invocation, /, everything: bool, **options: Any) -> int:
    """Release the operator holds whose selector is exactly this one, whoever placed them.

    Says whose holds they were and what still holds. Emergencies end by recover only.
    """
    return resume_work(invocation, options, lambda names: selectors_of(everything, dimensions_of(options), names))


def pause_work(invocation: Invocation, wanted: Pause, chosen: Chosen) -> int:
    """Place operator holds; with ``wait_acks`` wait for the workers."""
    from core.capabilities.holds import PlaceHold
    from opsconsole.cli.engine import built, opened
    from opsconsole.cli.receipts import placed

    with opened(invocation, create=not wanted.dry_run) as engine:
        selectors = tuple(chosen(engine.names))
        command = built(
            PlaceHold,
            selectors=selectors,
            reason=wanted.reason,
            mode="halt" if wanted.halt else "drain",
            expires_at=wanted.until if wanted.length is None else engine.now() + wanted.length,
            create=wanted.create,
        )
        receipt = engine.rehearse(command) if wanted.dry_run else engine.submit(command)
        for note in receipt.notes:
            invocation.say(note)
        if wanted.dry_run:
            invocation.say("dry run: nothing was done")
        verb = "would pause" if wanted.dry_run else "paused"
        invocation.show(placed(receipt, f"{verb} {scope_text(selectors)} at revision {receipt.revision}", selectors))
        if wanted.wait_acks is not None:
            from opsconsole.cli.acks import wait_for_acks

            return wait_for_acks(engine, selectors, receipt.revision, wanted.wait_acks.total_seconds())
    return Exit.OK


def resume_work(invocation: Invocation, options: dict[str, Any], chosen: Chosen) -> int:
    """Release operator holds."""
    from core.capabilities.holds import ReleaseHolds
    from opsconsole.cli.engine import built, opened
    from opsconsole.cli.receipts import released

    with opened(invocation) as engine:
        selectors = tuple(chosen(engine.names))
        command = built(
            ReleaseHolds,
            selectors=selectors,
            reason=options["reason"],
            hold_id=options["hold"],
            force=options["force"],
        )
        expected = options["expect_revision"]
        if EVERYTHING in selectors:
            looked_at = engine.backend.state(timeout_s=engine.timeout_s)
            held = looked_at.holds_on(EVERYTHING)
            asked = confirm_scope(
                invocation,
                scope_text(selectors),
                options["confirm"],
                [f"{hold.hold_id} of {hold.source} {hold.owner}: {hold.reason or 'no reason given'}" for hold in held],
            )
            if asked and expected is None:
                expected = looked_at.control_revision
        receipt = engine.submit(command, expected_revision=expected)
        for note in receipt.notes:
            invocation.say(note)
        done = f"released {', '.join(receipt.hold_ids)} at revision {receipt.revision}"
        invocation.show(released(receipt, done))
    return Exit.OK
