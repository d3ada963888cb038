"""What a sample costs as triggers grow, counted in the work that is done."""

import gc
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from core.triggers.definition import Definition
from core.triggers.sample import Sample
from core.triggers.watch import Watch

MANY = 1_000


def watching(count: int) -> Watch:
    """So many triggers, each of an account of its own."""
    watch = Watch()
    for number in range(count):
        definition = Definition(
            name=f"t{number}",
            trigger_type="health_score_critical",
            thresholds={"healthScore": 30},
            account_id=f"a{number}",
        )
        watch.put(definition, 0.0)
    return watch


def calls(act: Callable[[], object]) -> int:
    """How many functions are called by this, ours and the interpreter's."""
    made = 0

    def count(_frame: object, kind: str, _argument: Any) -> None:
        nonlocal made
        made += kind in {"call", "c_call"}

    was = sys.getprofile()
    gc.disable()  # a collection has callbacks of others called, which are no work of ours
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(was)
        gc.enable()
    return made


def test_a_sample_costs_the_same_work_however_many_triggers_there_are() -> None:
    """Those alone look at it that listen to its metric and its account."""
    few, many = watching(1), watching(MANY)
    for sample in (
        Sample("healthScore", 0.0, 90.0, "a0"),
        Sample("healthScore", 0.0, 12.5, "a0"),
        Sample("healthScore", 0.0, 90.0, "nobody"),
        Sample("latencyMs", 0.0, 90.0, "a0"),
    ):
        assert calls(partial(many.take, sample, 1.0, 1.0)) == calls(partial(few.take, sample, 1.0, 1.0))


def test_a_sweep_costs_the_same_work_however_many_triggers_sleep() -> None:
    """Time alone changes nothing about those that have crossed nothing and wait for nothing."""
    few, many = watching(1), watching(MANY)
    for watch in (few, many):
        watch.take(Sample("healthScore", 0.0, 12.5, "a0"), 1.0, 1.0)
    assert calls(lambda: many.sweep(2.0)) == calls(lambda: few.sweep(2.0))
