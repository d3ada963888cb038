"""Messages for gates, as far as they are about one scope. What is not known here is not passed on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.sight import Sight
from core.state import State
from opsgate import wire
from opsgate.order import Order
from opsgate.selector import Selector


def message_within(message: Mapping[str, Any], sight: Sight, state: State) -> bytes | None:
    """The part of a message that may be known, None where that is nothing. A change is passed on also where nothing in
    it may be known, for the next one follows on from it."""
    match message["t"]:
        case "moved":
            return wire.encode("moved", revision=message["revision"], chain=message["chain"])
        case "order":
            order = order_within(Order.from_dict(message["order"]), sight)
            return None if order is None else wire.encode("order", stop_id=order.stop_id, order=order.as_dict())
        case "delta":
            return wire.encode("delta", delta=_delta_within(message["delta"], sight, state))
    return None


def order_within(order: Order, sight: Sight) -> Order | None:
    """An order with those of its scopes that overlap; None where none does."""
    selectors = tuple(filter(sight.scope.touches, order.selectors))
    return replace(order, selectors=selectors) if selectors else None


def orders_within(orders: Iterable[Order], sight: Sight) -> list[Order]:
    """Those of the orders that overlap."""
    return [seen for order in orders if (seen := order_within(order, sight)) is not None]


def _delta_within(delta: Mapping[str, Any], sight: Sight, state: State) -> dict[str, Any]:
    renamed = sight.renamed(state)
    return {
        "since": delta["since"],
        "revision": delta["revision"],
        "chain": delta["chain"],
        "placed": [
            {**hold, "correlation_id": renamed.get(hold["correlation_id"], hold["correlation_id"])}
            for hold in delta["placed"]
            if sight.scope.touches(Selector.from_mapping(hold["selector"]))
        ],
        "released": delta["released"],  # their ids are ours and say nothing
        "ordered": [notice for each in delta["ordered"] if (notice := _notice_within(each, sight)) is not None],
        "ended": [
            stop_id for stop_id in delta["ended"] if stop_id in state.stops and sight.stop(state.stops[stop_id], state)
        ],
    }


def _notice_within(notice: Mapping[str, Any], sight: Sight) -> dict[str, Any] | None:
    selectors = [each for each in notice["selectors"] if sight.scope.touches(Selector.from_mapping(each))]
    return {"stop_id": notice["stop_id"], "selectors": selectors} if selectors else None
