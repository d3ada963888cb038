"""What has to be done and looked at for the present step of a recovery: worked out from the state alone, so that
whoever leads next goes on where the one before was killed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from core.recoveries import Recovery
from core.services import tiers
from core.state import State

DEPENDENCIES = "dependencies"


@dataclass(frozen=True, slots=True)
class Work:
    """Names of services: those to look at, to start, to stop again, whose health to ask, and on which those that come
    back depend without coming back themselves."""

    observe: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()


def work_of(state: State, recovery: Recovery, hopeless: Collection[str] = ()) -> Work:
    """The work of this moment. ``hopeless`` are services that nobody could stop again, which hold up no others."""
    if recovery.status == "rolling-back":
        return _turning_back(state, recovery, hopeless)
    step = recovery.present
    health = tuple(name for name in step.services if _has_health(state, name)) if "health" in step.checks else ()
    match step.kind:
        case "check":
            return Work(dependencies=_outside(state, recovery) if DEPENDENCIES in step.checks else ())
        case "prepare":
            return Work(observe=step.services)
        case "start":
            waiting = tuple(name for name in step.services if not is_seen(state, recovery, name, "running"))
            return Work(observe=step.services, start=waiting, health=health)
        case "admit" | "watch":
            return Work(observe=step.services, health=health)


def is_seen(state: State, recovery: Recovery, name: str, standing: str) -> bool:
    """Whether a service was observed to stand so since the present step, or turning back, began."""
    service = state.services.get(name)
    return service is not None and service.standing == standing and service.observed_revision > recovery.step_revision


def health_of(name: str) -> str:
    """How the health of a service is called among the things that are looked at."""
    return f"health of {name}"


def unmet(checks: Iterable[str]) -> tuple[str, ...]:
    """Those of the things that were looked at which are not as they should be."""
    return tuple(check for check in checks if check.startswith(("[..]", "[XX]")))


def waits_of(recovery: Recovery) -> tuple[str, ...]:
    """What a recovery under way waits for, as it was said last: ``standing of web: not to be seen, no file names it``.
    Nothing where it is over, or where all is well."""
    return tuple(check.partition("] ")[2] for check in unmet(recovery.checks)) if recovery.is_active else ()


def asked(state: State, recovery: Recovery) -> frozenset[str]:
    """What only somebody in the world can see of the present step, by the names under which it is said."""
    work = work_of(state, recovery)
    named = {health_of(name) for name in work.health}
    gates = {gate.name for gate in recovery.present.metrics}
    return frozenset(named | gates | ({DEPENDENCIES} & set(recovery.present.checks)))


def still_running(state: State, recovery: Recovery) -> tuple[str, ...]:
    """What a recovery may have started and nobody has seen stopped since it was turned back, in stop order."""
    return tuple(name for name in recovery.attempted if not is_seen(state, recovery, name, "stopped"))


def _turning_back(state: State, recovery: Recovery, hopeless: Collection[str]) -> Work:
    """Tier by tier, as in a cascade: what depends on others goes first."""
    running = still_running(state, recovery)
    tier_of = tiers(state.services, recovery.attempted)
    first = min((tier_of[name] for name in running if name not in hopeless), default=None)
    turn = tuple(name for name in running if tier_of[name] == first or name in hopeless)
    return Work(observe=turn, stop=turn)


def _outside(state: State, recovery: Recovery) -> tuple[str, ...]:
    inside = frozenset(recovery.services)
    needed = {other for name in inside if name in state.services for other in state.services[name].depends_on}
    return tuple(sorted(needed - inside))


def _has_health(state: State, name: str) -> bool:
    return name in state.services and state.services[name].health != ""
