"""The triggers: what each waits for, what it saw last, and what became of that; and one of them from near."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from core.state import Trigger
from opsconsole.lines import Span, Style
from opsconsole.table import Cell, Column, Made, Row, Table
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.samples import metrics_of, watched
from opsconsole.views.words import age, ago, clock, counted, duration, scope

if TYPE_CHECKING:
    from core.triggers.definition import Definition
    from core.triggers.sample import Input

COLUMNS = (
    Column("TRIGGER", 8, 24, rank=0),
    Column("STATE", 7, 12, rank=1),
    Column("WHEN", 12, 44, rank=2),
    Column("LAST", 8, 44, rank=4),
    Column("FIRED", 5, 9, rank=3, right=True),
    Column("PRIO", 4, 4, rank=6, right=True),
    Column("LEVEL", 9, 16, rank=5),
    Column("STOPS", 6, 40, rank=7),
)
WIDE = (
    Column("TYPE", 8, 26, rank=8),
    Column("KEPT", 5, 22, rank=9),
    Column("COOLDOWN", 8, 8, rank=10, right=True),
    Column("SET BY", 6, 14, rank=11),
)
CROSSED, COOLING, ARMED, SHADOW, OFF = range(5)


def triggers(picture: Picture, *, wide: bool = False) -> Table:
    """The table of triggers, those first that are crossed now, then by priority."""
    known = picture.state.triggers
    order = {name: _severity(picture, each) for name, each in known.items()}
    names = sorted(known, key=lambda name: (order[name], -known[name].definition.priority, name))
    crossed = sum(severity == CROSSED for severity in order.values())
    off = sum(severity == OFF for severity in order.values())
    return Table(
        columns=COLUMNS + WIDE if wide else COLUMNS,
        rows=Made(names, lambda name: _row(picture, known[name], wide=wide)),
        alarm=f"!{crossed}" if crossed else "",
        note=f"{counted(len(names), 'trigger')}{f', {off} off' if off else ''}" if names else "",
        empty="no trigger: :trigger NAME TYPE THRESHOLD=NUMBER adds one",
    )


def inside_trigger(picture: Picture, name: str) -> Iterator[Row]:
    """One from near: how it stands, what it is told, what it saw, and what it stopped."""
    trigger = picture.state.triggers.get(name)
    if trigger is None:
        return
    state = standing(picture, trigger)
    since = age(trigger.crossed_since, picture.now) if trigger.crossed_since else ""
    says = Cell(condition(trigger.definition))
    yield Row(f"fact/{name}", (Cell("trigger"), Cell(clean(name, 128)), state, Cell(since), says))
    for number, (word, said) in enumerate(_facts(picture, trigger)):
        yield Row(f"fact/{number}", (Cell(word), Cell(""), Cell(""), Cell(""), Cell(clean(said, 300))))
    emergency = picture.state.emergencies.get(trigger.emergency_id)
    if emergency is not None:
        cells = (
            Cell("emergency"),
            Cell(clean(emergency.emergency_id, 40)),
            Cell(emergency.status, Style.BAD if emergency.status == "active" else Style.DIM),
            Cell(age(emergency.opened_at, picture.now)),
            Cell(scope(emergency.selectors)),
        )
        yield Row(f"emergency/{emergency.emergency_id}", cells)
    for at, sample in enumerate(reversed(_samples(picture, trigger.definition))):
        about = f"of {clean(sample.account, 60)} " if sample.account else ""
        by = f"by {clean(sample.source, 60)}" if sample.source else ""
        cells = (
            Cell("sample"),
            Cell(clean(sample.metric, 40)),
            Cell(f"{sample.value:g}"),
            Cell(age(sample.at, picture.now)),
            Cell(f"{about}{by}"),
        )
        yield Row(f"sample/{at}", cells)


def trigger_case(picture: Picture, name: str) -> list[tuple[Span, ...]]:
    """How one stands and what it is told."""
    trigger = picture.state.triggers.get(name)
    if trigger is None:
        return [(Span("there is no such trigger any more"),)]
    state = standing(picture, trigger)
    lines = [(Span(f"{state.text} ", state.style), Span(condition(trigger.definition), Style.STRONG))]
    return [
        *lines,
        *((Span(f"{word}: ", Style.DIM), Span(clean(said, 300))) for word, said in _facts(picture, trigger)),
    ]


def standing(picture: Picture, trigger: Trigger) -> Cell:
    """``off``, ``CROSSED``, ``cools 4m``, ``shadow`` or ``armed``."""
    match _severity(picture, trigger):
        case 0:
            return Cell("CROSSED", Style.BAD)
        case 1:
            left_s = ((_cools_until(picture, trigger) or picture.now) - picture.now).total_seconds()
            return Cell(f"cools {duration(max(5.0, left_s))}", Style.WARN)
        case 3:
            return Cell("shadow", Style.WARN)
        case 4:
            return Cell("off", Style.DIM)
        case _:
            return Cell("armed", Style.GOOD)


def condition(definition: Definition) -> str:
    """When it fires."""
    from core.triggers.words import conditions

    return clean(conditions(definition), 160)


def _samples(picture: Picture, definition: Definition) -> list[Input]:
    wanted, account = metrics_of(picture, definition.name), definition.account_id
    return [each for each in picture.samples if each.metric in wanted and account in {None, each.account}]


def _severity(picture: Picture, trigger: Trigger) -> int:
    if not trigger.definition.is_active:
        return OFF
    if trigger.crossed_since is not None:
        return CROSSED
    until = _cools_until(picture, trigger)
    if until is not None and until > picture.now:
        return COOLING
    return SHADOW if trigger.definition.shadow else ARMED


def _cools_until(picture: Picture, trigger: Trigger) -> datetime | None:
    from core.triggers.suppression import cooldown_ends_at

    return cooldown_ends_at(picture.state, trigger)


def _facts(picture: Picture, trigger: Trigger) -> Iterator[tuple[str, str]]:
    definition = trigger.definition
    would = "would stop" if definition.shadow else "stops"
    yield would, f"{scope(definition.selectors())}, {definition.stop_level}, priority {definition.priority} of 4"
    window, cooldown = definition.time_window_ms / 1000, definition.cooldown_period_ms / 1000
    samples = f", at least {definition.min_samples} samples" if definition.min_samples > 1 else ""
    yield "looks", f"back {window:g} s{samples}; {cooldown:g} s of cooldown after its stop has ended"
    if definition.clear:
        yield "clears", ", ".join(f"{name} at {value:g}" for name, value in definition.clear.items())
    if trigger.value:
        yield "saw", trigger.value
    if trigger.fired_at is not None:
        yield "fired", f"{counted(trigger.fired, 'time')}, {ago(trigger.fired_at, picture.now)}"
    if trigger.suppressed_at is not None:
        when = ago(trigger.suppressed_at, picture.now)
        yield "kept", f"from stopping {counted(trigger.suppressed, 'time')}, {when}: {trigger.why}"
    if line := watched(picture, definition.name, definition.account_id):
        yield "watched", line
    if definition.auto_recover:
        yield "then", "recovers by itself where automatic recovery is on"
    if definition.notification_channels:
        yield "tells", " ".join(definition.notification_channels)
    yield "set by", f"{trigger.changed_by} at {clock(trigger.changed_at)} UTC"


def _row(picture: Picture, trigger: Trigger, *, wide: bool) -> Row:
    definition = trigger.definition
    fired = f"{trigger.fired}x {age(trigger.fired_at, picture.now)}" if trigger.fired_at else "-"
    cells = [
        Cell(clean(definition.name, 64), Style.STRONG if trigger.crossed_since else Style.PLAIN),
        standing(picture, trigger),
        Cell(condition(definition)),
        Cell(clean(trigger.value, 120) or "-", Style.DIM),
        Cell(fired),
        Cell(str(definition.priority)),
        Cell(definition.stop_level),
        Cell(scope(definition.selectors())),
    ]
    if wide:
        kept = f"{trigger.suppressed}x {trigger.why}" if trigger.suppressed else "-"
        cells += [
            Cell(definition.trigger_type),
            Cell(clean(kept, 40)),
            Cell(duration(definition.cooldown_period_ms / 1000)),
            Cell(clean(trigger.changed_by, 30)),
        ]
    return Row(definition.name, tuple(cells))
