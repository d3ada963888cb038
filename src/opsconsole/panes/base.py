"""What a pane is: one question and its answer, and what can be done about it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

from opsconsole.browse import NOTHING
from opsconsole.dialogs.several import Aim, Several
from opsconsole.dialogs.target import Target
from opsconsole.drawing import Frame
from opsconsole.grid import Grid
from opsconsole.keynames import show_keys
from opsconsole.lines import Span
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.subject import Subject
from opsconsole.views.why import explanation
from opsgate.selector import Selector


class Question(NamedTuple):
    """What is asked about, and the answer to it as a picture gives it."""

    about: str
    answer: Callable[[Picture], list[tuple[Span, ...]]]


class TablePane(Grid):
    """A pane that shows the table of a view.

    `name` is its part of the layout, `title` what stands in its frame. A subclass gives `view`, and says what a row
    stands for where something can be done to it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    offers: ClassVar[Mapping[str, str]] = {"why": "why"}
    """Actions, by their ids, whose keys the frame names while it has the focus; and what each does here, in a word."""
    nothing_inside: ClassVar[str] = "there is nothing behind this row"
    """Why Enter shows nothing, where neither `subject_of` nor `list_of` has anything."""
    has_wide = False
    """Whether there are more columns than those that are shown at first."""

    def __init__(self, number: int | None = None) -> None:
        title = self.title if number is None else f"{number} {self.title}"
        super().__init__(Frame(title), id=self.name)
        self.wide = False

    def name_keys(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        """Name in the frame the keys of what it offers, but for an action that has none.

        ``keys`` are those of each action, by its id.
        """
        hints = ((show_keys(keys[id_]), does) for id_, does in self.offers.items() if keys[id_])
        self.look(self.frame._replace(hints=tuple(hints)))

    @abstractmethod
    def view(self, picture: Picture) -> Table:
        """What it shows of a picture."""

    def table_of(self, picture: Picture) -> Table:
        """Its view, once there is anything to look at: an empty list is no answer before the first state."""
        return self.view(picture) if picture.known else NOTHING

    def target(self, key: str) -> Target | None:
        """What ``p`` and ``P`` would act on, with the cursor on `key`; None where they do not apply."""
        return None

    def aim(self) -> Aim | None:
        """What ``p`` and ``P`` act on now: the marked rows and those of a range, else the one under the cursor."""
        marked = [target for key in self.browser.meant if (target := self.target(key))]
        if marked:
            keys = tuple(target.key for target in marked)
            return Several(marked[0].dimension, keys, self.browser.hidden_marks)
        return self.target(self.selected) if self.selected else None

    def unmark(self, done: Several) -> int:
        """Take the marks of what was done away; returns how many."""
        names = {(done.dimension, key) for key in done.keys}
        targets = ((key, self.target(key)) for key in self.browser.marks)
        keys = [key for key, target in targets if target and (target.dimension, target.key) in names]
        if keys:
            self.look_anew(lambda browser: browser.unmark(*keys))
        return len(keys)

    def selector(self, key: str, picture: Picture) -> Selector | None:
        """The scope that ``d`` explains, with the cursor on `key`."""
        target = self.target(key)
        return target.selector if target else None

    def why(self, key: str, picture: Picture) -> Question | None:
        """What ``d`` answers, with the cursor on `key`; None where there is nothing to ask about."""
        selector = self.selector(key, picture)
        return (
            None if selector is None else Question(clean(str(selector), 120), lambda seen: explanation(seen, selector))
        )

    def subject_of(self, key: str, picture: Picture) -> Subject | None:
        """What Enter shows the inside of and ``l`` the events of, with the cursor on `key`."""
        target = self.target(key)
        return Subject(target.dimension, target.key) if target else None

    def list_of(self, key: str) -> str:
        """The list that Enter shows where `key` stands for no single thing but for many; empty where for none."""
        return ""

    def name_of(self, key: str, picture: Picture) -> str:
        """What people call the thing of a row, to paste it elsewhere."""
        subject = self.subject_of(key, picture)
        return clean(subject.key if subject else key.rpartition("/")[2], 300)

    def trigger(self, key: str, picture: Picture) -> str:
        """The trigger that ``E`` would change, with the cursor on `key`; empty where there is none."""
        subject = self.subject_of(key, picture)
        known = subject is not None and subject.kind == "trigger" and subject.key in picture.state.triggers
        return subject.key if subject is not None and known else ""

    def emergency(self, key: str, picture: Picture) -> str | None:
        """The emergency that ``R`` would recover, with the cursor on `key`."""
        return None
