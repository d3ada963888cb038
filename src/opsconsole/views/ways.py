"""By which ways a stop would leave now, as far as anybody has looked; said before it is fired, in one frame."""

from __future__ import annotations

from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.words import stopwatch

Said = tuple[Span, ...]


def ways(picture: Picture) -> list[Said]:
    """Whether the backend is there, which of the three ways are up, and what is missing without the others."""
    link = picture.link
    up, down, unknown = _sorted(picture)
    count = f"{len(up)} of 3 routes up: {', '.join(up)}" if up else "no route is known to be up"
    tried = f"; {' and '.join(unknown)} {_unseen(picture)}, tried all the same" if unknown else ""
    if link.live:
        said: Said = (Span(f"Backend reachable ({count}{tried}). Safe to repeat."),)
    elif link.refused:
        trouble = f" ({clean(link.trouble, 120)})" if link.trouble else ""
        said = (Span(f"The server shows this token nothing{trouble}. It is told all the same", Style.BAD),)
        said = (*said, Span(f" ({count}{tried}). Safe to repeat."))
    elif link.age_s is None:
        said = (Span(f"Backend not reached yet: will use panic path ({count}{tried}). Safe to repeat.", Style.WARN),)
    else:
        trouble = f" ({clean(link.trouble, 120)})" if link.trouble else ""
        away = f"Backend NOT reachable for {stopwatch(link.age_s)}{trouble}: will use panic path"
        said = (Span(f"{away} ({count}{tried}). Safe to repeat.", Style.BAD),)
    return [said, *((Span(each, Style.BAD),) for each in down)]


def _unseen(picture: Picture) -> str:
    """What is said of ways of which nothing is known: a keeper behind a server was known while that one answered."""
    is_lost = not picture.link.live and picture.link.age_s is not None
    return "not known meanwhile" if is_lost else "not looked at yet"


def _sorted(picture: Picture) -> tuple[list[str], list[str], list[str]]:
    """The ways that are up, what it means that others are down, and those that nobody has looked at."""
    routes, seen = picture.routes, picture.facts.seen
    keeper = routes.keeper
    if keeper is None and seen is not None and picture.link.live:
        keeper = seen.keeper  # the server's word for its own
    known = {"backend": picture.link.live, "keeper": keeper, "latch": routes.latch}
    meaning = {
        "keeper": "NO KEEPER: nothing is pushed and nobody counts; workers of this host obey the latch",
        "latch": "NO LATCH: its directory cannot be written, so nothing on disk stops a worker that is cut off",
    }
    down = [meaning[way] for way, is_up in known.items() if is_up is False and way in meaning]
    return [way for way, is_up in known.items() if is_up], down, [way for way, is_up in known.items() if is_up is None]
