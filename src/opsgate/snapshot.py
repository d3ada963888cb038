"""The document that a decision needs: what a gate reads, keeps on disk and is sent, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from opsgate.evaluate import Table
from opsgate.hold import Hold, whole
from opsgate.selector import Selector

FORMAT: Final = 1
"""Version of the document and of the tables it is read from; a gate reads its own and one version back and forth."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A stop in force that workers acknowledge: its id and the scopes it covers (any of them)."""

    stop_id: str
    selectors: tuple[Selector, ...]

    def covers(self, work: Mapping[str, str | None]) -> bool:
        """Whether this stop covers a piece of work."""
        return any(selector.covers(work) for selector in self.selectors)

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of this notice."""
        return {"stop_id": self.stop_id, "selectors": [selector.as_dict() for selector in self.selectors]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Notice:
        """The notice of ``as_dict``; KeyError, TypeError or ValueError when it is none."""
        selectors = tuple(Selector.from_mapping(selector) for selector in document["selectors"])
        return cls(str(document["stop_id"]), selectors)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All holds, all stops in force and the registered names of one fleet at one revision."""

    fleet: str
    revision: int
    holds: tuple[Hold, ...] = ()
    stops: tuple[Notice, ...] = ()
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    names_revision: int = 0
    within: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The bounds of what is told here, where that is not all: dimension → the names of it that are."""
    chain: str = ""
    """The hash of the event at the revision, which differs where a database was put back and has come as far again.
    Empty where nobody said."""

    def table(self) -> Table:
        """The holds compiled for decisions."""
        return Table(self.holds, self.names, within=self.within)

    def is_at(self, revision: int, chain: str) -> bool:
        """Whether this is the state there, as far as can be told."""
        return self.revision == revision and (self.chain == chain or not (self.chain and chain))

    def changed(self, delta: Delta) -> Snapshot | None:
        """This snapshot with a delta applied, or None where the delta does not follow on from it."""
        if delta.since != self.revision:
            return None
        gone = {*delta.released, *(hold.hold_id for hold in delta.placed)}
        ended = {*delta.ended, *(notice.stop_id for notice in delta.ordered)}
        return replace(
            self,
            revision=delta.revision,
            chain=self.chain if delta.revision == self.revision else delta.chain,
            holds=(*(hold for hold in self.holds if hold.hold_id not in gone), *delta.placed),
            stops=(*(notice for notice in self.stops if notice.stop_id not in ended), *delta.ordered),
        )

    def as_dict(self) -> dict[str, Any]:
        """The JSON document, as it is kept on disk."""
        return {
            "format": FORMAT,
            "fleet": self.fleet,
            "revision": self.revision,
            "holds": [hold.as_dict() for hold in self.holds],
            "stops": [notice.as_dict() for notice in self.stops],
            "names": {dimension: sorted(names) for dimension, names in self.names.items()},
            "names_revision": self.names_revision,
            "chain": self.chain,
            **(
                {"within": {dimension: sorted(names) for dimension, names in self.within.items()}}
                if self.within
                else {}
            ),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Snapshot:
        """The snapshot of ``as_dict``; KeyError, TypeError or ValueError when it is none or of a later format."""
        if not FORMAT - 1 <= whole(document["format"]) <= FORMAT + 1:
            raise ValueError(f"format {document['format']} is not one that this version reads")
        return cls(
            fleet=str(document["fleet"]),
            revision=whole(document["revision"]),
            holds=tuple(Hold.from_dict(hold) for hold in document["holds"]),
            stops=tuple(Notice.from_dict(notice) for notice in document["stops"]),
            names={dimension: frozenset(document["names"][dimension]) for dimension in document["names"]},
            names_revision=whole(document.get("names_revision", 0)),
            within={dimension: frozenset(names) for dimension, names in document.get("within", {}).items()},
            chain=str(document.get("chain", "")),
        )


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed between two revisions, small enough for one datagram."""

    since: int
    revision: int
    placed: tuple[Hold, ...] = ()
    released: tuple[str, ...] = ()
    ordered: tuple[Notice, ...] = ()
    ended: tuple[str, ...] = ()
    chain: str = ""
    """The hash of the event at ``revision``; empty where nobody said."""

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of this delta."""
        return {
            "since": self.since,
            "revision": self.revision,
            "placed": [hold.as_dict() for hold in self.placed],
            "released": list(self.released),
            "ordered": [notice.as_dict() for notice in self.ordered],
            "ended": list(self.ended),
            "chain": self.chain,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Delta:
        """The delta of ``as_dict``; KeyError, TypeError or ValueError when it is none."""
        return cls(
            since=whole(document["since"]),
            revision=whole(document["revision"]),
            placed=tuple(Hold.from_dict(hold) for hold in document["placed"]),
            released=tuple(map(str, document["released"])),
            ordered=tuple(Notice.from_dict(notice) for notice in document["ordered"]),
            ended=tuple(map(str, document["ended"])),
            chain=str(document.get("chain", "")),
        )
