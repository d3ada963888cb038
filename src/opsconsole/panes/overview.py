"""The whole fleet at a glance."""

from __future__ import annotations

from opsconsole.panes.base import Question, TablePane
from opsconsole.table import Table
from opsconsole.views.case import workers_case
from opsconsole.views.overview import overview
from opsconsole.views.picture import Picture
from opsgate.selector import EVERYTHING, Selector

WORKERS = frozenset({"ACKS", "WAITING", "MISSING", "WORKERS", "IN-FLIGHT"})
"""The questions that workers answer."""
WAY_BACK = frozenset({"RESUME"})
"""The questions that the checks of a recovery answer; all others holds do."""


class OverviewPane(TablePane):
    """State, cause, acknowledgements, workers, way back."""

    name = "global"
    title = "Global"

    def view(self, picture: Picture) -> Table:
        """Questions and answers."""
        return overview(picture)

    def why(self, key: str, picture: Picture) -> Question | None:
        """Of rows about workers, each one that owes something or is out of reach; else why nothing may run."""
        question = key.partition("#")[0]
        if question in WORKERS:
            return Question(question, workers_case)
        return super().why(key, picture)

    def list_of(self, key: str) -> str:
        """Those whose standing the row sums up."""
        question = key.partition("#")[0]
        return "workers" if question in WORKERS else "recovery" if question in WAY_BACK else "holds"

    def selector(self, key: str, picture: Picture) -> Selector | None:
        """Every row here is about everything."""
        return EVERYTHING
