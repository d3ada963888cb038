"""Connections to servers on which an answer has to be there by a moment, however it comes.

The HTTP library takes a timeout for each piece that it reads, so an answer that comes byte by byte would never be late.
Here the timeouts of a request are moments of the clock that never jumps, and each piece is waited for until then.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from time import monotonic
from typing import Any

import httpcore
import httpx


class Connections(httpx.HTTPTransport):
    """A pool. Of a request's timeouts, ``read`` and ``write`` are moments, and ``connect`` and ``pool`` are seconds."""

    def __init__(self, trusted: ssl.SSLContext | None, idle_s: float) -> None:
        """``trusted`` authorities, None where no server proves anything; unused ones are kept for ``idle_s``."""
        super().__init__(verify=trusted or False, trust_env=False)
        # The library lets nobody choose what its pool connects by, but stands on a pool that does.
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted, max_connections=None, keepalive_expiry=idle_s, network_backend=_Network()
        )


class _Network(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return Connection(super().connect_tcp(host, port, timeout, local_address, socket_options))


class Connection(httpcore.NetworkStream):
    """One of them."""

    silent_s: float | None = None
    """For how long an answer that goes on and on may say nothing; None for one that has to be there by its moment."""

    def __init__(self, made: httpcore.NetworkStream) -> None:
        self._made = made

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come; ``timeout`` is a moment."""
        if self.silent_s is not None:
            return self._made.read(max_bytes, self.silent_s)
        return self._made.read(max_bytes, _left_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """A part of the next question; ``timeout`` is a moment."""
        self.silent_s = None
        self._made.write(buffer, _left_s(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Hang up."""
        self._made.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same, encrypted; ``timeout`` is in seconds."""
        return Connection(self._made.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """What the library asks of its sockets."""
        return self._made.get_extra_info(info)


def _left_s(moment: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    """The seconds until a moment, or `late`; None where there is none."""
    if moment is None:
        return None
    if (left_s := moment - monotonic()) <= 0:
        raise late
    return left_s
