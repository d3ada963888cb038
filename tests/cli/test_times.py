"""Durations and times as people type them, and what is refused with a sentence."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.cli.times import ago, duration, moment

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("2h30m", 9_000), ("15m", 900), ("1d12h", 129_600), ("0.5s", 0.5), (" 5s ", 5)],
)
def test_a_duration_is_a_bare_number_of_seconds_or_numbers_with_units(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-5", "5x", "s", "1h1h", "30m2h", "nan", "inf", "1e3", "\u0665", "9" * 400, "5000d", "\0"]
)
def test_what_is_no_duration_or_not_above_zero_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write 90|give a duration"):
        duration(text)


@given(st.integers(0, 40), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_units_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    text = f"{days}d{hours}h{minutes}m{seconds}s"
    assert duration(text) == timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


@pytest.mark.parametrize("text", ["2026-11-22T14:05Z", "2026-11-22T14:05:00+00:00", "2026-11-22T15:05+01:00"])
def test_a_time_with_a_zone_is_that_moment(text: str) -> None:
    assert moment(text, NOON) == datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def test_a_time_without_a_zone_is_one_on_the_clock_of_this_host() -> None:
    local = datetime(2026, 11, 22, 14, 5).astimezone()
    assert moment("2026-11-22 14:05", NOON) == local


def test_a_clock_time_is_one_of_today() -> None:
    today = NOON.astimezone()
    assert moment("14:05", NOON).astimezone() == today.replace(hour=14, minute=5)


@pytest.mark.parametrize("text", ["", "tomorrow", "25:00", "14:61", "2026-13-01", "2026-02-30T10:00", "\0", "9" * 99])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: write 2026-11-22T14:05Z"):
        moment(text, NOON)


@pytest.mark.parametrize(
    ("age_s", "text"), [(0, "0s"), (-3, "0s"), (59.9, "59s"), (723, "12m03s"), (7_500, "2h05m"), (525_600, "6d02h")]
)
def test_an_age_has_two_units_at_most(age_s: float, text: str) -> None:
    assert ago(age_s) == text
