"""Of stops of triggers that have to wait for their drivers, the more important trigger's goes first: 4 is critical."""

from __future__ import annotations

from backends.driving.plans import priority_of, wanted_by_order
from core.capabilities.triggers import AddTrigger
from opsgate.order import Level, Order
from opsgate.selector import EVERYTHING
from tests.specs.engine import BEGINNING, Engine


def rank(engine: Engine, trigger: str, level: Level = "graceful") -> tuple[int, float] | None:
    """Where the stop of a trigger waits: the lower first, None for one that never does."""
    order = Order(f"S-{trigger}", BEGINNING, (EVERYTHING,), level, actor=f"trigger:{trigger}")
    priority = priority_of(engine.state, trigger)
    return wanted_by_order(order, order.stop_id, engine.state.services, BEGINNING, priority=priority).rank


def test_the_critical_goes_before_the_low_and_one_that_is_gone_goes_last() -> None:
    engine = Engine()
    for name, priority in (("low", 1), ("medium", 2), ("critical", 4)):
        fields = {"trigger_type": "health_score_critical", "thresholds": {"healthScore": 30}}
        engine.do(AddTrigger.model_validate({"name": name, "priority": priority, **fields}))

    ranks = {name: rank(engine, name) for name in ("gone", "medium", "critical", "low")}

    assert sorted(ranks, key=lambda name: ranks[name] or (-9, 0.0)) == ["critical", "medium", "gone", "low"], (
        "as they came"
    )
    assert rank(engine, "critical", "immediate") is None, "what is immediate waits for nobody"
    assert rank(engine, "") is None, "and neither does a person"
