"""The application: every route of the main listener, behind one door.

The door knows who asks before anything else is looked at: an unknown caller learns not even which paths there are, and
no byte of a body is read for one. Streams go past the framework, which would cost each of them memory and time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from backends.keeper.log import NAME
from backends.server import beats, commands
from backends.server.access import OPEN
from backends.server.asked import Asked
from backends.server.caps import ClientGone
from backends.server.document import ABOUT
from backends.server.engine import Engine
from backends.server.methods import Methods, options
from backends.server.problems import Problem, of_error
from backends.server.push import Hub, begin, last_seen
from backends.server.routes import (
    decisions,
    description,
    events,
    gate,
    health,
    hooks,
    identity,
    limits,
    lists,
    measures,
    ofrep,
    samples,
    settings,
    state,
    unleash,
    workflow_controls,
)
from backends.server.stop_port import PATH as STOP
from backends.server.stop_port import Sign, StopPort
from core.errors import OpsError
from core.scope import EVERYWHERE
from core.scope import Scope as Reach
from opsgate.clock import elapsed_s

_log = logging.getLogger(NAME)
_requests = logging.getLogger("opsconsole.requests")

_OURS: Final = (state, lists, events, gate, decisions, limits, samples, identity, health, measures, description)
_THEIRS: Final = (ofrep, unleash, settings, workflow_controls, hooks)
"""Routes of clients that exist already, as they know them."""

_NOUNS: Final = (*_OURS, *_THEIRS)
_GATE_EVENTS: Final = "/v1/gate/events"
_STREAM: Final = "text/event-stream"
_BARE: Final = frozenset(
    {
        *(("GET", _GATE_EVENTS), ("GET", ofrep.STREAM)),
        *(("POST", STOP), ("POST", commands.PATH), ("PUT", beats.TEMPLATE)),
    }
)
"""Method and path of each route that goes past the framework."""

_COMMANDS: Final = SimpleNamespace(path=commands.PATH)
_GATE: Final = SimpleNamespace(path=gate.PATH)
_BEATS: Final = SimpleNamespace(path=beats.TEMPLATE)
_NO: Final = {404: "no-such-route", 405: "wrong-method"}
_FAULT: Final = Problem(500, "internal", "a fault of the server's", "look at its log")


class Door:
    """The outermost application of a listener."""

    def __init__(self, engine: Engine, sign: Sign) -> None:
        self._engine = engine
        nouns = [noun.routes(engine) for noun in _NOUNS]
        self.routes = frozenset({*_BARE, *_paths(nouns)})
        """Method and path of each."""
        self._methods = Methods(self.routes)
        self._api = _api(engine, nouns, self._methods)
        self._stops = StopPort(engine.room.desk, engine.access, sign)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return  # there are no sockets of the web's here
        asked, began_s = Asked.of(scope), elapsed_s()
        if asked.method == "HEAD":
            scope = {**scope, "method": "GET"}
        answer = Answer(send)
        try:
            if asked.path == STOP:  # for those who cannot reach the listener that takes nothing else
                await self._stops(scope, receive, answer)
            elif await self._streamed(asked, scope, receive, send):
                return
            elif (bare := await self._bare(asked, scope, receive)) is not None:
                await bare(scope, receive, answer)
            else:
                await self._api(scope, receive, answer)
        except ClientGone:
            return
        except Problem as problem:
            await problem.response()(scope, receive, answer)
        except OpsError as error:
            await of_error(error).response()(scope, receive, answer)
        except Exception:  # noqa: BLE001 (whatever it is, it was this request's alone)
            _log.exception("a request met a fault of ours", extra={"method": asked.method, "path": asked.path[:200]})
            await _FAULT.response()(scope, receive, answer)
        self._note(asked, scope, answer.status, elapsed_s() - began_s)

    async def _bare(self, asked: Asked, scope: Scope, receive: Receive) -> Response | None:
        """The answer to what is asked often and answered past the framework; None for anything else."""
        if asked.method == "POST" and asked.path == commands.PATH:
            scope["route"] = _COMMANDS
            return await commands.answer(self._engine, asked, scope["state"]["identity"], receive)
        if asked.method == "PUT" and beats.PATH.fullmatch(asked.path):
            scope["route"] = _BEATS
            return await beats.answer(self._engine, asked, scope["state"]["identity"], receive)
        if asked.reads and asked.path == gate.PATH:
            wait_s = gate.wait_in(scope["query_string"])
            if wait_s is not None:
                scope["route"] = _GATE
                return await gate.answer(self._engine, asked, scope["state"]["identity"], wait_s)
        if asked.method == "OPTIONS" and (allow := self._methods.allow(asked.path)):
            return options(allow)
        return None

    async def _streamed(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> bool:
        """Admit whoever asks; True where it was a stream, which has ended by now."""
        if asked.path in OPEN:
            return False
        scope["state"]["identity"] = self._engine.access.admit(asked)
        hub = self._stream_for(asked, scope["state"]["identity"].scope)
        if hub is None:
            return False
        began_s = elapsed_s()
        await self._stream(hub, asked, scope, receive, send)
        _requests.info("stream", extra=_said(asked, scope, 200, elapsed_s() - began_s))
        return True

    def _note(self, asked: Asked, scope: Scope, status: int, took_s: float) -> None:
        """Count a request, and log it: never what it said, and of where it went only the path."""
        template = _template(scope)
        self._engine.metrics.requested(asked.method, template, status, took_s)
        level = logging.DEBUG if template == beats.TEMPLATE and status == 200 else logging.INFO  # one in 5 s, of each
        if asked.path not in OPEN and _requests.isEnabledFor(level):
            _requests.log(level, "request", extra=_said(asked, scope, status, took_s))

    def _stream_for(self, asked: Asked, reach: Reach) -> Hub | None:
        """The stream that is asked for, of those who reach as far."""
        if not asked.reads:
            return None
        if asked.path == _GATE_EVENTS:
            return self._engine.gates.of(reach).hub
        if asked.path == ofrep.STREAM:
            return self._engine.refetch.hub
        if asked.path == "/v1/events" and _STREAM in asked.headers.get("accept", ""):
            journal = self._engine.journal
            return journal.hub if reach == EVERYWHERE else journal.outlooks.of(reach).hub
        return None

    async def _stream(self, hub: Hub, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        access, identity = self._engine.access, scope["state"]["identity"]
        access.permit(identity, "GET", asked.path)
        if hub.closed or self._engine.journal.hub.closed:  # a stream that is made now is none of those that were ended
            raise Problem(503, "closing", "the server is closing", "ask another one", headers={"Retry-After": "1"})
        if asked.method == "HEAD":
            await begin(send)
            await send({"type": "http.response.body", "body": b""})
            return
        seen = last_seen(asked.headers, _query(scope))
        await hub.listen(
            receive,
            send,
            seen,
            still=lambda: access.still(identity),
            abort=scope["state"]["abort"],
            who=identity.actor().name,
        )


class Answer:
    """Sends an answer and remembers its status."""

    __slots__ = ("_send", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """Send one message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def _template(scope: Scope) -> str:
    """The path of the route that a request matched; empty where there is none, whatever it asked for."""
    return getattr(scope.get("route"), "path", "")


