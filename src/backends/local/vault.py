"""What of a row is sealed at rest, and how it lies in its columns.

Sealed are the bodies of events with their salts, stored folds, answers to commands, and who and what a reading was of.
The chain covers digests of what is sealed, and needs no key. What gates read lies open, for they have no key; reasons,
which are people's own words, are left out of it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from backends.keys import Keys, no_key
from core.audit import SALT_BYTES, SEALED, Row, is_sealed
from core.triggers.sample import Sample

WITHHELD: Final = "(sealed: see 'opsconsole holds list')"
"""What stands in the place of a reason where gates read it."""

_SALT: Final = 2 * SALT_BYTES


class Vault:
    """Seals what is stored and opens what is read, where there is a key."""

    def __init__(self, keys: Keys | None = None, url: str = "") -> None:
        self.keys = keys or Keys(None)
        self._url = url
        self._source = lru_cache(maxsize=4096)(lambda _key, said: self.keys.seal(said))

    def row_in(self, row: Row) -> Row:
        """An event as it is stored."""
        if not self.keys.first or not row.body:
            return row
        return replace(row, salt="", body=self.keys.seal(row.salt + row.body))

    def row_out(self, row: Row) -> Row:
        """An event as it is read; as it is stored, where no key opens it."""
        if not is_sealed(row):
            return row
        text = self.keys.opened(row.body)
        return row if text is None else replace(row, salt=text[:_SALT], body=text[_SALT:])

    def text_in(self, text: str) -> str:
        """A text as it is stored."""
        return self.keys.seal(text)

    def text_out(self, stored: str) -> str:
        """A text as it is read. Raises `NotOurDatabase` where no key opens it."""
        text = self.keys.opened(stored)
        if text is None:
            raise no_key(self._url, stored)
        return text

    def for_gates(self, document: dict[str, Any]) -> dict[str, Any]:
        """What gates read of a hold or a stop."""
        return document | {"reason": WITHHELD} if self.keys.first and document.get("reason") else document

    def sealed_by_now(self) -> str:
        """How a text begins that is sealed by the present key."""
        return f"{SEALED}{self.keys.first}:"

    def is_current(self, stored: str) -> bool:
        """Whether a text is stored as it would be now."""
        return stored.startswith(self.sealed_by_now())

    def sample_in(self, sample: Sample) -> Sample:
        """A reading as it is stored. The same source is sealed once and not for every reading: they are many."""
        if not self.keys.first:
            return sample
        said = json.dumps([sample.account, dict(sample.labels), sample.source], sort_keys=True)
        return sample._replace(account=None, labels={}, source=self._source(self.keys.first, said))

    def sample_out(self, sample: Sample) -> Sample:
        """A reading as it is read."""
        text = self.text_out(sample.source)
        if text == sample.source:
            return sample
        account, labels, source = json.loads(text)
        return sample._replace(account=account, labels=labels, source=source)
