"""The journal looked back at: past states, the verification of its chain, and what retention drops of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from time import monotonic

from backends.floor import Mark
from backends.projection import load_state, read_event
from core import checkpoint
from core.audit import Fault, Row, is_sealed, verify
from core.engine import evolve
from core.errors import BackendUnavailable, CommandRejected, TimedOut
from core.ports import ChainReport, Store, iterate
from core.state import State


def state_at(store: Store, moment: datetime, deadline_s: float) -> State:
    """The state after the last event recorded at or before ``moment``.

    Raises `CommandRejected` where retention has dropped the events of that time.
    """
    revision = store.revision_at(moment)
    anchor = store.anchor()[0]
    if revision == 0 and anchor > 0:
        raise CommandRejected(
            "not-kept",
            f"the journal of {store.url} begins behind revision {anchor}, later than that",
            "ask for a later time",
        )
    return state_of(store, revision, deadline_s)[0]


def state_of(store: Store, revision: int, deadline_s: float) -> tuple[State, Mark]:
    """The state at a revision that the journal still has."""
    state, mark = load_state(store, at_most=revision)
    for row in _until(store, mark.revision, revision, deadline_s):
        state, mark = evolve(state, read_event(row, mark)), Mark(row.revision, row.chain)
    return state, mark


def chain_report(store: Store, deadline_s: float) -> ChainReport:
    """Verify what is kept of the journal, and that the head is its end."""
    while True:
        head, (since, chain) = store.head(), store.anchor()
        counted = Counter[str]()
        fault, revision, chain = verify(
            _counted(_until(store, since, head.revision, deadline_s), counted), since, chain
        )
        if fault is None and (revision, chain) != (head.revision, head.chain):
            fault = Fault(revision + 1, f"the journal ends at event {revision}, its head says {head.revision}")
        if fault is None or store.anchor()[0] == since:  # else retention dropped rows while they were read
            return ChainReport(since, revision, chain, fault, counted["sealed"], counted["erased"])


def retain(store: Store, before: datetime, *, timeout_s: float = 60.0) -> int:
    """Drop events and receipts recorded before a time; returns how many events went.

    The state at that point is stored first, so that every later one can still be folded, and the chain hash of the
    last dropped event stays as the anchor, so that the rest still verifies.
    """
    anchor = store.anchor()[0]
    revision = store.revision_at(before)
    kept = _foldable(store, revision, monotonic() + timeout_s) if revision > anchor else None
    text = None if kept is None else checkpoint.dump(kept[0])
    with store.write(timeout_s=timeout_s) as transaction:
        if revision > anchor:
            transaction.drop_journal(revision)
        if kept is not None and text is not None:
            transaction.put_checkpoint(revision, kept[1].chain, text, checkpoint.digest(text))
        transaction.drop_receipts(before)
    return max(0, revision - anchor)


def _foldable(store: Store, revision: int, deadline_s: float) -> tuple[State, Mark] | None:
    """The state at a revision; None where what led to it was erased: then a later fold was stored, which stays."""
    try:
        return state_of(store, revision, deadline_s)
    except BackendUnavailable as error:
        if error.code != "erased-event":
            raise
        return None


def _counted(rows: Iterator[Row], counted: Counter[str]) -> Iterator[Row]:
    """The same rows; how many of them say nothing here is counted on the way."""
    for row in rows:
        counted["sealed"] += is_sealed(row)
        counted["erased"] += not row.body
        yield row


def _until(store: Store, after: int, last: int, deadline_s: float) -> Iterator[Row]:
    for row in takewhile(lambda row: row.revision <= last, iterate(store, after)):
        if monotonic() > deadline_s:
            raise TimedOut(
                "journal-too-long", f"reading the journal of {store.url} takes too long", "give more --timeout"
            )
        yield row
