"""What is set for emergencies reaches the part of the engine room that it is about."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import JsonValue

from backends import stop_lane
from backends.emergency_settings import EmergencySettings
from backends.keeper.room import EngineRoom
from core.capabilities.services import AddService
from core.capabilities.triggers import AddTrigger
from core.messages import Command
from tests.support.fleets import say
from tests.support.waiting import eventually

SETTINGS = EmergencySettings(
    emergency_stop_enabled=False,
    trigger_detection_interval=100,
    health_monitoring_interval=100,
    immediate_stop_timeout=7_000,
    graceful_stop_timeout=70_000,
    max_concurrent_stops=3,
    auto_recovery_enabled=False,
    recovery_validation_timeout=1_500,
    post_recovery_monitoring_duration=2_500,
    max_memory_usage=1 << 20,
    max_cpu_usage=100,
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRoom]:
    """One for all tests here: what they set is the same."""
    url = f"sqlite:///{tmp_path_factory.mktemp('set') / 'fleet.db'}"
    made = EngineRoom(url, create=True, settings=SETTINGS)
    made.start()
    yield made
    made.close("the test is over")


def submit(room: EngineRoom, command: Command) -> None:
    room.runtime.submit(say(command))


def observed(room: EngineRoom) -> list[str]:
    """How services were seen to stand, one event after the other."""
    rows = room.runtime.journal()
    return [json.loads(row.body)["data"]["standing"] for row in rows if row.kind == "service.observed"]


def test_the_engine_decides_by_what_is_set(room: EngineRoom) -> None:
    rules = room.runtime.rules

    assert (rules.budgets_s["immediate"], rules.budgets_s["cascading"]) == (7.0, 70.0)
    assert (rules.automatic_stops, rules.automatic_recovery) == (False, False)
    assert (rules.validation_timeout_s, rules.monitor_s) == (1.5, 2.5)
    assert room.services.driving._most == 3


def test_a_service_is_looked_at_between_stops_and_only_what_changes_is_an_event(
    room: EngineRoom, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    runs.touch()
    config: dict[str, JsonValue] = {"status": ["/bin/sh", "-c", f"test -e {runs} || exit 3"]}
    submit(room, AddService(name="api", driver="command", config=config))

    eventually(lambda: observed(room) == ["running"])
    runs.unlink()
    eventually(lambda: observed(room) == ["running", "stopped"])
    runs.touch()
    eventually(lambda: room.runtime.latest().services["api"].standing == "running")
    assert observed(room) == ["running", "stopped", "running"]


def test_the_host_is_measured_as_often_as_is_set_and_a_strain_is_known(room: EngineRoom) -> None:
    eventually(lambda: "memoryUsage" in " ".join(room.presence()["strains"]))


def test_without_automatic_stops_what_a_trigger_would_have_done_is_recorded_and_a_person_stops(
    room: EngineRoom,
) -> None:
    memory = AddTrigger(name="memory", trigger_type="system_resource_critical", thresholds={"memoryPercent": 0.001})
    submit(room, memory)

    eventually(lambda: room.runtime.latest().triggers["memory"].suppressed >= 1)
    assert room.runtime.latest().triggers["memory"].why == "automatics-off"
    assert not room.runtime.latest().stops

    order = stop_lane.new_order()
    room.desk.take(order, lambda _answer: None)
    eventually(lambda: order.stop_id in room.runtime.latest().stops)
