"""The channel ``system``: the log of whoever runs the loops."""

from __future__ import annotations

import logging
from typing import ClassVar, Final

from backends.keeper.log import NAME
from backends.notifiers.base import Message, Takes
from core.notices import Notice, Severity

_log = logging.getLogger(NAME)

_LEVELS: Final[dict[Severity, int]] = {
    "info": logging.INFO,
    "success": logging.INFO,
    "warning": logging.WARNING,
    "critical": logging.ERROR,
}


class SystemNotifier:
    """Writes notices into the log."""

    takes: ClassVar[Takes] = "notices"

    @property
    def where(self) -> str:
        """Where it leads."""
        return "the log of the keeper"

    def send(self, message: Message, *, timeout_s: float) -> None:
        """Write one line."""
        notice = message.content
        assert isinstance(notice, Notice), "it takes notices"
        _log.log(_LEVELS[notice.severity], notice.title, extra={"notice": notice.key, "said": notice.body})
