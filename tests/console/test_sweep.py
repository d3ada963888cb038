"""A hundred thousand hostile strings on every path to the screen: the lines are harmless and exact, whatever is stored.

A name is an identifier by rule, and whoever can write the database file keeps no rules. So here nothing is checked on
its way in, and every view, prompt, bar and answer is drawn from it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pytest

from backends.stop_lane import Fired
from core.capabilities.holds import ReleaseHolds
from core.errors import BackendUnavailable, OpsError, RevisionConflict
from core.messages import Receipt
from opsconsole.dialogs.base import Dialog, Send
from opsconsole.dialogs.filter import FilterPrompt
from opsconsole.dialogs.pause import PausePrompt, ResumePrompt
from opsconsole.dialogs.reading import Reading
from opsconsole.dialogs.recover import RecoverPrompt
from opsconsole.dialogs.stop import ReasonPrompt, StopPrompt
from opsconsole.drawing import Frame, Place, body_rows, draw
from opsconsole.lines import Line, Span, length, line, plain
from opsconsole.panes import LISTS, PANES, AuditPane, EventsPane, TablePane
from opsconsole.prompt import PromptBox, _broken
from opsconsole.sight import in_words
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views import header
from opsconsole.views.answers import answered, fired, refused
from opsconsole.views.audit import Read
from opsconsole.views.events import news
from opsconsole.views.picture import Facts, Link, Picture, Who
from opsconsole.views.ticker import tabs, ticker
from opsgate.order import Order
from opsgate.selector import EVERYTHING
from tests.conftest import FULL
from tests.console.fleet import START, Fleet
from tests.console.hostile import harmless, strings
from tests.console.hostile_fleet import hostile_fleet

STRINGS = 100_000 if FULL else 200
BATCH = 40
WIDTHS = (20, 39, 40, 60, 80, 120, 200)
KINDS = (*PANES, *LISTS)


def picture_of(fleet: Fleet, text: str, *, live: bool) -> Picture:
    facts = Facts.of(fleet.latest(), fleet.observe())
    order = Order(text, START, actor=text, door="console")
    link = Link(0.2 if live else 14.0, clean(text, 120))
    return Picture(facts, fleet.now, link, Who(text, text, text), () if live else (order,))


def tables(fleet: Fleet, picture: Picture) -> dict[str, tuple[TablePane, Table]]:
    """Every list there is, each with its pane."""
    panes: list[TablePane] = [kind() for kind in KINDS]
    events, audit = EventsPane(), AuditPane()
    events.recent, audit.read = fleet.recorded, Read(fleet.recorded)
    for pane in (*panes, audit):
        pane.wide = pane.has_wide and len(picture.who.operator) % 2 == 0
    return {pane.name: (pane, pane.table_of(picture)) for pane in (*panes, events, audit)}


def drawn(table: Table, text: str, width: int) -> Iterator[Line]:
    """All of a table, with the cursor and a mark on its rows."""
    frame = Frame("T", focused=True)
    keys = [table.rows[index].key for index in range(len(table.rows))]
    chosen = keys[len(keys) // 2] if keys else None
    place = Place(0, chosen, frozenset(keys[::3]))
    height = len(keys) + 10
    assert body_rows(table, frame, height) >= len(keys)
    yield from draw(table, frame, place, width, height)


def dialogs(pane: TablePane, table: Table, picture: Picture, chance: random.Random) -> Iterator[Dialog]:
    """What the keys open over one of its rows."""
    if not len(table.rows):
        return
    key = table.rows[chance.randrange(len(table.rows))].key
    if question := pane.why(key, picture):
        yield Reading(f"WHY {question.about}", question.answer)
    if target := pane.target(key):
        yield PausePrompt(target)
        yield ResumePrompt(target, picture)
    if emergency := pane.emergency(key, picture):
        yield RecoverPrompt(picture, emergency)


def boxed(dialog: Dialog, picture: Picture, width: int) -> list[Line]:
    """A prompt in its box, where there is little room."""
    box = PromptBox(lambda _: None, lambda: 0.0)
    box.dialog, box._picture = dialog, picture
    return [*box.draw(width, 6), *box.draw(width, 1)]


def answers(text: str) -> Iterator[tuple[Span, ...]]:
    """Everything that is said to an operator on the line above the keys."""
    hold = {"hold_id": text, "selector": {"site": "s1"}, "source": text, "owner": text, "reason": text, "mode": "halt"}
    hold |= {"placed_at": "2026-11-22T13:50:00Z"}
    send = Send(ReleaseHolds(selectors=(EVERYTHING,), reason="mended"), text)
    for changed in (True, False):
        yield answered(send, Receipt(revision=1, changed=changed, remaining_holds=(hold,), notes=(text, text)))
    for error in (OpsError("x", text, text), RevisionConflict("x", text, text), BackendUnavailable("x", text, text)):
        yield refused(text, error)
        yield (Span(in_words(error)),)
    yield (Span(in_words(ValueError(text))),)
    yield fired(OSError(text))
    yield fired(Fired(Order("S-1", START, actor="ana", door="console"), text, "silent", "memory"))


def bars(picture: Picture, shown: Mapping[str, Table], width: int) -> Iterator[Line]:
    """The lines above and below the panes."""
    yield header.row1(picture, width)
    yield header.row2(picture, width)
    yield header.one_line(picture, width)
    yield ticker(picture, width)
    yield tabs(shown, "sites", width)


def require_exact(rows: Iterable[Line], width: int, seen: object) -> None:
    for row in rows:
        shown = plain(row)
        assert harmless(shown), (shown, seen)
        assert length(row) == width, (shown, seen)


@pytest.mark.timeout(0)  # at full length it takes minutes
def test_every_line_is_harmless_and_exactly_as_wide_as_asked(seed: int) -> None:
    chance, texts = random.Random(seed), list(dict.fromkeys(strings(seed, STRINGS)))
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        sweep(batch, chance)


def sweep(batch: Sequence[str], chance: random.Random) -> None:
    fleet = hostile_fleet(batch, stopped=chance.random() < 0.3)
    picture = picture_of(fleet, chance.choice(batch), live=chance.random() < 0.7)
    width = chance.choice(WIDTHS)
    shown = tables(fleet, picture)
    for name, (_, table) in shown.items():
        require_exact(drawn(table, picture.who.operator, width), width, name)
    for name in chance.sample(sorted(shown), 2):
        pane, table = shown[name]
        for dialog in dialogs(pane, table, picture, chance):
            dialog.paste(chance.choice(batch))
            require_exact(_broken([*dialog.body(picture), *dialog.foot(picture)], width), width, (name, dialog))
            require_exact(boxed(dialog, picture, width), width, (name, dialog))
    require_exact(
        bars(picture, {name: table for name, (_, table) in shown.items()}, width), width, picture.who.operator
    )
    require_exact([line(width, *news((recorded,))) for recorded in fleet.recorded], width, "news")
    require_exact(boxed(StopPrompt(), picture, width), width, "stop")
    for text in batch:
        for dialog in typed(text):
            require_exact(boxed(dialog, picture, width), width, dialog)
        for said in answers(text):
            require_exact([line(width, *said)], width, text)


def typed(text: str) -> tuple[Dialog, Dialog]:
    """The prompts that show what is being typed or pasted."""
    narrowed = FilterPrompt("sites", text, lambda _: (1, 2), lambda _: None)
    reason = ReasonPrompt(text)
    reason.paste(text)
    return narrowed, reason
