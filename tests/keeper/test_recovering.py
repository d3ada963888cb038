"""What a keeper starts in a recovery, and what it does not start any more once a stop has come."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from backends.keeper.deeds import Deed, Done, Health, Look
from backends.keeper.recovering import Recovering
from backends.keeper.roster import Instant
from core.capabilities.course import RecoveryWaiting
from core.capabilities.procedures import SetProcedure
from core.capabilities.recovery import AbortRecovery
from core.capabilities.restoring import AdvanceRecovery
from core.messages import Command
from core.procedures import GateOn, Procedure
from core.recoveries import Recovery
from core.recovery_work import waits_of
from core.service_facts import recoveries, services
from core.services import Service, Standing
from tests.specs.engine import Engine, on

BY_HAND = "nothing of ours can start it"


class Hands:
    """Drivers that do what they are asked at once. ``meanwhile`` happens while the first of them is at it."""

    def __init__(self) -> None:
        self.standing: dict[str, Standing] = {}
        self.started: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self.unwell: set[str] = set()
        self.unseen = ""
        self.by_hand: set[str] = set()
        self.asked: list[str] = []

    def look(self, services: Iterable[Service]) -> Mapping[str, Look]:
        """Always the truth, or why it cannot be had."""
        if self.unseen:
            return {service.name: Look(None, self.unseen) for service in services}
        return {service.name: Look(self.standing[service.name]) for service in services}

    def health(self, services: Iterable[Service]) -> Mapping[str, Health]:
        """The truth about those that have a check."""
        names = [service.name for service in services if service.health]
        self.asked += names
        return {name: Health(name not in self.unwell, "by its check") for name in names}

    def act(self, deed: Deed, services: Iterable[Service], recovery: Recovery) -> Mapping[str, Done]:
        """Do it."""
        asked = [service.name for service in services if not (deed == "start" and service.name in self.by_hand)]
        self.started += asked if deed == "start" else []
        self.standing.update(dict.fromkeys(asked, "running" if deed == "start" else "stopped"))
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        skipped = {service.name: Done("skipped", BY_HAND) for service in services if service.name not in asked}
        return {name: Done("done") for name in asked} | skipped


class Case:
    """Services that were stopped one by one, each of which is being recovered by the same keeper."""

    def __init__(self, *names: str) -> None:
        self.engine, self.hands = Engine(), Hands()
        self.may_start = True
        self.elapsed_s = 0.0
        self.unsayable = ""
        """The service of whose recovery nothing can be said."""
        self.said: list[Command] = []
        self.emergencies: dict[str, str] = {}
        for name in names:
            self.engine.service(name)
            self.hands.standing[name] = "stopped"
        for name in names:
            receipt = self.engine.stop(f"S-{name}", on(service=name), level="graceful")
            self.engine.report(name, "stopped", stop_id=f"S-{name}")
            self.emergencies[name] = str(receipt.emergency_id)
            self.engine.recover(self.emergencies[name], f"service={name}")
        self.keeper = Recovering(
            self.hands, self._submit, startable=lambda _recovery, services: services if self.may_start else ()
        )

    def turn(self) -> None:
        """A second passes, and the keeper has its turn."""
        self.passes(1)
        self.keeper.turn(self.now, lambda: self.engine.state)

    def now(self) -> Instant:
        """This moment, by both clocks."""
        return Instant(self.engine.now, self.elapsed_s)

    def passes(self, seconds: float) -> None:
        """So much time goes by while something is done."""
        self.engine.wait(seconds)
        self.elapsed_s += seconds

    def until_started(self) -> None:
        """Up to the turn in which services are about to be started."""
        while any(self.recovery(name).phase != "gradual_restore" for name in self.emergencies):
            self.turn()

    def recovery(self, name: str) -> Recovery:
        """That of one service."""
        return self.engine.recovery(self.emergencies[name])

    @property
    def waited(self) -> list[int]:
        """The step of each time that it was said what a recovery waits for."""
        happened = (each.event for each in self.engine.journal)
        return [event.step for event in happened if isinstance(event, RecoveryWaiting)]

    def _submit(self, command: Command, looked_at: int | None) -> None:
        if getattr(command, "recovery_id", None) == (self.unsayable and self.recovery(self.unsayable).recovery_id):
            raise ValueError("no message can carry this")
        self.said.append(command)
        self.engine.do(command, by="keeper", kind="system", looked_at=looked_at)


@pytest.fixture
def case() -> Case:
    case = Case("a", "b")
    case.until_started()
    assert case.hands.started == []
    return case


def test_a_stop_that_comes_while_another_recovery_has_its_turn_is_met_before_anything_starts(case: Case) -> None:
    case.hands.meanwhile = lambda: case.engine.stop("S-2", on(service="b"))

    case.turn()

    assert case.hands.started == ["a"]
    assert case.recovery("b").status == "aborted"


def test_what_nothing_of_ours_can_start_is_waited_for_until_somebody_has_started_it(case: Case) -> None:
    case.hands.by_hand = {"a"}
    for _ in range(30):
        case.turn()
    assert (case.recovery("a").phase, case.recovery("a").status) == ("gradual_restore", "running")
    assert any(BY_HAND in said for said in waits_of(case.recovery("a")))
    attempts = [each.event for each in case.engine.journal if getattr(each.event, "outcome", "") == "skipped"]
    assert len(attempts) == 1, "it is said once"

    case.hands.standing["a"] = "running"
    for _ in range(3):
        case.turn()
    assert case.engine.state.services["a"].standing == "running"
    assert waits_of(case.recovery("a")) == ()


def test_nothing_is_started_while_a_stop_is_in_force_that_nobody_has_recorded(case: Case) -> None:
    """It may cover what is being recovered; nobody can know before the journal has it."""
    case.may_start = False
    for _ in range(10):
        case.turn()
    assert case.hands.started == []

    case.may_start = True
    case.turn()
    assert case.hands.started == ["a", "b"]


def test_what_a_start_takes_is_no_time_in_which_anything_was_watched(case: Case) -> None:
    case.hands.meanwhile = lambda: case.passes(8)
    case.turn()
    assert case.hands.started == ["a", "b"]

    case.turn()

    last = {said.recovery_id: said.watched_s for said in case.said if isinstance(said, AdvanceRecovery)}
    assert max(last.values()) <= 1.0


def test_a_recovery_of_which_nothing_can_be_said_holds_up_no_other(case: Case) -> None:
    case.unsayable = "a"
    for _ in range(3):
        case.turn()

    assert [case.recovery(name).restored for name in ("a", "b")] == [(), ("b",)]


def test_a_time_of_day_that_goes_back_gives_a_step_no_more_time_than_it_has(case: Case) -> None:
    case.may_start = False
    case.engine.wait(-7200)
    for _ in range(70):
        case.turn()

    assert {case.recovery(name).status for name in case.emergencies} == {"failed"}
    assert "took over 60 s" in case.recovery("a").why


class Elsewhere(Case):
    """A service on another host, where a keeper drives it that does not lead."""

    def __init__(self, **definition: Any) -> None:
        super().__init__("a")
        self.engine.service("a", host="h2", **definition)
        self.engine.report("a", "stopped", stop_id="S-a")
        self.keeper = Recovering(self.hands, self._submit, mine=lambda service: service.host != "h2")
        self.far = Hands()
        self.far.standing = self.hands.standing
        self.there: Recovering | None = Recovering(
            self.far, self._submit, leads=lambda: False, mine=lambda service: service.host == "h2"
        )

    def until(self, *phases: str) -> None:
        """Turns until the recovery has come so far, or has ended."""
        for _ in range(600):
            recovery = self.recovery("a")
            if recovery.phase in phases or not recovery.is_active or recovery.status == "rolling-back":
                return
            self.turn()

    def turn(self) -> None:
        """Both have their turns, as long as the other host is there."""
        super().turn()
        if self.there is not None:
            self.there.turn(self.now, lambda: self.engine.state)


def test_a_service_whose_host_is_gone_is_not_watched_by_what_was_seen_of_it_before() -> None:
    case = Elsewhere()
    while case.recovery("a").phase != "monitoring":
        case.turn()
    case.there = None

    for _ in range(60):
        case.turn()

    assert case.recovery("a").status == "rolling-back"
    assert "nothing heard" in case.recovery("a").why


def test_a_service_of_another_host_is_watched_as_long_as_that_is_heard_of() -> None:
    case = Elsewhere()

    for _ in range(600):
        case.turn()
        if case.recovery("a").status != "running":
            break

    assert case.recovery("a").status == "completed"


CHECK = {"kind": "tcp", "host": "127.0.0.1", "port": 5432}
"""It means something else on each host."""


def test_the_health_of_a_service_of_another_host_is_asked_there_and_not_by_whoever_leads() -> None:
    case = Elsewhere(health=CHECK)
    case.hands.unwell.add("a")

    case.until("nowhere")

    assert case.recovery("a").status == "completed"
    assert (case.hands.asked, set(case.far.asked)) == ([], {"a"})


def test_what_is_unwell_on_its_own_host_does_not_come_back() -> None:
    case = Elsewhere(health=CHECK)
    case.far.unwell.add("a")

    case.until("full_restore")

    assert case.recovery("a").ends_as == "failed"
    assert "took over" in case.recovery("a").why
    assert case.recovery("a").phase == "gradual_restore", "no work was let through"


def test_what_becomes_unwell_on_its_own_host_turns_the_recovery_back() -> None:
    case = Elsewhere(health=CHECK)
    case.until("monitoring")
    case.far.unwell.add("a")

    case.until("nowhere")

    assert case.recovery("a").ends_as == "failed"
    assert "failed" in case.recovery("a").why


def test_a_recovery_that_gave_up_on_what_nobody_could_see_says_why_that_was() -> None:
    case = Case("a")
    case.hands.unseen = "no file names it"
    for _ in range(1000):
        if case.recovery("a").status != "running":
            break
        case.turn()
    assert "standing of a: not to be seen, no file names it" in case.recovery("a").why


def test_what_a_step_waits_for_is_said_soon_and_once_and_is_over_when_it_has_come() -> None:
    case = Case("a")
    case.hands.unseen = "no file names it"
    for _ in range(25):
        case.turn()

    waits = "standing of a: not to be seen, no file names it"
    assert waits_of(case.recovery("a")) == (waits,)
    assert case.waited == [1]
    (row,) = services(case.engine.state)
    assert row["why"] == f"{case.recovery('a').recovery_id} waits for {waits}"
    assert next(recoveries(case.engine.state))["waits_for"] == [waits]
    case.hands.unseen = ""
    while case.recovery("a").step == 1:
        case.turn()
    (row,) = services(case.engine.state)
    assert (row["why"], waits_of(case.recovery("a"))) == (None, ())


def test_what_is_waited_for_and_changes_with_every_look_is_said_now_and_then() -> None:
    case = Case("a")
    for number in range(25):
        case.hands.unseen = f"look {number}"
        case.turn()

    assert len(case.waited) == 3
    assert "look 2" in waits_of(case.recovery("a"))[0]


def test_what_comes_about_at_once_is_not_said_to_be_waited_for() -> None:
    case = Case("a")
    for _ in range(600):
        case.turn()

    assert case.recovery("a").status == "completed"
    assert case.waited == []


def test_what_comes_back_waits_for_what_it_needs_as_its_own_host_sees_it() -> None:
    """The leader would find another process under that name, or none."""
    case = Case("a")
    case.engine.service("db", host="h2", health=CHECK)
    case.engine.service("a", "db")
    case.engine.report("a", "stopped", stop_id="S-a")
    case.hands.standing["db"] = "stopped"
    keeper = Recovering(case.hands, case._submit, mine=lambda service: service.host != "h2")
    case.keeper, far = keeper, Hands()
    far.standing["db"] = "running"
    there = Recovering(far, case._submit, leads=lambda: False, mine=lambda service: service.host == "h2")

    for _ in range(3):
        case.turn()
    assert case.recovery("a").phase == "validation"
    there.turn(case.now, lambda: case.engine.state)
    case.turn()

    assert case.recovery("a").phase != "validation"
    assert (case.hands.asked, far.asked) == ([], ["db"])


def test_a_gate_that_nobody_measures_holds_the_recovery_when_its_time_is_over() -> None:
    case = Case("a")
    procedure = Procedure(name="standard_recovery", metrics=(GateOn(must="err_rate < 0.01", timeout_s=40.0),))
    case.engine.do(AbortRecovery(emergency_id=case.emergencies["a"]))
    case.engine.do(SetProcedure(procedure=procedure))
    for _ in range(3):
        case.turn()
    case.engine.recover(case.emergencies["a"], "service=a")

    for _ in range(60):
        case.turn()

    recovery = case.recovery("a")
    assert (recovery.status, recovery.why) == (
        "held",
        "err_rate < 0.01: 0 of 1 samples, and no more for 40 s",
    )
