"""What is wrong with a trigger, in words for whoever configures it."""

from __future__ import annotations

from collections.abc import Iterator

from core.triggers import TYPES
from core.triggers.clocks import fault_of_schedule
from core.triggers.definition import ALL_SERVICES, Definition
from core.triggers.kinds import Threshold, TriggerType
from core.triggers.rules import fault_of_rule


def faults(wanted: Definition) -> Iterator[str]:
    """Each thing that makes no sense, the first one first."""
    kind = TYPES[wanted.trigger_type]
    yield from _thresholds(kind, wanted)
    yield from _needs(kind, wanted)
    yield from _targets(wanted)
    if wanted.auto_recover and (kind.by_person or kind.needs == "schedule" or wanted.stop_level == "immediate"):
        yield "no immediate stop, person's or clock's is recovered by itself: leave auto_recover out"
    if wanted.absent_after_ms is not None and not (kind.thresholds or wanted.metrics):
        yield "there are no samples that could be absent: leave absent_after_ms out"


def _thresholds(kind: TriggerType, wanted: Definition) -> Iterator[str]:
    if kind.thresholds and not wanted.thresholds and wanted.absent_after_ms is None:
        yield f"{kind.name} takes at least one of the thresholds {', '.join(each.name for each in kind.thresholds)}"
    for name, value in wanted.thresholds.items():
        threshold = kind.threshold(name)
        if threshold is not None:
            yield from _value(threshold, value, wanted.clear.get(name))
        elif kind.needs != "rule":
            known = ", ".join(each.name for each in kind.thresholds) or "none"
            yield f"{kind.name} has no threshold {name}: it takes {known}"
    for name in wanted.clear:
        if name not in wanted.thresholds or kind.threshold(name) is None:
            yield f"there is a value to clear {name} at and no threshold of that name"


def _value(threshold: Threshold, value: float, clear: float | None) -> Iterator[str]:
    if not threshold.least <= value <= threshold.most:
        yield f"{threshold.name} lies from {threshold.least:g} to {threshold.most:g} {threshold.unit}, not at {value:g}"
    if clear is not None and (clear < value if threshold.crosses == "below" else clear > value):
        side = "from the threshold on" if threshold.crosses == "below" else "up to the threshold"
        yield f"{threshold.name} clears {side} ({value:g}), not at {clear:g}"


def _needs(kind: TriggerType, wanted: Definition) -> Iterator[str]:
    said = {"rule": bool(wanted.rule), "schedule": wanted.schedule is not None}
    for what, given in said.items():
        if kind.needs == what and not given:
            yield f"{kind.name} takes a {what}"
        elif given and kind.needs != what:
            yield f"{kind.name} takes no {what}"
    if wanted.metrics and kind.needs != "rule":
        yield f"{kind.name} knows its metrics: leave them out"
    if wanted.rule and (fault := fault_of_rule(wanted.rule)):
        yield fault
    if wanted.schedule is not None and (fault := fault_of_schedule(wanted.schedule)):
        yield fault


def _targets(wanted: Definition) -> Iterator[str]:
    everything = ALL_SERVICES in wanted.target_services
    if everything and len(wanted.target_services) > 1:
        yield "all services are all there are: name no others beside them"
    if everything and wanted.stop_level == "service_specific":
        yield "service_specific stops the services that are named: name them"
    for selector in wanted.scope:
        twice = [name for name in ("account", "service") if selector.get(name) is not None]
        if (wanted.account_id is not None and "account" in twice) or (not everything and "service" in twice):
            yield f"the scope {selector} says again what the trigger says: leave it out there"
