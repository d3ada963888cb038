"""``watch``: what happens, as it happens."""

from __future__ import annotations

import json
import queue

import click

from core import facts
from core.audit import event_of
from core.errors import BackendUnavailable
from opsconsole.cli.engine import Engine, opened
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.output import flush, put


@click.command(short_help="Events as JSON lines, for ever.")
@click.option("--since", type=click.IntRange(0), metavar="REV", help="Also the events behind this revision.")
@click.pass_obj
def watch(invocation: Invocation, since: int | None) -> int:
    """Print each event as one JSON line, until interrupted. None is left out and none comes twice.

    The shape is that of 'audit list -o jsonl'.
    """
    with opened(invocation) as engine:
        last = engine.backend.state(timeout_s=engine.timeout_s).revision if since is None else since
        arrived: queue.SimpleQueue[None] = queue.SimpleQueue()
        leave = engine.backend.follow(lambda _arrival: arrived.put(None))
        try:
            while True:
                last = _print_behind(engine, last)
                arrived.get()
        finally:
            leave()


def _print_behind(engine: Engine, last: int) -> int:
    """Print the events behind ``last`` and return the new last; where the database is away, the next arrival tells."""
    try:
        while rows := engine.backend.journal(after=last, timeout_s=engine.timeout_s):
            for row in rows:
                if row.body:
                    put(json.dumps(facts.event(event_of(row))))
                last = row.revision
            flush()
    except BackendUnavailable as error:
        engine.invocation.say(f"waiting: {error}")
    return last
