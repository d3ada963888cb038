"""Channels of apprise: mail, Slack and a hundred others, by their URLs.

What is sent is plain text, never a template, and apprise reads neither attachments nor other configuration for us.
"""

from __future__ import annotations

import logging
from typing import ClassVar, Final

import apprise

from backends.notifiers.base import Message, Misconfigured, NotDelivered, Takes
from backends.notifiers.settings import ChannelSettings
from core.notices import Notice, Severity

logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs addresses, and with them what lets people in

_KINDS: Final[dict[Severity, apprise.NotifyType]] = {
    "info": apprise.NotifyType.INFO,
    "success": apprise.NotifyType.SUCCESS,
    "warning": apprise.NotifyType.WARNING,
    "critical": apprise.NotifyType.FAILURE,
}


class AppriseNotifier:
    """One address of apprise's."""

    takes: ClassVar[Takes] = "notices"

    def __init__(self, settings: ChannelSettings) -> None:
        """Raises `Misconfigured` where apprise knows no such address."""
        address = settings.address()
        scheme = address.partition(":")[0]
        asset = apprise.AppriseAsset(app_id="opsconsole", app_desc="opsconsole", storage_mode="memory")
        self._there = apprise.Apprise(asset=asset)
        if not address or not self._there.add(address):
            raise Misconfigured(f"{scheme or 'nothing'}: is no address that apprise knows (see apprise's own list)")
        self._scheme = scheme

    @property
    def where(self) -> str:
        """Only the kind of address: the rest may let people in."""
        return self._scheme

    def send(self, message: Message, *, timeout_s: float) -> None:
        """Deliver one notice."""
        notice = message.content
        assert isinstance(notice, Notice), "it takes notices"
        done = self._there.notify(
            title=f"[{message.fleet}] {notice.title}",
            body=notice.body,
            notify_type=_KINDS[notice.severity],
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
            timeout=timeout_s,
        )
        if not done:
            raise NotDelivered(f"{self._scheme}: was not taken")
