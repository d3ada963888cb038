"""The world of a script: its keeper says of services and recoveries what the script has them do."""

from __future__ import annotations

from core.capabilities.firing import FireTrigger
from core.capabilities.recovery import Recover
from core.capabilities.services import AddService
from core.capabilities.triggers import AddTrigger
from core.messages import Actor
from opsconsole.script.keeping import actor_of
from opsconsole.script.world import World

ANA = Actor(name="ana")


def stopped_by_a_trigger() -> World:
    world = World()
    world.do(AddService(name="db", driver="process"), ANA)
    world.do(AddService(name="web", driver="http", depends_on=("db",)), ANA)
    world.do(AddTrigger(name="drill", trigger_type="manual_trigger"), ANA)
    world.stand({"db": "running", "web": "running"})
    world.hire([("w-01", ("shop-eu",))])
    world.pass_time(30)
    world.do(FireTrigger(trigger="drill", stop_id="S-1"), ANA)
    return world


def test_a_trigger_that_a_person_fires_freezes_the_workers_that_live_as_any_stop_does() -> None:
    world = stopped_by_a_trigger()
    stop = world.latest().stops["S-1"]
    assert stop.of == ("w-01",)
    assert stop.result == "pending", "one that waited for nobody would be verified at once"
    world.close()


def test_a_stop_is_verified_when_its_services_stand_stopped_and_each_attempt_is_kept() -> None:
    world = stopped_by_a_trigger()
    world.acknowledge(())
    world.stand({"web": "stopped", "db": "running"})
    assert "service:db" in world.latest().stops["S-1"].missing
    world.stand({"db": "stopped"})
    stop = world.latest().stops["S-1"]
    assert stop.result == "verified"
    assert [[taken.action for taken in step.actions] for step in stop.services] == [["stop"], ["stop", "stop"]]
    world.close()


def test_a_recovery_goes_on_as_far_as_its_services_stand_as_they_should_and_time_passes() -> None:
    world = stopped_by_a_trigger()
    world.acknowledge(())
    world.stand({"web": "stopped", "db": "stopped"})
    (emergency,) = world.latest().active_emergencies()
    world.do(Recover(emergency_id=emergency.emergency_id, reason="over", confirm="all"), ANA)

    world.pass_time(1)
    recovery = world.latest().emergencies[emergency.emergency_id].recovery
    assert recovery is not None
    assert (recovery.phase, recovery.present.services) == ("gradual_restore", ("db",))

    world.stand({"db": "running"})
    world.pass_time(3)
    world.stand({"web": "running"})
    for _ in range(5):
        world.pass_time(300)
    assert world.latest().active_emergencies() == ()
    world.close()


def test_the_keeper_and_triggers_act_as_the_engine_and_everybody_else_as_a_person() -> None:
    assert [actor_of(name).kind for name in ("keeper", "trigger:drill", "ana")] == ["system", "system", "person"]
