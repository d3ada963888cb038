"""Names for shell completion: read from the gate's tables, given up after 200 ms.

Whoever presses Tab waits for us, so a slow or broken database completes to nothing and says nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

import click
from click.shell_completion import CompletionItem

from opsconsole.cli.invocation import Invocation
from opsconsole.settings import ConfigError
from opsgate.paths import sqlite_path
from opsgate.sources import SourceError, SqliteSource

CAP_S: Final = 0.2
MOST: Final = 200


def complete_names(ctx: click.Context, dimension: str, incomplete: str) -> list[CompletionItem]:
    """The registered names of a dimension that begin with what was typed."""
    try:
        backend = ctx.ensure_object(Invocation).settings.backend
    except ConfigError:
        return []
    if not backend.startswith("sqlite:"):
        return []  # connecting to a server takes longer than the cap by itself
    source = SqliteSource(sqlite_path(backend))
    found: list[str] = []
    reading = threading.Thread(target=lambda: found.extend(_names(source, dimension)), daemon=True)
    reading.start()
    reading.join(CAP_S)
    return [CompletionItem(name) for name in found if name.startswith(incomplete)][:MOST]


def _names(source: SqliteSource, dimension: str) -> Iterable[str]:
    try:
        return sorted(source.read().names.get(dimension, ()))
    except SourceError:
        return ()
    finally:
        source.close()
