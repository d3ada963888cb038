"""One answer of ``doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: ``fail`` needs mending, ``warn`` is to be known. ``hint`` is the next step."""

    verdict: Verdict
    what: str
    detail: str
    hint: str = ""
