"""The emergencies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from core.services import MISSING_PREFIX
from opsconsole.lines import Style
from opsconsole.panes.base import Question, TablePane
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.case import emergency_case, worker_case
from opsconsole.views.emergencies import emergencies
from opsconsole.views.picture import Picture
from opsconsole.views.services import service_case
from opsconsole.views.subject import Subject


class EmergenciesPane(TablePane):
    """What was stopped, and who has been seen to stop."""

    name = "emergencies"
    title = "Emergencies"
    offers: ClassVar[Mapping[str, str]] = {
        "recover": "recover",
        "acknowledge": "ack",
        "own": "own",
        "why": "why",
        "explain": "reason",
    }

    def __init__(self, number: int | None = None) -> None:
        super().__init__(number)
        self._put: str | None = None
        self._latest: str | None = None

    def view(self, picture: Picture) -> Table:
        """Emergencies and their missing workers."""
        return emergencies(picture)

    def show(self, table: Table) -> None:
        """A new emergency draws the cursor to it, unless somebody has moved that since it was put where it is."""
        untouched = self.browser.place.cursor in {None, self._put}
        super().show(table)
        if not untouched:
            return
        rows = [self.table.rows[index] for index in range(len(self.table.rows))]
        active = [index for index, row in enumerate(rows) if row.cells and row.cells[0].style is Style.STRONG]
        latest = rows[active[-1]].key if active else None
        if latest is not None and latest != self._latest:
            self.browser.select(active[-1])
            self.repaint()
        self._latest, self._put = latest, self.browser.place.cursor

    def emergency(self, key: str, picture: Picture) -> str | None:
        """The row's own, or that of the stop which the row is about."""
        stop = picture.state.stops.get(key.partition("/")[0])
        found = picture.state.emergencies.get(stop.emergency_id if stop else key)
        return found.emergency_id if found and found.status == "active" else None

    def why(self, key: str, picture: Picture) -> Question | None:
        """Of an emergency, recovered or not, the whole case; of a missing worker what is known of it."""
        stop_id, slash, worker = key.partition("/")
        if worker.startswith(MISSING_PREFIX):
            service = worker.removeprefix(MISSING_PREFIX)
            return Question(clean(service, 60), lambda seen: service_case(seen, service))
        if slash and worker:
            return Question(clean(worker, 60), lambda seen: worker_case(seen, worker, stop_id))
        stop = picture.state.stops.get(stop_id)
        emergency_id = stop.emergency_id if stop else key
        return Question(clean(emergency_id, 30), lambda seen: emergency_case(seen, emergency_id))

    def subject_of(self, key: str, picture: Picture) -> Subject | None:
        """The emergency; of a missing worker's or service's row that."""
        stop_id, slash, worker = key.partition("/")
        if worker.startswith(MISSING_PREFIX):
            return Subject("service", worker.removeprefix(MISSING_PREFIX))
        return Subject("worker", worker) if slash and worker else Subject("emergency", stop_id)
