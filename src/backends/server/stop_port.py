"""The stop lane's own listener: one route, no database, no framework, on a thread and a loop of its own.

Whatever the other listener is busy with, an order that comes here is in force at once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from backends.keeper.log import NAME
from backends.keeper.stop_desk import StopDesk
from backends.server import stopping
from backends.server.access import Access
from backends.server.asked import Asked
from backends.server.caps import ClientGone, Receive, read_body, read_json
from backends.server.methods import Methods, options
from backends.server.problems import Problem, of_error
from backends.server.push import Send
from core.errors import OpsError
from core.faults import sentence
from core.messages import Identifier, Message, SelectorField
from opsgate.order import Level, Order
from opsgate.selector import EVERYTHING, IDENTIFIER, Selector
from opsgate.wire import DOOR_HEADER

_log = logging.getLogger(NAME)

PATH: Final = "/v1/stop"

REASON_MAX: Final = 300

BODY_MAX: Final = 1 << 20
"""A stop may name ten thousand scopes."""

_DOOR: Final = DOOR_HEADER.lower()
_ALLOW: Final = Methods([("POST", PATH)]).allow(PATH)

_NAMESAKES_MAX: Final = 100
_NAMED_MAX: Final = 120
"""Letters of an id that another one keeps which is made of it."""


class StopRequest(Message):
    """Stop the work that any of these selectors selects; with none of them, everything. ``targets`` are services.

    A whole order is such a request too; who orders, and when, the server says by itself. Of a reason that is too long
    the beginning is kept: a stop is refused for nothing but what cannot be understood.
    """

    selector: SelectorField | None = None
    selectors: tuple[SelectorField, ...] = ()
    targets: tuple[Identifier, ...] = ()
    level: Level = "immediate"
    reason: str = ""
    stop_id: Identifier | None = None
    format: int = 1
    ordered_at: str = ""
    actor: str = ""
    door: str = ""

    def scope(self) -> tuple[Selector, ...]:
        """What it stops."""
        named = () if self.selector is None else (self.selector,)
        found = (*named, *self.selectors, *(Selector.of(service=target) for target in self.targets))
        return tuple(dict.fromkeys(found)) or (EVERYTHING,)


class Sign(NamedTuple):
    """What a door says of itself in each answer: the fleet, the server by a name of this start, and which door it is.

    ``behind`` is whether it is the stop port behind the server's main one. There callers look for it who know the
    main one alone, and what they find may as well be the main port of another server.
    """

    fleet: str
    server: str
    door: Literal["main", "stop"] = "main"
    behind: bool = False

    def require(self, meant: str) -> None:
        """Raise `Problem` 421 where a caller means a stop port behind a main one, and this is none."""
        if meant and not self.behind:
            port = "main port" if self.door == "main" else "stop port"
            what = (
                f"this is the {port} of server {self.server} of fleet {self.fleet}, and not what stands behind another"
            )
            raise Problem(421, "another-door", what, "send it to the main port of the server that is meant")


class StopPort:
    """The application of that listener."""

    def __init__(self, desk: StopDesk, access: Access, sign: Sign) -> None:
        self._desk = desk
        self._access = access
        self._sign = sign

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._answer(Asked.of(scope), receive, scope["state"]["admitted"])
        except ClientGone:
            return
        except Problem as problem:
            response = problem.response()
        except OpsError as error:
            response = of_error(error).response()
        except Exception:  # noqa: BLE001 (whatever happens, the next stop must be heard)
            _log.exception("the stop port met a fault of its own and goes on")
            response = Problem(
                500, "internal", "a fault of the server's", "stop by another way: opsconsole stop"
            ).response()
        await response(scope, receive, send)

    async def _answer(self, asked: Asked, receive: Receive, admitted: Callable[[], None]) -> Response:
        """``admitted`` is told that an order has been read and may be given: from here on nobody cuts its connection
        to make room."""
        if asked.path == "/healthz":
            return Response(b"ok\n", media_type="text/plain")
        identity = self._access.admit(asked)
        if asked.path != PATH:
            raise Problem(404, "no-such-route", "this listener takes stops alone", f"POST {PATH}")
        if asked.method == "OPTIONS":
            return options(_ALLOW)
        if asked.method != "POST":
            raise Problem(405, "wrong-method", f"{PATH} takes POST", headers=_ALLOW)
        self._sign.require(asked.headers.get(_DOOR, ""))
        self._access.permit(identity, "POST", PATH)
        wanted = request_in(await read_body(receive, asked.headers, at_most=BODY_MAX))
        self._access.permit_work(identity, "stop", wanted.scope())
        admitted()
        answer = await self._placed(order_of(wanted, asked.headers, identity.actor().name))
        document = {key: value for key, value in answer.items() if key != "t"}
        document |= {"fleet": self._sign.fleet, "server": self._sign.server, "door": self._sign.door}
        return JSONResponse(document, 200 if answer["durable"] == "database" else 202)

    async def _placed(self, order: Order) -> Mapping[str, Any]:
        """Have it obeyed under an id of its own: whoever says an id a second time, for other work or after the first
        stop was recovered, means to stop something, and must not be answered for a stop that is over."""
        named = order.stop_id
        for number in range(2, _NAMESAKES_MAX):
            if self._desk.claim(order):
                answer = await stopping.place(self._desk, order)
                if answer["durable"] != "database" or answer.get("emergency_id"):
                    return answer  # without one, it ended so long ago that only the journal knows it
            order = replace(order, stop_id=f"{named[:_NAMED_MAX]}.{number}")
        return await stopping.place(self._desk, replace(order, stop_id=_new_id(order.ordered_at)))


def _new_id(now: datetime) -> str:
    return f"S-{now:%Y%m%dT%H%M%S}-{os.urandom(4).hex()}"


def request_in(body: bytes) -> StopRequest:
    """What a body asks for, whatever type it claims to be of; an empty one stops everything."""
    if not body:
        return StopRequest()
    document = read_json(body, None)
    try:
        return (
            StopRequest.model_validate_json(body)
            if isinstance(document, dict)
            else StopRequest.model_validate(document)
        )
    except ValidationError as error:
        raise Problem(422, "malformed-stop", sentence(error), f"see {PATH} in /openapi.json") from error


def order_of(wanted: StopRequest, headers: Mapping[str, str], actor: str) -> Order:
    """The order; its id is the body's, or the ``Idempotency-Key``, so that a repeated request is one stop for as long
    as that stop is in force."""
    now = datetime.now(UTC)
    key = headers.get("idempotency-key", "").strip('"')
    made = key if IDENTIFIER.fullmatch(key) else _new_id(now)
    return Order(wanted.stop_id or made, now, wanted.scope(), wanted.level, wanted.reason[:REASON_MAX], actor, "http")
