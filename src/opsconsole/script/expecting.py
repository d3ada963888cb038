"""What a script expects, and what of it is not met: a pure function of a picture and the text on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from core.services import MISSING_PREFIX
from core.state import Stop
from opsconsole.script.reading import Given
from opsconsole.text import clean
from opsconsole.views.picture import Facts, Picture
from opsgate.selector import Selector, SelectorError, checked_identifier, scope_text

STATES: Final = ("running", "partly", "stopped", "unknown")
RESULTS: Final = ("pending", "verified", "partial", "unverified")
SITE_STATES: Final = ("runs", "paused", "stopped")


class Scene(NamedTuple):
    """What can be looked at: the console's picture, and the rows of its screen."""

    picture: Picture
    rows: Sequence[str]


@dataclass(frozen=True, slots=True)
class OnScreen:
    """A text that stands on the screen, or does not: anywhere, or in one row (from 1; from the bottom, -1 is last)."""

    words: str
    row: int | None = None
    wanted: bool = True

    def unmet(self, rows: Sequence[str]) -> str:
        """What is wrong, or nothing."""
        where, said = "anywhere on the screen", "\n".join(rows)
        if self.row is not None:
            place = self.row - 1 if self.row > 0 else len(rows) + self.row
            where, said = f"in row {self.row}", rows[place] if 0 <= place < len(rows) else ""
        if (self.words in said) is self.wanted:
            return ""
        found = f", which says '{said.strip()}'" if self.row is not None else ""
        return f"'{clean(self.words)}' {where}{found}" if self.wanted else f"no '{clean(self.words)}' {where}{found}"


@dataclass(frozen=True, slots=True)
class OfStop:
    """The newest stop in force. ``missing`` is exactly which workers have not acknowledged, and which services
    have not been seen to stop."""

    result: str | None = None
    acked: int | None = None
    of: int | None = None
    missing: frozenset[str] | None = None
    scope: str | None = None

    def unmet(self, facts: Facts) -> Iterator[str]:
        """Each thing that is not so."""
        if not facts.progress:
            yield "a stop, there is none in force"
            return
        progress = facts.progress[-1]
        stop: Stop = progress.stop
        yield from _differs("a stop that is", self.result, stop.result)
        yield from _differs("acknowledged by", self.acked, len(progress.acked))
        yield from _differs("a stop of workers:", self.of, len(stop.of))
        yield from _differs("a stop of", self.scope, scope_text(stop.selectors))
        found = frozenset((*progress.missing, *(MISSING_PREFIX + service for service in progress.running)))
        if self.missing is not None and self.missing != found:
            yield f"missing {_names(self.missing)}, it is {_names(found)}"


@dataclass(frozen=True, slots=True)
class Expected:
    """All that one `expect` or `wait until` says. What it leaves out may be as it likes."""

    state: str | None = None
    holds: int | None = None
    stops: int | None = None
    live: int | None = None
    lost: int | None = None
    in_flight: int | None = None
    stop: OfStop | None = None
    paused: tuple[Selector, ...] | None = None
    sites: Mapping[str, str] | None = None
    screen: tuple[OnScreen, ...] = ()

    def unmet(self, scene: Scene) -> tuple[str, ...]:
        """What was expected and is not so, each with what is instead; empty when all is as expected."""
        picture, facts = scene.picture, scene.picture.facts
        found = [
            *_differs("state", self.state, picture.word),
            *_differs("holds:", self.holds, len(picture.state.holds)),
            *_differs("stops in force:", self.stops, len(facts.progress)),
            *_differs("live workers:", self.live, facts.live),
            *_differs("lost workers:", self.lost, len(facts.lost)),
            *_differs("in flight:", self.in_flight, facts.in_flight),
        ]
        if self.stop is not None:
            found += self.stop.unmet(facts)
        for selector in self.paused or ():
            if not picture.state.holds_on(selector):
                found.append(f"a hold on exactly {selector}, there is none")
        for site, wanted in (self.sites or {}).items():
            found += _differs(f"site {site}", wanted, _standing_of(facts, site))
        return (*found, *filter(None, (each.unmet(scene.rows) for each in self.screen)))


class Fact(NamedTuple):
    """One key of an expectation: the field of `Expected` that it sets, how it is read, and what it says."""

    field: str
    read: Callable[[Given], Any]
    says: str


def expected(given: Given, fields: Mapping[str, Given]) -> Expected:
    """Build one from the keys of `FACTS` among these fields."""
    facts: dict[str, Any] = {}
    for key, value in fields.items():
        if key in FACTS:
            fact = FACTS[key]
            read = fact.read(value)
            facts[fact.field] = (*facts.get("screen", ()), *read) if fact.field == "screen" else read
    if not facts:
        given.wrong(f"{given.what} says nothing to look for; it knows {', '.join(FACTS)}")
    return Expected(**facts)


