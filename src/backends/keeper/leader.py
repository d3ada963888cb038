"""Leadership: of all keepers of one fleet, on whatever hosts, one runs the loops.

A lease in the database with a token that rises with every holder. Whether it still holds is judged by the clock that
never jumps, from before it was asked for, so a keeper that was frozen knows that its time is over.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Final

from backends.keeper import peers
from backends.observing import KEEPER
from backends.runtime import Runtime
from core.ports import Lease
from opsgate.identity import boot_id

LEASE_S: Final = 10.0
"""Seconds for which the lease is taken. A dead leader is replaced after that."""

_RENEW_S: Final = 3.0
_MARGIN_S: Final = 2.0
"""Seconds before its end from which the holder no longer trusts it."""


class Leader:
    """One keeper's claim. For use by one thread; ``leads`` may be read from anywhere."""

    def __init__(self, runtime: Runtime) -> None:
        self.holder = f"{_here()}/{os.getpid()}/{peers.started(os.getpid())}/{uuid.uuid4().hex[:8]}"
        self.lease: Lease | None = None
        self._runtime = runtime
        self._until_s = self._due_s = 0.0

    def leads(self, now_s: float) -> bool:
        """Whether this keeper runs the loops (``now_s``: host clock)."""
        return self.lease is not None and now_s < self._until_s

    def renew(self, now_s: float) -> None:
        """Take or renew the lease when that is due. Raises `BackendUnavailable`."""
        if now_s < self._due_s:
            return
        self._due_s = now_s + _RENEW_S
        if self.lease is None:
            self._bury()
        self.lease = self._runtime.take_lease(KEEPER, self.holder, LEASE_S, timeout_s=1.0)
        self._until_s = now_s + LEASE_S - _MARGIN_S

    def resign(self) -> None:
        """Give the lease back, so that the next one need not wait. Raises `BackendUnavailable`."""
        if self.lease is not None:
            self._runtime.drop_lease(KEEPER, self.holder, timeout_s=1.0)
            self.lease = None

    def _bury(self) -> None:
        """Where the leader was a process of this host that is gone, nobody need wait for its lease to run out."""
        known = self._runtime.store.lease(KEEPER)
        if known is not None and _has_died(known.holder):
            self._runtime.drop_lease(KEEPER, known.holder, timeout_s=1.0)


def _has_died(holder: str) -> bool:
    here, _, rest = holder.rpartition("/")[0].partition("/")
    pid, _, start = rest.partition("/")
    return here == _here() and pid.isdigit() and not peers.is_running(int(pid), start)


def _here() -> str:
    """This start of this host, and the process numbers that are valid here; another container has others."""
    try:
        numbers = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        numbers = 0
    return f"{boot_id() or os.uname().nodename}:{numbers}"
