"""``apply`` and ``export``: the whole configuration as one YAML document. Applying never releases a hold."""

from __future__ import annotations

import difflib
from typing import Final

import click

from core.capabilities.configuration import ApplyConfiguration, Configuration, export_configuration
from opsconsole.cli.documents import dump, read
from opsconsole.cli.engine import Engine, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.receipts import placed
from opsconsole.render import Document
from opsconsole.views.words import counted

_EXAMPLE: Final = "'opsconsole export' prints a whole one, a small one is: sites: {shop-eu: {title: Shop EU}}"


@click.command(short_help="Make the fleet have all that a document names.")
@click.option("-f", "--file", "file", metavar="FILE", help="The document; - reads it from stdin. Required.")
@click.option("--dry-run", is_flag=True, help="Print the difference, and do nothing.")
@click.pass_obj
def apply(invocation: Invocation, file: str | None, dry_run: bool) -> int:
    """Add and change what the document names, in one transaction.

    Nothing is removed, and no hold is ever released: what stays off is listed. A document has any of these parts, and
    'opsconsole export' prints the one of this fleet:

    \b
        sites: {shop-eu: {title: Shop EU}}
        flags: {enableABTesting: {state: off}}
        limits: {maxSitesPerHour: {limit: 5}}
    """
    if file is None:
        raise click.UsageError(f"say which document is meant: -f FILE, or -f - for stdin; {_EXAMPLE}")
    command = ApplyConfiguration(configuration=read(file, Configuration, _EXAMPLE))
    with opened(invocation, create=not dry_run) as engine:
        if dry_run:
            _rehearse(engine, command)
        else:
            receipt = engine.submit(command)
            for note in receipt.notes:
                invocation.say(note)
            changes = counted(len(receipt.events), "change")
            invocation.show(placed(receipt, f"applied in {changes} at revision {receipt.revision}"))
    return Exit.OK


@click.command(short_help="The configuration of the fleet as one YAML document.")
@click.pass_obj
def export(invocation: Invocation) -> int:
    """Print the configuration: equal configurations give equal bytes, without times, revisions, workers or holds."""
    with opened(invocation) as engine:
        document = export_configuration(engine.backend.state(timeout_s=engine.timeout_s))
        invocation.show(Document(document, dump(document)))
    return Exit.OK


def _rehearse(engine: Engine, command: ApplyConfiguration) -> None:
    receipt, after = engine.foresee(command)
    before = engine.backend.state(timeout_s=engine.timeout_s)
    old, new = dump(export_configuration(before)), dump(export_configuration(after))
    lines = list(difflib.unified_diff(old, new, "now", "then", lineterm="", n=1))
    lines += [f"+hold on {after.holds[hold_id].selector}" for hold_id in receipt.hold_ids]
    for note in receipt.notes:
        engine.invocation.say(note)
    engine.invocation.say("dry run: nothing was done")
    data = receipt.model_dump(mode="json", exclude_none=True, exclude={"notes"}) | {"difference": lines}
    engine.invocation.show(Document(data, lines or ["no difference"]))
