"""Turns at a store: one writer of this process at a time, in order, and what each question says of the contact."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from backends.contact import ContactLog
from core.errors import BackendUnavailable, NotOurDatabase
from core.ports import Store, Transaction


class Turns:
    """Every question to one store goes through here. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self.contact = ContactLog()
        self._store = store
        self._taken = threading.Lock()

    @property
    def is_taken(self) -> bool:
        """Whether somebody writes."""
        return self._taken.locked()

    @property
    def is_closed(self) -> bool:
        """Whether nobody is to ask any more."""
        return self.contact.now().word == "off"

    @contextmanager
    def asking(self, *, folds: bool = False) -> Iterator[None]:
        """Remember whether the database answered. That it did makes the state newer only where that was caught up with
        it, which ``folds`` says: whoever reads anything else may be told of what is not folded yet.
        `BackendUnavailable` ``closed`` where nobody is to ask any more."""
        if self.is_closed:
            raise BackendUnavailable("closed", f"{self._store.url} was closed here", "open it again")
        try:
            yield
        except (BackendUnavailable, NotOurDatabase) as error:
            self.contact.failed(error)
            raise
        else:
            if folds:
                self.contact.answered()

    @contextmanager
    def taken(self, timeout_s: float, *, folds: bool = False) -> Iterator[float]:
        """Have the turn; yields the seconds that are left. ``folds`` as in `asking`. `BackendUnavailable` ``busy``
        where it did not come."""
        deadline_s = monotonic() + timeout_s
        if not self._taken.acquire(timeout=max(0.0, timeout_s)):
            raise BackendUnavailable("busy", f"{self._store.url} is busy with another command", "try again")
        try:
            with self.asking(folds=folds):
                yield max(0.001, deadline_s - monotonic())
        finally:
            self._taken.release()

    @contextmanager
    def writing(self, timeout_s: float) -> Iterator[Transaction]:
        """Have the turn and a write transaction, which is committed at the end, or taken back with what is raised."""
        with self.taken(timeout_s) as left_s, self._store.write(timeout_s=left_s) as transaction:
            yield transaction
