"""The HTTP driver: a service that stops when it is asked at a URL (S1: ``emergencyStop(correlationId)``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field

from backends.drivers import health
from backends.drivers.base import (
    SETTLES,
    Action,
    DriverConfig,
    DriverConfigError,
    DriverOrder,
    EachAlike,
    Host,
    Observation,
    Outcome,
    Standing,
    cut,
    example,
)
from backends.drivers.destinations import ALLOW, allowed_for, destination_of
from backends.drivers.web import CA_FILE, TOKEN_FILE, Answer, Site, WebFault

_STANDINGS: Final[frozenset[Standing]] = frozenset({"running", "stopping", "stopped", "starting", "failed"})
_PATH: Final = r"^/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,300}$"


class Asked(DriverConfig):
    """One request: its answer's status must be below 300, and where it is JSON with `ok` or `success`, that must not be
    false."""

    path: str = Field(pattern=_PATH, description="where it is sent")
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = Field(default="POST", description="how")


class Looked(DriverConfig):
    """How its state is asked for: by a GET, which is answered in JSON."""

    path: str = Field(pattern=_PATH, description="where it is asked for")
    field: str = Field(default="state", description="the field of the answer that says it")
    words: dict[str, Literal["running", "stopping", "stopped", "starting", "failed"]] = Field(
        default_factory=dict, description="what other words than ours mean: theirs to ours"
    )


class HttpConfig(DriverConfig):
    """A service that is asked over HTTP, by a request for each action; what has none is not done. `status` or `health`
    there must be. Each request is told in JSON what is asked and why: `correlationId`, `service`, `action`, `stopId`,
    `level`, `reason` and `saved`."""

    model_config = example(
        url="https://billing.internal:8443",
        ca_file="/etc/opsconsole/billing-ca.pem",
        stop={"path": "/emergency-stop"},
        start={"path": "/resume"},
        status={"path": "/state", "words": {"HALTED": "stopped", "UP": "running"}},
    )

    url: str = Field(description="where the service is asked")
    allow: tuple[str, ...] = Field(default=(), description=ALLOW)
    token_file: str = Field(default="", description=TOKEN_FILE)
    ca_file: str = Field(default="", description=CA_FILE)
    stop: Asked | None = Field(default=None, description="asks it to stop")
    kill: Asked | None = Field(default=None, description="asks it to stop at once")
    start: Asked | None = Field(default=None, description="asks it to start")
    drain: Asked | None = Field(default=None, description="asks it to take nothing new")
    save_state: Asked | None = Field(
        default=None, description="asks it to save its state; `saved` of its answer says where"
    )
    status: Looked | None = Field(default=None, description="how its state is asked for")
    health: dict[str, Any] | None = Field(default=None, description=health.UP)
    settle_s: float = Field(default=0.0, ge=0, le=60, description=SETTLES)


class HttpDriver(EachAlike):
    """One service that is asked over HTTP."""

    kind: ClassVar[str] = "http"

    def __init__(self, service: str, config: HttpConfig, host: Host) -> None:
        """`DriverConfigError` where the destination is not allowed, or nothing would say whether it runs."""
        self._service, self._config = service, config
        destination = destination_of(config.url)
        allowed = allowed_for(destination, config.allow, host.destinations)
        self._site = Site.of(destination, allowed, token_file=config.token_file, ca_file=config.ca_file)
        self._health = health.check_of(config.health, host) if config.health is not None else None
        if config.status is None and self._health is None:
            raise DriverConfigError("a service says that it stopped: name its status, or a health check")
        asked: dict[Action, Asked | None] = {
            "stop": config.stop,
            "kill": config.kill,
            "start": config.start,
            "drain": config.drain,
            "save-state": config.save_state,
        }
        self._asked = {action: one for action, one in asked.items() if one}
        self.can: frozenset[Action] = frozenset(self._asked)
        self.settle_s = config.settle_s

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """As `Driver.build`."""
        return cls(service, HttpConfig.read(config), host)

    def observe(self, timeout_s: float) -> Observation:
        """What its state is, and what its health check says where there is one: running if either says so. A service
        that does not answer is not one that has stopped."""
        seen = [self._by_status(timeout_s)] if self._config.status else []
        if self._health is not None:
            seen.append(health.as_observation(self._health.check(timeout_s)))
        by_health = seen[-1]
        if len(seen) == 2 and seen[0].standing == "unknown" and by_health.standing == "stopped":
            return by_health  # its port is closed: there is nobody left to answer
        return next((look for look in seen if look.standing != "stopped"), seen[0])

    def _by_status(self, timeout_s: float) -> Observation:
        look = self._config.status
        assert look is not None
        try:
            answer = self._site.ask("GET", look.path, timeout_s=timeout_s)
        except WebFault as error:
            return Observation("unknown", cut(str(error)))
        word = _document(answer).get(look.field)
        known = look.words.get(str(word), str(word))
        standing: Standing = next((standing for standing in _STANDINGS if standing == known), "unknown")
        return Observation(standing if answer.status < 300 else "unknown", cut(f"{answer.status}: {word!r}"))

    def do(self, action: Action, order: DriverOrder, timeout_s: float) -> Outcome:
        """Send the request of that action."""
        asked = self._asked[action]
        told = {
            "correlationId": order.correlation_id,
            "service": self._service,
            "action": action,
            "stopId": order.stop_id,
            "level": order.level,
            "reason": order.reason,
            "saved": order.saved,
        }
        try:
            answer = self._site.ask(asked.method, asked.path, timeout_s=timeout_s, body=json.dumps(told).encode())
        except WebFault as error:
            timed_out = str(error) == "no answer in time"
            return Outcome("timed-out" if timed_out else "failed", cut(str(error)))
        said = _document(answer)
        refused = answer.status >= 300 or said.get("ok") is False or said.get("success") is False
        saved = said.get("saved")
        return Outcome(
            "failed" if refused else "done",
            cut(f"{answer.status}: {answer.body[:200].decode('utf-8', 'replace')}"),
            saved[:300] if isinstance(saved, str) else "",
        )


def _document(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer; empty where it is none."""
    try:
        document = json.loads(answer.body) if answer.is_whole else {}
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
