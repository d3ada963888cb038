"""Latches of one fleet and of all fleets: what lies on a host, whom it stops, and who takes it away."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsgate import latch
from opsgate.order import Order
from opsgate.paths import ALL_FLEETS, latch_home
from opsgate.selector import Selector

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def stop_ids(*fleets: str) -> set[str]:
    return {order.stop_id for order in latch.in_force(fleets)}


def test_a_latch_for_all_fleets_stops_each_of_them() -> None:
    latch.place(Order("S-1", AT), ALL_FLEETS)

    assert stop_ids("one") == stop_ids("two", "its-url") == {"S-1"}


def test_a_fleet_that_recovers_from_a_stop_of_all_fleets_leaves_the_others_stopped() -> None:
    latch.place(Order("S-1", AT), ALL_FLEETS)
    latch.place(Order("S-0", AT), "two")  # a fleet that this host knows

    latch.recovered("S-1", ("one", "one-url"))

    assert stop_ids("one", "one-url") == set()
    assert stop_ids("two") == {"S-0", "S-1"}


def test_the_last_fleet_of_a_host_that_recovers_takes_the_latch_away() -> None:
    latch.place(Order("S-1", AT), ALL_FLEETS)
    latch.place(Order("S-0", AT), "two")

    latch.recovered("S-1", ("one", "one-url"))
    latch.recovered("S-1", ("two", "two-url"))

    assert stop_ids("a new fleet") == set()
    assert {path.name for path in latch_home().rglob("*") if path.is_file()} == {"S-0"}


def test_recovery_removes_the_latch_under_each_name_of_the_fleet() -> None:
    latch.place(Order("S-1", AT), "one")
    latch.place(Order("S-1", AT), "one-url")

    latch.recovered("S-1", ("one", "one-url"))

    assert not latch.latched("S-1", ("one", "one-url"))


def test_a_latch_goes_by_its_file_name_whatever_it_says_inside() -> None:
    placed = latch.place(Order("S-1", AT), "one")
    placed.rename(placed.with_name("by-hand"))

    assert stop_ids("one") == {"by-hand"}


def test_an_order_of_ten_thousand_sites_is_read_back_whole() -> None:
    """Half an order would be read as a stop of everything."""
    sites = tuple(Selector.of(site=f"a-site-with-quite-a-long-name-{number}") for number in range(10_000))
    latch.place(Order("S-1", AT, selectors=sites), "one")

    (order,) = latch.in_force(["one"])

    assert order.selectors == sites


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 1', b"\xff\xfe", b"[]"])
def test_a_file_that_is_no_order_stops_everything(content: bytes, home: Path) -> None:
    latch.place(Order("S-0", AT), "one")
    (latch_home() / "one" / "by-hand").write_bytes(content)

    orders = {order.stop_id: order for order in latch.in_force(["one"])}

    assert [str(selector) for selector in orders["by-hand"].selectors] == ["all"]
