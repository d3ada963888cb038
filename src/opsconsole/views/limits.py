"""The rate limits: how much of each is used, and how the use went over its window."""

from __future__ import annotations

from core.state import Limit
from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.words import counted, sparkline, window

COLUMNS = (
    Column("LIMIT", 17, 24, rank=0),
    Column("USED/LIMIT", 10, 16, rank=1, right=True),
    Column("%", 4, 4, rank=2, right=True),
    Column("WINDOW", 6, 10, rank=4),
    Column("USE", 10, 10, rank=3),
    Column("CHARGES", 12, 24, rank=5),
)

CRITICAL_SHARE, WARNING_SHARE = 0.95, 0.80


def limits(picture: Picture) -> Table:
    """The table of limits, fullest first."""
    known = sorted(picture.state.limits.values(), key=lambda limit: (-share(picture, limit), limit.name))
    shares = [share(picture, limit) for limit in known]
    critical = sum(each >= CRITICAL_SHARE for each in shares)
    warning = sum(WARNING_SHARE <= each < CRITICAL_SHARE for each in shares)
    return Table(
        columns=COLUMNS,
        rows=Listed(_row(picture, limit) for limit in known),
        alarm=f"!{critical}" if critical else f"*{warning}" if warning else "",
        note=counted(len(known), "limit"),
        empty="no limit is defined",
    )


def used(picture: Picture, limit: Limit) -> int | None:
    """Units used in the window; None where nobody has looked yet."""
    usage = picture.facts.usage.get(limit.name)
    if usage is None:
        return None if picture.facts.seen is None else 0
    return usage.used


def share(picture: Picture, limit: Limit) -> float:
    """The part of the limit that is used; a limit of zero is always full, for it stops its operation."""
    return (used(picture, limit) or 0) / limit.limit if limit.limit else 1.0


def _row(picture: Picture, limit: Limit) -> Row:
    spent, part = used(picture, limit), share(picture, limit)
    style = Style.BAD if part >= CRITICAL_SHARE else Style.WARN if part >= WARNING_SHARE else Style.PLAIN
    sign = "!" if part >= CRITICAL_SHARE else "*" if part >= WARNING_SHARE else " "
    usage = picture.facts.usage.get(limit.name)
    percent = "?" if spent is None else "STOP" if not limit.limit else f"{min(999, int(part * 100))}{sign}"
    return Row(
        limit.name,
        (
            Cell(clean(limit.name, 64)),
            Cell(f"{'?' if spent is None else spent}/{limit.limit}"),
            Cell(percent, style),
            Cell(window(limit.window_s)),
            Cell(sparkline(usage.history) if usage else "", Style.DIM),
            Cell(clean(limit.operation or "-", 64), Style.DIM),
        ),
    )
