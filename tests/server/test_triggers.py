"""Triggers behind a server: samples come in by HTTP, and a gate sees the stop before the journal has to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.audit import event_of
from core.capabilities.firing import TriggerEvaluated
from core.triggers.sample import Sample
from opsgate.selector import Selector
from tests.support.serving import Served, serving
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}") as one:
        yield one


def add(served: Served, name: str, **fields: Any) -> None:
    """A trigger of one account's health, which has no cooldown, unless said otherwise."""
    said: dict[str, Any] = {
        "triggerType": "health_score_critical",
        "thresholds": {"healthScore": 30},
        "accountId": name,
        "cooldownPeriod": 0,
        "stopLevel": "immediate",
    }
    answer = served.command("add-trigger", name=name, **(said | fields))
    assert answer.status_code == 200, answer.text
    eventually(lambda: name in served.room.triggers._evaluator.watch.watchers)


def say(served: Served, account: str, *values: float, metric: str = "healthScore") -> None:
    samples = [{"metric": metric, "value": value, "account": account} for value in values]
    answer = served.http.post("/v1/samples", json={"samples": samples})
    assert (answer.status_code, answer.json()) == (202, {"taken": len(values)})


def held(served: Served, account: str) -> bool:
    return not served.get("/v1/check", params={"account": account}).json()["allowed"]


def trigger(served: Served, name: str) -> dict[str, Any]:
    found = served.get("/v1/triggers").json()["triggers"]
    return next(row for row in found if row["name"] == name)


def test_a_sample_that_crosses_stops_its_account_and_the_journal_says_for_what(served: Served) -> None:
    add(served, "a1")

    say(served, "a1", 90, 12.5)

    eventually(lambda: held(served, "a1"))
    eventually(lambda: trigger(served, "a1")["fired"] == 1)
    row = trigger(served, "a1")
    assert (row["state"], row["value"]) == ("crossed", "healthScore 12.5 (threshold 30, last)")
    emergency = next(
        each
        for each in served.get("/v1/emergencies").json()["emergencies"]
        if each["emergency_id"] == row["emergency_id"]
    )
    assert emergency["reason"] == "trigger a1: healthScore 12.5 (threshold 30, last)"
    state = served.room.runtime.state()
    assert state.stops[state.triggers["a1"].stop_id].trigger == "a1"
    assert not held(served, "another")


def test_the_stop_is_in_force_while_the_database_is_away(served: Served) -> None:
    """What fired goes to the stop desk at once; only its record waits."""
    add(served, "a2")
    room = served.room
    with room.runtime.store.write(timeout_s=60):  # nobody else can write meanwhile
        say(served, "a2", 1)
        eventually(lambda: any("a2" in stop_id for stop_id in room.desk.unrecorded))
        assert held(served, "a2")
    eventually(lambda: trigger(served, "a2")["fired"] == 1)


def test_an_edge_that_stops_nothing_is_recorded_with_its_samples(served: Served) -> None:
    add(served, "a3", shadow=True)

    say(served, "a3", 5)

    eventually(lambda: trigger(served, "a3")["suppressed"] == 1)
    assert trigger(served, "a3")["why"] == "shadow"
    assert not held(served, "a3")
    rows = served.room.runtime.journal(after=0)
    happened = [event_of(row).event for row in rows]
    (seen,) = [one for one in happened if isinstance(one, TriggerEvaluated) and one.trigger == "a3"]
    assert [(one.metric, one.value, one.account) for one in seen.inputs] == [("healthScore", 5.0, "a3")]


def test_events_of_s1s_monitors_are_known_by_name(served: Served) -> None:
    add(served, "a4")
    hook = "/v1/hooks/events"
    alert = {"event": "healthAlert", "accountId": "a4", "healthScore": 7, "severity": "critical"}

    assert served.http.post(hook, json=alert).json() == {"taken": 1}
    eventually(lambda: held(served, "a4"))
    measured = {"event": "preventiveMeasureTriggered", "accountId": "a9", "data": {"riskScore": 90, "measure": "slow"}}
    assert served.http.post(hook, json=measured).json() == {"taken": 2}
    assert served.http.post(hook, json={"event": "healthAlert", "accountId": "a4"}).status_code == 422
    assert served.http.post(hook, json={"event": "other", "accountId": "a4"}).status_code == 422


def test_an_account_that_was_suspended_is_stopped_at_once_and_once(served: Served) -> None:
    told = {"event_type": "ACCOUNT_SUSPENSION", "account_id": "a5", "event_id": "e-1"}

    stops = [served.http.post("/v1/hooks/events", json=told).json()["stop_id"] for _ in range(2)]

    assert stops[0] == stops[1]
    eventually(lambda: stops[0] in served.room.runtime.latest().stops)
    stop = served.room.runtime.latest().stops[stops[0]]
    assert (stop.level, stop.selectors) == ("immediate", (Selector.of(account="a5"),))


def test_an_alert_with_a_metric_is_a_sample(served: Served) -> None:
    add(served, "a6")
    alert = {
        "status": "firing",
        "labels": {"alertname": "Health", "opsconsole_metric": "healthScore", "opsconsole_account": "a6"},
        "annotations": {"value": "12"},
        "startsAt": "2026-03-01T12:00:00Z",
        "fingerprint": "f6",
    }

    answer = served.http.post("/v1/hooks/alertmanager", json={"version": "4", "groupKey": "g", "alerts": [alert]})

    assert answer.status_code == 200
    eventually(lambda: held(served, "a6"))


@pytest.mark.parametrize(
    "sample",
    [
        {"metric": "x y", "value": 1},
        {"metric": "x", "value": "1"},
        {"metric": "x", "value": 1, "account": "a b"},
        {"metric": "x", "value": 1, "age_s": -1},
        {"metric": "x", "value": 1, "at": "2026-03-01T12:00:00Z"},
        {"metric": "x"},
    ],
)
def test_what_is_no_sample_is_refused_with_all_that_came_with_it(served: Served, sample: dict[str, Any]) -> None:
    before = served.room.triggers.taken

    batch = {"samples": [{"metric": "fine", "value": 1}, sample]}

    assert served.http.post("/v1/samples", json=batch).status_code == 422
    assert served.room.triggers.taken == before


def test_where_too_many_wait_the_sender_is_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.keeper.triggering.WAITING_MAX", 0)

    refused = served.http.post("/v1/samples", json={"samples": [{"metric": "x", "value": 1}]})

    assert (refused.status_code, refused.json()["code"]) == (503, "too-many-samples")


def test_readings_are_read_for_one_at_a_time(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """One answer may hold a hundred thousand of them: who else asks waits in line, without a thread."""
    inside, together, two = list[str](), list[int](), threading.Event()

    def samples(metric: str, **_: object) -> Sequence[Sample]:
        inside.append(metric)
        together.append(len(inside))
        if len(inside) > 1:
            two.set()
        two.wait(0.2)
        inside.remove(metric)
        return ()

    monkeypatch.setattr(served.room.runtime, "samples", samples)
    with ThreadPoolExecutor(3) as askers:
        asked = list(askers.map(lambda name: served.get("/v1/samples", params={"metric": name}), ["a", "b", "c"]))

    assert [answer.json() for answer in asked] == [{"samples": []}] * 3
    assert together == [1, 1, 1]
