"""What is shown of the connection: how far away the server is stands still while nothing much has changed, and to leave
makes nothing unknown."""

from datetime import UTC, datetime

from core.errors import BackendUnavailable, NotPermitted
from core.ports import Contact, Observations
from opsconsole.sight import Sight
from tests.console.fleet import Fleet
from tests.console.test_views import row1

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


def shown(*measured_s: float | None) -> tuple[list[int | None], list[bool]]:
    """What is shown after each look, and whether there was anything new to show."""
    sight = Sight(lambda: 0.0, lambda: NOW)
    said: list[int | None] = []
    moved: list[bool] = []
    for round_trip_s in measured_s:
        moved.append(sight.saw(Observations(NOW), 0.0, round_trip_s))
        said.append(sight.link(Contact("valid")).round_trip_ms)
    return said, moved


def test_next_to_a_database_there_is_no_distance() -> None:
    assert shown(None, None) == ([None, None], [True, False])


def test_small_changes_of_the_distance_paint_nothing() -> None:
    assert shown(0.084, 0.091, 0.070, 0.1) == ([84, 84, 84, 84], [True, False, False, False])


def test_a_distance_that_has_really_changed_is_shown() -> None:
    assert shown(0.010, 0.400, 0.380, 0.012) == ([10, 400, 400, 12], [True, True, False, True])


def test_a_look_that_asks_twice_over_a_long_line_is_no_slow_answer() -> None:
    now_s = 0.0
    sight = Sight(lambda: now_s, lambda: NOW)
    now_s = 0.8

    sight.saw(Observations(NOW), 0.0, 0.4)

    assert sight.link(Contact("valid")).slow_s == 0.0


def test_what_was_live_until_the_console_was_left_is_not_called_unknown() -> None:
    """The last line is written when the backend has been closed."""
    sight = Sight(lambda: 0.0, lambda: NOW)
    sight.saw(Observations(NOW), 0.0)

    assert sight.link(Contact("off", 0.4)).live
    assert not sight.link(Contact("off", 9.0)).live


def test_what_broke_off_a_moment_ago_is_unknown_at_once_and_no_older_than_it_is() -> None:
    """It was called five seconds old, so that the time at which it had been seen last moved on with each look."""
    sight = Sight(lambda: 0.0, lambda: NOW)
    sight.saw(Observations(NOW), 0.0)

    link = sight.link(Contact("interrupted", 1.2, "it is away"))

    assert (link.live, link.age_s) == (False, 1.2)


def test_what_had_failed_before_it_was_left_stays_unknown() -> None:
    sight = Sight(lambda: 0.0, lambda: NOW)
    sight.saw(Observations(NOW), 0.0)
    sight.failed(BackendUnavailable("away", "it is away"))

    assert not sight.link(Contact("off", 0.4)).live


def test_a_server_that_answers_and_lets_nobody_in_is_not_called_unreachable() -> None:
    sight = Sight(lambda: 0.0, lambda: NOW)
    sight.failed(NotPermitted("no-identity", "nobody is known by this credential"))
    assert row1(Fleet(), link=sight.link(None)).startswith(" [ ????] NOT YET KNOWN - NOT LET IN by the server, retry 1")

    sight.saw(Observations(NOW), 0.0)
    sight.failed(BackendUnavailable("away", "it is away"))
    assert not sight.link(Contact("off", 9.0)).refused
