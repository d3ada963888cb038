"""A keeper that was upgraded in the middle of a stop and of a recovery goes on with both, and starts nothing else."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.driving.plans import wanted_by_stop
from backends.keeper.recovering import Recovering
from backends.keeper.roster import Instant
from backends.local.sqlite import SqliteStore
from backends.runtime import Runtime
from core.audit import event_of
from core.capabilities.firing import ClearTrigger
from core.capabilities.recovery import why_not_automatic
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.messages import EVENTS, Command
from core.state import Emergency
from core.upcast import downcast
from tests.hygiene.tree import ROOT
from tests.keeper.test_recovering import Hands
from tests.migrations import midway
from tests.migrations.keep import FLEET, SAMPLES
from tests.support.fleets import KEEPER, START, Clock, say

MIDWAY = sorted((SAMPLES / "midway").glob("*.sql"))
TAKEN = (
    "UPDATE journal_anchor SET (revision, chain) = (SELECT revision, chain FROM checkpoint)",
    "DELETE FROM journal WHERE revision <= (SELECT revision FROM checkpoint)",
)
"""What retention drops once everything in the stored state is old."""


class Later:
    """What is opened by this version a minute later, with a keeper whose drivers do what they are asked."""

    def __init__(self, path: Path) -> None:
        store = SqliteStore(path)
        store.prepare(new_fleet=FLEET)
        self.clock, self.elapsed_s, self._said = Clock(START), 0.0, 0
        self.clock.pass_(90)
        self.runtime = Runtime(store, clock=self.clock)
        self.hands = Hands()
        self.hands.standing = {
            "db": "running",
            "web": "stopped",
            "queue": "running",
            "mail": "stopped",
            "feed": "running",
        }
        self.keeper = Recovering(self.hands, self.submit, readings=lambda _gate, _since_s: [0.001])

    def turns(self, many: int = 10) -> None:
        """A second passes, and the keeper has its turn; again and again."""
        for _ in range(many):
            self.clock.pass_(1)
            self.elapsed_s += 1
            self.keeper.turn(lambda: Instant(self.clock.now, self.elapsed_s), self.runtime.state)

    def see_stopped(self, service: str, stop_id: str) -> None:
        """The keeper sees that a service has stopped."""
        report = ServiceReport(service=service, standing="stopped", observed_by="test")
        self.submit(ReportServices(stop_id=stop_id, reports=(report,)))

    def emergency(self, stop_id: str) -> Emergency:
        """Whose stop it is."""
        state = self.runtime.state()
        return state.emergencies[state.stops[stop_id].emergency_id]

    def active(self) -> set[str]:
        """The stops in force."""
        return {stop.stop_id for stop in self.runtime.state().active_stops()}

    def submit(self, command: Command, looked_at: int | None = None) -> None:
        """The keeper says something."""
        self._said += 1
        said = say(command, by=KEEPER, command_id=f"later-{self._said}", expected_revision=looked_at)
        self.runtime.submit(said)


@pytest.fixture(params=["whole", "as retention left it"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The database, with the whole journal or with what is behind the stored state alone."""
    path = tmp_path / "fleet.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(MIDWAY[-1].read_text())
        for statement in TAKEN if request.param != "whole" else ():
            connection.execute(statement)
        connection.commit()
    return path


@pytest.fixture
def later(path: Path) -> Iterator[Later]:
    later = Later(path)
    with closing(later.runtime):
        yield later


def test_the_recovery_goes_on_where_it_was_and_starts_only_what_is_left_of_it(later: Later) -> None:
    assert later.active() == {"stop-1", "stop-2", "stop-3"}

    later.turns(20)

    assert later.hands.started == ["mail"]
    assert later.active() == {"stop-1", "stop-3"}
    assert {hold.owner for hold in later.runtime.state().holds.values()} == {
        later.emergency(stop_id).emergency_id for stop_id in ("stop-1", "stop-3")
    }


def test_the_stop_goes_on_with_what_still_runs_and_watches_what_has_stopped(later: Later) -> None:
    state = later.runtime.state()
    wanted = wanted_by_stop(state, state.stops["stop-1"], dict(state.services), datetime.now(UTC))
    assert {task.service: task.watches for task in wanted.tasks} == {"db": False, "web": True}

    later.see_stopped("db", "stop-1")

    assert later.runtime.state().stops["stop-1"].result == "verified"


def test_a_trigger_that_had_fallen_silent_recovers_only_when_a_sample_says_so(later: Later) -> None:
    later.see_stopped("feed", "stop-3")
    later.turns(90)
    assert later.emergency("stop-3").recovery is None
    assert "no sample says" in why_not_automatic(later.runtime.state(), later.emergency("stop-3"))

    later.submit(ClearTrigger(trigger="T-1", value="40", sampled=True))
    later.turns(2)

    assert later.emergency("stop-3").recovery is not None


def test_the_same_story_is_written_so_that_the_version_before_can_read_it(tmp_path: Path) -> None:
    """Its servers go on beside those of this one until they are upgraded."""
    told = tmp_path / "told.sql"
    midway.main(told)

    before = [(kind, *downcast(kind, version, data)) for kind, version, data in _written(MIDWAY[-1])]
    assert _written(told) == before


def test_the_guide_names_whatever_the_version_before_cannot_read() -> None:
    """What cannot be said by an event of a kind that it knows is what an upgrade has to be planned around."""
    known = (SAMPLES / "midway" / "kinds.txt").read_text().split()
    guide = (ROOT / "docs/howto/serve.md").read_text("utf-8")

    unreadable = sorted(set(EVENTS) - set(known))

    assert unreadable, "no kind is new: this list is that of a version before the last one"
    assert [kind for kind in unreadable if f"`{kind}`" not in guide] == []


def _written(text: Path) -> list[tuple[str, int, dict[str, object]]]:
    """What a kept database says of each event."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(text.read_text())
        rows = connection.execute("SELECT kind, version, body FROM journal ORDER BY revision").fetchall()
    return [(kind, version, json.loads(body)["data"]) for kind, version, body in rows]


@pytest.mark.parametrize("path", ["whole"], indirect=True)
def test_its_journal_is_read_to_the_last_event(later: Later) -> None:
    kinds = {event_of(row).event.kind for row in later.runtime.journal(limit=10_000)}

    assert {"trigger.cleared", "procedure.defined", "recovery.started", "stop.ordered"} <= kinds
    assert later.runtime.verify().fault is None
