"""A trigger before it is added: what it would stop, and what it would have done with the samples that are known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.stop_reach import stop_reach
from opsconsole.views.triggers import condition
from opsconsole.views.words import clock, counted

if TYPE_CHECKING:
    from core.triggers.definition import Definition

NAMED = 3

Said = tuple[Span, ...]


def rehearsed(picture: Picture, definition: Definition) -> list[Said]:
    """When it fires, how it did with what is known, and what it would stop."""
    fires = f"{definition.trigger_type}: fires when {condition(definition)}"
    lines: list[Said] = [(Span(fires, Style.STRONG), *_not_yet(definition)), replayed(picture, definition)]
    share = _share(picture, definition)
    if share > picture.state.trigger_share:
        may = f"it would take {share:.0%} of the sites, and automatic stops may take {picture.state.trigger_share:.0%}"
        lines.append((Span(f"{may}: it would be suppressed", Style.WARN),))
    return [*lines, *stop_reach(picture, definition.stop_level, definition.selectors())]


def fires_when(definition: Definition) -> str:
    """What it fires for, in short words."""
    return condition(definition)


def replayed(picture: Picture, definition: Definition, *, short: bool = False) -> Said:
    """What it would have done with the samples of the last hour that the engine has kept; with those of the latest
    events, where there are none. ``short`` is for few cells."""
    from core.triggers.rehearsal import rehearse
    from core.triggers.watch import topics

    metrics, known = tuple(topics(definition)), picture.replay.samples
    if not metrics:
        return (Span("it looks at no samples: there is nothing to rehearse it with", Style.DIM),)
    if any(metric not in known for metric in metrics):
        return _against_samples(picture, definition)
    samples = sorted((sample for metric in metrics for sample in known[metric]), key=lambda sample: sample.at_s)
    if not samples and any(sample.metric in metrics for sample in picture.samples):
        return _against_samples(picture, definition)
    if not samples:
        named = clean(", ".join(metrics), 80)
        return (Span(f"no sample of {named} was kept in the last hour: nothing looks at it yet", Style.DIM),)
    found = rehearse(definition, samples, picture.now.timestamp())
    fired = [each for each in found if each.what == "fired"]
    of = f"of {counted(len(samples), 'kept sample')}"
    if not fired:
        if short:
            return (Span("would not have fired in an hour", Style.GOOD),)
        return (Span(f"would not have fired in the last hour, {of}", Style.GOOD),)
    if short:
        return (Span(f"fired {counted(len(fired), 'time')} in the last hour", Style.WARN),)
    first = f"first at {clock(datetime.fromtimestamp(fired[0].at_s, UTC))} UTC for {clean(fired[0].value, 80)}"
    return (Span(f"would have fired {counted(len(fired), 'time')} in the last hour, {first}; {of}", Style.WARN),)


def fault_of(definition: Definition) -> str:
    """What is wrong with it; empty where nothing is."""
    from core.triggers.validation import faults

    return next(faults(definition), "")


def _not_yet(definition: Definition) -> Said:
    if not definition.is_active:
        return (Span("; it is off", Style.WARN),)
    return (Span("; in shadow, it only shows what it would do", Style.WARN),) if definition.shadow else ()


def _against_samples(picture: Picture, definition: Definition) -> Said:
    """The samples that are known are those that some trigger was evaluated by lately."""
    from core.triggers.rehearsal import rehearse
    from core.triggers.sample import Sample

    known = [Sample(s.metric, s.at.timestamp(), s.value, s.account, source=s.source) for s in picture.samples]
    if not known:
        return (Span("no sample is known to rehearse it with: opsconsole triggers rehearse takes a file", Style.DIM),)
    fired = [each for each in rehearse(definition, known) if each.what == "fired"]
    first = picture.samples[0].at
    said = (
        f"rehearsed with {counted(len(known), 'sample')} since {clock(first)} UTC: fires {counted(len(fired), 'time')}"
    )
    why = f", first for {clean(fired[0].value, 80)}" if fired else ""
    return (Span(f"{said}{why}", Style.WARN if fired else Style.GOOD),)


def _share(picture: Picture, definition: Definition) -> float:
    from core.triggers.suppression import share_taken

    return share_taken(picture.state, definition.selectors())
