"""One HTTP request to an allowed destination: no redirect is followed, no proxy is used, time and size are capped."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backends.drivers.base import DriverConfigError
from backends.drivers.destinations import AllowList, Destination

TOKEN_FILE: Final = "the file with the token that it is shown, as `Authorization: Bearer`; over https only"  # noqa: S105 (it says what the field is)
CA_FILE: Final = "the file with the certificates that it is trusted by, instead of the system's"
"""What fields of a configuration mean."""

ANSWER_MAX_BYTES: Final = 64 * 1024
"""How much of an answer is read."""


class WebFault(Exception):
    """The request could not be made, or was not answered in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered. ``is_whole`` is False where it was longer than is read."""

    status: int
    body: bytes
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Site:
    """A destination, with what is needed to be let in: checked when it is made, and asked as often as needed."""

    destination: Destination
    allowed: AllowList
    headers: Mapping[str, str]
    trust: ssl.SSLContext | None

    @classmethod
    def of(cls, destination: Destination, allowed: AllowList, *, token_file: str = "", ca_file: str = "") -> Site:
        """`DriverConfigError` where it is not allowed, or a file of it cannot be read."""
        allowed.require(destination)
        headers = {"Authorization": f"Bearer {_secret(token_file)}"} if token_file else {}
        if token_file and destination.scheme != "https" and not _is_this_host(destination.host):
            raise DriverConfigError("token_file: a token is sent over https only")
        try:
            trust = ssl.create_default_context(cafile=ca_file or None) if destination.scheme == "https" else None
        except (OSError, ssl.SSLError) as error:
            raise DriverConfigError(f"ca_file: {error}") from None
        return cls(destination, allowed, headers, trust)

    def ask(
        self, method: str, path: str, *, timeout_s: float, body: bytes | None = None, kind: str = "application/json"
    ) -> Answer:
        """Ask once. Raises `WebFault`."""
        connection = _Pinned(self, timeout_s)
        clock = threading.Timer(timeout_s, connection.cut)  # a slow answer has its time cut as a whole, not by the byte
        clock.daemon = True
        clock.start()
        try:
            headers = {"Accept": "application/json", "Connection": "close", **self.headers}
            if body is not None:
                headers["Content-Type"] = kind
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            heard = answer.read(ANSWER_MAX_BYTES + 1)
        except DriverConfigError as error:
            raise WebFault(str(error)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            said = "no answer in time" if connection.was_cut or isinstance(error, TimeoutError) else _said(error)
            raise WebFault(said) from None
        finally:
            clock.cancel()
            connection.close()
        if connection.was_cut:
            raise WebFault("no answer in time")
        return Answer(answer.status, heard[:ANSWER_MAX_BYTES], len(heard) <= ANSWER_MAX_BYTES)


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, under the name that was asked for."""

    def __init__(self, site: Site, timeout_s: float) -> None:
        super().__init__(site.destination.host, site.destination.port, timeout=timeout_s)
        self.was_cut = False
        self._site = site

    def connect(self) -> None:
        """Resolve once, check, and connect to just that."""
        where = self._site.destination
        address = self._site.allowed.resolve(where)
        self.sock = socket.create_connection((address, where.port), self.timeout)
        if self._site.trust is not None:
            secured = self._site.trust.wrap_socket(self.sock, server_hostname=where.host, do_handshake_on_connect=False)
            self.sock = secured
            secured.do_handshake()
        if self.was_cut:  # while a name server or the other side took its time
            raise TimeoutError

    def cut(self) -> None:
        """Time is up: end whatever is waited for."""
        self.was_cut = True
        connected: socket.socket | None = self.sock
        if connected is not None:
            try:
                connected.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was over anyway


def _said(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__


def _is_this_host(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _secret(file: str) -> str:
    path = Path(file)
    try:
        if not path.is_absolute() or path.stat().st_mode & 0o077:
            raise DriverConfigError(f"token_file: {file} must be an absolute path that only this user can read")
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DriverConfigError(f"token_file: {error}") from None
