"""Who is in the demo fleet: pleasant sites, and workers of which one is slow to stop and one never does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Character = Literal["steady", "slow", "deaf"]

CHARACTERS: Final[dict[Character, str]] = {
    "steady": "looks up many times a second",
    "slow": "takes about 3 s to its next checkpoint",
    "deaf": "hangs in a call to a third party that never returns",
}

FEWEST_SITES: Final = 2
FEWEST_WORKERS: Final = 3

_SITES: Final = (
    "harbour-books",
    "fern-and-thread",
    "pepper-mill",
    "north-star-maps",
    "little-lighthouse",
    "meadow-honey",
    "old-clockworks",
    "copper-kettle",
    "paper-lantern",
    "river-bicycles",
)


@dataclass(frozen=True, slots=True)
class Member:
    """One worker of the fleet and the one site that it serves."""

    worker: str
    site: str
    character: Character


def site_names(count: int) -> tuple[str, ...]:
    """That many sites."""
    rounds = range(1, 2 + count // len(_SITES))
    names = (name if round_ == 1 else f"{name}-{round_}" for round_ in rounds for name in _SITES)
    return tuple(name for name, _ in zip(names, range(count), strict=False))


def title(site: str) -> str:
    """What people call a site."""
    return site.replace("-", " ").title()


def members(workers: int, sites: int) -> tuple[Member, ...]:
    """That many workers over that many sites.

    The last site is served by the deaf worker alone, so that a stop of other sites leaves it out; the slow one is the
    second that serves the first site. ValueError below `FEWEST_WORKERS` or `FEWEST_SITES`.
    """
    if workers < FEWEST_WORKERS or sites < FEWEST_SITES:
        raise ValueError(f"a demo takes at least {FEWEST_WORKERS} workers and {FEWEST_SITES} sites")
    *shared, lonely = site_names(sites)
    shared = shared[: workers - 2]  # the first site has two workers, so that one of them can be slow
    served = [shared[0], *(shared[number % len(shared)] for number in range(workers - 2))]
    counts: dict[str, int] = {}
    fleet = []
    for site in served:
        counts[site] = counts.get(site, 0) + 1
        slow = site == shared[0] and counts[site] == 2
        fleet.append(Member(f"{site}-{counts[site]}", site, "slow" if slow else "steady"))
    return (*fleet, Member(f"{lonely}-1", lonely, "deaf"))
