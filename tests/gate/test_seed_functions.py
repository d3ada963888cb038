"""The two questions of the seeds, by their own names and with their own words in the log."""

import logging
from collections.abc import Iterator

import pytest

import opsgate
from opsgate import Decision, defaults
from opsgate.clock import elapsed_s
from opsgate.testing import FakeGate
from tests.gate.world import Fleet, hold


@pytest.fixture
def fake() -> Iterator[FakeGate]:
    """A gate by hand in the place of the default one."""
    fake = FakeGate(names={"site": frozenset({"site_123"})})
    opsgate.set_default_gate(fake)
    yield fake
    opsgate.set_default_gate(None)


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


# -------------------------------------------------------------------------------------------------------------- S0
def test_processing_is_allowed_where_neither_the_platform_nor_the_site_is_paused(fake: FakeGate) -> None:
    assert opsgate.is_processing_allowed()
    paused = fake.pause(site="site_123")
    assert opsgate.is_processing_allowed()
    assert not opsgate.is_processing_allowed("site_123")
    fake.resume(paused)
    fake.pause()
    assert not opsgate.is_processing_allowed()
    assert not opsgate.is_processing_allowed("site_123")


def test_the_log_speaks_as_in_s0_info_when_it_changes_and_debug_at_every_check(
    fake: FakeGate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "opsgate")
    opsgate.is_processing_allowed()
    everything = fake.pause()
    opsgate.is_processing_allowed()
    fake.resume(everything)
    fake.pause(site="site_123")
    opsgate.is_processing_allowed("site_123")
    fake.pause(source="flag", operation="site_creation")

    assert lines(caplog, logging.INFO) == [
        "[Pause Check] ❌ Global platform pause is active",
        "[Pause Check] ✅ no longer: everything is paused by tests",
        "[Pause Check] ✅ Processing allowed",
        "[Pause Check] ❌ Site site_123 autonomous processes are paused",
        "[Pause Check] ❌ Site creation is disabled",
    ]
    assert lines(caplog, logging.DEBUG) == [
        "[Pause Check] ✅ Processing allowed",
        "[Pause Check] ❌ Global platform pause is active",
        "[Pause Check] ❌ Site site_123 autonomous processes are paused",
    ]


def test_ten_thousand_holds_at_once_are_a_few_lines(fake: FakeGate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "opsgate")

    fake.show(fake.table.changed([hold(number, site=f"s{number}") for number in range(10_000)]))

    assert len(caplog.records) == 11
    assert lines(caplog, logging.INFO)[-1] == "[Pause Check] and 9990 more holds came or went"


# -------------------------------------------------------------------------------------------------------------- S2
def test_a_workflow_is_enabled_until_somebody_disables_it(fake: FakeGate) -> None:
    assert opsgate.is_workflow_enabled("xml-import")
    disabled = fake.pause(source="workflow", workflow="xml-import")
    assert not opsgate.is_workflow_enabled("xml-import")
    assert opsgate.is_workflow_enabled("status-sync")
    fake.resume(disabled)
    assert opsgate.is_workflow_enabled("xml-import")


def test_an_unknown_workflow_is_enabled_and_a_pause_of_everything_disables_it_too(fake: FakeGate) -> None:
    assert opsgate.is_workflow_enabled("never-heard-of")
    fake.pause()
    assert not opsgate.is_workflow_enabled("never-heard-of")


def test_an_answer_is_kept_for_its_time_at_most_and_not_beyond_a_change(
    fake: FakeGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(defaults, "elapsed_s", lambda: now[0])
    asked: list[str] = []
    check = fake.check

    def counted(*, workflow: str) -> Decision:
        asked.append(workflow)
        return check(workflow=workflow)

    monkeypatch.setattr(fake, "check", counted)

    for _ in range(3):
        opsgate.is_workflow_enabled("xml-import")
    assert len(asked) == 1

    now[0] += 45.0
    opsgate.is_workflow_enabled("xml-import")
    assert len(asked) == 2

    fake.pause(site="site_123")
    opsgate.is_workflow_enabled("xml-import")
    assert len(asked) == 3


def test_chance_makes_the_time_shorter_and_never_longer(fake: FakeGate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "elapsed_s", lambda: 1000.0)
    for number in range(300):
        opsgate.is_workflow_enabled(f"w{number}", cache_seconds=45)

    ends = [answer.until_s for answer in defaults._cached.values()]

    assert 1035.0 <= min(ends) < max(ends) <= 1045.0


def test_no_time_at_all_asks_every_time(fake: FakeGate) -> None:
    opsgate.is_workflow_enabled("xml-import", cache_seconds=0)

    assert defaults._cached["xml-import"].until_s <= elapsed_s()


def test_cut_off_it_fails_open_on_the_last_known_state_and_says_so_once(
    fake: FakeGate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "opsgate")
    fake.cut_off(120.0)

    for _ in range(3):
        assert opsgate.is_workflow_enabled("xml-import", cache_seconds=0)

    assert lines(caplog, logging.INFO) == ["Using cached state for xml-import: True"]
    assert lines(caplog, logging.WARNING) == ["Failing OPEN - xml-import will continue"]


def test_cut_off_a_disabled_workflow_stays_disabled(fake: FakeGate) -> None:
    fake.pause(source="workflow", workflow="xml-import")
    fake.cut_off(1e6)

    assert not opsgate.is_workflow_enabled("xml-import")


def test_the_default_gate_is_opened_from_the_environment_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSGATE_URL", fleet.url)
    opsgate.set_default_gate(None)

    gate = opsgate.default_gate()

    assert gate is opsgate.default_gate()
    assert gate.check(site="s1").decided_by == "live"
    assert opsgate.set_default_gate(None) is gate
    gate.close()


def test_a_reason_that_would_forge_a_line_of_the_log_is_escaped(
    fake: FakeGate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "opsgate")

    fake.pause(account="a1", reason="fine\r\nERROR forged \x1b]0;title\x07 \u202e")

    assert lines(caplog, logging.INFO) == [
        r"[Pause Check] ❌ account=a1 is paused by tests: fine\r\nERROR forged \x1b]0;title\x07 \u202e"
    ]
