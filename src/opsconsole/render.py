"""Results as text: table for people, json and jsonl for programs, csv for spreadsheets.

Data is plain values (what JSON has). JSON is exact; wherever a person's eyes or a spreadsheet come first, everything
passes `opsconsole.text.clean`, and a CSV cell never begins a formula. The same bytes come out on a terminal and in a
pipe: nothing here knows how wide a screen is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opsconsole.text import clean, fit, width

Row = Mapping[str, Any]

CELL_MAX: Final = 300
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of one kind: whole facts for programs, and the ``columns`` of them that people see, in order.

    ``empty`` is what a person reads where there is no row.
    """

    columns: tuple[str, ...]
    rows: Sequence[Row]
    empty: str = "none"


@dataclass(frozen=True, slots=True)
class Document:
    """One fact: ``data`` for programs, ``lines`` of text for people. Each line is made harmless when it is written."""

    data: Mapping[str, Any]
    lines: Sequence[str]


def rendered(result: Listing | Document, output: str) -> Iterator[str]:
    """The lines of a result in one of the four formats. One fact as CSV is a list of one."""
    match output, result:
        case "table", Listing():
            yield from _table(result)
        case "table", Document():
            yield from (clean(line, 10_000) for line in result.lines)
        case "json", Listing():
            yield from _json(list(result.rows))
        case "json", Document():
            yield from _json(result.data)
        case "jsonl", Listing():
            yield from (json.dumps(row) for row in result.rows)
        case "jsonl", Document():
            yield json.dumps(result.data)
        case "csv", Listing():
            yield from _csv(result)
        case "csv", Document():
            yield from _csv(Listing(tuple(result.data), [result.data]))
        case _:
            raise AssertionError(f"{output} is no format of ours")


def cell(value: Any) -> str:
    """One value for a person, harmless: absent is ``-``, a selector is as people type it."""
    match value:
        case None | "" | [] | ():
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case Mapping():
            return clean(",".join(f"{key}={each}" for key, each in value.items()) or "all", CELL_MAX)
        case list() | tuple():
            return clean(" ".join(str(each) for each in value), CELL_MAX)
        case _:
            return clean(str(value), CELL_MAX)


def _json(data: Any) -> Iterator[str]:
    yield from json.dumps(data, indent=2).split("\n")


def _table(listing: Listing) -> Iterator[str]:
    if not listing.rows:
        yield listing.empty
        return
    table = [[column.upper().replace("_", "-") for column in listing.columns]]
    table += [[cell(row.get(column)) for column in listing.columns] for row in listing.rows]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)]
    for line in table:
        yield "  ".join(fit(text, cells) for text, cells in zip(line, widths, strict=True)).rstrip()


def _csv(listing: Listing) -> Iterator[str]:
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(listing.columns)
    writer.writerows([_csv_cell(row.get(column)) for column in listing.columns] for row in listing.rows)
    yield from buffer.getvalue().split("\n")[:-1]


def _csv_cell(value: Any) -> str | int | float:
    """A number as it is; a text so that no spreadsheet takes it for a formula."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = cell(value) if value not in ("", [], ()) else ""
    return f"'{text}" if text.startswith(_FORMULA) else text
