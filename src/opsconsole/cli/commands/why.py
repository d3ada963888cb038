"""``why``: every blocker of a scope, and what would remain after each release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import dimensions_of, selector_options
from opsconsole.cli.selectors import selectors_of, single
from opsconsole.render import Document
from opsgate.evaluate import describe, headline

if TYPE_CHECKING:
    from core.policy import Explanation
    from opsgate.selector import Selector


@click.command(short_help="Every blocker of a scope, and what would remain after each release.")
@selector_options
@click.pass_obj
def why(invocation: Invocation, /, everything: bool, **options: Any) -> int:
    """Say why this scope may or may not run. Exit 0 whatever it finds."""
    from core.policy import why as explain
    from opsconsole.cli.engine import opened

    with opened(invocation) as engine:
        selector = single(selectors_of(everything, dimensions_of(options), engine.names), "why")
        state = engine.backend.state(timeout_s=engine.timeout_s)
        invocation.show(_document(selector, explain(state.table(), selector), state.revision))
    return Exit.OK


def _document(selector: Selector, found: Explanation, revision: int) -> Document:
    verdict = found.verdict
    data = {
        "selector": selector.as_dict(),
        "outcome": verdict.outcome,
        "headline": headline(verdict),
        "blockers": [hold.as_dict() for hold in verdict.blockers],
        "partial": [hold.as_dict() for hold in found.partial],
        "unknown_names": list(verdict.unknown_names),
        "after_release": [
            {"hold_id": each.released.hold_id, "remaining": [hold.hold_id for hold in each.remaining]}
            for each in found.previews
        ],
        "revision": revision,
    }
    lines = [f"{selector} is {verdict.outcome} at revision {revision}: {headline(verdict)}"]
    lines += [f"  {hold.hold_id}: {describe(hold)} ({hold.mode})" for hold in verdict.blockers]
    lines += [f"  {each}" for each in found.previews]
    if found.partial:
        lines.append("parts of it are held:")
        lines += [f"  {hold.hold_id}: {describe(hold)} ({hold.mode})" for hold in found.partial]
    if verdict.unknown_names:
        lines.append(f"nobody registered {', '.join(verdict.unknown_names)}")
    return Document(data, lines)
