"""The line of command mode: what it would come to is said while it is typed, and Enter confirms nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsconsole.actions import Desk
from opsconsole.command.carrying import carry_out
from opsconsole.command.completion import Completion, complete
from opsconsole.command.preview import Preview, preview
from opsconsole.command.verbs import Verb
from opsconsole.dialogs.base import Dialog, Outcome, Said, Then
from opsconsole.dialogs.field import Field
from opsconsole.lines import Span, Style
from opsconsole.text import clean, width
from opsconsole.views.picture import Facts, Picture

HISTORY_MAX = 100


class History:
    """The lines that were entered before, oldest first."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Remember a line, once."""
        self._lines = [*(each for each in self._lines if each != line), line][-HISTORY_MAX:]

    def __getitem__(self, back: int) -> str:
        """The line `back` steps ago, 1 for the last."""
        return self._lines[-back]

    def __len__(self) -> int:
        return len(self._lines)


class CommandLine(Dialog):
    """Opened by ``:``. Tab completes, Up and Down bring back what was entered, Esc leaves.

    Enter does what only looks. For what changes something it opens the prompt that the key opens.
    """

    title = "COMMAND"
    bare = True

    def __init__(self, desk: Desk, verbs: Mapping[str, Verb], history: History, text: str = "") -> None:
        self._desk = desk
        self._verbs = verbs
        self._history = history
        self._back = 0
        self._field = Field()
        self._field.value = text
        self._offered: list[str] = []
        self._previewed: tuple[str, Facts, Preview] | None = None

    @property
    def refused(self) -> str:
        """Why Enter would do nothing with this line now; empty where it would do something."""
        found = self._preview()
        return "" if found.intention is not None else "".join(span.text for span in found.said)

    def body(self, picture: Picture) -> list[Said]:
        """What Enter would do, and what could stand here."""
        found = self._preview()
        return [self._half_typed(found) or found.said, self._offers()]

    def foot(self, picture: Picture) -> list[Said]:
        """The line. What it could go on with stands behind the cursor."""
        ghost = self._ghost()
        behind = (Span(ghost[:1] or " ", Style.CURSOR), Span(ghost[1:], Style.DIM))
        return [(Span(":", Style.KEY), Span(self._field.shown(), Style.STRONG), *behind)]

    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key."""
        if key == "escape" or (key in {"backspace", "ctrl+h"} and not self._field.value):
            return "close"
        if key == "enter":
            return self._enter()
        if key in {"tab", "shift+tab"}:
            self._complete(1 if key == "tab" else -1)
            return "stay"
        self._offered = []
        if key in {"up", "down"}:
            self._look_back(1 if key == "up" else -1)
        elif key in {"right", "ctrl+e"}:
            self._field.value += self._ghost()
        else:
            self._field.key(key, character)
        return "stay"

    def paste(self, text: str) -> Outcome:
        """A paste is inserted and never carried out."""
        self._offered = []
        self._field.paste(text)
        return "stay"

    def _enter(self) -> Outcome:
        if not self._field.value.strip():
            return "close"
        found = self._preview()
        if found.intention is None:
            return "stay"
        self._history.add(self._field.value.strip())
        return Then(lambda: carry_out(found, self._desk))

    def _preview(self) -> Preview:
        text, facts = self._field.value, self._desk.picture.facts
        if self._previewed is None or self._previewed[0] != text or self._previewed[1] is not facts:
            self._previewed = text, facts, preview(text, self._verbs, self._desk)
        return self._previewed[2]

    def _half_typed(self, found: Preview) -> Said:
        """A word that is being typed is not wrong yet: what Tab would make of it. Empty where it does not apply."""
        ahead, typed = self._completion(), self._field.value
        word = typed[ahead.start :]
        if found.intention is not None or found.column != ahead.start + 1 or not word or not ahead.offers:
            return ()
        if len(ahead.offers) == 1 and not ahead.more:
            said = f"Tab completes {word} to {ahead.offers[0]}"
        elif len(ahead.common) > len(word):
            said = f"Tab goes on to {ahead.common}, which {len(ahead.offers) + ahead.more} begin with"
        else:
            said = f"{len(ahead.offers) + ahead.more} begin with {word}: Tab offers one after the other"
        return (Span(said),)

    def _completion(self) -> Completion:
        return complete(self._field.value, self._verbs, self._names)

    def _names(self, what: str) -> Sequence[str]:
        if what == "column":
            return sorted(column.title for column in self._desk.pane.table.columns if column.title)
        if what == "emergency":
            return sorted(self._desk.picture.state.emergencies)
        if what == "trigger":
            return sorted(self._desk.picture.state.triggers)
        return self._desk.picture.facts.names.of(what)

    def _complete(self, by: int) -> None:
        """The rest of what is certain; after that, each offer in turn."""
        if self._offered:
            self._offered = [*self._offered[by:], *self._offered[:by]]
            self._field.value = self._offered[0]
            return
        found, text = self._completion(), self._field.value
        if len(found.offers) == 1 and not found.more:
            ends = "" if found.offers[0].endswith("=") else " "
            self._field.value = text[: found.start] + found.offers[0] + ends
        elif len(found.common) > len(text) - found.start:
            self._field.value = text[: found.start] + found.common
        elif found.offers:
            self._offered = [text[: found.start] + offer for offer in found.offers]
            if by < 0:
                self._offered = [self._offered[-1], *self._offered[:-1]]
            self._field.value = self._offered[0]

    def _look_back(self, by: int) -> None:
        self._back = max(0, min(len(self._history), self._back + by))
        self._field.value = self._history[self._back] if self._back else ""

    def _ghost(self) -> str:
        if self._offered:
            return ""
        found = self._completion()
        typed = self._field.value[found.start :]
        if not typed:
            return ""
        first = found.offers[0] if found.offers else ""
        return first[len(typed) :] if first.startswith(typed) else ""

    def _offers(self) -> Said:
        found = self._completion()
        room, shown = max(20, self.cells_shown - 16), list[str]()
        for offer in found.offers:
            said = clean(offer, 40)
            if room < width(said) + 2:
                break
            shown.append(said)
            room -= width(said) + 2
        more = len(found.offers) + found.more - len(shown)
        return (Span("  ".join(shown) + (f"  +{more} more" if more else ""), Style.DIM),)
