"""Who may do what: one table of routes and what each asks for. What is not in it is for nobody."""

from __future__ import annotations

from typing import Final

from backends.server.asked import Asked
from backends.server.identity import Identify, Identity
from backends.server.problems import Problem
from core.errors import NotPermitted
from core.messages import Command
from core.state import State
from opsgate.selector import Selector

OPEN: Final = frozenset({"/healthz", "/readyz"})
"""What anybody may ask."""

ROUTES: Final = {
    ("GET", "/healthz"): "nobody",
    ("GET", "/readyz"): "nobody",
    ("POST", "/v1/commands"): "command",
    ("GET", "/v1/state"): "see",
    ("GET", "/v1/events"): "see",
    ("GET", "/v1/observations"): "see",
    ("GET", "/v1/audit"): "see",
    ("GET", "/v1/audit/verify"): "see",
    ("GET", "/v1/gate"): "ask",
    ("GET", "/v1/gate/events"): "ask",
    ("GET", "/v1/check"): "ask",
    ("POST", "/v1/check"): "ask",
    ("GET", "/v1/why"): "ask",
    ("PUT", "/v1/workers/{worker_id}"): "work",
    ("DELETE", "/v1/workers/{worker_id}"): "work",
    ("POST", "/v1/limits/{name}/reserve"): "work",
    ("DELETE", "/v1/reservations/{reservation_id}"): "work",
    ("POST", "/v1/stop"): "stop",
    ("GET", "/metrics"): "see",
    ("GET", "/openapi.json"): "ask",
}
"""Method and path of each route, and the permission that it asks for."""


class Access:
    """Lets in whom ``identify`` knows."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify

    def admit(self, asked: Asked) -> Identity:
        """Who asks; `Problem` 401 where nobody says so, whether or not the path exists."""
        identity = self._identify(asked)
        if identity is None:
            raise Problem(
                401,
                "no-identity",
                "nobody is known by this credential",
                "make one with 'opsconsole token create' and send Authorization: Bearer TOKEN",
                kind="not-permitted",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return identity

    def permit(self, identity: Identity, method: str, template: str) -> None:
        """Raise `NotPermitted` where this identity may not use this route."""
        if (method, template) not in ROUTES:
            raise NotPermitted("no-rule", f"nobody may {method} {template}")

    def permit_command(self, identity: Identity, command: Command, state: State) -> None:
        """Raise `NotPermitted` where this identity may not give this command."""

    def still(self, identity: Identity) -> bool:
        """Whether the credential behind an identity is still good."""
        return True

    def permit_stop(self, identity: Identity, selectors: tuple[Selector, ...]) -> None:
        """Raise `NotPermitted` where this identity may not stop all of this."""

    def speaks_for(self, identity: Identity, worker_id: str) -> None:
        """Raise `NotPermitted` where this identity may not report as this worker."""