def _stop(given: Given) -> OfStop:
    if given.is_text and given.text() in RESULTS:
        given.wrong(f"stop is a text, write {{result: {given.text()}}}")
    fields = given.fields(("result", "acked", "of", "missing", "scope"))
    return OfStop(
        result=fields["result"].one_of(RESULTS) if "result" in fields else None,
        acked=fields["acked"].whole() if "acked" in fields else None,
        of=fields["of"].whole() if "of" in fields else None,
        missing=_workers(fields["missing"]) if "missing" in fields else None,
        scope=fields["scope"].text() if "scope" in fields else None,
    )


def _workers(given: Given) -> frozenset[str]:
    if given.is_text and given.text() == "nobody":
        return frozenset()
    return frozenset(_listed(each) for each in given.one_or_more())


def _listed(given: Given) -> str:
    """A worker, or a service as ``service:NAME``."""
    text = given.text()
    if text.startswith(MISSING_PREFIX):
        return MISSING_PREFIX + _checked(given, text.removeprefix(MISSING_PREFIX), "service")
    return name(given, "worker")


def _sites(given: Given) -> dict[str, str]:
    for site, (place, _) in given.pairs().items():
        _checked(place, site, "site")
    return {site: value.one_of(SITE_STATES) for site, (_, value) in given.pairs().items()}


def _selectors(given: Given) -> tuple[Selector, ...]:
    return tuple(selector(each) for each in given.one_or_more())


def selector(given: Given) -> Selector:
    """A selector as it is printed: ``all``, ``site=s1``."""
    try:
        return Selector.parse(given.text())
    except SelectorError as error:
        given.wrong(str(error))


def name(given: Given, what: str) -> str:
    """A name of a site, a worker, a limit."""
    return _checked(given, given.text(), what)


def _checked(place: Given, text: str, what: str) -> str:
    try:
        return checked_identifier(text, what)
    except SelectorError as error:
        place.wrong(str(error))


def _screen(given: Given) -> tuple[OnScreen, ...]:
    return tuple(_on_screen(each, wanted=True) for each in given.one_or_more())


def _off_screen(given: Given) -> tuple[OnScreen, ...]:
    return tuple(_on_screen(each, wanted=False) for each in given.one_or_more())


def _on_screen(given: Given, *, wanted: bool) -> OnScreen:
    if not given.is_mapping:
        return OnScreen(given.text(), None, wanted)
    fields = given.fields(("row", "says"))
    if "says" not in fields:
        given.wrong(f"{given.what} has a row and no words: add says:")
    row = _row(fields["row"]) if "row" in fields else None
    return OnScreen(fields["says"].text(), row, wanted)


def _row(given: Given) -> int:
    text = given.text()
    if not text.removeprefix("-").isdecimal() or int(text) == 0 or len(text) > 4:
        given.wrong(f"row is '{clean(text, 20)}', write 1 for the first row or -1 for the last")
    return int(text)


def _standing_of(facts: Facts, site: str) -> str:
    """What a site does, in three words; ``unknown`` when it is not registered."""
    if ("site", site) not in facts.state.names:
        return "unknown"
    own = [hold for hold in facts.holds.by_name.get(("site", site), ()) if len(hold.selector.items) == 1]
    if any(hold.source == "emergency" for hold in (*own, *facts.holds.everywhere)):
        return "stopped"
    return "paused" if own or facts.holds.everywhere else "runs"


def _differs(what: str, wanted: Any, found: Any) -> Iterator[str]:
    if wanted is not None and wanted != found:
        yield f"{what} {wanted}, it is {found}"


def _names(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nobody"


FACTS: Final = {
    "state": Fact("state", lambda given: given.one_of(STATES), "running, partly (held), stopped or unknown: row 1"),
    "holds": Fact("holds", Given.whole, "how many holds are in force"),
    "hold on": Fact("paused", _selectors, "a selector, or a list of them, with a hold of exactly that: `site=s1`"),
    "stops": Fact("stops", Given.whole, "how many stops are in force"),
    "stop": Fact(
        "stop",
        _stop,
        "the newest stop in force: `result`, `acked`, `of`, `missing` (a list, or `nobody`; `service:NAME`), `scope`",
    ),
    "live": Fact("live", Given.whole, "how many workers are known and not lost"),
    "lost": Fact("lost", Given.whole, "how many workers are lost"),
    "in flight": Fact("in_flight", Given.whole, "how many pieces of work run"),
    "sites": Fact("sites", _sites, "site → `runs`, `paused` or `stopped` (by an emergency)"),
    "screen": Fact("screen", _screen, "a text, or a list of them, that stands on the screen; `{row: 1, says: TEXT}`"),
    "not on screen": Fact("screen", _off_screen, "the same, for what must not stand there"),
}
"""Everything that `expect` and `wait until` can look at."""
