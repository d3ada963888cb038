"""Feature flags and workflows: off is a hold of the switch's own, on is the release of that hold alone."""

import pytest

from core.capabilities.holds import PlaceHold
from core.capabilities.switches import SetSwitch, Switched, is_on
from core.errors import RevisionConflict
from core.messages import Receipt
from opsgate.names import FLAG_OF_OPERATION, WORKFLOWS
from tests.specs.engine import Engine, Kind, on, said


@pytest.fixture
def engine() -> Engine:
    return Engine()


def switch(engine: Engine, *names: str, to: bool, dimension: Switched = "operation") -> Receipt:
    return engine.do(SetSwitch(dimension=dimension, names=names, on=to))


@pytest.mark.parametrize(("operation", "flag"), FLAG_OF_OPERATION.items())
def test_each_flag_of_the_platform_switches_its_operation_under_either_name(
    engine: Engine, operation: str, flag: str
) -> None:
    switch(engine, flag, to=False)
    assert not engine.runs(operation=operation)
    assert not engine.runs(operation=flag)
    assert not is_on(engine.state, "operation", flag)

    switch(engine, operation, to=True)
    assert engine.runs(operation=flag)
    assert is_on(engine.state, "operation", operation)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_each_workflow_is_switched_by_its_name(engine: Engine, workflow: str) -> None:
    switch(engine, workflow, to=False, dimension="workflow")

    assert engine.holds() == {(f"workflow={workflow}", "workflow", workflow, "drain")}
    assert not engine.runs(workflow=workflow)
    switch(engine, workflow, to=True, dimension="workflow")
    assert engine.runs(workflow=workflow)


def test_off_twice_and_on_twice_change_nothing(engine: Engine) -> None:
    switch(engine, "ab_testing", to=False)
    assert not switch(engine, "enableABTesting", to=False).changed
    switch(engine, "ab_testing", to=True)
    assert not switch(engine, "ab_testing", to=True).changed


def test_whoever_switches_it_there_is_one_hold_of_the_switch(engine: Engine) -> None:
    first = switch(engine, "ab_testing", to=False)
    again = engine.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False), by="ben")

    assert again.hold_ids == first.hold_ids


def test_switching_on_leaves_what_others_hold_and_says_so(engine: Engine) -> None:
    switch(engine, "ab_testing", to=False)
    theirs = engine.pause(on(operation="ab_testing"), by="ben").hold_ids[0]

    receipt = switch(engine, "ab_testing", to=True)

    assert set(engine.state.holds) == {theirs}
    assert said(receipt) == f"operation=ab_testing stays held by {theirs} of operator ben"
    assert [hold["hold_id"] for hold in receipt.remaining_holds] == [theirs]
    assert not is_on(engine.state, "operation", "ab_testing")


def test_a_hold_on_a_part_does_not_switch_the_whole_off(engine: Engine) -> None:
    engine.pause(on(site="s1", operation="ab_testing"))

    assert is_on(engine.state, "operation", "ab_testing")
    assert engine.runs(operation="ab_testing", site="s2")


def test_all_workflows_are_switched_in_one_command_and_back(engine: Engine) -> None:
    off = switch(engine, *WORKFLOWS, to=False, dimension="workflow")
    assert engine.kinds(off) == ["hold.placed"] * 6

    on_again = switch(engine, *WORKFLOWS, to=True, dimension="workflow")
    assert engine.kinds(on_again) == ["hold.released"] * 6


def test_one_unknown_name_among_many_refuses_them_all(engine: Engine) -> None:
    wanted = SetSwitch(dimension="workflow", names=("xml-import", "xml-imprt"), on=False)

    assert engine.refused(wanted) == "unknown-name"
    assert not engine.state.holds


def test_a_custom_flag_is_created_by_saying_so_and_then_is_an_operation(engine: Engine) -> None:
    engine.do(SetSwitch(dimension="operation", names=("payout",), on=False, create=True))

    assert not engine.runs(operation="payout")


def test_switching_on_is_a_release_so_it_is_refused_when_holds_moved(engine: Engine) -> None:
    switch(engine, "ab_testing", to=False)
    looked_at = engine.state.revision
    engine.pause(on(site="s1"))

    wanted = SetSwitch(dimension="operation", names=("ab_testing",), on=True)
    with pytest.raises(RevisionConflict):
        engine.do(wanted, looked_at=looked_at)
    off = SetSwitch(dimension="operation", names=("site_creation",), on=False)
    assert engine.do(off, looked_at=looked_at).changed  # stopping never is


@pytest.mark.parametrize("kind", ["automation", "system"])
def test_no_program_switches_on_what_a_person_switched_off(engine: Engine, kind: Kind) -> None:
    switch(engine, "ab_testing", to=False)

    assert engine.refused(SetSwitch(dimension="operation", names=("ab_testing",), on=True), kind=kind) == "person-only"
    assert engine.do(SetSwitch(dimension="operation", names=("site_creation",), on=False), kind=kind).changed


def test_an_open_breaker_on_a_switched_thing_is_not_ended_by_switching_on(engine: Engine) -> None:
    wanted = PlaceHold(selectors=(on(workflow="xml-import"),), source="breaker", owner="stripe")
    engine.do(wanted, by="breakers", kind="automation")

    switch(engine, "xml-import", to=True, dimension="workflow")

    assert not engine.runs(workflow="xml-import")
