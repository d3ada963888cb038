"""A new fleet: what every database is born with."""

import pytest

from core.capabilities.fleet import CreateFleet
from opsgate.names import FLAG_OF_OPERATION, WORKFLOWS
from tests.specs.engine import BEGINNING, Engine, said


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_a_new_fleet_has_the_flags_on_the_workflows_enabled_and_no_hold(engine: Engine) -> None:
    operations = {name.name for name in engine.state.names_of("operation")}

    assert operations == {*FLAG_OF_OPERATION, "opportunity_scan"}
    assert {name.name for name in engine.state.names_of("workflow")} == set(WORKFLOWS)
    assert all(engine.runs(operation=operation) for operation in operations)
    assert not engine.state.holds


@pytest.mark.parametrize(
    ("name", "alias", "limit", "window_s", "operation"),
    [
        ("sites", "maxSitesPerHour", 10, 3600.0, "site_creation"),
        ("content_pages", "maxContentPagesPerHour", 100, 3600.0, "content_generation"),
        ("gsc_requests", "maxGSCRequestsPerHour", 200, 3600.0, "gsc_verification"),
        ("opportunity_scans", "maxOpportunityScansPerDay", 50, 86_400.0, "opportunity_scan"),
    ],
)
def test_a_new_fleet_has_the_four_limits_of_the_platform(
    engine: Engine, name: str, alias: str, limit: int, window_s: float, operation: str
) -> None:
    known = engine.state.limits[name]

    assert (known.alias, known.limit, known.window_s, known.operation) == (alias, limit, window_s, operation)
    assert len(engine.state.limits) == 4


def test_the_first_event_names_the_fleet(engine: Engine) -> None:
    first = engine.journal[0]

    assert (first.revision, first.event.kind, engine.state.fleet) == (1, "fleet.created", "f1")
    assert first.header.at == BEGINNING


def test_a_fleet_begins_once(engine: Engine) -> None:
    receipt = engine.do(CreateFleet(fleet="another"))

    assert not receipt.changed
    assert said(receipt) == "this is fleet f1 already"
    assert engine.state.fleet == "f1"
