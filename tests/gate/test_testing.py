"""The test mode that workers use: real decisions over holds in memory."""

import pytest

import opsgate
from opsgate.testing import FakeGate, paused, stopped


def work(gate: opsgate.Gate) -> object:
    decision = gate.check(site="s1", operation="site_creation")
    return "done" if decision else decision.skipped()


def test_work_is_skipped_while_its_site_is_paused_and_runs_afterwards() -> None:
    with paused(site="s1", reason="maintenance") as gate:
        assert work(gate) == {"skipped": True, "reason": "site=s1 is paused by tests: maintenance"}
        assert gate.check(site="s2")

    assert work(gate) == "done"


def test_blocks_nest_and_each_ends_its_own_hold() -> None:
    """Pauses are independent: lifting the wider one leaves the narrower one in force."""
    with paused(site="s1") as gate:
        with stopped(gate):
            assert gate.check(site="s2").blockers[0].source == "emergency"
        assert gate.check(site="s2")
        assert not gate.check(site="s1")


def test_the_module_functions_ask_the_same_gate() -> None:
    with paused(workflow="xml-import"):
        assert not opsgate.is_workflow_enabled("xml-import")
        assert opsgate.is_processing_allowed("s1")
    with stopped():
        assert not opsgate.is_processing_allowed("s1")


def test_a_stop_ends_running_work_at_its_next_checkpoint_and_a_pause_does_not() -> None:
    gate = FakeGate()
    with gate.work(site="s1") as piece:
        with paused(gate, site="s1"):
            assert piece.checkpoint()
        with paused(gate, site="s1", mode="halt"):
            assert not piece.checkpoint()
        with stopped(gate, site="s2"):
            assert piece.checkpoint()
        with stopped(gate):
            assert not piece.checkpoint()


def test_hazardous_work_ends_at_a_checkpoint_once_its_state_is_old_and_other_work_goes_on() -> None:
    gate = FakeGate(names={"operation": frozenset({"payout", "mail"})}, policy={"payout": "hazardous"})
    with gate.work(operation="payout") as payout, gate.work(operation="mail") as mail:
        gate.cut_off(20.0)

        assert gate.freshness == "interrupted"
        assert not payout.checkpoint()
        assert mail.checkpoint()


def test_an_emergency_elsewhere_ends_no_running_work_however_old_the_state() -> None:
    gate = FakeGate()
    with gate.work(site="s1") as piece:
        gate.stop(site="s2")
        gate.cut_off(3600.0)

        assert not gate.check(site="s1")
        assert piece.checkpoint()


def test_a_limit_is_used_up_as_the_test_says() -> None:
    gate = FakeGate()
    gate.remaining["sites"] = 3

    assert gate.reserve("sites", cost=2)
    assert not gate.reserve("sites", cost=2)
    assert gate.reserve("other", cost=10_000)


def test_a_malformed_selector_is_the_tests_own_fault() -> None:
    with pytest.raises(ValueError, match="is not a dimension"):
        FakeGate().pause(galaxy="andromeda")


def test_a_gate_of_ones_own_has_environment_and_strictness() -> None:
    gate = FakeGate(env="dev", strict=True, names={"site": frozenset({"s1"})})
    gate.pause(env="prod")

    assert gate.check(site="s1")
    assert not gate.check(site="s2")
    gate.pause(env="dev")
    assert not gate.check(site="s1")
