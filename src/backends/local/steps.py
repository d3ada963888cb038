"""The steps of the schema: which there are, which of them may be taken now, and who may use what they leave.

``pre_…`` only adds, so that programs of the version before go on beside it. ``post_…`` takes away what only they
needed, and waits until none of them is left; so a program gets along without the steps at the end that take away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

STEPS: Final = {"pre_0001": "pre_0001", "pre_0002": "pre_0001", "pre_0003": "pre_0001"}
"""Every step of `backends.local.migrations`, oldest first → the oldest step whose programs may use the database after
it. A step that only adds leaves that as it was."""

CURRENT: Final = list(STEPS)[-1]
"""The step that this version brings a database to."""

ALIVE_S: Final = 120.0
"""Seconds since a program signed in for which it is taken to be alive."""


class Blocked(ValueError):
    """A program that is alive needs what has to go before this version can work."""


def steps_due(steps: Mapping[str, str], version: str | None, alive: Iterable[str]) -> list[str]:
    """The steps to take now of a database at ``version`` (None: an empty one), while programs are ``alive``, each given
    as the last step it knows. Raises `Blocked`."""
    order = list(steps)
    programs = [order.index(step) if step in order else len(order) for step in alive]
    left = order if version is None else order[order.index(version) + 1 :]
    due = []
    for step in left:
        if any(program < order.index(steps[step]) for program in programs):
            break
        due.append(step)
    waiting = left[len(due) :]
    if any(not step.startswith("post_") for step in waiting):
        raise Blocked(waiting[0])
    return due
