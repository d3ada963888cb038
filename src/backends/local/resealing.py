"""Store anew, by the key that seals now, what was stored in the open or by an older key: a few rows at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Select, Table, Update, bindparam, func, select, update

from backends.local import schema
from backends.local.line import Line
from backends.local.rows import compact, sample_of, sample_values
from backends.local.vault import WITHHELD, Vault
from core.audit import SEALED

Values = dict[str, Any]


class _Sealable(NamedTuple):
    """A table: how to read some rows of it behind a key, how to write one, and what its columns are by the present key,
    None where they are that already."""

    read: Select[Any]
    write: Update
    names: tuple[str, ...]
    anew: Callable[[Vault, Values], Values | None]


def _event(vault: Vault, row: Values) -> Values | None:
    if not row["body"] or vault.is_current(row["body"]):
        return None
    return {"salt": "", "body": vault.text_in(row["salt"] + vault.text_out(row["body"]))}


def _texts(vault: Vault, row: Values) -> Values | None:
    if all(map(vault.is_current, row.values())):
        return None
    return {name: vault.text_in(vault.text_out(text)) for name, text in row.items()}


def _for_gates(vault: Vault, row: Values) -> Values | None:
    document = json.loads(row["document"])
    shown = vault.for_gates(document)
    return None if shown == document or document.get("reason") == WITHHELD else {"document": compact(shown)}


def _sealable(
    table: Table, key: Column[Any], names: tuple[str, ...], anew: Callable[[Vault, Values], Values | None]
) -> _Sealable:
    chosen = [table.c[name] for name in names]
    read = select(key, *chosen).where(key > bindparam("of_after")).order_by(key).limit(bindparam("of_limit"))
    write = update(table).values({name: bindparam(name) for name in names}).where(key == bindparam("of_key"))
    return _Sealable(read, write, names, anew)


TABLES: Final[Mapping[str, tuple[_Sealable, Any]]] = {
    "journal": (_sealable(schema.journal, schema.journal.c.revision, ("salt", "body"), _event), -1),
    "checkpoint": (_sealable(schema.checkpoint, schema.checkpoint.c.revision, ("state",), _texts), -1),
    "receipt": (_sealable(schema.receipt, schema.receipt.c.command_id, ("fingerprint", "body"), _texts), ""),
    "gate_hold": (_sealable(schema.gate_hold, schema.gate_hold.c.hold_id, ("document",), _for_gates), ""),
    "gate_stop": (_sealable(schema.gate_stop, schema.gate_stop.c.stop_id, ("document",), _for_gates), ""),
}
"""The tables by name, each with the key that lies before all others."""

_SAMPLE: Final = schema.sample.c
_SAMPLES: Final = (
    select(schema.sample)
    .where(~_SAMPLE.source.like(bindparam("of_current")))
    .order_by(_SAMPLE.at_s)
    .limit(bindparam("of_limit"))
)
_SET_SAMPLE: Final = (
    update(schema.sample)
    .values(account=bindparam("account"), labels=bindparam("labels"), source=bindparam("source"))
    .where(
        (_SAMPLE.at_s == bindparam("of_at"))
        & (_SAMPLE.metric == bindparam("of_metric"))
        & (_SAMPLE.source == bindparam("of_source"))
        & (_SAMPLE.labels == bindparam("of_labels"))
    )
)


def reseal(line: Line, vault: Vault, table: str, after: Any, at_most: int) -> tuple[int, Any]:
    """Look at some rows of a table behind a key; returns how many were stored anew, and the key to go on behind, None
    at the end. Raises `NotOurDatabase` where a key is missing."""
    sealable, _ = TABLES[table]
    found = line.ask(sealable.read, {"of_after": after, "of_limit": at_most})
    changed: list[Values] = []
    for key, *columns in found:
        anew = sealable.anew(vault, dict(zip(sealable.names, columns, strict=True)))
        if anew is not None:
            changed.append(anew | {"of_key": key})
    for values in changed:
        line.tell(sealable.write, values)
    return len(changed), found[-1][0] if len(found) == at_most else None


def reseal_samples(line: Line, vault: Vault, at_most: int) -> int:
    """The same for readings; returns how many were stored anew, 0 at the end."""
    found: Sequence[Sequence[Any]] = line.ask(
        _SAMPLES, {"of_current": f"{vault.sealed_by_now()}%", "of_limit": at_most}
    )
    for columns in found:
        stored = sample_of(columns)
        values = sample_values(vault.sample_in(vault.sample_out(stored)))
        line.tell(
            _SET_SAMPLE,
            {
                "account": values["account"],
                "labels": values["labels"],
                "source": values["source"],
                "of_at": stored.at_s,
                "of_metric": stored.metric,
                "of_source": stored.source,
                "of_labels": compact(stored.labels),
            },
        )
    return len(found)


_BEGINNING: Final = len(SEALED) + 9
"""Characters by which it can be told by which key a text is sealed."""

_LIES: Final = tuple(
    select(func.substr(column, 1, _BEGINNING)).where(column != "").distinct()
    for column in (schema.journal.c.body, schema.checkpoint.c.state, schema.receipt.c.body, schema.sample.c.source)
)


def key_ids(line: Line) -> set[str]:
    """The ids of the keys that something is sealed by; "" stands for what lies in the open."""
    found: set[str] = set()
    for statement in _LIES:
        for (stored,) in line.ask(statement):
            found.add(stored[len(SEALED) :].partition(":")[0] if stored.startswith(SEALED) else "")
    return found
