"""What ``doctor`` looks at: each question asked by itself, so that one answer that fails leaves the others standing."""

from __future__ import annotations

from collections.abc import Iterator

from opsconsole.cli.checkup.finding import Finding
from opsconsole.cli.checkup.fleet import fleet
from opsconsole.cli.checkup.host import database_file, host
from opsconsole.cli.checkup.way import certificates, pooler
from opsconsole.cli.invocation import Invocation
from opsgate.paths import sqlite_path

__all__ = ["Finding", "findings"]


def findings(invocation: Invocation) -> Iterator[Finding]:
    """Look at this host, then at the backend and the fleet, then at the way there."""
    yield from host()
    url = invocation.settings.backend
    if url.startswith("sqlite:"):
        yield from database_file(sqlite_path(url))
    yield from fleet(invocation)
    if url.startswith(("postgresql:", "postgres:")):
        yield from pooler(url)
    elif url.startswith("https:"):
        yield from certificates(url)
