"""How channels of notifications stand, as the keeper has written it down beside how far they have been told."""

from __future__ import annotations

import json
from typing import Any, Final

from core.errors import OpsError
from core.ports import Cursor
from opsconsole.cli.invocation import Invocation

_PREFIX: Final = "notify/"


def standings(invocation: Invocation) -> dict[str, dict[str, Any]]:
    """Channel → its state, how many events it is behind, and why it fails. Empty where nobody can say: at a server, or
    where the database does not answer."""
    from backends.runtime import Runtime
    from opsconsole.cli.engine import opened

    try:
        with opened(invocation) as engine:
            backend = engine.backend
            if not isinstance(backend, Runtime):
                return {}
            revision = backend.state(timeout_s=engine.timeout_s).revision
            cursors = backend.store.cursors()
    except OpsError:
        return {}
    return {
        cursor.name.removeprefix(_PREFIX): standing(cursor, revision)
        for cursor in cursors
        if cursor.name.startswith(_PREFIX)
    }


def standing(cursor: Cursor, revision: int) -> dict[str, Any]:
    """One channel. What is behind while it works is what concerned nobody."""
    try:
        detail = json.loads(cursor.detail)
    except ValueError:
        detail = {}
    state = str(detail.get("state", "ok"))
    behind = max(0, revision - cursor.revision) if state != "ok" else 0
    return {"state": state, "behind": behind, "why": detail.get("why"), "since": detail.get("since")}
