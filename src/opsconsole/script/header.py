"""A script as a value, and the keys above its steps: which fleet, which size, how patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, get_args

from core.messages import Role
from opsconsole.demo.plan import FEWEST_SITES, FEWEST_WORKERS
from opsconsole.dress import THEMES
from opsconsole.script.expecting import name
from opsconsole.script.reading import Given
from opsconsole.script.steps import Step

WITHIN_S: Final = 10.0
MOST_WORKERS: Final = 500
MOST_SITES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Seeded:
    """A fleet in memory, whose clock stands still until the script lets it go on."""

    operator: str = "ana"
    profile: str = ""
    url: str = "memory://seeded"
    role: Role | None = None
    """As which a server knows the operator, 30 ms away; None: there is no server, and the console is at the database.
    """

    others: tuple[str, ...] = ()
    """Who else looks at the fleet through that server."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A live fleet of worker processes, in a folder that is thrown away unless a backend is named."""

    workers: int = 12
    sites: int = 6


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script, its fields named as its keys. ``fleet`` None is the backend that the settings name; ``within`` is
    in seconds."""

    steps: tuple[Step, ...]
    size: tuple[int, int] = (120, 36)
    fleet: Seeded | Demo | None = None
    keeper: bool = True
    within: float = WITHIN_S
    recording: str = ""
    theme: str | None = None


class Field(NamedTuple):
    """One key above the steps: how it is read, and what it says."""

    read: Callable[[Given], Any]
    says: str


def header(fields: Mapping[str, Given]) -> Script:
    """A script without its steps."""
    return Script(steps=(), **{key: HEADER[key].read(value) for key, value in fields.items() if key in HEADER})


def _fleet(given: Given) -> Seeded | Demo:
    kinds = ("seeded", "demo")
    if given.is_text:
        if "://" in given.text():
            given.wrong("a database is named with -b or in the settings: leave fleet out")
        return Seeded() if given.one_of(kinds) == "seeded" else Demo()
    fields = given.fields(kinds)
    if len(fields) != 1:
        given.wrong("fleet is seeded or demo, and not both")
    kind, value = next(iter(fields.items()))
    return _seeded(value) if kind == "seeded" else _demo(value)


def _seeded(given: Given) -> Seeded:
    readers: Mapping[str, Callable[[Given], Any]] = {
        **dict.fromkeys(("operator", "profile", "url"), Given.text),
        "role": lambda value: value.one_of(get_args(Role)),
        "others": lambda value: tuple(each.text() for each in value.one_or_more()),
    }
    return Seeded(**{key: readers[key](value) for key, value in given.fields(readers).items()})


def _demo(given: Given) -> Demo:
    demo = Demo(**{key: value.whole() for key, value in given.fields(("workers", "sites")).items()})
    if not FEWEST_WORKERS <= demo.workers <= MOST_WORKERS:
        given.wrong(f"a demo takes {FEWEST_WORKERS} to {MOST_WORKERS} workers")
    if not FEWEST_SITES <= demo.sites <= MOST_SITES:
        given.wrong(f"a demo takes {FEWEST_SITES} to {MOST_SITES} sites")
    return demo


def file_name(given: Given) -> str:
    """What a picture or a recording is called, without a suffix."""
    text = name(given, "file name")
    bare, _, kind = text.rpartition(".")
    if bare and kind in {"gif", "png", "svg"}:
        given.wrong(f"{given.what} is '{text}', write '{bare}': what kind of file it is comes by itself")
    return text


HEADER: Final[Mapping[str, Field]] = {
    "size": Field(
        Given.size, "columns x rows of the terminal, `120x36` where nothing is said; `--size` goes before it"
    ),
    "fleet": Field(
        _fleet,
        "`seeded`: in memory, its clock stands still; `demo`: live worker processes; left out: the backend that the "
        "settings name. `{seeded: {operator: ana, profile: PROD, url: TEXT}}` says what row 2 shows, with "
        "`role: operator` and `others: [ben]` as through a server, `{demo: {workers: 12, sites: 6}}` how many",
    ),
    "keeper": Field(Given.switch, "`false`: the console starts none where none is alive"),
    "within": Field(Given.seconds, "how long `wait until` waits where it does not say, `10s`"),
    "theme": Field(lambda given: given.one_of(THEMES), f"{', '.join(f'`{name}`' for name in THEMES)}; else as set"),
    "recording": Field(file_name, "the name of the animation that the steps `frame` make"),
}
"""The keys above ``steps``."""
