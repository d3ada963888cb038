"""Who this process is: the worker's name, and what tells it from another process that got the same number."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

from opsgate.selector import checked_identifier


def worker_name(given: str | None = None) -> str:
    """The name under which this process is known: the given one, ``$OPSGATE_WORKER``, or host and process id.

    Raises `SelectorError` when the given one is no identifier.
    """
    chosen = given or os.environ.get("OPSGATE_WORKER")
    if chosen:
        return checked_identifier(chosen, "worker name")
    host = re.sub(r"[^A-Za-z0-9._~-]", "-", os.uname().nodename).lstrip("._~-")[:100] or "host"
    return f"{host}-{os.getpid()}"


def forked_name(parent: str, given: bool) -> str:
    """The name of a forked child: its parent's with the process id behind, where the parent's was ``given``."""
    return f"{parent[:110]}.{os.getpid()}" if given else worker_name()


def process_started() -> str:
    """When this process started, in clock ticks since the host did; empty where the platform does not say."""
    try:
        line = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return line.rpartition(")")[2].split()[19]  # the name in parentheses may itself hold spaces and parentheses


def boot_id() -> str:
    """Which start of the host this is; empty where the platform does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def process_boot() -> str:
    """A random name of this very process, by which a server tells it from the one that a restart has followed: in a
    container both have the same number and, after a move to another host, perhaps the same start."""
    return _drawn(os.getpid())


@functools.lru_cache(maxsize=1)
def _drawn(_pid: int) -> str:
    """Drawn anew in a forked child, whose number is another."""
    return os.urandom(8).hex()
