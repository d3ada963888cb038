"""A keeper without the second that its start takes: forked, as everything in `tests.support.warm` is."""

from __future__ import annotations

import os
from pathlib import Path

from backends.keeper import LINGER_S, alive
from tests.support import warm

ANSWER_S = 60.0


def hire(url: str, *, linger_s: float = LINGER_S) -> Path:
    """The socket of the keeper of the fleet at `url`, as `backends.keeper.ensure` gives it."""
    code, _, said = warm.run(
        "backends.keeper",
        *("--detach", "--linger", str(linger_s)),
        environment=os.environ | {"OPSCONSOLE_BACKEND": url, "PYTHONPATH": f"{warm.ROOT / 'src'}:{warm.ROOT}"},
        timeout_s=2 * ANSWER_S,
    )
    assert code == 0, said
    found = alive(url, timeout_s=ANSWER_S)
    assert found is not None, "it started and does not answer"
    return found
