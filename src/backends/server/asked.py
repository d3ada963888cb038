"""What is known of a request before its body is read: all that identity and access decide on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Door = Literal["http", "unix", "stop"]
"""The listener: a port, the socket of this host, or the stop lane."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``client`` is the address of the caller, empty on a unix socket, where ``peer`` is its process and
    user, by the kernel's word. Of a header that comes twice the values stand in one text, separated by commas."""

    method: str
    path: str
    headers: Mapping[str, str]
    client: str = ""
    door: Door = "http"
    peer: tuple[int, int] | None = None

    @property
    def reads(self) -> bool:
        """Whether it only asks: `HEAD` is answered as `GET` is, and the connection leaves out the body."""
        return self.method in ("GET", "HEAD")

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Asked:
        """The request of an ASGI scope."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        state = scope.get("state") or {}
        client = scope.get("client")
        return cls(
            method=scope["method"],
            path=scope["path"],
            headers=headers,
            client=client[0] if client else "",
            door=state.get("door", "http"),
            peer=state.get("peer"),
        )
