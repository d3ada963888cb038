"""``check``: one decision, as a worker would get it. Without an engine, where it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import dimensions_of, selector_options
from opsconsole.cli.selectors import selectors_of, single
from opsconsole.render import Document
from opsgate.evaluate import describe

if TYPE_CHECKING:
    from opsgate.decision import Decision

_EXITS = {"allowed": Exit.OK, "blocked": Exit.BLOCKED, "unknown": Exit.UNREADABLE}


@click.command(short_help="One decision, as a worker would get it.")
@selector_options
@click.option("--strict", is_flag=True, help="Refuse names that nobody registered.")
@click.pass_obj
def check(invocation: Invocation, /, everything: bool, strict: bool, **options: Any) -> int:
    """Decide one piece of work: exit 0 allowed, 10 blocked, 12 the state could not be read.

    It ignores limits that are used up; only a worker's reserve answers for those.
    """
    selector = single(selectors_of(everything, dimensions_of(options)), "check")
    decision = _decide(invocation, selector.as_dict(), strict=strict)
    said = "" if decision.headline == decision.outcome else f": {decision.headline}"
    lines = [f"{decision.outcome}{said} (revision {decision.revision}, {decision.decided_by})"]
    lines += [f"  {hold.hold_id}: {describe(hold)} ({hold.mode})" for hold in decision.blockers]
    lines += [f"  {name} is not registered: 'opsconsole why' says more" for name in decision.unknown_names]
    invocation.show(Document(decision.as_dict(), lines))
    return _EXITS[decision.outcome]


def _decide(invocation: Invocation, work: dict[str, str], *, strict: bool) -> Decision:
    url = invocation.settings.backend
    if url.startswith("sqlite:"):
        from opsgate.status import decide_once

        return decide_once(url, work, strict=strict)
    return _decide_by_engine(invocation, work, strict=strict)


def _decide_by_engine(invocation: Invocation, work: dict[str, str], *, strict: bool) -> Decision:
    """The same from a backend that is no file; unknown where it cannot be reached."""
    from core.errors import BackendUnavailable
    from opsconsole.cli.engine import opened
    from opsgate.clock import elapsed_s
    from opsgate.decision import Decision
    from opsgate.evaluate import Verdict, evaluate
    from opsgate.view import View

    try:
        with opened(invocation) as engine:
            state = engine.backend.state(timeout_s=engine.timeout_s)
    except BackendUnavailable as error:
        return Decision(Verdict("unknown"), View(settled=True), elapsed_s(), allowed=False, note=str(error))
    at_s = elapsed_s()
    view = View(state.table(), fleet=state.fleet, revision=state.revision, confirmed_at_s=at_s, settled=True)
    verdict = evaluate(view.table, work, strict=strict)
    return Decision(verdict, view, at_s, allowed=verdict.outcome == "allowed")
