"""Recorded samples in a file: JSON lines, or CSV with a header. Each has metric, value and at, and may have account and
source."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from core.triggers.sample import Reported, Sample


def samples_in(lines: Iterable[str], *, is_csv: bool) -> Iterator[Sample]:
    """The samples of a text, in its order. ValueError names the line that is none."""
    rows: Iterable[tuple[int, Mapping[str, Any]]]
    rows = enumerate(csv.DictReader(lines), 2) if is_csv else _objects(lines)
    for number, row in rows:
        try:
            yield _sample(row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"line {number} is no sample: {' '.join(str(error).split())[:200]}") from error


def _objects(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number} is no JSON: {error}") from error


def _sample(row: Mapping[str, Any]) -> Sample:
    at = row["at"]
    is_number = isinstance(at, int | float) or str(at).replace(".", "", 1).isdigit()
    at_s = float(at) if is_number else datetime.fromisoformat(str(at)).timestamp()
    said = {"metric": row["metric"], "value": float(row["value"])}
    one = Reported(**said, account=row.get("account") or None, source=row.get("source") or None)
    return Sample(one.metric, at_s, one.value, one.account, source=one.source or "")
