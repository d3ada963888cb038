"""Whatever the world is called: every bar, pane and prompt is as wide as it should be at every size, and harmless."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.capabilities.emergencies import ExplainStop
from core.capabilities.holds import PlaceHold
from opsconsole.dialogs.base import Dialog
from opsconsole.dialogs.pause import PausePrompt, ResumePrompt
from opsconsole.dialogs.recover import RecoverPrompt
from opsconsole.dialogs.stop import ReasonPrompt, StopPrompt
from opsconsole.dialogs.target import Target
from opsconsole.drawing import Frame, Place, draw
from opsconsole.lines import Line, length, plain, wrapped
from opsconsole.text import clean
from opsconsole.views import header
from opsconsole.views.farewell import farewell
from opsconsole.views.picture import Facts, Link, Picture, Who
from opsconsole.views.ticker import ticker
from opsgate.selector import Selector
from tests.console.desk import small_fleet
from tests.console.fleet import Fleet
from tests.console.hostile import HOSTILE
from tests.console.test_views import VIEWS

SIZES = ((40, 10), (60, 15), (80, 24), (120, 36), (200, 60))


def hostile_picture(text: str, *, stale: bool) -> Picture:
    """A fleet in which everything that people or machines may choose is `text`, as it came."""
    fleet: Fleet = small_fleet()
    fleet.do(PlaceHold(selectors=(Selector.of(site="mail"),)).model_copy(update={"reason": text[:300]}))
    fleet.stop("S-1")
    fleet.do(ExplainStop(stop_id="S-1", reason="").model_copy(update={"reason": text[:300]}))
    seen = fleet.observe()
    odd = replace(seen.workers[0], worker_id=text[:300], scope={"site": [text[:300]]})
    state = fleet.latest()
    stop = replace(state.stops["S-1"], of=(text[:300], *state.stops["S-1"].of), ordered_by=text[:300])
    state = state._replace(stops=state.stops.set("S-1", stop))
    facts = Facts.of(state, replace(seen, workers=(odd, *seen.workers)))
    link = Link(14.0, text[:300], tries=3, retry_s=4.0) if stale else Link(0.1, text[:300])
    return Picture(facts, fleet.now, link, Who(text[:300], text[:300], text[:300]))


def prompts(picture: Picture) -> list[Dialog]:
    target = Target("site", "mail")
    emergency = picture.state.active_emergencies()[0].emergency_id
    return [
        StopPrompt(),
        ReasonPrompt("S-1"),
        PausePrompt(target),
        ResumePrompt(target, picture),
        RecoverPrompt(picture, emergency),
    ]


def is_harmless(drawn: Line, width: int) -> bool:
    return length(drawn) == width and all(char.isprintable() for char in plain(drawn))


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_columns_stay_aligned_and_nothing_obeys(name: str, stale: bool) -> None:
    picture = hostile_picture(HOSTILE[name], stale=stale)
    for width, height in SIZES:
        bars = (header.row1, header.row2, header.one_line, ticker)
        assert all(is_harmless(bar(picture, width), width) for bar in bars)
        for view in VIEWS.values():
            lines = draw(view(picture), Frame("Pane", focused=True), Place(), width, height)
            assert all(is_harmless(each, width) for each in lines), plain(lines[1])
        for dialog in prompts(picture):
            paragraphs = [*dialog.body(picture), *dialog.foot(picture)]
            for paragraph in paragraphs:
                assert all(is_harmless(row, width) for row in wrapped(paragraph, width, indent=2)), dialog.title
    assert clean(farewell(picture, again="opsconsole"), 2000) == farewell(picture, again="opsconsole")


def test_a_clock_that_jumps_back_or_far_ahead_breaks_no_line() -> None:
    picture = hostile_picture("plain", stale=False)
    for jump in (timedelta(days=-4000), timedelta(days=40_000)):
        moved = picture._replace(now=picture.now + jump)
        for width, height in SIZES:
            assert is_harmless(header.row1(moved, width), width)
            for view in VIEWS.values():
                lines = draw(view(moved), Frame("Pane"), Place(), width, height)
                assert all(is_harmless(each, width) for each in lines)
