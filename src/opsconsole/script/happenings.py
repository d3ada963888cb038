"""What happens in the world of a seeded fleet, as the steps of a script say."""

from __future__ import annotations

from opsconsole.script.steps import Acknowledge, Away, Keep, Lose, Pass, Stand, Step, Use, Work
from opsconsole.script.world import World


def happen(world: World, step: Step) -> None:
    """Have it happen. A step of the console is none of these: our fault."""
    match step:
        case Pass():
            world.pass_time(step.seconds)
        case Work():
            world.hire(step.workers)
        case Acknowledge():
            world.acknowledge(step.workers)
        case Lose():
            world.lose(step.workers)
        case Use():
            world.use(step.limit, step.tenths)
        case Stand():
            world.stand(dict(step.standings))
        case Away():
            world.leave(step.trouble)
        case Keep():
            world.keep(there=step.there)
        case _:
            raise AssertionError(f"{step} is no step of a world")
