"""The log lines of the seeds, by their literal text: INFO when something changes, DEBUG at every check."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from opsgate.evaluate import Table, describe

if TYPE_CHECKING:
    from opsgate.decision import Decision
    from opsgate.hold import Hold

log: Final = logging.getLogger("opsgate")

ALLOWED: Final = "[Pause Check] ✅ Processing allowed"

_SHOWN: Final = 10
"""Lines for one change; the rest is counted. Ten thousand holds may be placed at once."""

_FEATURES: Final = {
    "site_creation": "Site creation",
    "content_generation": "Content generation",
    "gsc_verification": "GSC verification",
    "content_optimization": "Content optimization",
    "ab_testing": "A/B testing",
}


def plain(text: str, most: int = 400) -> str:
    """A text of somebody else's on one line of a log: what cannot be printed is escaped, what is too long is cut."""
    if len(text) <= most and text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text[:most])


def refusal(hold: Hold) -> str:
    """Why work is skipped, in S0's words where it has some."""
    site, operation = hold.selector.get("site"), hold.selector.get("operation")
    if hold.is_global:
        return "[Pause Check] ❌ Global platform pause is active"
    if hold.selector.dimensions == ("site",):
        return f"[Pause Check] ❌ Site {site} autonomous processes are paused"
    if hold.source == "flag" and operation is not None:
        return f"[Pause Check] ❌ {_FEATURES.get(operation, operation)} is disabled"
    return f"[Pause Check] ❌ {plain(describe(hold))}"


def changed(before: Table, after: Table) -> None:
    """Say which holds came into force and which are gone."""
    if before is after or not log.isEnabledFor(logging.INFO):
        return
    came = [hold for hold_id, hold in after.by_id.items() if hold_id not in before.by_id]
    went = [hold for hold_id, hold in before.by_id.items() if hold_id not in after.by_id]
    for hold in came[:_SHOWN]:
        log.info("%s", refusal(hold))
    for hold in went[:_SHOWN]:
        log.info("[Pause Check] ✅ no longer: %s", plain(describe(hold)))
    hidden = max(0, len(came) - _SHOWN) + max(0, len(went) - _SHOWN)
    if hidden:
        log.info("[Pause Check] and %d more holds came or went", hidden)
    if went and not after.by_id:
        log.info(ALLOWED)


def checked(decision: Decision) -> None:
    """One line for one check, for whoever turned DEBUG on."""
    if decision.blockers:
        log.debug("%s", refusal(decision.blockers[0]))
    elif decision.allowed:
        log.debug(ALLOWED)
    else:
        log.debug("[Pause Check] ❌ %s", plain(decision.headline))
