"""Moving about in a list, without a screen: cursor, scroll, filter, sort and marks over whatever table is true now.

Lists here reorder themselves, worst first, while somebody reads them; so the cursor is the *key* of a row, and so is
every mark. As long as nobody has moved the cursor, the list stays at its top. When the cursor's row goes, nothing is
selected until the cursor is moved: no key press may land on a neighbour by accident. When a marked thing goes, its mark
goes with it; a filter that hides it takes no mark away.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace

from opsconsole.arrange import Arrangement, Filter, Sort, alarmed, arrange
from opsconsole.drawing import Place
from opsconsole.table import Listed, Table
from opsconsole.text import clean
from opsconsole.widths import Needs

NOTHING = Table(columns=(), rows=Listed(), empty="waiting for the first state")
FILTER_MAX = 60


class Browser:
    """One list and where somebody stands in it. `room` is how many rows are seen at a time."""

    def __init__(self, *, selectable: bool = True) -> None:
        self.whole = self.table = NOTHING
        """All rows; and those that are shown, in the order in which they are shown."""
        self.place = Place()
        self.room = 0
        self.needs = Needs()
        """How wide its columns have had to be."""
        self.filter_text = ""
        self.sort = Sort()
        self.anchor: str | None = None
        """Where a range that is being marked began."""
        self._selectable = selectable
        self._sought = Filter()
        self._last_index = 0
        self._is_chosen = False

    # --------------------------------------------------------------------------------------------------- the cursor

    @property
    def selected(self) -> str | None:
        """The key under the cursor, if its row is shown."""
        return self.place.cursor if self._index() is not None else None

    def show(self, table: Table) -> None:
        """Look at another state of the same things."""
        was_visible = self._in_view(self._index())
        came_or_went = table.things is None or table.things is not self.whole.things
        self.whole = table
        if came_or_went and table is not NOTHING:
            self._forget_what_is_gone()
        self._arrange()
        if self.place.cursor is None:
            self._select_first()
        index = self._index()
        if index is not None:
            self._last_index = index
        if not self._is_chosen:
            self._stay_on_top(index)
        else:
            self._scroll(to=index if was_visible else None)

    def resize(self, room: int) -> None:
        """Another number of rows is seen; the cursor stays among them."""
        self.room = room
        self._scroll(to=self._index())

    def move(self, by: int) -> None:
        """Select the row `by` rows further on; where the cursor's row is gone, the one that stands there now."""
        self.select(self._last_index if self._index() is None else self._last_index + by)

    def page(self, by: float) -> None:
        """Move by so many times the rows that are seen."""
        rows = max(1, int(abs(by) * self.room))
        self.select(self._last_index + (rows if by > 0 else -rows))

    def select(self, index: int) -> None:
        """Select a row by where it stands; too far is the first one or the last."""
        if not len(self.table.rows):
            return
        self._is_chosen = True
        self._last_index = max(0, min(len(self.table.rows) - 1, index))
        self.place = self.place._replace(cursor=self.table.rows.key(self._last_index))
        self._scroll(to=self._last_index)

    def seek(self, by: int) -> bool:
        """Select the next row (with -1 the one before) that the last filter asked for; False if there is none."""
        if not self._sought.active:
            return False
        whole, shown = self.whole, self.table.rows
        found = arrange(whole.rows, whole.columns, Arrangement(self._sought, self.sort))
        places = range(len(found))

        def place_of(at: int) -> int:
            place = shown.find(found.key(at))
            return -1 if place is None else place

        if by > 0:
            at = bisect_right(places, self._last_index, key=place_of)
        else:
            at = bisect_left(places, self._last_index, key=place_of) - 1
        if not 0 <= at < len(found):
            return False
        self.select(place_of(at))
        return True

    # --------------------------------------------------------------------------------------------- filter and sort

    @property
    def how(self) -> Arrangement:
        """How the list is looked at."""
        return Arrangement(Filter.parse(self.filter_text), self.sort)

    def filter(self, text: str) -> None:
        """Show only the rows that `text` asks for; empty shows all. The cursor goes to one that is shown."""
        self.filter_text = text.strip()[:FILTER_MAX]
        if self.how.filter.active:
            self._sought = self.how.filter
        self._look_anew()

    def sort_by(self, sort: Sort) -> None:
        """Order by a column; or, with an empty one, as the list comes, worst first."""
        self.sort = sort
        self._look_anew()

    def next_sort(self) -> Sort:
        """The next column to sort by; behind the last one is the order in which the list comes."""
        titles = ["", *(column.title for column in self.whole.columns if column.title)]
        at = titles.index(self.sort.title) if self.sort.title in titles else 0
        return Sort(titles[(at + 1) % len(titles)])

    # ------------------------------------------------------------------------------------------------------- marks

    @property
    def marks(self) -> frozenset[str]:
        """The keys that are marked, shown or not."""
        return self.place.marks

    @property
    def meant(self) -> tuple[str, ...]:
        """The keys that are marked, and those of a range that is being marked, as the whole list has them."""
        meant = self.marks.union(self._range())
        return tuple(sorted(meant, key=lambda key: (self.whole.rows.find(key) or 0, key)))

    @property
    def hidden_marks(self) -> int:
        """How many marked rows the filter hides."""
        return sum(self.table.rows.find(key) is None for key in self.marks)

    def mark(self, *keys: str) -> None:
        """Mark rows that are there."""
        self._remark(self.marks.union(key for key in keys if self.whole.rows.find(key) is not None))

    def unmark(self, *keys: str) -> None:
        """Take marks away."""
        self._remark(self.marks.difference(keys))

    def begin_range(self) -> None:
        """What the cursor is on begins a range."""
        self.anchor = self.selected
        self._look_anew()

    def drop_range(self) -> None:
        """No range is being marked any more."""
        self.anchor = None
        self._look_anew()

    def mark_range(self) -> None:
        """Mark what is shown from where the range began to the cursor, both included; the range is over."""
        between = self._range()
        self.anchor = None
        self._remark(self.marks.union(between))

    def _range(self) -> list[str]:
        """The keys from where the range began to the cursor; none where either is not shown."""
        start = None if self.anchor is None else self.table.rows.find(self.anchor)
        stop = self._index()
        if start is None or stop is None:
            return []
        return list(map(self.table.rows.key, range(min(start, stop), max(start, stop) + 1)))

    def _remark(self, marks: frozenset[str]) -> None:
        self.place = self.place._replace(marks=marks)
        self._look_anew()

    def _forget_what_is_gone(self) -> None:
        find = self.whole.rows.find
        if any(find(key) is None for key in self.marks):
            self.place = self.place._replace(marks=frozenset(key for key in self.marks if find(key) is not None))
        if self.anchor is not None and find(self.anchor) is None:
            self.anchor = None

    # ------------------------------------------------------------------------------------------------- what is shown

    def _look_anew(self) -> None:
        """The operator looks in another way: what the cursor is on stays in sight, if it is there."""
        self._arrange()
        if self.selected is None:
            self._select_first()
        if (index := self._index()) is not None:
            self._last_index = index
        self._scroll(to=index)

    def _stay_on_top(self, index: int | None) -> None:
        """Nobody has moved the cursor: the first rows are the worst ones and stay in sight, whatever came above it."""
        self.place = self.place._replace(top=0)
        if index is not None and index >= self.room > 0:
            self._select_first()

    def _select_first(self) -> None:
        self._is_chosen = False
        if self._selectable and len(self.table.rows):
            self.place = self.place._replace(cursor=self.table.rows.key(0), top=0)

    def _arrange(self) -> None:
        whole, how = self.whole, self.how
        rows = arrange(whole.rows, whole.columns, how)
        empty = f"nothing here matches {clean(self.filter_text, FILTER_MAX)}" if how.filter.active else whole.empty
        self.table = replace(whole, rows=rows, note=self._note(len(rows)), empty=empty)

    def _note(self, shown: int) -> str:
        """What the frame says of the list: its own note, and how it is looked at."""
        how, said = self.how, [self.whole.note]
        if how.filter.active:
            hidden = alarmed(self.whole.rows, how)[1]
            hides = f", hides {hidden} alarmed" if hidden else ""
            said = [f"{shown} of {len(self.whole.rows)} (filter: {clean(self.filter_text, FILTER_MAX)}{hides})"]
        if self.sort.title:
            said.append(f"sort: {self.sort}")
        if self.anchor is not None:
            said.append(f"range from {clean(self.anchor, 30)}")
        if self.marks:
            said.append(f"marked: {len(self.marks)}")
        return "  ".join(filter(None, said))

    def _index(self) -> int | None:
        return None if self.place.cursor is None else self.table.rows.find(self.place.cursor)

    def _in_view(self, index: int | None) -> bool:
        return index is not None and self.place.top <= index < self.place.top + self.room

    def _scroll(self, to: int | None) -> None:
        room, top = self.room, self.place.top
        if room < 1:  # no row can be seen yet, so there is nothing to scroll into sight
            return
        if to is not None:
            top = max(to - room + 1, min(top, to))
        self.place = self.place._replace(top=max(0, min(top, len(self.table.rows) - room)))
