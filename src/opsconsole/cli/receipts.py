"""Receipts in words: what was done, what it placed, and what holds besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from core.messages import Receipt
from opsconsole.render import Document
from opsconsole.views.words import counted
from opsgate.selector import Selector

_SHOWN: Final = 20
_ALL_HOLDS: Final = "opsconsole holds list"


def placed(receipt: Receipt, done: str, about: Iterable[Selector] = ()) -> Document:
    """The answer to what holds something: the holds that it placed or found in place; of all others how many, and
    where they can be seen. ``about`` are the selectors that were typed."""
    ours = [hold for hold in receipt.remaining_holds if hold["hold_id"] in receipt.hold_ids]
    others = len(receipt.remaining_holds) - len(ours)
    lines = [_first(receipt, done), *_listed(ours)]
    if others:
        verb = "is" if others == 1 else "are"
        noun = "other hold" if ours else "hold"
        lines.append(f"  {counted(others, noun)} {verb} in force there: see '{_asking(tuple(about))}'")
    return _document(receipt, lines)


def released(receipt: Receipt, done: str) -> Document:
    """The answer to what lets something run: everything that still holds it."""
    return _document(receipt, [_first(receipt, done), *_listed(receipt.remaining_holds)])


def _first(receipt: Receipt, done: str) -> str:
    return done if receipt.changed else f"nothing changed at revision {receipt.revision}"


def _document(receipt: Receipt, lines: list[str]) -> Document:
    return Document(receipt.model_dump(mode="json", exclude_none=True, exclude={"notes"}), lines)


def _listed(holds: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    holds = tuple(holds)
    yield from map(_line, holds[:_SHOWN])
    if len(holds) > _SHOWN:
        yield f"  and {len(holds) - _SHOWN} more: see '{_ALL_HOLDS}'"


def _line(hold: Mapping[str, Any]) -> str:
    scope = ",".join(f"{dimension}={value}" for dimension, value in hold["selector"].items()) or "everything"
    until = f", until {hold['expires_at']}" if hold["expires_at"] else ""
    reason = f": {hold['reason']}" if hold["reason"] else ""
    return f"  {hold['hold_id']} holds {scope} ({hold['source']} {hold['owner']}, {hold['mode']}{until}){reason}"


def _asking(about: tuple[Selector, ...]) -> str:
    """The command that tells more: why for one selector, the list for several."""
    if len(about) != 1:
        return _ALL_HOLDS
    options = " ".join(f"--{dimension} {value}" for dimension, value in about[0].items)
    return f"opsconsole why {options or '--all'}"
