"""Rounds over services that nobody stops or recovers: what is reported, and what is nobody's business there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from backends.keeper.deeds import Deed, Done, Health, Look
from backends.keeper.health_rounds import TOGETHER, HealthRounds
from core.capabilities.service_reports import ReportServices
from core.capabilities.services import AddService
from core.errors import RevisionConflict
from core.recoveries import Recovery
from core.services import Service, Standing
from tests.specs.engine import Engine, on


class Ward:
    """An engine with two services, and rounds over it that see what a test says."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.engine.service("db")
        self.engine.service("web", health={"kind": "driver"})
        self.stands: dict[str, Standing | None] = {"db": "running", "web": "running"}
        self.detail = ""
        self.is_up: bool | None = True
        self.looked: list[list[str]] = []
        self.meanwhile = ""
        self.rounds = HealthRounds(
            self, lambda: self.engine.state, self._submit, mine=lambda each: each.host is None, every_s=1
        )

    def look(self, services: Iterable[Service]) -> Mapping[str, Look]:
        """As `Hands.look`."""
        names = [service.name for service in services]
        self.looked.append(names)
        if self.meanwhile:
            self.engine.stop(self.meanwhile)
        return {name: Look(self.stands.get(name, "running"), self.detail) for name in names}

    def health(self, services: Iterable[Service]) -> Mapping[str, Health]:
        """As `Hands.health`."""
        return {service.name: Health(self.is_up, "nobody listens") for service in services if service.health}

    def act(self, deed: Deed, services: Iterable[Service], recovery: Recovery) -> Mapping[str, Done]:
        """As `Hands.act`."""
        raise AssertionError("nobody is started or stopped by being looked at")

    def _submit(self, report: ReportServices, looked_at: int) -> None:
        self.engine.do(report, by="keeper", kind="system", looked_at=looked_at)

    def round(self) -> dict[str, str]:
        """Go round; how each service stands by the journal."""
        self.rounds.go_round()
        return {name: service.standing for name, service in self.engine.state.services.items()}

    @property
    def observed(self) -> int:
        """How many observations the journal has."""
        return sum(recorded.event.kind == "service.observed" for recorded in self.engine.journal)


def test_only_what_has_changed_is_an_event() -> None:
    ward = Ward()
    assert ward.round() == {"db": "running", "web": "running"}
    ward.round()
    assert ward.observed == 2

    ward.stands["db"] = "stopped"
    assert ward.round() == {"db": "stopped", "web": "running"}
    passing: tuple[Standing | None, ...] = ("starting", "stopping", None)
    for ward.stands["db"] in passing:
        assert ward.round()["db"] == "stopped", "on its way, or to be seen by nobody: the next look will tell"
    assert ward.observed == 3


def test_why_a_service_was_never_seen_is_recorded_once_and_again_when_it_is_another_reason() -> None:
    """Who registers a service with a wrong file learns it from the list, and not first when it is to be recovered."""
    ward = Ward()
    ward.stands["db"] = None
    ward.detail = "no file after 12 ms"
    assert ward.round()["db"] == "unknown"
    assert ward.engine.state.services["db"].detail == "no file after 12 ms"
    before = ward.observed

    ward.detail = "no file after 7 ms"
    ward.round()
    assert ward.observed == before, "another number is no other reason"

    ward.detail = "this host does not allow it"
    ward.round()
    assert ward.observed == before + 1
    assert ward.engine.state.services["db"].detail == "this host does not allow it"


def test_what_runs_and_is_unwell_twice_has_failed_until_it_is_well() -> None:
    ward = Ward()
    ward.round()
    ward.is_up = False
    assert ward.round()["web"] == "running", "once may be chance"
    assert ward.round()["web"] == "failed"
    assert ward.engine.state.services["web"].detail == "it runs and is unwell: nobody listens"
    ward.is_up = None
    assert ward.round()["web"] == "running", "a check that cannot tell says nothing against it"


def test_what_is_on_the_list_of_a_stop_in_force_is_left_to_those_who_drive_it() -> None:
    ward = Ward()
    ward.engine.stop("S-1", on(service="web"))
    ward.round()
    assert ward.looked == [["db"]]


def test_a_group_of_workers_is_not_looked_at_without_a_stop() -> None:
    """Which stops they acknowledge says nothing of whether they work while none is about them."""
    ward = Ward()
    ward.engine.do(AddService(name="crew", driver="gate", config={"scope": {"site": "s1"}}))
    ward.round()
    assert ward.looked == [["db", "web"]]


def test_a_look_during_which_everything_was_stopped_is_not_recorded() -> None:
    ward = Ward()
    ward.meanwhile = "S-1"
    with pytest.raises(RevisionConflict):
        ward.round()
    assert ward.observed == 0
    assert len(ward.engine.state.stops["S-1"].missing) == 2


def test_services_of_another_host_are_looked_at_there_and_many_a_few_at_a_time() -> None:
    ward = Ward()
    ward.engine.service("far", host="another")
    for number in range(TOGETHER):
        ward.engine.service(f"s-{number}")
    ward.round()
    assert [len(names) for names in ward.looked] == [TOGETHER, 2]
    assert not any("far" in names for names in ward.looked)
