"""Webhooks: each event as one CloudEvent 1.0 in structured JSON, signed as the hook on the way in is.

``X-Opsconsole-Timestamp``, ``X-Opsconsole-Nonce`` and ``X-Opsconsole-Signature``: ``v1=`` and HMAC-SHA256 over
``TIMESTAMP.NONCE.BODY``. Redirections are not followed: what is configured is what is told. Source and id say which
event it is, so that one that comes again can be told from a new one.
"""

from __future__ import annotations

import json
import secrets
from time import time
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import httpx

from backends.clients.signed import SECRET_MIN, signature
from backends.notifiers.base import Message, Misconfigured, NotDelivered, Refused, Takes
from backends.notifiers.settings import ChannelSettings
from backends.private_file import private_text
from core.hooks import Told
from opsgate.hold import timestamp

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"

_NEVER: Final = frozenset({400, 413, 415, 422})
"""Answers that are about this very message; all others may be another the next time."""


class WebhookNotifier:
    """One address that takes CloudEvents by POST."""

    takes: ClassVar[Takes] = "events"

    def __init__(self, settings: ChannelSettings) -> None:
        """Raises `Misconfigured` for what is no http or https address, or a secret that is none."""
        self._url = settings.address()
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Misconfigured("a webhook is an address that begins with http:// or https://")
        self._where = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self._secret = "" if settings.secret_file is None else private_text(settings.secret_file)
        if settings.secret_file is not None and len(self._secret) < SECRET_MIN:
            raise Misconfigured(f"{settings.secret_file} holds fewer than {SECRET_MIN} characters")

    @property
    def where(self) -> str:
        """The host alone: a path may let people in."""
        return self._where

    def send(self, message: Message, *, timeout_s: float) -> None:
        """Deliver one event; the body of the answer is not read."""
        body = json.dumps(cloud_event(message), separators=(",", ":")).encode()
        try:
            with (
                httpx.Client(timeout=timeout_s, follow_redirects=False, trust_env=False) as client,
                client.stream("POST", self._url, content=body, headers=self._headers(body)) as answer,
            ):
                status = answer.status_code
        except httpx.TimeoutException:
            raise NotDelivered(f"{self._where} did not answer within {timeout_s:g} s") from None
        except httpx.HTTPError as error:
            raise NotDelivered(f"{self._where}: {type(error).__name__}") from None
        if status in _NEVER:
            raise Refused(f"{self._where} refuses this event with {status}")
        if not 200 <= status < 300:
            raise NotDelivered(f"{self._where} answered {status}")

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": MEDIA_TYPE, "User-Agent": "opsconsole"}
        if self._secret:
            at, nonce = str(int(time())), secrets.token_hex(16)
            headers["X-Opsconsole-Timestamp"], headers["X-Opsconsole-Nonce"] = at, nonce
            headers["X-Opsconsole-Signature"] = signature(self._secret, at, nonce, body)
        return headers


def cloud_event(message: Message) -> dict[str, Any]:
    """The CloudEvent of an event."""
    told = message.content
    assert isinstance(told, Told), "it takes events"
    event = {
        "specversion": "1.0",
        "id": f"{message.fleet}-{told.recorded.revision}",
        "source": f"/opsconsole/{message.fleet}",
        "type": told.type,
        "time": timestamp(told.recorded.header.at),
        "datacontenttype": "application/json",
        "data": dict(told.data),
    }
    return event | ({"subject": told.subject} if told.subject else {})
