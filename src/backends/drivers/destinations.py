"""Where a driver may connect to: what is listed, and nothing that merely resolves to something else.

A name is resolved once. The address that is checked is the address that is connected to, so a name server that changes
its mind in between changes nothing. This host itself, and the links on which clouds keep their secrets, are reached
only where the very address is listed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from backends.drivers.base import DriverConfigError

ALLOW: Final = "addresses of this host or its links at which it may be reached; a list of the host's own goes before it"
"""What the field ``allow`` of a configuration means."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS: Final = {"http": 80, "https": 443}
_TRANSLATED: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""IPv6 networks whose last 32 bits are an IPv4 address that is really meant (NAT64)."""


class Destination(NamedTuple):
    """One host and port, as a configuration names them."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """``host`` or ``host:port``, as a request's Host says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def destination_of(url: str) -> Destination:
    """The destination in a URL. `DriverConfigError` where it is none that a driver may have at all."""
    if any(character <= " " or character in '\\"<>^`{|}\x7f' for character in url) or not url.isascii():
        raise DriverConfigError("url: it has characters that no URL has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DriverConfigError(f"url: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise DriverConfigError("url: it begins with http://HOST or https://HOST")
    if "@" in parts.netloc or parts.fragment:
        raise DriverConfigError("url: it may hold neither a login nor a fragment")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme], path)


class AllowList:
    """``host``, ``host:port``, ``address``, ``address:port`` or ``network/bits``: where one may connect to."""

    def __init__(self, entries: Sequence[str]) -> None:
        """`DriverConfigError` where an entry is none of these."""
        self._names: set[tuple[str, int | None]] = set()
        self._networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, int | None]] = []
        for entry in entries:
            host, port = _split(entry)
            try:
                self._networks.append((ipaddress.ip_network(host), port))
            except ValueError:
                if not host or "/" in host or "*" in host:
                    raise DriverConfigError(f"{entry!r} is no host, address or network") from None
                self._names.add((host.lower(), port))

    def require(self, destination: Destination) -> None:
        """`DriverConfigError` where the host is not listed, before any name server is asked."""
        if {(destination.host, None), (destination.host, destination.port)} & self._names:
            return
        try:
            address = ipaddress.ip_address(destination.host)
        except ValueError:
            address = None
        if address is None or not self._lists(address, destination.port):
            raise DriverConfigError(f"{destination.authority} is not among the destinations that are allowed")

    def resolve(self, destination: Destination) -> str:
        """The address to connect to: the first one, where every one that the name has may be connected to.

        Raises OSError where the name has none, `DriverConfigError` where one of them is forbidden.
        """
        self.require(destination)
        found = socket.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if _is_delicate(meant(address)) and not self._lists(meant(address), destination.port):
                raise DriverConfigError(f"{destination.host} is {address}, which is not among the allowed addresses")
        return str(addresses[0])

    def _lists(self, address: Address, port: int) -> bool:
        return any(address in network and listed in (None, port) for network, listed in self._networks)


def allowed_for(destination: Destination, own: Sequence[str], of_host: Sequence[str] | None) -> AllowList:
    """Where the one that asks at ``destination`` may connect to: what the host lists, or, on a host that leaves it to
    each service, that name and what its configuration lists."""
    if of_host is not None:
        return AllowList(of_host)
    try:
        is_plain = not _is_delicate(meant(ipaddress.ip_address(destination.host)))
    except ValueError:
        is_plain = True  # a name: what it resolves to is looked at then
    return AllowList((*own, *([f"[{destination.host}]"] if is_plain else ())))


def meant(address: Address) -> Address:
    """The address that is really reached by one: IPv6 can hold an IPv4 address in several ways."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo:
        inner = address.teredo[1]
    if inner is None and (any(address in network for network in _TRANSLATED) or 1 < int(address) < 1 << 32):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def _is_delicate(address: Address) -> bool:
    """Whether it is this host, a link, everybody, or nobody that can be meant: never by a name alone."""
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or address in _METADATA
        or address == ipaddress.IPv4Address("255.255.255.255")
        or address in ipaddress.IPv4Network("0.0.0.0/8")
    )


_METADATA: Final = (ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200"))
"""Where some clouds keep the secrets of a machine, beside the link-local address that most of them use."""


def _split(entry: str) -> tuple[str, int | None]:
    """Host and port of an entry."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        port = rest.removeprefix(":")
    elif entry.count(":") == 1:
        host, _, port = entry.partition(":")
    else:
        host, port = entry, ""
    if port and not (port.isdigit() and 0 < int(port) < 65536):
        raise DriverConfigError(f"{entry!r} is no host, address or network")
    return host, int(port) if port else None
