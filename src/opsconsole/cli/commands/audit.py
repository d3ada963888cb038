"""``audit``: the journal, its chain, and the state at a past time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from core import facts
from core.audit import Row, event_of
from core.errors import BackendUnavailable, CommandRejected, NotOurDatabase
from core.policy import run_state
from opsconsole.cli.commands.nouns import show_list
from opsconsole.cli.engine import Engine, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.output import put
from opsconsole.cli.params import Moment
from opsconsole.render import Document, cell
from opsgate.hold import moment, timestamp

if TYPE_CHECKING:
    from core.ports import ChainReport
    from core.state import State

_CHUNK: Final = 5_000
_UNSURE: Final = frozenset(' "=,')

_at_option = click.option("--at", type=Moment(), metavar="TIME", help="As of this time.")


@click.group(short_help="The journal: list, verify, export, show, redact.")
def audit() -> None:
    """The journal: every change and every refusal, with who, when, by which door and why."""


@audit.command("list")
@_at_option
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="How many at most.")
@click.option("--since", type=click.IntRange(0), metavar="REV", help="Those behind this revision, oldest first.")
@click.pass_obj
def list_(invocation: Invocation, at: datetime | None, limit: int, since: int | None) -> int:
    """The last events, the latest at the end."""
    with opened(invocation) as engine:
        last = engine.backend.state(timeout_s=engine.timeout_s).revision if at is None else _revision_at(engine, at)
        after = max(0, last - limit) if since is None else since
        rows = [facts.event(event_of(row)) for row in _rows(engine, after, last) if row.body][:limit]
        if invocation.settings.output in ("table", "csv"):
            for row in rows:
                row["what"] = _in_words(row["data"])
        show_list(engine, ("revision", "at", "actor", "door", "kind", "what"), rows, "no event")
    return Exit.OK


@audit.command("verify")
@_at_option
@click.pass_obj
def verify(invocation: Invocation, at: datetime | None) -> int:
    """Check the chain of the whole journal: nothing changed, cut out or slipped in. Exit 1 where it is broken."""
    try:
        with opened(invocation) as engine:
            report = engine.backend.verify(timeout_s=max(60.0, engine.timeout_s))
            there = None if at is None else _place(engine, at)
    except NotOurDatabase as error:
        if error.code not in ("no-key", "no-key-file"):
            raise
        from backends import chain_of

        report, there = chain_of(invocation.settings.backend, timeout_s=max(60.0, invocation.settings.timeout_s)), None
    except BackendUnavailable as error:
        if error.code != "journal-damaged":
            raise
        invocation.show(Document({"verified": False, "fault": error.message}, [f"NOT verified: {error}"]))
        return Exit.REFUSED
    invocation.show(_report(report, at, there))
    return Exit.OK if report.fault is None else Exit.REFUSED


@audit.command("export")
@_at_option
@click.pass_obj
def export(invocation: Invocation, at: datetime | None) -> int:
    """The sealed events as JSON lines, oldest first, with what is needed to verify them elsewhere."""
    with opened(invocation) as engine:
        last = engine.backend.state(timeout_s=engine.timeout_s).revision if at is None else _revision_at(engine, at)
        for row in _rows(engine, 0, last):
            put(json.dumps(dataclasses.asdict(row)))
    return Exit.OK


@audit.command("show")
@click.option("--at", type=Moment(), required=True, metavar="TIME", help="The time.")
@click.pass_obj
def show(invocation: Invocation, at: datetime) -> int:
    """What held at a past time, folded from the journal."""
    with opened(invocation) as engine:
        state = engine.backend.state_at(at, timeout_s=max(30.0, engine.timeout_s))
        invocation.show(_past(state, at))
    return Exit.OK


@audit.command("redact")
@click.option("--account", required=True, metavar="ACCOUNT", help="Whom it is about.")
@click.option("--reason", default="", metavar="TEXT", help="Why, without naming the account.")
@click.pass_obj
def redact(invocation: Invocation, account: str, reason: str) -> int:
    """Erase what the journal says about one account. The chain verifies as before; what held until now cannot be told
    afterwards. Refused while something in force names the account. Backups and logs are not touched."""
    from backends.runtime import Runtime
    from core.messages import Actor

    with opened(invocation) as engine:
        engine.require_recorded()
        if not isinstance(engine.backend, Runtime):
            raise CommandRejected("not-here", "this is done where the database is, not behind a server", "run it there")
        receipt = engine.backend.erase(account, Actor(name=invocation.actor), reason=reason)
    invocation.show(Document({"revision": receipt.revision}, [f"erased, at revision {receipt.revision}"]))
    return Exit.OK


def _in_words(data: Mapping[str, Any]) -> str:
    """What an event says, as people write it; what it says nothing about is left out."""
    return " ".join(f"{key}={_value(value)}" for key, value in data.items() if value not in (None, "", [], {}))


def _value(value: Any) -> str:
    """One value; a text in quotation marks where its end could not be told otherwise."""
    match value:
        case str() if not value.isprintable() or _UNSURE & set(value):
            return json.dumps(value, ensure_ascii=False)
        case list():
            return ",".join(_value(each) for each in value)
        case {} if not value:
            return "all"
        case Mapping():
            return "+".join(f"{key}:{_value(each)}" for key, each in value.items())
        case _:
            return cell(value)


def _past(state: State, at: datetime) -> Document:
    holds = list(facts.holds(state))
    emergencies = [row for row in facts.emergencies(state) if row["status"] == "active"]
    data = {
        "at": timestamp(at),
        "state": run_state(state),
        "revision": state.revision,
        "holds": holds,
        "emergencies": emergencies,
    }
    lines = [f"at {timestamp(at)} (revision {state.revision}): {run_state(state)}"]
    lines += [
        f"  {row['emergency_id']} {row['level']} on {row['scope']}, opened {row['opened_at']} by {row['opened_by']}: "
        f"{row['reason'] or 'no reason given'}"
        for row in emergencies
    ]
    lines += [
        f"  {hold.hold_id} holds {hold.selector}: {hold.source} {hold.owner}, {hold.mode}, since "
        f"{timestamp(hold.placed_at)}{', ' + hold.reason if hold.reason else ''}"
        for hold in sorted(state.holds.values(), key=lambda hold: (hold.placed_at, hold.hold_id))
    ]
    return Document(data, lines if holds or emergencies else [*lines, "  nothing was held"])


def _place(engine: Engine, at: datetime) -> dict[str, Any]:
    """The revision and the chain hash that the journal had at a time."""
    last = _revision_at(engine, at)
    return {"revision": last, "chain": next((row.chain for row in _rows(engine, last - 1, last)), None)}


def _report(report: ChainReport, at: datetime | None, there: dict[str, Any] | None) -> Document:
    data: dict[str, Any] = {
        "verified": report.fault is None,
        "since": report.since,
        "revision": report.revision,
        "chain": report.chain,
        "fault": report.fault.what if report.fault else None,
        "sealed": report.sealed,
        "erased": report.erased,
    }
    if report.fault is None:
        lines = [f"verified: events {report.since + 1} to {report.revision}, ending in {report.chain}"]
    else:
        lines = [f"NOT verified: {report.fault.what}; sound up to revision {report.revision}"]
    if report.sealed:
        lines.append(
            f"{report.sealed} bodies are encrypted and were not opened: the chain covers them and needs no key"
        )
    if report.erased:
        lines.append(f"{report.erased} bodies were erased: the chain covers their digests")
    if at is not None and there is not None:
        data["at"] = there
        lines.append(f"at {timestamp(at)}: revision {there['revision']}, chain {there['chain']}")
    return Document(data, lines)


def _rows(engine: Engine, after: int, last: int) -> Iterator[Row]:
    """The rows behind ``after`` up to revision ``last``, oldest first."""
    while after < last:
        chunk = engine.backend.journal(after=max(0, after), limit=_CHUNK, timeout_s=max(30.0, engine.timeout_s))
        yield from (row for row in chunk if row.revision <= last)
        if not chunk:
            return
        after = chunk[-1].revision


def _revision_at(engine: Engine, at: datetime) -> int:
    """The revision of the last event recorded at or before a time."""
    last = engine.backend.state(timeout_s=engine.timeout_s).revision
    if at >= datetime.now(UTC):
        return last
    found = 0
    for row in _rows(engine, 0, last):
        if moment(row.at) > at:
            break
        found = row.revision
    return found
