"""Hooks: what other systems call by themselves. They may hold and stop; they release only what they placed.

Alertmanager repeats what was answered with 5xx, and gives up what was answered with 4xx. So it is told 2xx when what it
brings is stored, 5xx when that could not be done, and 4xx only of what can never be done.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from backends.clients import alertmanager, monitors, signed
from backends.clients.alertmanager import Alert, Notification, Ordered
from backends.clients.monitors import MonitorEvent
from backends.clients.signed import Wanted
from backends.server import stopping
from backends.server.bodies import BATCH_MAX, document_in, document_of, model_of
from backends.server.caps import read_body
from backends.server.engine import Engine
from backends.server.problems import Problem
from backends.server.routes import samples
from core.authority import Identity
from core.capabilities.emergencies import OrderStop
from core.errors import BackendUnavailable, CommandRejected
from core.messages import Actor, Command, Door, Envelope
from opsgate.order import Order

_SIGNED: Final = ("timestamp", "nonce", "signature")

_KNOWN: Final = "command-id-reused"
"""An alert that is repeated may say the same thing in other words: its text is made anew each time."""


def routes(engine: Engine) -> APIRouter:
    """``POST /v1/hooks/alertmanager``, ``POST /v1/hooks/signed`` and ``POST /v1/hooks/events``."""
    router = APIRouter(tags=["hooks"])

    @router.post("/v1/hooks/alertmanager")
    async def hear_alertmanager(request: Request) -> JSONResponse:
        """Hold, or stop, what the labels of each alert name; release the hold of one that is resolved. Alerts without
        the label ``opsconsole_scope`` are none of ours. Each is done once, however often it is repeated."""
        told = model_of(Notification, await _document(request))
        done: list[dict[str, Any]] = []
        refused, away = [], None
        for alert in told.alerts:
            try:
                done.extend(await _look_at(engine, request.state.identity, alert))
            except BackendUnavailable as error:
                away = error  # the others are tried all the same: each of them is done once
            except (CommandRejected, ValueError) as error:
                refused.append(_refused(alert, error))
        if away is not None:
            raise away
        if refused:
            raise _unworkable(refused, done)
        return JSONResponse({"done": done, "ignored": len(told.alerts) - len(done)})

    @router.post("/v1/hooks/signed")
    async def hear_signed(request: Request) -> JSONResponse:
        """Hold or stop, for whoever shows a token and also knows a secret of this server's hooks. Headers:
        ``X-Opsconsole-Timestamp`` (Unix seconds), ``X-Opsconsole-Nonce`` (new each time) and
        ``X-Opsconsole-Signature`` (``v1=`` and HMAC-SHA256 over ``TIMESTAMP.NONCE.BODY``, in hexadecimal)."""
        body = await read_body(request.receive, request.headers)
        said = _believed(engine, request, body)
        wanted = model_of(Wanted, document_in(body))
        try:
            ordered = signed.ordered(wanted, *said)
        except ValueError as error:
            raise Problem(422, "malformed-selector", str(error), "write all, or site=NAME") from error
        return JSONResponse(await _carry_out(engine, request.state.identity, ordered, "hook"))

    @router.post("/v1/hooks/events")
    async def hear_monitor(request: Request) -> JSONResponse:
        """An event of a monitor: ``healthAlert`` and ``preventiveMeasureTriggered`` bring scores, which triggers look
        at; ``ACCOUNT_SUSPENSION`` stops the account."""
        told = model_of(MonitorEvent, await _document(request))
        return JSONResponse(await _hear(engine, request.state.identity, told))

    return router


async def _hear(engine: Engine, identity: Identity, told: MonitorEvent) -> dict[str, Any]:
    if told.event == monitors.SUSPENSION:
        ordered = monitors.stop_of(told)
        return await _carry_out(engine, identity, Ordered(ordered.stop_id, ordered), "hook")
    try:
        found = monitors.samples_of(told, engine.now().timestamp())
    except ValueError as error:
        raise Problem(422, "no-scores", str(error), "send one of them as a number") from error
    samples.put(engine, identity, found)
    return {"taken": len(found)}


async def _look_at(engine: Engine, identity: Identity, alert: Alert) -> tuple[dict[str, Any], ...]:
    """Do what an alert asks for, nothing where it asks for nothing, and then have triggers look at one that is a
    sample."""
    ordered = alertmanager.ordered(alert, identity.name, engine.now())
    done = () if ordered is None else (await _carry_out(engine, identity, ordered, "alert"),)
    found = alertmanager.sample_of(alert, engine.now().timestamp())
    if found is not None:
        samples.put(engine, identity, [found])
    return done


def _believed(engine: Engine, request: Request, body: bytes) -> tuple[str, datetime]:
    """The signature of a request that is signed, and from when it is. Raises `Problem` for one that is not, or where
    nobody can sign."""
    if not engine.hook_secrets:
        raise Problem(404, "no-hook", "this server knows no secret for hooks", "serve with --hook-secret FILE")
    timestamp, nonce, said = (request.headers.get(f"x-opsconsole-{name}", "") for name in _SIGNED)
    why = signed.fault(engine.hook_secrets.value, timestamp, nonce, said, body, engine.now().timestamp())
    if why or not nonce:
        raise Problem(403, "not-signed", why or "it has no nonce", "see the page on hooks", kind="not-permitted")
    return said, datetime.fromtimestamp(int(timestamp), UTC)


async def _document(request: Request) -> dict[str, Any]:
    try:
        return await document_of(request, at_most=BATCH_MAX)
    except Problem as problem:
        if problem.status == 408:  # whoever was slow once may be quicker the next time
            problem.status = 503
        raise


async def _carry_out(engine: Engine, identity: Identity, ordered: Ordered, door: Door) -> dict[str, Any]:
    command = ordered.command
    engine.access.permit_work(identity, "alert", alertmanager.selectors_of(command))
    if isinstance(command, OrderStop):
        return await _stop(engine, identity, command, door)
    if ordered.instead_of is not None:
        await _hold(engine, identity, ordered.instead_of, command, door)
    done = await _hold(engine, identity, ordered.command_id, command, door)
    again = alertmanager.heard_again(ordered, engine.runtime.latest())
    return done if again is None else await _hold(engine, identity, again.command_id, again.command, door)


async def _stop(engine: Engine, identity: Identity, command: OrderStop, door: Door) -> dict[str, Any]:
    if not engine.room.settings.emergency_stop_enabled:
        raise CommandRejected(
            "automatic-stops-off",
            "automatic stops are switched off at this server (EMERGENCY_STOP_ENABLED is false)",
            "a person stops with 'opsconsole stop', which works as ever",
        )
    order = Order(
        stop_id=command.stop_id,
        ordered_at=engine.now(),
        selectors=command.selectors,
        level=command.level,
        reason=command.reason,
        actor=identity.name,
        door=door,
    )
    answer = await stopping.place(engine.room.desk, order)
    if answer["durable"] == "memory":
        raise BackendUnavailable("not-stored", f"stop {order.stop_id} is in force and stored nowhere", "say it again")
    return {"stop_id": order.stop_id, "durable": answer["durable"]}


async def _hold(engine: Engine, identity: Identity, command_id: str, command: Command, door: Door) -> dict[str, Any]:
    """Place or release. That the alert may was settled by what its token is for, not by the commands of its role."""
    envelope = Envelope(
        command_id=command_id, actor=Actor(name=identity.name, kind="automation"), door=door, command=command
    )
    try:
        receipt = await engine.writer.submit(envelope, None)
    except CommandRejected as error:
        if error.code != _KNOWN:
            raise
        return {"command_id": command_id, "changed": False}
    return {"command_id": command_id, "changed": receipt.changed, "hold_ids": list(receipt.hold_ids)}


def _refused(alert: Alert, error: CommandRejected | ValueError) -> dict[str, str]:
    return {"fingerprint": alert.fingerprint, "alertname": alert.labels.get("alertname", ""), "why": str(error)[:300]}


def _unworkable(refused: list[dict[str, str]], done: list[dict[str, Any]]) -> Problem:
    first, rest = refused[0], len(refused) - 1
    more = f" (and {rest} more)" if rest else ""
    return Problem(
        422,
        "alert-refused",
        f"alert {ascii(first['alertname'])[1:-1] or first['fingerprint']}: {first['why']}{more}",
        "mend the labels of the rule, or the scope of the token",
        more={"refused": refused, "done": done},
    )
