"""Which checkpoints a database keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

KEPT: Final = 3
"""The last checkpoints that stay; one more stays at the anchor, for what retention has left to be folded from."""


def superseded(revisions: Iterable[int], anchor: int) -> list[int]:
    """The checkpoints that can go, where the journal begins behind ``anchor``."""
    return [revision for revision in sorted(revisions, reverse=True)[KEPT:] if revision != anchor]
