"""The grammar of what happens in the world of a seeded fleet: time, workers, services, and who is there at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.services import Standing
from opsconsole.script.expecting import name
from opsconsole.script.keeping import STANDINGS
from opsconsole.script.kinds import Entry, Scope, shown
from opsconsole.script.reading import Given, near
from opsconsole.script.steps import Acknowledge, Away, Keep, Lose, Pass, Stand, Step, Use, Work

TENTHS: Final = 10


def _pass(given: Given, _scope: Scope) -> tuple[Step, ...]:
    return (Pass(given.line, given.seconds()),)


def _workers(given: Given, scope: Scope) -> tuple[Step, ...]:
    workers = {name(place, "worker"): value for place, value in given.pairs().values()} if given.is_mapping else {}
    if not workers:
        given.wrong("workers are name: site, or name: [site, site]")
    scope.workers += workers
    served = ((worker, tuple(name(site, "site") for site in value.one_or_more())) for worker, value in workers.items())
    return (Work(given.line, tuple(served)),)


def _acknowledge(given: Given, scope: Scope) -> tuple[Step, ...]:
    everybody = given.is_text and given.text() == "all"
    return (Acknowledge(given.line, () if everybody else _known(given, scope)),)


def _lose(given: Given, scope: Scope) -> tuple[Step, ...]:
    return (Lose(given.line, _known(given, scope)),)


def _known(given: Given, scope: Scope) -> tuple[str, ...]:
    """Workers that came to life above."""
    for each in given.one_or_more():
        if (worker := name(each, "worker")) not in scope.workers:
            each.wrong(f"no worker {shown(worker)} has come to life above{near(worker, scope.workers)}")
    return tuple(each.text() for each in given.one_or_more())


def _use(given: Given, scope: Scope) -> tuple[Step, ...]:
    used: list[Step] = []
    for limit, (place, value) in given.pairs().items():
        if limit not in scope.limits:
            place.wrong(f"there is no limit {shown(limit)}{near(limit, scope.limits)}")
        tenths = tuple(each.whole() for each in value.items())
        if len(tenths) != TENTHS:
            value.wrong(f"{len(tenths)} numbers, write {TENTHS}: the units used in each tenth of the window")
        used.append(Use(given.line, limit, tenths))
    if not used:
        given.wrong("use is limit: [ten numbers]")
    return tuple(used)


def _services(given: Given, scope: Scope) -> tuple[Step, ...]:
    standings: list[tuple[str, Standing]] = []
    for service, (place, value) in given.pairs().items():
        if service not in scope.services:
            place.wrong(f"no service {shown(service)} was added above{near(service, scope.services)}")
        word = value.one_of(STANDINGS)
        standings += [(service, standing) for standing in STANDINGS if standing == word]
    if not standings:
        given.wrong("services are name: standing")
    return (Stand(given.line, tuple(standings)),)


def _away(given: Given, _scope: Scope) -> tuple[Step, ...]:
    return (Away(given.line, given.text()),)


def _back(given: Given, _scope: Scope) -> tuple[Step, ...]:
    if not given.switch():
        given.wrong("write 'back: true', or 'away: WHAT IT SAYS'")
    return (Away(given.line, ""),)


def _keeper(given: Given, _scope: Scope) -> tuple[Step, ...]:
    return (Keep(given.line, given.switch()),)


WORLD_STEPS: Final[Mapping[str, Entry]] = {
    "pass": Entry(_pass, "Seeded: let time pass.", "pass: 1m30s"),
    "workers": Entry(_workers, "Seeded: workers come to life, each with work in flight.", "workers: {w-01: shop-eu}"),
    "acknowledge": Entry(_acknowledge, "Seeded: workers have stopped; or `all`.", "acknowledge: [w-01, w-02]"),
    "lose": Entry(_lose, "Seeded: workers go silent.", "lose: w-03"),
    "use": Entry(
        _use, "Seeded: units used in each tenth of a limit's window.", "use: {sites: [0, 1, 0, 0, 1, 0, 1, 0, 0, 1]}"
    ),
    "services": Entry(
        _services, "Seeded: services stand so, and the keeper sees it.", "services: {db: stopped, web: not-stopped}"
    ),
    "away": Entry(_away, "Seeded: the backend answers nothing but this.", "away: connection refused"),
    "back": Entry(_back, "Seeded: it answers again.", "back: true"),
    "keeper": Entry(_keeper, "Seeded: a keeper is alive, or none.", "keeper: false"),
}
"""Every kind of step that only a seeded fleet can do."""