def _said(asked: Asked, scope: Scope, status: int, took_s: float) -> dict[str, Any]:
    identity = scope["state"].get("identity")
    return {
        "method": asked.method[:20],
        "path": asked.path[:200],
        "status": status,
        "ms": round(took_s * 1000, 1),
        "actor": identity.name if identity else None,
        "client": asked.client,
        "door": asked.door,
    }


def _paths(nouns: Iterable[APIRouter]) -> Iterator[tuple[str, str]]:
    for noun in nouns:
        for route in noun.routes:
            assert isinstance(route, APIRoute), "a noun is made of plain routes"
            yield from ((method, route.path) for method in route.methods or ())


def _query(scope: Mapping[str, Any]) -> dict[str, str]:
    return dict(Request(dict(scope)).query_params)


def _api(engine: Engine, nouns: Iterable[APIRouter], methods: Methods) -> FastAPI:
    async def permitted(request: Request) -> None:  # a plain function would be called on another thread
        """Ask for the permission that the matched route needs."""
        template = request.scope["route"].path
        if template not in OPEN:
            engine.access.permit(request.state.identity, request.method, template)

    async def framework(request: Request, error: Exception) -> Response:
        """What the router says no to: a path or a method that there is not. Of routes that go past it it knows none."""
        assert isinstance(error, HTTPException)
        path = request.scope["path"]
        allow = methods.allow(path) if error.status_code in _NO else {}
        status = 405 if allow else error.status_code
        code = _NO.get(status, "refused")
        what = f"{request.method} {ascii(path)[1:-1][:100]}: {HTTPStatus(status).phrase}"
        return Problem(status, code, what, "see /openapi.json", headers={**(error.headers or {}), **allow}).response()

    api = FastAPI(
        title="opsconsole",
        version="1",
        description=ABOUT,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(permitted)],
        redirect_slashes=False,
    )
    for noun in nouns:
        api.include_router(noun)
    api.add_exception_handler(Problem, _problem)
    api.add_exception_handler(OpsError, _refusal)
    api.add_exception_handler(HTTPException, framework)
    api.add_exception_handler(RequestValidationError, _malformed)
    return api


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, OpsError)
    return of_error(error).response()


async def _malformed(_request: Request, error: Exception) -> Response:
    """A query or a path that a route cannot take."""
    assert isinstance(error, RequestValidationError)
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return Problem(422, "malformed-request", f"{where}: {fault['msg']}", "see /openapi.json").response()
