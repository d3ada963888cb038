"""The journal is read backwards page by page; what is kept of it is bounded, and every page is answered."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence

import pytest

from core.messages import Recorded
from opsconsole.pages import Pages
from tests.console.fleet import Fleet

DEADLINE_S = 60.0


def nothing() -> None:
    """Nobody looks."""


def test_what_goes_on_happening_is_kept_up_to_a_bound_and_the_oldest_can_be_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("opsconsole.pages.KEPT_MAX", 5)
    fleet = Fleet()
    pages = Pages(lambda _after, _limit: (), lambda tell: tell(), nothing)
    for number in range(12):
        fleet.add_sites(f"site-{number}")
        pages.see(fleet.recorded[-3:])
    assert list(pages.read.events) == fleet.recorded[-5:]


def test_a_page_that_breaks_in_a_way_nobody_foresaw_is_said_and_can_be_asked_for_again() -> None:
    fleet = Fleet()
    fleet.add_sites("a", "b", "c")
    told: queue.Queue[Callable[[], None]] = queue.Queue()
    broken = True

    def read(after: int, limit: int) -> Sequence[Recorded]:
        if broken:
            raise RuntimeError("boom")
        return fleet.recorded[after : after + limit]

    pages = Pages(read, told.put, nothing)
    pages.see(fleet.recorded[-2:])
    pages.want_older()
    told.get(timeout=DEADLINE_S)()
    assert pages.read.older == "older ones not read: RuntimeError: boom"
    broken = False
    pages.want_older()
    told.get(timeout=DEADLINE_S)()
    assert list(pages.read.events) == fleet.recorded
