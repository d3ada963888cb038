"""What happened to each service of a stop, by the time since its order: what was tried, how long that took, and when
somebody saw it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from core.services import ServiceStep
from core.state import Stop
from opsconsole.lines import Style
from opsconsole.table import Cell, Row
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.words import clock

OUTCOMES = {"done": Style.GOOD, "failed": Style.BAD, "timed-out": Style.BAD, "refused": Style.BAD}


def of_stop(picture: Picture, stop: Stop) -> Iterator[Row]:
    """Its services in the order in which they stop, those first that have not; below each what happened to it."""
    for step in sorted(stop.services, key=lambda step: step.has_stopped):
        yield from _of_step(picture, stop, step)


def of_service(picture: Picture, stop: Stop, name: str) -> Iterator[Row]:
    """What this stop did about one service; nothing where it does not list it."""
    for step in stop.services:
        if step.service == name:
            yield from _of_step(picture, stop, step)


def _of_step(picture: Picture, stop: Stop, step: ServiceStep) -> Iterator[Row]:
    service = picture.state.services.get(step.service)
    head = f"tier {step.tier}"
    if service is not None:
        head += f", by {service.driver}{f' on {service.host}' if service.host else ''}"
    if not step.actions:
        head += ", nothing tried yet" if not step.has_stopped else ", it needed nothing"
    key = f"service/{step.service}/{stop.stop_id}"
    yield Row(key, (Cell("service"), Cell(clean(step.service, 128)), _standing(stop, step), Cell(""), Cell(head)))
    for number, taken in enumerate(step.actions):
        cells = (
            Cell(f" {taken.action}"),
            Cell(f"  {_after(stop, taken.at)}", Style.DIM),
            Cell(taken.outcome, OUTCOMES.get(taken.outcome, Style.WARN)),
            Cell(""),
            Cell(f"took {taken.took_s:.1f}s{f': {clean(taken.detail, 160)}' if taken.detail else ''}"),
        )
        yield Row(f"{key}/{number}", cells)
    if step.stopped_at is not None:
        seen = Cell("seen stopped" if step.has_stopped else "ran again since")
        when = Cell(f"  {_after(stop, step.stopped_at)}", Style.DIM)
        yield Row(f"{key}/seen", (Cell(" observe"), when, _standing(stop, step), Cell(""), seen))


def _standing(stop: Stop, step: ServiceStep) -> Cell:
    if step.has_stopped:
        return Cell("stopped", Style.GOOD)
    late = stop.result != "pending"
    if step.standing == "unknown":
        return Cell("NOT SEEN" if late else "unknown", Style.BAD if late else Style.WARN)
    return Cell("NOT STOPPED" if late else clean(step.standing, 20), Style.BAD if late else Style.WARN)


def _after(stop: Stop, moment: datetime) -> str:
    """``+0.4s``: since the order; the time of day where that would be long."""
    seconds = (moment - stop.ordered_at).total_seconds()
    return f"+{max(0.0, seconds):.1f}s" if seconds < 600 else clock(moment)
