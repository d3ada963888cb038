"""S1's usage examples, as the document tells them: run against a real keeper and the demo's five services."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends import emergency_stop
from backends.emergency_stop import EmergencyStopSystem
from core.capabilities.procedures import SetProcedure
from core.capabilities.triggers import RemoveTrigger
from core.errors import BackendUnavailable, CommandRejected
from core.procedures import Procedure, RampStep
from opsconsole.demo.services import TRIGGER, running_services
from tests.hygiene.tree import ROOT
from tests.keeper.fleet import KeptFleet
from tests.support.fleets import say
from tests.support.waiting import eventually

PAGE = ROOT / "docs/howto/emergency-stop.md"
PATIENCE_S = 60.0


def until(found: Callable[[], Any]) -> Any:
    """What is found once there is something."""
    eventually(found, within_s=PATIENCE_S)
    return found()


@pytest.mark.xdist_group("demo")
def test_the_document_says_what_happens(fleet: KeptFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emergency_stop, "_RECOVERY_TAKES_S", PATIENCE_S)
    with running_services(tmp_path, "shop-eu") as services:
        for command in services.commands():
            if getattr(command, "driver", "") != "gate":  # there are no workers here
                fleet.backend.submit(say(command))
        fleet.backend.submit(say(RemoveTrigger(trigger=TRIGGER)))
        for name in ("standard_recovery", "critical_recovery"):  # steps as always, waits for a test
            ramp = (RampStep(admit=0.5, wait_s=0.1), RampStep(admit=1.0, wait_s=0.0))
            procedure = Procedure(name=name, settle_s=0.1, ramp=ramp, monitor_s=0.2)
            fleet.backend.submit(say(SetProcedure(procedure=procedure)))
        code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))

        exec(compile(code, str(PAGE), "exec"), {"url": fleet.url, "until": until})


def test_what_is_no_trigger_is_refused_with_what_is_wrong_with_it(fleet: KeptFleet) -> None:
    system = EmergencyStopSystem(fleet.backend, actor="riskbot")

    with pytest.raises(CommandRejected, match="priority"):
        system.add_trigger({"name": "t", "triggerType": "health_score_critical", "priority": 9})


def test_a_stop_while_the_database_is_away_is_latched_before_it_is_said(
    fleet: KeptFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop is in force on this host; only that it is recorded has to wait."""
    system = EmergencyStopSystem(fleet.backend, actor="riskbot")

    def away(*_args: object, **_named: object) -> None:
        raise BackendUnavailable("away", "the database does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(fleet.backend, "submit", away)
        with pytest.raises(BackendUnavailable):
            system.manual_emergency_stop(None, "suspicious")

    eventually(lambda: fleet.backend.state().active_stops())
