"""Who may do what: one table of routes and what each asks for. What is not in it is for nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from backends.server.asked import Asked
from backends.server.identity import Identify
from backends.server.problems import Problem
from core import authority
from core.authority import Identity, Permission
from core.errors import NotOurDatabase, NotPermitted
from core.messages import Command
from core.scope import EVERYWHERE
from core.state import State
from core.triggers.sample import Sample
from opsgate.selector import Selector
from opsgate.wire import FLEET_HEADER

_FLEET: Final = FLEET_HEADER.lower()

OPEN: Final = frozenset({"/healthz", "/readyz"})
"""What anybody may ask."""

ROUTES: Final[Mapping[tuple[str, str], Permission]] = {
    ("GET", "/openapi.json"): "know",
    ("GET", "/metrics"): "see",
    ("GET", "/v1/whoami"): "know",
    ("POST", "/v1/commands"): "command",
    ("GET", "/v1/state"): "see",
    ("GET", "/v1/holds"): "see",
    ("GET", "/v1/sites"): "see",
    ("GET", "/v1/flags"): "see",
    ("GET", "/v1/workflows"): "see",
    ("GET", "/v1/limits"): "see",
    ("GET", "/v1/workers"): "see",
    ("GET", "/v1/emergencies"): "see",
    ("GET", "/v1/triggers"): "see",
    ("GET", "/v1/services"): "see",
    ("GET", "/v1/recoveries"): "see",
    ("GET", "/v1/procedures"): "see",
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
    ("POST", "/v1/hooks/alertmanager"): "alert",
    ("POST", "/v1/hooks/signed"): "alert",
    ("POST", "/v1/hooks/events"): "alert",
    ("POST", "/v1/samples"): "work",
    ("GET", "/v1/samples"): "see",
    ("POST", "/ofrep/v1/evaluate/flags"): "ask",
    ("POST", "/ofrep/v1/evaluate/flags/{key:path}"): "ask",
    ("GET", "/ofrep/v1/events"): "ask",
    ("GET", "/api/client/features"): "ask",
    ("GET", "/api/client/features/{name:path}"): "ask",
    ("POST", "/api/client/register"): "ask",
    ("POST", "/api/client/metrics"): "ask",
    ("GET", "/admin/api/settings"): "see",
    ("POST", "/admin/api/settings/pause-all"): "command",
    ("POST", "/admin/api/settings/resume-all"): "command",
    ("PATCH", "/admin/api/settings/features"): "command",
    ("POST", "/admin/api/sites/create"): "command",
    ("POST", "/admin/api/sites/{site_id}/pause"): "command",
    ("POST", "/admin/api/sites/{site_id}/resume"): "command",
    ("GET", "/api/workflow_controls"): "see",
    ("PUT", "/api/workflow_controls/{name}"): "command",
}
"""Method and path of each route, and the permission that it asks for."""


WHOLE: Final = frozenset({("GET", "/metrics"), ("GET", "/v1/samples")})
"""Routes that answer for all of the fleet, and so take a credential that reaches all of it."""


class Access:
    """Lets in whom ``identify`` knows, and each as far as `core.authority` says."""

    def __init__(
        self,
        identify: Identify,
        latest: Callable[[], State],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._identify = identify
        self._latest = latest
        self._now = now

    def admit(self, asked: Asked) -> Identity:
        """Who asks; `Problem` 401 where nobody says so, whether or not the path exists, and 421 for one who means
        another fleet: it lived at this address before, and what is done here would be done to the wrong one."""
        identity = self._identify(asked)
        if identity is None:
            raise _nobody()
        meant, ours = asked.headers.get(_FLEET, ""), self._latest().fleet
        if meant and ours and meant != ours:
            what = f"this server serves fleet {ours}, not {ascii(meant)[1:-1][:40]}"
            raise Problem(421, "another-fleet", what, "name the right server", kind=NotOurDatabase.kind)
        return identity

    def permit(self, identity: Identity, method: str, template: str) -> None:
        """Raise `NotPermitted` where this identity may not use this route."""
        permission = ROUTES.get((method, template))
        if permission is None:
            raise NotPermitted("no-rule", f"nobody may {method} {template}")
        if not authority.may(identity, permission):
            raise NotPermitted(
                "role-forbids",
                f"the role {identity.role} may not {method} {template}",
                f"it takes a role with the permission '{permission}'",
            )
        if (method, template) in WHOLE and identity.scope != EVERYWHERE:
            raise NotPermitted(
                "outside-scope", f"{identity.name} reaches {identity.scope}, and this is about all of the fleet"
            )

    def permit_command(self, identity: Identity, command: Command) -> None:
        """Raise `NotPermitted` where this identity may not give this command, for one that goes past the writer. Of the
        others the runtime asks, where they are decided, and records a refusal."""
        _raise(authority.authorise(identity, command, self._latest(), self._now()))

    def permit_work(self, identity: Identity, permission: Permission, selectors: Iterable[Selector]) -> None:
        """Raise `NotPermitted` where ``permission`` does not reach all of this work: of a stop, of an alert."""
        _raise(authority.reaches(identity, permission, selectors))

    def speaks_for(self, identity: Identity, worker_id: str) -> None:
        """Raise `NotPermitted` where this identity may not report as this worker."""
        _raise(authority.speaks_for(identity, worker_id))

    def permit_samples(self, identity: Identity, samples: Iterable[Sample]) -> None:
        """Raise `NotPermitted` where some of these would move what lies beyond this identity's scope."""
        _raise(authority.reports(identity, samples, self._latest()))

    def permit_refund(self, identity: Identity, reservation_id: str) -> None:
        """Raise `NotPermitted` where somebody else took this reservation."""
        _raise(authority.gives_back(identity, reservation_id))

    def still(self, identity: Identity) -> bool:
        """Whether the credential behind an identity is still good: a stream ends where it is not."""
        return authority.still_valid(identity, self._latest(), self._now())

    def require_still(self, identity: Identity) -> None:
        """Raise `Problem` 401 where it is not, for whoever was let in and has waited since."""
        if not self.still(identity):
            raise _nobody()


def _nobody() -> Problem:
    return Problem(
        401,
        "no-identity",
        "nobody is known by this credential",
        "make one with 'opsconsole token create' and send Authorization: Bearer TOKEN",
        kind="not-permitted",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _raise(denial: NotPermitted | None) -> None:
    if denial is not None:
        raise denial
