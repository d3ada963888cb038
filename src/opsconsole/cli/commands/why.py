"""``why``: every blocker of a scope, and what would remain after each release."""

from __future__ import annotations

from collections.abc import Iterator
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
    from core.state import State
    from opsgate.evaluate import Verdict
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
        invocation.show(_document(selector, explain(state.table(), selector), state))
    return Exit.OK


def _document(selector: Selector, found: Explanation, state: State) -> Document:
    verdict = found.verdict
    data = found.as_dict(selector, state.revision)
    said = "" if verdict.outcome == "allowed" else f": {headline(verdict)}"
    lines = [f"{selector} is {verdict.outcome} at revision {state.revision}{said}"]
    lines += [f"  {hold.hold_id}: {describe(hold)} ({hold.mode})" for hold in verdict.blockers]
    lines += [f"  {each}" for each in found.previews]
    if found.partial:
        lines.append("parts of it are held:")
        lines += [f"  {hold.hold_id}: {describe(hold)} ({hold.mode})" for hold in found.partial]
    return Document(data, [*lines, *_unregistered(state, selector, verdict)])


def _unregistered(state: State, selector: Selector, verdict: Verdict) -> Iterator[str]:
    """About each name that nobody registered: what may have been meant, and how to register it."""
    from core.capabilities.names import near_names, registering

    for dimension, name in selector.items:
        if f"{dimension}={name}" in verdict.unknown_names:
            near = near_names(state, dimension, name)
            meant = f"; did you mean {' or '.join(near)}?" if near else "."
            yield f"no {dimension} is registered as {name}{meant} To register it: {registering(dimension, name)}"
    if verdict.unknown_names and verdict.outcome == "allowed":
        yield "a gate lets work of an unknown name run; a strict one refuses it"
