"""``emergencies``: the cases around stops. They end by ``recover`` alone."""

from __future__ import annotations

from collections.abc import Iterator

import click

from core.facts import emergencies as facts_of_emergencies
from opsconsole.cli.commands.nouns import change, lines_of, one_of, show_list
from opsconsole.cli.engine import built, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import FreeText, reason_option
from opsconsole.render import Document, Row


@click.group(short_help="Emergencies: list, show, ack, own, explain.")
def emergencies() -> None:
    """Emergencies, active and lately ended."""


@emergencies.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each emergency, the latest first."""
    with opened(invocation) as engine:
        rows = list(facts_of_emergencies(engine.backend.state(timeout_s=engine.timeout_s)))
        for row in rows:
            row["result"] = " ".join(f"{stop['result']} {stop['acked']}/{stop['of']}" for stop in row["stops"])
        columns = ("emergency_id", "status", "level", "scope", "result", "owner", "opened_at", "opened_by", "reason")
        show_list(engine, columns, rows, "no emergency")
    return Exit.OK


@emergencies.command("show")
@click.argument("emergency_id", metavar="ID")
@click.pass_obj
def show(invocation: Invocation, emergency_id: str) -> int:
    """One emergency with its stops, and what was tried with each of their services."""
    with opened(invocation) as engine:
        rows = facts_of_emergencies(engine.backend.state(timeout_s=engine.timeout_s))
        facts = one_of(rows, "emergency_id", emergency_id, "emergencies")
        brief = {**facts, "stops": [_without_services(stop) for stop in facts["stops"]]}
        invocation.show(
            Document(facts, [*lines_of(brief), *(line for stop in facts["stops"] for line in _tried(stop))])
        )
    return Exit.OK


def _without_services(stop: Row) -> Row:
    return {key: value for key, value in stop.items() if key != "services"}


def _tried(stop: Row) -> Iterator[str]:
    """Each service of a stop, those first that have not stopped, and below it what was tried, when, and to what end."""
    for step in sorted(stop["services"], key=lambda step: bool(step["success"])):
        yield f"service {step['service']} of {stop['stop_id']}: {step['standing']}, tier {step['tier']}"
        for each in step["actions"]:
            detail = f": {each['detail']}" if each["detail"] else ""
            yield f"  {each['at']}  {each['action']} {each['outcome']}, took {each['took_ms'] / 1000:.1f} s{detail}"


@emergencies.command("ack")
@click.argument("emergency_id", metavar="ID")
@click.option("--note", type=FreeText(), default="", help="What whoever reads it should know.")
@click.pass_obj
def ack(invocation: Invocation, emergency_id: str, note: str) -> int:
    """Say that you know of an emergency, so that nobody else has to be called."""
    from core.capabilities.ownership import AcknowledgeEmergency

    with opened(invocation) as engine:
        wanted = built(AcknowledgeEmergency, emergency_id=emergency_id, note=note)
        change(engine, wanted, f"{emergency_id} is acknowledged")
    return Exit.OK


@emergencies.command("own")
@click.argument("emergency_id", metavar="ID")
@click.option("--owner", metavar="PERSON", help="Whom to give it to; you, without.")
@click.pass_obj
def own(invocation: Invocation, emergency_id: str, owner: str | None) -> int:
    """Take an emergency on, which acknowledges it too."""
    from core.capabilities.ownership import OwnEmergency

    with opened(invocation) as engine:
        change(engine, built(OwnEmergency, emergency_id=emergency_id, owner=owner), f"{emergency_id} has an owner")
    return Exit.OK


@emergencies.command("explain")
@click.argument("emergency_id", metavar="ID")
@reason_option(required=True)
@click.pass_obj
def explain(invocation: Invocation, emergency_id: str, reason: str) -> int:
    """Give the reason of a stop that was fired without one, also after its recovery.

    ID is the emergency, for those of its stops that have no reason, or one stop, whose reason is replaced.
    """
    from core.capabilities.explaining import ExplainStop, unexplained
    from core.errors import CommandRejected

    with opened(invocation) as engine:
        state = engine.backend.state(timeout_s=engine.timeout_s)
        stops = [emergency_id]
        if (case := state.emergencies.get(emergency_id)) is not None:
            stops = [stop.stop_id for stop in unexplained(state, case)]
            if not stops:
                said = f"{emergency_id} has its reason already: {case.reason}"
                raise CommandRejected("already-explained", said, "name one of its stops to replace that one's reason")
        for stop_id in stops:
            change(engine, built(ExplainStop, stop_id=stop_id, reason=reason), f"explained {stop_id}")
    return Exit.OK
