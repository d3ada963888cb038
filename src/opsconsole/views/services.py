"""The services: how each was seen to stand, what drives it, and what it needs; and one of them from near."""

from __future__ import annotations

import json
from collections.abc import Iterator

from core.services import Service, dependants
from opsconsole.lines import Span, Style
from opsconsole.table import Cell, Column, Made, Row, Table
from opsconsole.text import clean
from opsconsole.views.holding import way_back, whose
from opsconsole.views.picture import Picture
from opsconsole.views.timeline import of_service
from opsconsole.views.words import age, ago, counted, listed
from opsgate.evaluate import rank

COLUMNS = (
    Column("SERVICE", 8, 24, rank=0),
    Column("STANDING", 8, 11, rank=1),
    Column("SEEN", 4, 4, rank=2, right=True),
    Column("CRIT", 4, 4, rank=5, right=True),
    Column("DRIVER", 6, 14, rank=4),
    Column("NEEDS", 6, 30, rank=3),
    Column("DETAIL", 8, 60, rank=6),
)
WIDE = (
    Column("NEEDED BY", 9, 30, rank=7),
    Column("HOST", 4, 20, rank=8),
    Column("ACCOUNT", 7, 20, rank=9),
    Column("LABELS", 6, 40, rank=10),
)

STANDINGS = {
    "not-stopped": Cell("NOT STOPPED", Style.BAD),
    "failed": Cell("FAILED", Style.BAD),
    "stopping": Cell("stopping", Style.WARN),
    "starting": Cell("starting", Style.WARN),
    "unknown": Cell("unknown", Style.WARN),
    "stopped": Cell("stopped", Style.STOPPED),
    "running": Cell("running", Style.GOOD),
}
"""How each standing is shown, the worst first."""

_ORDER = {standing: number for number, standing in enumerate(STANDINGS)}
_ALARMS = frozenset({"not-stopped", "failed"})


def services(picture: Picture, *, wide: bool = False) -> Table:
    """The table of services, those first that did not do as they were told."""
    known = picture.state.services
    names = sorted(known, key=lambda name: (_ORDER[known[name].standing], -known[name].criticality, name))
    bad = sum(each.standing in _ALARMS for each in known.values())
    running = sum(each.standing == "running" for each in known.values())
    return Table(
        columns=COLUMNS + WIDE if wide else COLUMNS,
        rows=Made(names, lambda name: _row(picture, known[name], wide=wide)),
        alarm=f"!{bad}" if bad else "",
        note=f"{counted(len(names), 'service')}, {running} running" if names else "",
        empty="no service is registered: opsconsole services add NAME --driver KIND",
    )


def inside_service(picture: Picture, name: str) -> Iterator[Row]:
    """One from near: what holds it, how it was seen, what it is told, and what each stop in force did about it."""
    service = picture.state.services.get(name)
    if service is None:
        return
    for hold in sorted(picture.state.holds.values(), key=rank):
        if service.matches(hold.selector):
            said = f"{hold.source} {whose(picture, hold)}: {hold.reason or 'no reason given'}; {way_back(hold)}"
            yield _told("hold", f"hold/{hold.hold_id}", Cell(clean(hold.hold_id, 40)), Cell(hold.mode), said)
    heard = age(service.observed_at, picture.now) if service.observed_at else "?"
    cells = (
        Cell("service"),
        Cell(clean(name, 128)),
        STANDINGS[service.standing],
        Cell(heard),
        Cell(clean(service.detail, 200)),
    )
    yield Row(f"fact/{name}", cells)
    for word, said in _facts(picture, service):
        yield _told(word, f"fact/{word}", Cell(""), Cell(""), clean(said, 300))
    for stop in picture.state.active_stops():
        yield from of_service(picture, stop, name)


def service_case(picture: Picture, name: str) -> list[tuple[Span, ...]]:
    """How one stands, since when, and what that means."""
    service = picture.state.services.get(name)
    if service is None:
        return [(Span("it is not registered any more"),)]
    standing = STANDINGS[service.standing]
    looked = "looked at, and not seen," if service.standing == "unknown" else "seen"
    when = f"{looked} {ago(service.observed_at, picture.now)}" if service.observed_at else "never looked at"
    detail = f": {clean(service.detail, 200)}" if service.detail else ""
    lines = [(Span(standing.text, standing.style), Span(f", {when}{detail}"))]
    return [
        *lines,
        *((Span(f"{word}: ", Style.DIM), Span(clean(said, 300))) for word, said in _facts(picture, service)),
    ]


def _facts(picture: Picture, service: Service) -> Iterator[tuple[str, str]]:
    where = f" on {service.host}" if service.host else ""
    yield "driven", f"by {service.driver}{where}, criticality {service.criticality} of 4"
    if said := _why(picture, service):
        yield "why", said
    if service.depends_on:
        yield "needs", " ".join(service.depends_on)
    if needed := dependants(picture.state.services, service.name):
        yield "needed by", " ".join(needed)
    if service.account or service.labels:
        labels = " ".join(f"{key}={value}" for key, value in service.labels)
        yield "declares", f"{f'account={service.account} ' if service.account else ''}{labels}"
    if service.health:
        yield "health", f"asked by {_kind(service.health)}"
    if service.saved:
        yield "saved", service.saved
    yield "set by", f"{service.changed_by} {ago(service.changed_at, picture.now)}"


def _kind(document: str) -> str:
    """What kind of health check it is: the rest of it may hold secrets."""
    try:
        said = json.loads(document)
    except ValueError:
        return "?"
    return str(said.get("kind", "?")) if isinstance(said, dict) else "?"


def _told(word: str, key: str, name: Cell, state: Cell, said: str) -> Row:
    return Row(key, (Cell(word), name, state, Cell(""), Cell(clean(said, 300))))


def _detail(picture: Picture, service: Service) -> Cell:
    """Why it is not as it should be, else what was seen of it."""
    if said := _why(picture, service):
        return Cell(clean(said, 160), Style.WARN)
    return Cell(clean(service.detail or service.title, 120), Style.DIM)


def _why(picture: Picture, service: Service) -> str:
    from core.service_facts import why

    return why(picture.state, service.name)


def _row(picture: Picture, service: Service, *, wide: bool) -> Row:
    cells = [
        Cell(clean(service.name, 64), Style.STRONG if service.standing in _ALARMS else Style.PLAIN),
        STANDINGS[service.standing],
        Cell(age(service.observed_at, picture.now) if service.observed_at else "?"),
        Cell(str(service.criticality)),
        Cell(clean(service.driver, 30)),
        Cell(listed(service.depends_on, 4) or "-"),
        _detail(picture, service),
    ]
    if wide:
        cells += [
            Cell(listed(dependants(picture.state.services, service.name), 4) or "-"),
            Cell(clean(service.host or "any", 40)),
            Cell(clean(service.account or "-", 40)),
            Cell(clean(" ".join(f"{key}={value}" for key, value in service.labels) or "-", 80)),
        ]
    return Row(service.name, tuple(cells))
