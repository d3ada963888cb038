"""What ``doctor`` asks of the way to a fleet: what stands before its database, and what its servers show."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from opsconsole.cli.checkup.finding import Finding, Verdict

_CONNECT_S: Final = 5


def pooler(url: str) -> Iterator[Finding]:
    """Whether something hands on single transactions before a database of PostgreSQL."""
    import psycopg

    from backends.local.postgres_link import is_pooled

    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_S) as connection:
            pooled = is_pooled(connection)
    except psycopg.Error:
        return  # what is wrong with it was said of the backend
    if pooled:
        yield Finding(
            "warn",
            "pooler",
            "a connection pooler stands before the database: what others change is seen up to a quarter second late",
            "name the database itself, or have it pool by session",
        )
    else:
        yield Finding("ok", "pooler", "none stands before the database")


def certificates(urls: str) -> Iterator[Finding]:
    """Until when the certificates are good that these servers show; whether they are believed is another question."""
    from backends.server.certificate import SOON_DAYS, days_until, ends

    now = datetime.now(UTC)
    for url in (each.strip() for each in urls.split(",")):
        try:
            expires_at = _shown_by(url)
        except OSError:
            continue  # what is wrong with it was said of the backend
        detail = f"that of {urlsplit(url).netloc} {ends(expires_at, now)}"
        if days_until(expires_at, now) >= SOON_DAYS:
            yield Finding("ok", "certificate", detail)
        else:
            verdict: Verdict = "warn" if expires_at > now else "fail"
            yield Finding(verdict, "certificate", detail, "put a new one into its file there; it needs no restart")


def _shown_by(url: str) -> datetime:
    """When the certificate expires that a server shows. Raises OSError where none does."""
    from cryptography.x509 import load_der_x509_certificate

    parts = urlsplit(url)
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # one that is over is looked at, too
    with (
        socket.create_connection((parts.hostname or "", parts.port or 443), _CONNECT_S) as channel,
        anybody.wrap_socket(channel, server_hostname=parts.hostname) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    if shown is None:
        raise OSError(f"{url} shows no certificate")
    return load_der_x509_certificate(shown).not_valid_after_utc
