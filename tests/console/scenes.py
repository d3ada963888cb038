"""The scenes that text goldens compare, each told as a script on a seeded fleet.

Those of an incident are the pictures of the documentation: the steps of its script up to the picture. The others are
fleets that strain a screen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from textual.pilot import Pilot

from core.capabilities.configuration import ApplyConfiguration, Configuration, NameEntry
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold
from core.capabilities.names import AddName
from core.messages import Command
from opsconsole.script.grammar import script
from opsconsole.script.header import Script, Seeded
from opsconsole.script.played import Played
from opsconsole.script.player import Player
from opsconsole.script.stage import Stage, seeded
from opsconsole.script.steps import Acknowledge, Do, Lose, Pass, Resize, Shoot, Step, Work
from opsgate.selector import EVERYTHING, Selector
from tests.console.hostile import HOSTILE

DOCUMENTED = Path(__file__).parents[2] / "screenshots" / "scenes" / "incident.yaml"
LONGEST = 128
"""Characters that a name may have."""

Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens until the picture is taken, and on whose fleet."""

    name: str
    steps: Steps
    fleet: Seeded

    def stage(self) -> Stage:
        """A console over this fleet, before anything has happened."""
        return seeded(self.fleet)

    async def play(self, stage: Stage, pilot: Pilot[None], *more: Step) -> Played:
        """Carry it out, and `more` after it, on a console that runs; it stays as that leaves it."""
        player = Player(Script((*self.steps, *more)), stage, lambda _said: None)
        await player.perform(pilot)
        played = player.played()
        assert played.failure is None, played.failure
        return played


@cache
def documented() -> Script:
    """The incident of the documentation."""
    return script(DOCUMENTED.read_bytes())


def documented_fleet() -> Seeded:
    """The fleet that it happens to."""
    fleet = documented().fleet
    assert isinstance(fleet, Seeded)
    return fleet


def up_to(picture: str) -> Scene:
    """The incident up to one of its pictures."""
    steps = documented().steps
    end = next(at for at, step in enumerate(steps) if isinstance(step, Shoot) and step.name == picture)
    kept = tuple(step for step in steps[:end] if not isinstance(step, Shoot | Resize))
    return Scene(picture, kept, documented_fleet())


def named(scene: Scene, name: str) -> Scene:
    """The same scene, called otherwise."""
    return replace(scene, name=name)


def does(*commands: Command, by: str = "ana") -> Steps:
    """Somebody's commands."""
    return tuple(Do(0, by, command) for command in commands)


def sites(*names: str) -> Steps:
    """Sites with a worker each, and a minute that goes by."""
    workers = tuple((f"w-{number:02}", (name,)) for number, name in enumerate(names[:12], 1))
    return (*does(*(AddName(dimension="site", name=name) for name in names)), Work(0, workers), Pass(0, 60))


def pause(reason: str, *names: str, by: str = "ana") -> Steps:
    """One command that pauses sites."""
    return does(PlaceHold(selectors=tuple(Selector.of(site=name) for name in names), reason=reason), by=by)


def paused() -> Scene:
    """Eight of ten sites are paused, by several people and for several reasons, and one of them twice."""
    names = [f"shop-{land}" for land in ("at", "be", "ch", "de", "es", "fr", "it", "nl", "pl", "pt")]
    steps = (
        *sites(*names),
        *pause("INC-1 price feed is late", *names[:4], by="ben"),
        Pass(0, 3000),
        *pause("wrong tax rates", *names[4:8]),
        *pause("carrier is down", names[0]),
        Pass(0, 200),
    )
    return Scene("paused", steps, Seeded(profile="PROD"))


def long_names() -> Scene:
    """Everything is called as long as a name may be."""
    names = [f"{number}-{'shop-with-a-very-long-name-' * 5}"[:LONGEST] for number in range(4)]
    worker = ("worker-on-a-host-with-a-long-name-" * 4)[: LONGEST - 2]
    workers = tuple((f"{worker}-{number}", (name,)) for number, name in enumerate(names))
    steps = (
        *does(*(AddName(dimension="site", name=name) for name in names)),
        Work(0, workers),
        Pass(0, 60),
        *pause("a reason that somebody has written at length because it was worth telling " * 3, names[0]),
        Pass(0, 600),
        *does(OrderStop(stop_id="S-1", selectors=(Selector.of(site=names[1]),), reason="INC-412 " * 30)),
        Pass(0, 6),
    )
    fleet = Seeded("an-operator-with-a-long-name-" * 4, "PRODUCTION-EUROPE-WEST", "sqlite:///" + "long/" * 40 + "f.db")
    return Scene("long-names", steps, fleet)


def hostile_names() -> Scene:
    """Names are identifiers by rule; reasons, and what a person configures, are any text."""
    texts = {name: text[:300] for name, text in HOSTILE.items() if name != "surrogate"}  # no journal takes one
    names = [f"h-{name.replace(' ', '-')}" for name in texts]
    holds = [
        PlaceHold(selectors=(Selector.of(site=name),)).model_copy(update={"reason": text})
        for name, text in zip(names, texts.values(), strict=True)
    ]
    everything = " ".join(text[:12] for text in texts.values())
    stop = OrderStop(stop_id="S-1", selectors=(EVERYTHING,)).model_copy(update={"reason": everything[:300]})
    steps = (*sites(*names), *does(*holds), Pass(0, 60), *does(stop), Acknowledge(0, ("w-01",)), Pass(0, 6))
    return Scene("hostile-names", steps, Seeded("ana", everything, f"sqlite:///{everything}"))


def thousands() -> Scene:
    """Three thousand sites, thirty of them paused, two workers lost."""
    names = [f"shop-{number:04}" for number in range(3000)]
    every = Configuration(sites={name: NameEntry() for name in names})
    steps = (
        *does(ApplyConfiguration(configuration=every)),
        Work(0, tuple((f"w-{number:02}", (names[1020 + number],)) for number in range(1, 13))),
        Pass(0, 60),
        *pause("INC-7 wrong stock", *names[1000:1030]),
        Lose(0, ("w-03", "w-07")),
        Pass(0, 120),
    )
    return Scene("thousands", steps, Seeded(profile="PROD"))


STATES = (
    up_to("running"),
    named(up_to("verified"), "stopped"),
    up_to("partial"),
    up_to("stale"),
    paused(),
    long_names(),
    hostile_names(),
    thousands(),
)
"""What a fleet can be in, for the goldens of every size."""
