"""Whatever is pressed and whatever happens: the cursor, the marks and the window are on what is there."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import AddName, RemoveName
from core.errors import OpsError
from opsconsole.arrange import Filter, Sort, said_by
from opsconsole.browse import Browser
from opsconsole.dialogs.several import Several
from opsconsole.table import Cell, Row
from opsconsole.views.picture import Facts, Link, Picture, Who
from opsconsole.views.sites import COLUMNS, sites
from opsgate.selector import Selector
from tests.console.fleet import Fleet

SITES = [f"{kind}-{place}" for kind in ("shop", "pay", "mail") for place in ("eu", "us", "in", "br")]
WORDS = ["", "shop", "-shop", "eu paused", "runs", "-runs", "a", "zz", "SHOP -us", "stop*"]


class Browsing(RuleBasedStateMachine):
    """An operator in the list of sites, a fleet that changes meanwhile, and a plain set that knows the marks."""

    @initialize(names=st.lists(st.sampled_from(SITES), min_size=1, unique=True))
    def open(self, names: list[str]) -> None:
        self.fleet = Fleet()
        self.fleet.add_sites(*names)
        self.fleet.add_worker("w-1", "shop-eu", "mail-br", in_flight=2)
        self.browser = Browser()
        self.facts: Facts | None = None
        self.marks: set[str] = set()
        self.look()

    def look(self) -> None:
        self.facts = Facts.of(self.fleet.latest(), self.fleet.observe(), self.facts)
        self.browser.show(sites(self.picture))
        self.marks &= self.names

    @property
    def picture(self) -> Picture:
        assert self.facts is not None
        return Picture(self.facts, self.fleet.now, Link(0.1), Who("ana", self.fleet.url))

    @property
    def names(self) -> set[str]:
        return {name.name for name in self.fleet.latest().names_of("site")}

    @rule(rows=st.integers(0, 8))
    def resize(self, rows: int) -> None:
        self.browser.resize(rows)

    @rule(by=st.integers(-5, 5))
    def move(self, by: int) -> None:
        self.browser.move(by)

    @rule(by=st.sampled_from([-1, -0.5, 0.5, 1]))
    def page(self, by: float) -> None:
        self.browser.page(by)

    @rule(to=st.integers(-1, 20))
    def jump(self, to: int) -> None:
        self.browser.select(to)

    @rule(text=st.sampled_from(WORDS))
    def filter(self, text: str) -> None:
        self.browser.filter(text)

    @rule(column=st.sampled_from(["", *(column.title for column in COLUMNS)]), backwards=st.booleans())
    def sort(self, column: str, backwards: bool) -> None:
        self.browser.sort_by(Sort(column, backwards))

    @rule(by=st.sampled_from([-1, 1]))
    def seek(self, by: int) -> None:
        before = self.browser.selected
        found = self.browser.seek(by)
        assert found == (self.browser.selected != before) or before is None

    @precondition(lambda self: self.browser.selected)
    @rule()
    def mark(self) -> None:
        self.browser.mark(str(self.browser.selected))
        self.marks.add(str(self.browser.selected))

    @precondition(lambda self: self.browser.selected)
    @rule()
    def unmark(self) -> None:
        self.browser.unmark(str(self.browser.selected))
        self.marks.discard(str(self.browser.selected))

    @precondition(lambda self: self.browser.selected)
    @rule(by=st.integers(-5, 5))
    def mark_range(self, by: int) -> None:
        rows = self.browser.table.rows
        begun = rows.find(str(self.browser.selected))
        self.browser.begin_range()
        self.browser.move(by)
        ended = rows.find(str(self.browser.selected))
        self.browser.mark_range()
        assert begun is not None
        assert ended is not None
        self.marks |= {rows[at].key for at in range(min(begun, ended), max(begun, ended) + 1)}

    @rule(site=st.sampled_from(SITES), what=st.sampled_from(["add", "remove", "pause", "resume", "stop", "work"]))
    def something_happens(self, site: str, what: str) -> None:
        selector = Selector.of(site=site)
        try:
            match what:
                case "add":
                    self.fleet.do(AddName(dimension="site", name=site))
                case "remove":
                    self.fleet.do(RemoveName(dimension="site", name=site))
                case "pause":
                    self.fleet.do(PlaceHold(selectors=(selector,)))
                case "resume":
                    self.fleet.do(ReleaseHolds(selectors=(selector,), reason="again"))
                case "stop":
                    self.fleet.stop("S-1", "", selector)
                case _:
                    row = self.fleet.workers["w-1"]
                    self.fleet.workers["w-1"] = replace(row, in_flight=row.in_flight + 1, scope={"site": [site]})
        except OpsError:
            pass  # the fleet refuses what makes no sense in its state; nothing has changed then
        self.look()

    @invariant()
    def the_cursor_is_on_a_row_that_is_shown_or_on_none(self) -> None:
        rows, selected = self.browser.table.rows, self.browser.selected
        assert selected is None or selected in {rows[at].key for at in range(len(rows))}

    @invariant()
    def the_marks_are_those_that_were_made_on_what_is_still_there(self) -> None:
        assert self.browser.marks == self.marks
        assert self.marks <= self.names

    @invariant()
    def the_window_is_within_the_rows(self) -> None:
        browser = self.browser
        assert 0 <= browser.place.top <= max(0, len(browser.table.rows) - max(1, browser.room)) or not browser.room

    @invariant()
    def each_row_stands_where_it_is_found(self) -> None:
        rows = self.browser.table.rows
        keys = [rows[at].key for at in range(len(rows))]
        assert [rows.find(key) for key in keys] == list(range(len(keys)))
        assert [rows.key(at) for at in range(len(rows))] == keys

    @invariant()
    def the_short_way_shows_what_looking_at_every_row_would(self) -> None:
        whole, how = self.browser.whole, self.browser.how
        every = [whole.rows[at] for at in range(len(whole.rows))]
        shown = {row.key for row in every if how.filter.passes(said_by(row))}
        rows = self.browser.table.rows
        assert {rows[at].key for at in range(len(rows))} == shown

    @invariant()
    def one_command_names_exactly_the_marked_keys(self) -> None:
        if self.marks:
            aim = Several("site", self.browser.meant, self.browser.hidden_marks)
            command = aim.pause("")
            assert isinstance(command, PlaceHold)
            assert sorted(str(each) for each in command.selectors) == sorted(f"site={name}" for name in self.marks)


TestBrowsing = Browsing.TestCase
TestBrowsing.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_a_word_of_a_filter_never_reaches_from_one_cell_into_the_next() -> None:
    row = Row("k", (Cell("ab"), Cell("cd")))
    assert Filter.parse("ab cd").passes(said_by(row))
    assert not Filter.parse("abcd").passes(said_by(row))
