"""The rate limits."""

from __future__ import annotations

from opsconsole.lines import Span
from opsconsole.panes.base import Question, TablePane
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.case import limit_case
from opsconsole.views.limits import limits
from opsconsole.views.picture import Picture
from opsconsole.views.subject import Subject
from opsconsole.views.why import beside_limit
from opsgate.selector import Selector


class LimitsPane(TablePane):
    """How much of each limit is used."""

    name = "limits"
    title = "Rate limits"

    def view(self, picture: Picture) -> Table:
        """Limits, fullest first."""
        return limits(picture)

    def why(self, key: str, picture: Picture) -> Question | None:
        """The limit itself, and whether the operation that it charges may run."""
        limit = picture.state.limits.get(key)
        scope = Selector.recorded("operation", limit.operation) if limit and limit.operation else None

        def answer(seen: Picture) -> list[tuple[Span, ...]]:
            return [*limit_case(seen, key), *(beside_limit(seen, key, scope) if scope else ())]

        return Question(f"limit {clean(key, 60)}", answer)

    def subject_of(self, key: str, picture: Picture) -> Subject | None:
        """The limit."""
        return Subject("limit", key)
