"""A recovery that a person aborts half way, as the console shows it: real services, which stop again."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from core.capabilities.procedures import SetProcedure
from core.capabilities.services import AddService
from core.procedures import Procedure, RampStep
from tests.cli.shell import run
from tests.keeper.fleet import kept_fleet
from tests.support.fleets import say

SCRIPT = Path(__file__).parent / "scripts" / "aborted-recovery.yaml"
STAGES = ("1-stopped", "2-recovering", "3-a-quarter-admitted", "4-asked", "5-stopped-again")
NAMES = ("db", "web")


def commands(folder: Path, name: str) -> dict[str, JsonValue]:
    """A service that runs as long as a file is there; whatever is done to it is a line of another."""
    file = folder / name
    return {
        "start": ["/bin/sh", "-c", f"echo start {name} >>{folder}/done; echo >{file}"],
        "stop": ["/bin/sh", "-c", f"echo stop {name} >>{folder}/done; rm -f {file}"],
        "status": ["/bin/sh", "-c", f"test -e {file} || exit 3"],
    }


@pytest.mark.xdist_group("demo")
def test_what_an_aborted_recovery_has_started_stops_again_and_all_of_it_is_verified(home: Path, tmp_path: Path) -> None:
    patient = Procedure(
        name="critical_recovery",
        settle_s=0.2,
        ramp=(RampStep(admit=0.25, wait_s=3600.0), RampStep(admit=1.0, wait_s=0.0)),
    )
    with kept_fleet(f"sqlite:///{tmp_path}/fleet.db") as fleet:
        for at, name in enumerate(NAMES):
            (tmp_path / name).touch()
            wanted = AddService(name=name, driver="command", config=commands(tmp_path, name), depends_on=NAMES[:at])
            fleet.backend.submit(say(wanted))
        fleet.backend.submit(say(SetProcedure(procedure=patient)))

        answer = run("-b", fleet.url, "script", str(SCRIPT), "--out", str(tmp_path / "out"), timeout_s=280)

        assert answer.code == 0, answer.out + answer.err
        [case] = fleet.backend.state().emergencies.values()
        assert case.recovery is not None
        assert (case.status, case.recovery.status, case.failed_recoveries) == ("active", "aborted", 0)
        did = (tmp_path / "done").read_text().split("\n")
        assert did[-5:-1] == ["start db", "start web", "stop web", "stop db"], "dependants first"
        assert not any((tmp_path / name).exists() for name in NAMES)
        assert all((tmp_path / "out" / f"aborted-{stage}.svg").is_file() for stage in STAGES)
