"""Keep a database of this version in which much is under way: `python -m tests.migrations.midway FILE`.

One emergency is half stopped and another half recovered, by a procedure with a gate; a trigger has fired and fallen
silent. To be run on the commit that later ones are to go on from: what is kept is never written again.
"""

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from backends.local.sqlite import SqliteStore, make_file
from backends.runtime import Runtime
from core.capabilities.emergencies import OrderStop
from core.capabilities.firing import ClearTrigger, FireTrigger
from core.capabilities.procedures import SetProcedure
from core.capabilities.recovery import Recover
from core.capabilities.restoring import AdvanceRecovery, Seen
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.capabilities.services import AddService
from core.capabilities.triggers import AddTrigger
from core.messages import Command
from core.procedures import GateOn, Procedure, RampStep
from core.recovery_work import work_of
from core.services import Standing
from opsgate.selector import Selector
from tests.migrations.keep import FLEET, store_state
from tests.support.fleets import KEEPER, Clock, say

CAREFUL = Procedure(
    name="careful",
    settle_s=0.0,
    ramp=(RampStep(admit=0.5, wait_s=1.0, metrics=(GateOn(must="err_rate < 0.01"),)), RampStep(admit=1.0, wait_s=0.0)),
    monitor_s=1.0,
)
HIGH = AddTrigger(
    name="T-1",
    trigger_type="health_score_critical",
    thresholds={"healthScore": 30},
    stop_level="graceful",
    target_services=("feed",),
    auto_recover=True,
)
SERVICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("db", ()),
    ("web", ("db",)),
    ("queue", ()),
    ("mail", ("queue",)),
    ("feed", ()),
)


class Midway:
    """A fleet of five services; what is said is said by the keeper."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self.runtime, self._clock = runtime, clock

    def live(self) -> None:
        """Up to the middle of it, with a stored state there."""
        for name, needs in SERVICES:
            self.runtime.submit(say(AddService(name=name, driver="gate", depends_on=needs)))
        self.runtime.submit(say(SetProcedure(procedure=CAREFUL)))
        self.runtime.submit(say(HIGH))
        self._stop("stop-1", "db", "web")
        self._report("web", "stopped", stop_id="stop-1")
        emergency_id = self._stop("stop-2", "queue", "mail")
        for name in ("mail", "queue"):
            self._report(name, "stopped", stop_id="stop-2")
        typed = "service=queue or service=mail"
        self.runtime.submit(
            say(Recover(emergency_id=emergency_id, reason="mended", confirm=typed, procedure="careful"))
        )
        while self.runtime.state().services["queue"].standing != "running":
            self._look(emergency_id)
        self._do(FireTrigger(trigger="T-1", stop_id="stop-3", value="12 < 30"))
        self._do(ClearTrigger(trigger="T-1", value="nothing is heard"))
        store_state(self.runtime)

    def _stop(self, stop_id: str, *services: str) -> str:
        selectors = tuple(Selector.of(service=name) for name in services)
        ordered = OrderStop(stop_id=stop_id, selectors=selectors, level="graceful")
        return str(self.runtime.submit(say(ordered)).emergency_id)

    def _look(self, emergency_id: str) -> None:
        """At the present step of the recovery."""
        state = self.runtime.state()
        recovery = state.emergencies[emergency_id].recovery
        assert recovery is not None
        standing: Standing = "stopped" if recovery.present.kind == "prepare" else "running"
        for name in work_of(state, recovery).observe:
            self._report(name, standing, recovery_id=recovery.recovery_id)
        checks = (Seen(name="dependencies", verdict="good"),) if recovery.present.kind == "check" else ()
        seen = AdvanceRecovery(recovery_id=recovery.recovery_id, step=recovery.step, checks=checks, watched_s=60.0)
        self._do(seen)

    def _report(
        self, name: str, standing: Standing, stop_id: str | None = None, recovery_id: str | None = None
    ) -> None:
        reports = (ServiceReport(service=name, standing=standing, observed_by="test"),)
        self._do(ReportServices(stop_id=stop_id, recovery_id=recovery_id, reports=reports))

    def _do(self, command: Command) -> None:
        self._clock.pass_(1)
        self.runtime.submit(say(command, by=KEEPER))


def main(kept: Path) -> None:
    """Write the text of the database."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.db"
        make_file(path)
        store, clock = SqliteStore(path), Clock()
        store.prepare(new_fleet=FLEET)
        with closing(Runtime(store, clock=clock)) as runtime:
            Midway(runtime, clock).live()
        with closing(sqlite3.connect(path)) as connection:
            kept.write_text("\n".join(connection.iterdump()) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
