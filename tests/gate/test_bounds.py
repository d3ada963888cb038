"""A gate that is told of a part of the fleet refuses what lies beyond: what holds that work is not in its table."""

import json

import pytest

from opsgate.evaluate import evaluate, headline
from opsgate.hold import Hold
from opsgate.known import Known
from opsgate.selector import Selector
from opsgate.snapshot import Delta, Snapshot
from opsgate.view import View

BOUNDED = Snapshot(
    "f",
    7,
    names={"site": frozenset({"s1"}), "operation": frozenset({"ab_testing"})},
    within={"site": frozenset({"s1"}), "env": frozenset({"prod"})},
)


@pytest.mark.parametrize(
    ("work", "outcome"),
    [
        ({}, "allowed"),
        ({"site": "s1"}, "allowed"),
        ({"site": "s1", "env": "prod"}, "allowed"),
        ({"operation": "ab_testing"}, "allowed"),
        ({"site": "s2"}, "blocked"),
        ({"site": "s2", "env": "prod"}, "blocked"),
        ({"site": "s1", "env": "dev"}, "blocked"),
    ],
)
def test_work_beyond_the_bounds_is_refused_and_says_so(work: dict[str, str], outcome: str) -> None:
    verdict = evaluate(BOUNDED.table(), work)

    assert verdict.outcome == outcome
    assert ("beyond the scope" in headline(verdict)) == (outcome == "blocked")


def test_the_bounds_outlive_the_disk_every_change_and_another_whole_state() -> None:
    read = Snapshot.from_dict(json.loads(json.dumps(BOUNDED.as_dict())))
    known = Known().read(read).told(Delta(7, 8, placed=(Hold("H-8", Selector.of(site="s1"), "operator", "ana"),)))
    assert known is not None

    assert evaluate(known.table(), {"site": "s2"}).outcome == "blocked"
    wider = Snapshot("f", 9, names={"site": frozenset({"s1", "s2"})})
    assert evaluate(known.read(wider).table(), {"site": "s2"}).outcome == "allowed"


def test_a_worker_of_an_environment_beyond_has_no_quick_way() -> None:
    views = {env: View(BOUNDED.table(), confirmed_at_s=1.0, settled=True, env=env) for env in (None, "prod", "dev")}

    assert {env: view.quick_until_s > 0 for env, view in views.items()} == {None: True, "prod": True, "dev": False}


def test_a_state_without_bounds_is_written_as_it_always_was() -> None:
    assert "within" not in Snapshot("f", 7).as_dict()
