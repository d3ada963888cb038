"""Stopping: an order goes to the stop desk and nowhere else, whichever route it came by, and no database is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from backends.keeper.stop_desk import StopDesk
from backends.server.engine import Engine
from backends.stop_lane import ANSWER_S
from core.capabilities.emergencies import OrderStop
from core.errors import BackendUnavailable
from core.messages import Receipt
from opsgate.order import Order


async def place(desk: StopDesk, order: Order) -> Mapping[str, Any]:
    """Have an order obeyed; returns what the desk answers (``ordered``), or that it is in force in memory where it is
    not recorded in time. `BackendUnavailable` where not even that is known."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def settle(message: bytes) -> None:
        if not answer.done():
            answer.set_result(message)

    def answered(message: bytes) -> None:
        loop.call_soon_threadsafe(settle, message)

    desk.take(order, answered)
    try:
        async with asyncio.timeout(ANSWER_S):
            found: dict[str, Any] = json.loads(await answer)
    except TimeoutError:
        if order.stop_id not in desk.unrecorded:
            raise BackendUnavailable(
                "not-confirmed",
                "the stop was taken, and nobody has confirmed yet that it is in force",
                "send it again, which makes no second stop, and stop by another way too: opsconsole stop --local",
            ) from None
        return {"t": "ordered", "stop_id": order.stop_id, "durable": "memory"}
    return found


async def as_command(engine: Engine, command: OrderStop, actor: str) -> JSONResponse:
    """Carry out an ``order-stop`` command; its receipt says how durable it is. 202 where it is not recorded yet."""
    order = Order(
        stop_id=command.stop_id,
        ordered_at=command.ordered_at or engine.now(),
        selectors=command.selectors,
        level=command.level,
        reason=command.reason,
        actor=actor,
        door="http",
    )
    known = command.stop_id in engine.runtime.latest().stops
    taken = engine.room.desk.is_taken(order)
    answer = await place(engine.room.desk, order)
    receipt = Receipt(
        revision=answer.get("revision") or engine.runtime.latest().revision,
        changed=not known,
        stop_id=command.stop_id,
        emergency_id=answer.get("emergency_id"),
        durable=answer["durable"],
        notes=(f"{command.stop_id} names another stop, or one that is over: order it by an id of its own",)
        if taken
        else (),
    )
    return JSONResponse(receipt.model_dump(mode="json"), 200 if receipt.durable == "database" else 202)
