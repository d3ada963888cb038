"""The settings of S0, an admin's panel with one global pause, sites, five flags and four limits, as documents of ours.

A flag is on only where no hold at all has exactly its selector, and the panel is told what else holds.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ConfigDict, StrictBool, field_validator

from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.switches import SetSwitch, is_on
from core.messages import FreeText, Identifier, Message, Receipt
from core.state import State
from opsgate.hold import Hold, timestamp
from opsgate.names import OPERATION_OF_FLAG
from opsgate.selector import EVERYTHING, Selector

LIMITS: Final = {
    "maxSitesPerHour": "sites",
    "maxContentPagesPerHour": "content_pages",
    "maxGSCRequestsPerHour": "gsc_requests",
    "maxOpportunityScansPerDay": "opportunity_scans",
}
"""S0's names of the four limits, and ours."""

_BY_PANEL: Final = "resumed from the settings"


class Pausing(Message):
    """The body of a pause or a resume. ``pausedBy`` is a note: who acted is who the credential says."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    pausedBy: FreeText | None = None  # noqa: N815 (the panel's name)
    pauseReason: FreeText | None = None  # noqa: N815 (the panel's name)

    def reason(self) -> str:
        """Why, with the note where there is one."""
        noted = f" (noted: {self.pausedBy})" if self.pausedBy else ""
        return f"{self.pauseReason or ''}{noted}".strip()[:300]


class Features(Message):
    """The body of a change of flags: each one that is to be on or off, by its own name."""

    enableSiteCreation: StrictBool | None = None  # noqa: N815 (the panel's name)
    enableContentGeneration: StrictBool | None = None  # noqa: N815 (the panel's name)
    enableGSCVerification: StrictBool | None = None  # noqa: N815 (the panel's name)
    enableContentOptimization: StrictBool | None = None  # noqa: N815 (the panel's name)
    enableABTesting: StrictBool | None = None  # noqa: N815 (the panel's name)

    @field_validator("*")
    @classmethod
    def _on_or_off(cls, value: bool | None) -> bool | None:
        """A flag that is named is true or false; one that is not named stays as it is."""
        if value is None:
            raise ValueError("give true or false")
        return value

    def wanted(self) -> dict[str, bool]:
        """Each flag that was named, and how it is to be."""
        named: dict[str, bool] = self.model_dump(exclude_unset=True)
        return named

    def commands(self) -> tuple[SetSwitch, ...]:
        """Off first: whatever comes of the rest, what was to stop has stopped."""
        wanted = self.wanted()
        made = []
        for on in (False, True):
            names = tuple(OPERATION_OF_FLAG[flag] for flag, value in wanted.items() if value is on)
            if names:
                made.append(SetSwitch(dimension="operation", names=names, on=on, reason="changed in the settings"))
        return tuple(made)


class NewSite(Message):
    """The body of a new site; a name is made where none is given."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    siteId: Identifier | None = None  # noqa: N815 (the panel's name)


def pause(body: Pausing, selector: Selector = EVERYTHING) -> PlaceHold:
    """Pause everything, or one site."""
    return PlaceHold(selectors=(selector,), reason=body.reason())


def resume(body: Pausing, selector: Selector = EVERYTHING) -> ReleaseHolds:
    """Resume it. The panel gives no reason; ours says that it was the panel."""
    return ReleaseHolds(selectors=(selector,), reason=body.reason() or _BY_PANEL)


def paused(selector: Selector, receipt: Receipt) -> dict[str, Any]:
    """The answer to a pause."""
    site = selector.get("site")
    message = f"Site {site} paused" if site else "All autonomous processes paused"
    return {"success": True, "message": message, **_carried_out(receipt)}


def resumed(selector: Selector, receipt: Receipt) -> dict[str, Any]:
    """The answer to a resume. It says resumed only where nothing holds all of that any more."""
    site = selector.get("site")
    message = f"Site {site} resumed" if site else "Autonomous processes resumed"
    left = [hold for hold in receipt.remaining_holds if Selector.from_mapping(hold["selector"]).contains(selector)]
    if left:
        by = ", ".join(dict.fromkeys(f"{hold['source']} {hold['owner']}" for hold in left[:3]))
        message = f"{f'Site {site}' if site else 'Everything'} stays paused by {by}{' and more' if left[3:] else ''}"
    return {
        "success": True,
        "message": message,
        **_carried_out(receipt),
        "paused": bool(left),
        "remaining_holds": list(receipt.remaining_holds),
    }


def changed(features: Features, state: State, receipt: Receipt | None) -> dict[str, Any]:
    """The answer to a change of flags: how each flag that was named is now, which is not always as it was wanted."""
    now = flags(state)
    wanted = features.wanted()
    answer: dict[str, Any] = {
        "success": True,
        "featureFlags": {flag: now[flag] for flag in wanted},
        "revision": state.revision,
    }
    if receipt is not None and any(on and not now[flag] for flag, on in wanted.items()):
        answer["remaining_holds"] = list(receipt.remaining_holds)
    return answer


def created(name: str) -> dict[str, Any]:
    """The answer to a new site, and to one that is there already."""
    return {"success": True, "siteId": name}


def flags(state: State) -> dict[str, bool]:
    """The five flags as they are."""
    return {flag: is_on(state, "operation", operation) for flag, operation in OPERATION_OF_FLAG.items()}


def settings(state: State) -> dict[str, Any]:
    """What the panel shows: the one row of its settings."""
    held = state.holds_on(EVERYTHING)
    return {
        "id": "platform_settings_singleton",
        **_paused("allAutonomousProcessesPaused", held),
        **flags(state),
        **{name: state.limits[own].limit for name, own in LIMITS.items() if own in state.limits},
        "revision": state.revision,
    }


def site(state: State, name: str) -> dict[str, Any]:
    """One site as the panel keeps it."""
    return {"id": name, **_paused("autonomousProcessesPaused", state.holds_on(Selector.of(site=name)))}


def _carried_out(receipt: Receipt) -> dict[str, Any]:
    return {"revision": receipt.revision, "changed": receipt.changed, "hold_ids": list(receipt.hold_ids)}


def _paused(word: str, held: tuple[Hold, ...]) -> dict[str, Any]:
    first = held[0] if held else None
    return {
        word: bool(held),
        "pausedAt": timestamp(first.placed_at) if first else None,
        "pausedBy": first.owner if first else None,
        "pauseReason": first.reason if first else None,
    }
