"""A signed hook, for whatever can send JSON: it pauses or stops, and releases nothing.

The signature is HMAC-SHA256, with a secret that both sides know, over ``TIMESTAMP.NONCE.`` and the body as it is sent.
The server may know several secrets, so that one takes the place of another without a moment in which neither counts.
What was signed more than five minutes ago, or ahead of our time, counts for nothing; a request that comes again is the
same command again, on whichever server of the fleet.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from backends.clients.alertmanager import HOLD_MAX, Ordered
from backends.configuration import ConfigurationFault
from backends.private_file import private_text
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold
from core.messages import FreeText, Message
from opsgate.order import Level
from opsgate.selector import Selector

SECRET_MIN: Final = 32
"""Characters that a secret has at least."""

SKEW_S: Final = 300
"""Seconds by which the clocks of both sides may differ."""

_VERSION: Final = "v1="


class Wanted(Message):
    """The body: what to do, and to which work. ``scope`` is ``all`` or ``site=s1,operation=ab_testing``."""

    action: Literal["pause", "stop"]
    scope: str
    level: Level = "immediate"
    reason: FreeText = ""


def signature(secret: str, timestamp: str, nonce: str, body: bytes) -> str:
    """What stands in the header of a request that says this."""
    signed = f"{timestamp}.{nonce}.".encode() + body
    return _VERSION + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def secrets_in(file: Path) -> tuple[str, ...]:
    """The secrets in a file that nobody else may read, one on each line: every one of them counts. Raises
    `ConfigurationFault`, which quotes none."""
    found = tuple(line.strip() for line in private_text(file).splitlines() if line.strip())
    if not found or min(map(len, found)) < SECRET_MIN:
        raise ConfigurationFault(f"{file} holds a secret of fewer than {SECRET_MIN} characters, or none")
    return found


def fault(secrets: tuple[str, ...], timestamp: str, nonce: str, said: str, body: bytes, now_s: float) -> str:
    """Why a request is not to be believed; empty where it is. All of it is looked at, however early it fails."""
    genuine = True in [_is_by(secret, timestamp, nonce, said, body) for secret in secrets]
    timely = timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 13
    if not genuine:
        return "the signature is not that of this timestamp, nonce and body"
    if not timely or abs(int(timestamp) - now_s) > SKEW_S:
        return f"it was not signed within {SKEW_S} s of now: look at the clocks"
    return ""


def _is_by(secret: str, timestamp: str, nonce: str, said: str, body: bytes) -> bool:
    return hmac.compare_digest(signature(secret, timestamp, nonce, body).encode(), said.encode())


def ordered(wanted: Wanted, said: str, signed_at: datetime) -> Ordered:
    """What it asks for; ValueError where its scope is none. ``said`` is the signature: the same one is the same
    command. The hold is owned by whoever shows the token, and as old as the signature."""
    selectors = (Selector.parse(wanted.scope),)
    known = hashlib.sha256(said.encode()).hexdigest()[:32]
    if wanted.action == "stop":
        stop_id = f"S-hook-{known}"
        return Ordered(
            stop_id, OrderStop(stop_id=stop_id, selectors=selectors, level=wanted.level, reason=wanted.reason)
        )
    hold = PlaceHold(selectors=selectors, source="alert", reason=wanted.reason, expires_at=signed_at + HOLD_MAX)
    return Ordered(f"hook-{known}", hold)
