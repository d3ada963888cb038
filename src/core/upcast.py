"""Old events stay readable: an upcaster turns the data of one version of a kind into that of the next.

The journal is never rewritten. When the shape of an event changes, raise its ``version``, register an upcaster here,
and keep a stored sample of the old shape with the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.messages import EVENTS

Data = dict[str, Any]
Upcaster = Callable[[Data], Data]

UPCASTERS: dict[tuple[str, int], Upcaster] = {
    ("stop.concluded", 1): lambda data: data | {"times": None},
    ("stop.ordered", 1): lambda data: data | {"services": [], "trigger": "", "auto_recover": False},
    ("trigger.cleared", 1): lambda data: data | {"sampled": False},
    ("emergency.opened", 1): lambda data: data | {"trigger": "", "cause": "", "account": None},
}
"""``(kind, version)`` → what makes data of that version into data of the next."""


def upcast(kind: str, version: int, data: Data) -> Data:
    """The data as the present version of ``kind`` has it.

    Raises ValueError for an unknown kind, or for one written by a newer program.
    """
    if kind not in EVENTS:
        raise ValueError(f"unknown event kind {kind!r}: it was written by a newer version")
    present = EVENTS[kind].version
    if version > present:
        raise ValueError(f"{kind} is of version {version}, this program reads up to {present}")
    while version < present:
        data = UPCASTERS[kind, version](data)
        version += 1
    return data
