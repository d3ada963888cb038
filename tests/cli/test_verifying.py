"""How long a stop is waited for: by its own record, which is what the settings of the keeper made of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backends.stop_lane import Fired
from opsconsole.cli.verifying import patience_s
from opsgate.order import Level, Order
from opsgate.status import StopStatus

AT = datetime(2026, 11, 22, 14, tzinfo=UTC)


def fired(level: Level) -> Fired:
    """An order that a keeper has heard."""
    return Fired(Order("S-1", AT, level=level), "", "answered", "database")


def recorded(level: Level, budget_s: float) -> StopStatus:
    """A stop in force that has so long."""
    return StopStatus("S-1", "E-1", level, "pending", (), (), AT, AT + timedelta(seconds=budget_s))


@pytest.mark.parametrize(
    ("level", "stop", "waits_s"),
    [
        ("immediate", None, 6),
        ("immediate", recorded("immediate", 90), 91),
        ("immediate", recorded("immediate", 2), 3),
        ("immediate", replace(recorded("immediate", 2), deadline_at=None), 6),
        ("graceful", None, 66),
        ("graceful", recorded("graceful", 20), 26),
        ("graceful", recorded("immediate", 27), 28),
    ],
)
def test_a_stop_is_waited_for_as_long_as_its_record_says_and_a_drain_until_it_has_halted(
    level: Level, stop: StopStatus | None, waits_s: float
) -> None:
    assert patience_s(fired(level), stop) == waits_s
