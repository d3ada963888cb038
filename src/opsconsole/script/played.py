"""What came of a script: its pictures, and the step that was not met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that was not met: where it stands, what is wrong, and the screen at that moment."""

    line: int
    sentences: tuple[str, ...]
    rows: Sequence[str]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was taken, as SVG and as the text of its rows; with ``shown_s`` a frame of the recording of that
    name."""

    name: str
    svg: str
    rows: Sequence[str]
    shown_s: float


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a script. ``ended`` is the exit code of a signal that ended it, None where none did."""

    steps: int
    took_s: float
    pictures: tuple[Picture, ...]
    failure: Failure | None = None
    ended: int | None = None
