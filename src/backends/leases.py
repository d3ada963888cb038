"""Leases: a role that one holder has for a while, and whose token tells a late one that it has lost it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from core.errors import BackendUnavailable
from core.ports import Lease, Transaction


def take(transaction: Transaction, name: str, holder: str, for_s: float, now: datetime) -> Lease | None:
    """Take or renew a role for ``for_s`` seconds; None while somebody else has it. A new holder gets a higher token."""
    known = transaction.lease(name)
    mine = known is not None and known.holder == holder and known.expires_at > now
    if known is not None and not mine and known.expires_at > now:
        return None
    token = known.token if known is not None else 0
    lease = Lease(name, holder, token if mine else token + 1, now + timedelta(seconds=for_s))
    transaction.put_lease(lease)
    return lease


def give_back(transaction: Transaction, name: str, holder: str, now: datetime) -> None:
    """Give a role back, if it is still this holder's."""
    known = transaction.lease(name)
    if known is not None and known.holder == holder:
        transaction.put_lease(replace(known, expires_at=now))


def require_held(transaction: Transaction, fence: Lease | None, now: datetime) -> None:
    """Refuse whoever lost the lease that it acts under, however long it slept: the token has risen since, or the time
    is up. Asked inside the transaction that writes, so nobody can take the lease between the question and the commit.
    """
    if fence is None:
        return
    known = transaction.lease(fence.name)
    if known is None or known.token != fence.token:
        raise BackendUnavailable("fenced", f"the role {fence.name} is somebody else's now", "leave it to them")
    if known.expires_at <= now:
        raise BackendUnavailable("fenced", f"the role {fence.name} was not renewed in time", "take it again")
