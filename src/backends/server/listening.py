"""Listening: where a server is reached, by ports of the network and sockets of its host."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from backends.keeper.room import EngineRoom
from backends.stop_servers import DEFAULT_PORTS
from opsgate.paths import runtime_home
from opsgate.wire import HEARTBEAT_S

_DEAD_AFTER_MS: Final = 30_000
"""For how long a connection may leave what is sent to it unacknowledged."""

BACKLOG: Final = 4096
"""Connections that wait to be taken."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server listens, and the files of what it is known by there.

    Port 0 is one that is free. TLS is for the ports; sockets of this host need none."""

    host: str = "127.0.0.1"
    port: int = 3001
    stop_port: int = 3002
    certificate: Path | None = None
    key: Path | None = None
    heartbeat_s: float = HEARTBEAT_S
    """Seconds between two signs of life on a stream. Clients wait for two and a half of the usual ones."""
    hook_secrets: Path | None = None
    """The file of what signs requests of hooks."""


def listen(host: str, port: int, chosen_by: str = "another port") -> socket.socket:
    """A bound socket. Raises OSError, whose sentence names the option that ``chosen_by`` somebody is to be mended."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    channel = socket.socket(family, kind, protocol)
    try:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_MS)
        channel.bind(address)
        channel.listen(BACKLOG)  # so that nobody else can take the port before anything is opened
    except OSError as error:
        channel.close()
        what = f"nobody can listen on {host} port {port} ({error.strerror})"
        raise OSError(error.errno, f"{what}: end what listens there, or choose another one by {chosen_by}") from error
    return channel


def listen_at(path: Path) -> socket.socket:
    """A socket of this host, for its own user alone, put there in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    channel.bind(str(temporary))
    temporary.chmod(0o600)
    channel.listen(BACKLOG)
    temporary.replace(path)
    return channel


def own_urls(listening: Listening, channel: socket.socket) -> tuple[str, ...]:
    """The URLs by which this host reaches a server that listens on ``channel``, as far as it can tell by itself.

    A stop that somebody ordered here by one of them, and that a server did not live to answer, lies latched under it.
    """
    address, port = channel.getsockname()[:2]
    at = ip_address(address)
    hosts = [listening.host or address, address]
    if at.is_unspecified or at.is_loopback:
        hosts += ["localhost", "127.0.0.1", "::1"]
    if at.is_unspecified:
        hosts += [socket.gethostname()]
    scheme = "https" if listening.certificate else "http"
    named = [f"{scheme}://[{host}]" if ":" in host else f"{scheme}://{host}" for host in dict.fromkeys(hosts)]
    usual = named if port == DEFAULT_PORTS[scheme] else []
    return *(f"{url}:{port}" for url in named), *usual


def own_sockets(room: EngineRoom) -> tuple[Path, ...]:
    """Where people of this host reach this server; nowhere, where another keeper has the house."""
    if room.house is None:
        return ()
    return runtime_home() / f"{room.fleet}.http.sock", runtime_home() / f"{room.fleet}.http.stop.sock"
