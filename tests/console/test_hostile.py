"""Whatever the world is called: every bar, pane and prompt is as wide as it should be at every size, and harmless."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.capabilities.explaining import ExplainStop
from core.capabilities.holds import PlaceHold
from core.messages import Recorded
from opsconsole.dialogs.base import Dialog
from opsconsole.dialogs.pause import PausePrompt, ResumePrompt
from opsconsole.dialogs.recover import RecoverPrompt
from opsconsole.dialogs.stop import ReasonPrompt, StopPrompt
from opsconsole.dialogs.target import Target
from opsconsole.drawing import Frame, Place, draw
from opsconsole.lines import TEXT_MAX, Line, Span, Style, length, line, plain, wrapped
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.text import width as text_width
from opsconsole.views import header
from opsconsole.views.audit import Read, audit
from opsconsole.views.events import events, news
from opsconsole.views.farewell import farewell
from opsconsole.views.holds import holds
from opsconsole.views.inside import inside
from opsconsole.views.picture import Facts, Link, Picture, Who
from opsconsole.views.subject import Subject
from opsconsole.views.ticker import ticker
from opsconsole.views.workers import workers
from opsconsole.views.workflows import workflows
from opsgate.selector import Selector
from tests.console.desk import Desk, small_fleet
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


def hostile_events(text: str) -> tuple[Recorded, ...]:
    """What happened to a fleet, as if everything in it were called `text`."""
    fleet: Fleet = small_fleet()
    fleet.do(PlaceHold(selectors=(Selector.of(site="mail"),), reason="first"))
    fleet.stop("S-1")
    events = []
    for recorded in fleet.recorded:
        words = {
            field: text
            for field in ("reason", "name", "owner", "worker_id", "hold_id", "emergency_id", "stop_id", "note")
            if isinstance(getattr(recorded.event, field, None), str)
        }
        event = recorded.event.model_copy(update=words)
        header = replace(recorded.header, actor=recorded.header.actor.model_copy(update={"name": text}))
        events.append(replace(recorded, header=header, event=event))
    return tuple(events)


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


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_piece_of_text_is_harmless_from_the_moment_it_is_made(name: str) -> None:
    for piece in (Span(HOSTILE[name]), Cell(HOSTILE[name]), Span("a " + HOSTILE[name], Style.BAD)):
        assert piece.text == clean(piece.text, TEXT_MAX)
        assert is_harmless((Span(piece.text),), text_width(piece.text))


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_frame_is_as_wide_as_it_should_be_whatever_its_table_says_of_itself(name: str) -> None:
    text = HOSTILE[name]
    table = Table((Column(text, 4, 20),), Listed([Row("a", (Cell(text),))]), alarm=text, note=text, empty=text)
    for width, height in SIZES:
        for said in (table, Table(table.columns, Listed(), note=text, empty=text)):
            lines = draw(said, Frame(text, ((text, text),), focused=True), Place(), width, height)
            assert all(is_harmless(each, width) for each in lines)


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_the_further_lists_stay_aligned_too(name: str) -> None:
    text = HOSTILE[name]
    picture = hostile_picture(text, stale=False)
    odd = picture.facts.seen.workers[0].worker_id if picture.facts.seen else ""
    emergency = picture.state.active_emergencies()[0].emergency_id
    read = Read(hostile_events(text), text)
    subjects = [
        Subject(kind, key, log)
        for kind, key in (("site", "mail"), ("worker", odd), ("emergency", emergency), ("acks", ""), ("limit", text))
        for log in {False, kind != "acks"}
    ]
    tables = [
        workers(picture, wide=True),
        workflows(picture),
        holds(picture, wide=True),
        audit(read, wide=True),
        events(read.events),
        *(inside(picture, subject, read, wide=True) for subject in subjects),
    ]
    for width, height in SIZES:
        for table in tables:
            lines = draw(table, Frame(subjects[2].title, focused=True), Place(), width, height)
            assert all(is_harmless(each, width) for each in lines), plain(lines[1])
        assert is_harmless(line(width, *news(read.events)), width)


@pytest.mark.asyncio
async def test_command_mode_palette_and_help_show_harmlessly_what_is_typed_and_what_there_is() -> None:
    fleet = small_fleet()
    known = fleet.latest()
    desk = Desk(fleet)
    async with desk.at(80, 24):
        box = desk.console._main.prompt
        for text in HOSTILE.values():
            names = known.names.set(("site", text[:200]), known.names["site", "mail"])
            odd = desk.console.picture._replace(
                facts=Facts.of(known._replace(names=names)), who=Who(text[:300], text[:300], text[:300])
            )
            desk.console._painting.picture = odd
            for typed in (f"pause {text}", f"why site={text}", f"sort {text}", f"filter {text}", "pause "):
                desk.console.desk.command_line(typed[:400])
                assert all(is_harmless(row, width) for width, height in SIZES for row in box.draw(width, height))
            for opener in ("palette", "help"):
                desk.console.action_act(opener)
                box.paste(text)
                assert all(is_harmless(row, width) for width, height in SIZES for row in box.draw(width, height))


def test_a_clock_that_jumps_back_or_far_ahead_breaks_no_line() -> None:
    picture = hostile_picture("plain", stale=False)
    for jump in (timedelta(days=-4000), timedelta(days=40_000)):
        moved = picture._replace(now=picture.now + jump)
        for width, height in SIZES:
            assert is_harmless(header.row1(moved, width), width)
            for view in VIEWS.values():
                lines = draw(view(moved), Frame("Pane"), Place(), width, height)
                assert all(is_harmless(each, width) for each in lines)
