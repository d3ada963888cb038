"""How far a stop has come, in words that never promise more than was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsconsole.lines import Style
from opsconsole.views.picture import Progress
from opsgate.hold import HALT

KEEPER_GRACE = timedelta(seconds=5)
"""How long after its deadline a stop may still be said to be stopping."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Several stops taken together: a worker counts as stopped when it acknowledged each stop that lists it, a service
    when it was seen stopped for each."""

    word: str
    """``STOPPING``, ``STOPPED`` (verified), ``PARTIAL`` or ``UNVERIFIED``."""
    acked: int
    of: int
    missing: tuple[str, ...]
    lost: frozenset[str]
    since: datetime
    services: int = 0
    """How many services the stops list."""
    running: tuple[str, ...] = ()
    """Those that nobody has seen stopped yet."""

    @property
    def style(self) -> Style:
        """How good that is."""
        return {"STOPPED": Style.GOOD, "STOPPING": Style.WARN}.get(self.word, Style.BAD)

    @property
    def acks(self) -> str:
        """``41/44``."""
        return f"{self.acked}/{self.of}"

    @property
    def stopped(self) -> str:
        """``3/5``, of services."""
        return f"{self.services - len(self.running)}/{self.services}"

    @property
    def seen(self) -> str:
        """``44/49``, of workers and services together."""
        return f"{self.acked + self.services - len(self.running)}/{self.of + self.services}"


def together(stops: Sequence[Progress], now: datetime) -> Verdict | None:
    """The verdict on all of `stops`, at `now` by the engine's clock; None when there are none."""
    if not stops:
        return None
    listed = dict.fromkeys(worker for each in stops for worker in each.stop.of)
    missing = {worker for each in stops for worker in each.missing}
    services = dict.fromkeys(step.service for each in stops for step in each.stop.services)
    running = {service for each in stops for service in each.running}
    seen = len(listed) - len(missing) + len(services) - len(running)
    return Verdict(
        word=_word([result_of(each, now) for each in stops], seen),
        acked=len(listed) - len(missing),
        of=len(listed),
        missing=tuple(worker for worker in listed if worker in missing),
        lost=frozenset().union(*(each.lost for each in stops)) & missing,
        since=min(each.stop.ordered_at for each in stops),
        services=len(services),
        running=tuple(service for service in services if service in running),
    )


def fate(mode: str, verdict: Verdict | None) -> str:
    """What becomes of work that runs under a hold: ``to halt`` is said only while there is time left to do so."""
    if verdict is None or verdict.word == "STOPPING" or not verdict.missing:
        return "to halt" if mode == HALT else "draining"
    return "not halted" if mode == HALT else "not drained"


def result_of(progress: Progress, now: datetime) -> str:
    """What a stop came to, as the journal says. Where no keeper concludes it, time is up all the same."""
    stop = progress.stop
    overdue = stop.result == "pending" and now > stop.deadline_at + KEEPER_GRACE
    return "unverified" if overdue else stop.result


def _word(results: Sequence[str], seen: int) -> str:
    """The worst that the journal says. Heartbeats that are ahead of it change the count, never the word."""
    if "pending" in results:
        return "STOPPING"
    if all(result == "verified" for result in results):
        return "STOPPED"
    return "PARTIAL" if seen else "UNVERIFIED"
