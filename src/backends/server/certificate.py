"""The certificate that the ports show, the one that comes in its place while they are open, and how long it is good.

Certificates are renewed every few weeks, and a server that went on showing the old one would take no stop any more from
the day on which that ends. Whoever connects is shown the newest; nobody who is connected is cut off for it. Where no
new one comes the server says so while there is time.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.x509 import load_pem_x509_certificates

from backends.keeper.log import NAME
from backends.server.renewing import Renewed

_log = logging.getLogger(NAME)

SOON_DAYS: Final = 14
"""Days before its end from which on a certificate is spoken of. Those who renew by themselves do it long before."""

_DAY_S: Final = 86_400


class Shown(NamedTuple):
    """What a port shows, and until when it is good: as long as all of its chain is."""

    context: ssl.SSLContext
    expires_at: datetime


class Certificate(Renewed[Shown]):
    """The certificate in these files, whichever it is now."""

    def __init__(self, chain: Path, key: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises OSError where the files are not what they should be."""
        super().__init__("certificate", (chain, key), lambda: _read(chain, key))
        self._now, self._said = now, ""
        self.context = self.value.context
        self.context.sni_callback = self._show

    def look(self) -> None:
        """Take over a new one, and say in the log, once, when the time comes to have one."""
        super().look()
        word = self.warning()
        if word and word != self._said:
            _log.error(word)
        self._said = word

    def days_left(self) -> float:
        """For how long it is good; below 0 where it is so no more."""
        return days_until(self.value.expires_at, self._now())

    def warning(self) -> str:
        """What a person has to do about it; empty while that is nothing."""
        if self.days_left() >= SOON_DAYS:
            return ""
        word = ends(self.value.expires_at, self._now())
        return f"the certificate {word}: put a new one into its file, and it is shown without a restart"

    def _show(self, channel: Any, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called in every handshake, also in one that names no host: take what is the newest then."""
        channel.context = self.value.context


def days_until(expires_at: datetime, now: datetime) -> float:
    """Days for which a certificate is still good; below 0 where it is so no more."""
    return (expires_at - now).total_seconds() / _DAY_S


def ends(expires_at: datetime, now: datetime) -> str:
    """When it does so, in words."""
    on = f"on {expires_at:%Y-%m-%d %H:%M} UTC"
    return f"expires {on}, in {int(days_until(expires_at, now))} days" if expires_at > now else f"expired {on}"


def _read(chain: Path, key: Path) -> Shown:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(chain, key)
        expires_at = min(each.not_valid_after_utc for each in load_pem_x509_certificates(chain.read_bytes()))
    except (OSError, ValueError) as error:
        what = f"no certificate with its key can be read from {chain} and {key}"
        raise OSError(getattr(error, "errno", None), what) from error
    return Shown(context, expires_at)
