"""Events of all versions are readable, and each is written in the oldest shape that says all of it.

The journal is never rewritten, and programs of the version before go on beside this one while a fleet is upgraded. So
the shape of an event only grows: what is added is named here with what its absence means, ``version`` rises with it,
and a stored sample of the old shape is kept with the tests. What cannot be said by adding is an event of another kind.
"""

from __future__ import annotations

from typing import Any, Final

from core.messages import EVENTS

Data = dict[str, Any]

ADDED: Final[dict[tuple[str, int], Data]] = {
    ("stop.concluded", 1): {"times": None},
    ("stop.ordered", 1): {"services": [], "trigger": "", "auto_recover": False},
    ("trigger.cleared", 1): {"sampled": False},
    ("emergency.opened", 1): {"trigger": "", "cause": "", "account": None},
}
"""``(kind, version)`` → what the next version says beside it, as data of this one mean it."""


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
        data = data | ADDED[kind, version]
        version += 1
    return data


def downcast(kind: str, version: int, data: Data) -> tuple[int, Data]:
    """The oldest version of ``kind`` that says all that data of ``version`` do, and the data as that has them."""
    while version > 1:
        added = ADDED[kind, version - 1]
        if any(data[name] != absent for name, absent in added.items()):
            break
        data = {name: value for name, value in data.items() if name not in added}
        version -= 1
    return version, data
