"""What was entered: the inside of one row of another list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from opsconsole.panes.audit import AuditPane
from opsconsole.panes.base import Question, TablePane
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.case import worker_case
from opsconsole.views.inside import inside
from opsconsole.views.picture import Picture
from opsconsole.views.services import service_case
from opsconsole.views.subject import Subject
from opsconsole.views.why import explanation
from opsgate.selector import Selector

ENTERED = ("worker", "site", "hold", "service", "emergency")
"""What stands inside something and can be entered in its turn."""


class InsidePane(AuditPane):
    """One thing from near. The log of a thing reads on in the journal as the audit does."""

    name = "inside"
    title = "Inside"
    nothing_inside = TablePane.nothing_inside
    offers: ClassVar[Mapping[str, str]] = {"back": "back", "why": "why"}

    def __init__(self, number: int | None = None) -> None:
        super().__init__(number)
        self.subject = Subject("acks", "")

    def enter(self, subject: Subject) -> None:
        """Show another thing."""
        self.subject = subject
        self.has_wide = subject.log or subject.kind == "acks"
        self.look(self.frame._replace(title=subject.title))

    def view(self, picture: Picture) -> Table:
        """What is inside it."""
        return inside(picture, self.subject, self.read, wide=self.wide)

    def moved(self) -> None:
        """Only a log goes on in the journal."""
        if self.subject.log:
            super().moved()

    def trigger(self, key: str, picture: Picture) -> str:
        """The one that it shows, wherever the cursor is."""
        here = self.subject.key if self.subject.kind == "trigger" else ""
        return here if here in picture.state.triggers else super().trigger(key, picture)

    def subject_of(self, key: str, picture: Picture) -> Subject | None:
        """A worker, a site or a hold; of a stop its emergency. Nothing leads to where one is already."""
        if self.subject.kind == "acks":
            return Subject("worker", key)
        kind, _slash, rest = key.partition("/")
        name = rest.partition("/")[0]
        if kind == "stop" and (stop := picture.state.stops.get(name)):
            kind, name = "emergency", stop.emergency_id
        elif kind not in ENTERED:
            return None
        return None if (kind, name) == self.subject[:2] else Subject(kind, name)

    def why(self, key: str, picture: Picture) -> Question | None:
        """Of a worker what is known of it, of a hold what it covers, else of what was entered."""
        entered = self.subject_of(key, picture)
        if entered and entered.kind == "worker":
            return Question(clean(entered.key, 60), lambda seen: worker_case(seen, entered.key))
        if entered and entered.kind == "service":
            return Question(clean(entered.key, 60), lambda seen: service_case(seen, entered.key))
        hold = picture.state.holds.get(key.removeprefix("hold/"))
        if hold is not None:
            return Question(clean(str(hold.selector), 120), lambda seen: explanation(seen, hold.selector))
        if self.subject.kind not in {"site", "operation", "workflow"}:
            return None
        selector = Selector.recorded(self.subject.kind, self.subject.key)
        return Question(clean(str(selector), 120), lambda seen: explanation(seen, selector))
