"""A form in which a trigger is made or changed: checked and rehearsed as one types, and asked for at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from opsconsole.command.trigger_fields import Entry, Read, entries, read, texts_of
from opsconsole.dialogs.base import Dialog, Outcome, Said, Then, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.dialogs.trigger import define_prompt
from opsconsole.lines import Span, Style
from opsconsole.text import clean, cut
from opsconsole.views.picture import Picture
from opsconsole.views.rehearsed import fires_when, replayed
from opsconsole.views.words import scope

if TYPE_CHECKING:
    from core.triggers.definition import Definition

REVIEW: Final = Entry("review", "review it", "Enter: what it would stop, and y")

LABEL_CELLS: Final = 16
NARROW_CELLS: Final = 60
"""Below this only the line that is typed says what it takes."""


class TriggerForm(Dialog):
    """Opened by ``E`` and ``T``. Up and Down, or Tab, go from line to line, Left and Right choose among words. Enter
    goes on, and at the end, where nothing is wrong, to the question that ``y`` answers: it confirms nothing."""

    escapes = "cancel"

    def __init__(
        self,
        before: Definition | None,
        open_: Callable[[Dialog], None],
        replay: Callable[[tuple[str, ...]], None],
    ) -> None:
        """``open_`` shows the question; ``replay`` has the samples of these metrics read that the engine has kept."""
        self._before, self._open, self._replay = before, open_, replay
        self._fields = {key: Field(text) for key, text in texts_of(before).items()}
        self._at = 0
        self._read: Read = self._look()
        name = clean(before.name, 60) if before else ""
        self.title = f"CHANGE trigger {name}" if before else "NEW trigger"

    @property
    def _lines(self) -> list[Entry]:
        return [*entries(self._text("type"), new=self._before is None), REVIEW]

    @property
    def _entry(self) -> Entry:
        return self._lines[min(self._at, len(self._lines) - 1)]

    def body(self, picture: Picture) -> list[Said]:
        """The lines around the one that is typed, as many as there is room for."""
        lines = self._lines
        room = max(1, min(self.rows_shown, len(lines)))
        first = max(0, min(self._at - room // 2, len(lines) - room))
        return [self._line(entry, at == self._at) for at, entry in enumerate(lines)][first : first + room]

    def foot(self, picture: Picture) -> list[Said]:
        """What is wrong, or what it would do and would have done, and the keys."""
        found, narrow = self._read, self.cells_shown < NARROW_CELLS
        keys = keys_line(
            ("Up Down", "line"), ("Left Right", "choose"), ("Enter", "next"), ("End", "review"), self.escape
        )
        if narrow:
            keys = keys_line(("Enter", "next"), self.escape)
        if found.definition is None:
            return [(Span(f"not yet: {self._where(found.key)}{clean(found.fault, 200)}", Style.BAD),), keys]
        stops = f"{found.definition.stop_level} stop of {scope(found.definition.selectors())}"
        fires = (Span(f"fires when {fires_when(found.definition)}: ", Style.STRONG), Span(stops))
        if narrow:
            said = replayed(picture, found.definition, short=True)
            return [tuple(Span(cut(span.text, self.cells_shown - 4), span.style) for span in said), keys]
        return [fires, replayed(picture, found.definition), keys]

    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key."""
        entry = self._entry
        match key:
            case "escape":
                return "close"
            case "enter" if entry is REVIEW:
                return self._review()
            case "down" | "tab" | "enter":
                self._go(1)
            case "up" | "shift+tab":
                self._go(-1)
            case "home":
                self._go(-len(self._lines))
            case "end":
                self._go(len(self._lines))
            case "left" | "right" if entry.choices:
                self._choose(entry, 1 if key == "right" else -1)
            case _ if not entry.choices and entry is not REVIEW:
                self._field(entry.key).key(key, character)
        self._read = self._look()
        return "stay"

    def paste(self, text: str) -> Outcome:
        """Into the line that is typed."""
        entry = self._entry
        if not entry.choices and entry is not REVIEW:
            self._field(entry.key).paste(text)
            self._read = self._look()
        return "stay"

    def see(self, picture: Picture) -> None:
        """Have what it looks at read again, while it is open."""
        self._ask()

    def residue(self) -> str:
        """Nothing was done."""
        return f"trigger {clean(self._before.name, 60)} is as it was" if self._before else "no trigger was added"

    def _look(self) -> Read:
        found = read({key: field.value for key, field in self._fields.items()}, self._before)
        self._read = found
        self._ask()
        return found

    def _ask(self) -> None:
        if self._read.definition is not None:
            from core.triggers.watch import topics

            self._replay(tuple(topics(self._read.definition)))

    def _review(self) -> Outcome:
        definition = self._read.definition
        if definition is None:
            at = next((at for at, entry in enumerate(self._lines) if entry.key == self._read.key), self._at)
            self._at = at
            return "stay"
        asked = define_prompt(definition, new=self._before is None, back=lambda: self._open(self))
        return Then(lambda: self._open(asked))

    def _go(self, by: int) -> None:
        self._at = max(0, min(self._at + by, len(self._lines) - 1))

    def _choose(self, entry: Entry, by: int) -> None:
        text = self._text(entry.key)
        at = entry.choices.index(text) + by if text in entry.choices else 0 if by > 0 else -1
        self._field(entry.key).value = entry.choices[at % len(entry.choices)]

    def _field(self, key: str) -> Field:
        return self._fields.setdefault(key, Field())

    def _text(self, key: str) -> str:
        return self._field(key).value

    def _where(self, key: str) -> str:
        return next((f"{entry.label.strip()}: " for entry in self._lines if entry.key == key), "")

    def _line(self, entry: Entry, here: bool) -> Said:
        """One line: a mark where one types, a sign where something is wrong, the label, the text, what it takes."""
        wrong = self._read.definition is None and entry.key == self._read.key
        mark = Span(f"{'>' if here else ' '}{'!' if wrong else ' '}", Style.BAD if wrong else Style.STRONG)
        label = Span(f"{entry.label:<{LABEL_CELLS}} ", Style.STRONG if here else Style.DIM)
        if entry is REVIEW:
            return mark, label, Span(entry.takes, Style.KEY if here else Style.DIM)
        room = max(8, self.cells_shown - LABEL_CELLS - 12)
        text = self._field(entry.key).shown()
        shown = Span(cut(f"< {text or '-'} >" if entry.choices and here else text, room))
        caret = (Span("_", Style.STRONG),) if here and not entry.choices else ()
        takes = entry.takes if here or self.cells_shown >= NARROW_CELLS else ""
        left = room - len(shown) - 5
        beside = (Span(f"  ({cut(takes, left)})", Style.DIM),) if takes and left > 8 else ()
        return (mark, label, shown, *caret, *beside)
