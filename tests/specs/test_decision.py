"""The decision: every blocker is named, in one documented order, and nothing forces "allowed" past a hold."""

import enum
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.capabilities.rate_limits import SetLimit
from core.capabilities.switches import SetSwitch
from core.policy import decide, run_state, why
from opsgate.evaluate import ALLOWED, Table, Verdict, Work, describe, evaluate, headline, rank
from opsgate.hold import Hold, moment, timestamp
from opsgate.names import DIMENSIONS
from opsgate.selector import EVERYTHING, Selector
from tests.specs.engine import Engine, ids, on
from tests.strategies import selectors

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def held(source: str = "operator", owner: str = "ana", *, at_s: float = 0.0, **selector: str) -> Hold:
    when = NOON + timedelta(seconds=at_s)
    return Hold(f"H-{source}-{sorted(selector.items())}", on(**selector), source, owner, placed_at=when)


ORDER = [
    ("an emergency, even of the smallest scope", held("emergency", "E-1", campaign="c1")),
    ("everything", held()),
    ("a flag", held("flag", "ab_testing", operation="ab_testing")),
    ("a site", held(site="s1")),
    ("a dependency", held("breaker", "stripe", dependency="stripe")),
    ("a workflow", held("workflow", "xml-import", workflow="xml-import")),
    ("a campaign", held(campaign="c1")),
    ("a limit of zero", held("limit", "sites", operation="site_creation")),
    ("the local agent", held(agent="p1")),
]
"""The documented order of blockers. The first one in force is the headline."""


def test_the_documented_order_is_the_order() -> None:
    for (_, first), (what, second) in pairwise(ORDER):
        assert rank(first) < rank(second), f"{what} came too early"


@pytest.mark.parametrize(("what", "first"), ORDER)
def test_the_headline_is_the_same_however_the_holds_are_arranged(what: str, first: Hold) -> None:
    work = {"site": "s1", "operation": "ab_testing", "dependency": "stripe", "workflow": "xml-import"}
    work |= {"campaign": "c1", "agent": "p1"}
    later = [hold for _, hold in ORDER[[hold for _, hold in ORDER].index(first) + 1 :]]
    for some in permutations(later[:3]):
        covering = work | first.selector.as_dict()
        assert evaluate(Table([*some, first]), covering).blockers[0] == first, what


@pytest.mark.parametrize(
    ("hold", "like"),
    [
        (held(env="dev"), held()),
        (held(account="a1"), held(site="s1")),
        (held(service="api"), held(dependency="stripe")),
        (held("file", "control", env="dev"), held(agent="p1")),
        (held("signal", "SIGUSR1"), held(agent="p1")),
        (held(campaign="c1", site="s1"), held(site="s1")),
    ],
)
def test_what_stands_beside_what(hold: Hold, like: Hold) -> None:
    assert rank(hold)[0] == rank(like)[0]


def test_of_two_alike_the_older_one_is_the_headline_even_after_it_was_strengthened() -> None:
    engine = Engine()
    first = engine.pause(on(site="s1"), by="ana", for_s=60).hold_ids[0]
    engine.wait(1)
    second = engine.pause(on(site="s1"), by="ben").hold_ids[0]
    engine.pause(on(site="s1"), by="ana", mode="halt")

    assert ids(engine.verdict(site="s1").blockers) == [first, second]


def test_every_blocker_is_named() -> None:
    engine = Engine()
    engine.pause()
    engine.pause(on(site="s1"))
    engine.do(SetSwitch(dimension="operation", names=("site_creation",), on=False))
    engine.do(SetLimit(name="sites", limit=0))
    engine.stop("S-1", on(site="s1", operation="site_creation"))

    verdict = engine.verdict(site="s1", operation="enableSiteCreation")

    assert [hold.source for hold in verdict.blockers] == ["emergency", "operator", "flag", "operator", "limit"]


def test_work_that_nothing_covers_is_allowed() -> None:
    assert evaluate(Table(), {}) == ALLOWED
    assert evaluate(Table([held(site="s1")]), {"site": None}) == ALLOWED


class Shop(enum.Enum):
    BERLIN = 5

    def __str__(self) -> str:
        return "berlin"


class Job(enum.StrEnum):
    CREATE = "enableSiteCreation"


@pytest.mark.parametrize("work", [{"site": 5}, {"site": Shop.BERLIN}, {"operation": Job.CREATE}])
def test_untyped_work_is_covered_as_its_text_is(work: Work) -> None:
    table = Table([held(site="5"), held(site="berlin"), held(operation="site_creation")])

    assert evaluate(table, work).outcome == "blocked"


def test_even_work_that_is_nonsense_gets_a_verdict() -> None:
    nonsense: Any = {"site": ["s1"], "operation": {}, "campaign": object()}

    assert evaluate(Table([held(site="s1")]), nonsense).outcome == "allowed"
    assert evaluate(Table([held()]), nonsense).outcome == "blocked"


def test_a_misspelt_dimension_is_an_unknown_name_for_no_hold_will_ever_cover_it() -> None:
    table = Table(names={"site": frozenset({"s1"})})

    assert evaluate(table, {"sight": "s1"}).unknown_names == ("sight=s1",)
    assert evaluate(table, {"sight": "s1"}, strict=True).outcome == "blocked"
    assert evaluate(table, {"site": "s1", "account": "any", "agent": "p1", "env": "dev"}, strict=True) == ALLOWED


@given(st.dictionaries(st.sampled_from(DIMENSIONS) | st.text(), st.none() | st.text(), max_size=9), st.booleans())
def test_no_work_ever_raises(work: dict[str, str | None], strict: bool) -> None:
    ramp = Hold("H-1", EVERYTHING, "operator", "ana", admit=0.5)
    table = Table([held(site="s1"), held(operation="ab_testing", site="s1"), ramp])

    verdict = evaluate(table, work, strict=strict)

    assert set(verdict.unknown_names) <= {f"{dimension}={value}" for dimension, value in work.items()}
    assert headline(verdict)


@given(st.lists(selectors(), max_size=12), selectors())
def test_the_compiled_table_finds_what_the_plain_rule_finds(placed: list[Selector], work: Selector) -> None:
    holds = [Hold(f"H-{number}", selector, "operator", "ana") for number, selector in enumerate(placed)]

    found = {hold.hold_id for hold in Table(holds).covering(work.as_dict())}

    assert found == {hold.hold_id for hold in holds if set(hold.selector.items) <= set(work.items)}


@given(st.lists(selectors(), max_size=6), st.lists(selectors(), max_size=6), st.data(), selectors())
def test_a_table_that_follows_by_difference_decides_like_one_made_anew(
    before: list[Selector], more: list[Selector], data: st.DataObject, work: Selector
) -> None:
    old = [Hold(f"H-{number}", selector, "operator", "ana") for number, selector in enumerate(before)]
    new = [Hold(f"H-{number}", selector, "operator", "ben") for number, selector in enumerate(more, len(before) // 2)]
    gone = data.draw(st.sets(st.sampled_from([hold.hold_id for hold in old]))) if old else set()

    followed = Table(old).changed(new, gone)

    left = {hold.hold_id: hold for hold in old if hold.hold_id not in gone} | {hold.hold_id: hold for hold in new}
    fresh = Table(left.values())
    assert followed.holds == fresh.holds
    assert evaluate(followed, work.as_dict()) == evaluate(fresh, work.as_dict())
    assert followed.mentioned.keys() >= fresh.mentioned.keys()


# ----------------------------------------------------------------------------------------------------------- in words


@pytest.mark.parametrize(
    ("hold", "words"),
    [
        (held("emergency", "E-7"), "everything is stopped by emergency E-7"),
        (held(site="s1"), "site=s1 is paused by ana"),
        (held("flag", "ab_testing", operation="ab_testing"), "operation ab_testing is switched off"),
        (held("workflow", "xml-import", workflow="xml-import"), "workflow xml-import is disabled"),
        (held("limit", "sites", operation="x"), "limit sites is 0, so operation=x is stopped"),
        (held("breaker", "stripe", dependency="stripe"), "dependency=stripe is held by breaker stripe"),
    ],
)
def test_a_blocker_is_described_as_a_person_would_say_it(hold: Hold, words: str) -> None:
    assert describe(hold) == words


def test_the_headline_says_the_first_blocker_and_its_reason() -> None:
    engine = Engine()
    engine.pause(on(site="s1"), reason="bad deploy")

    assert headline(engine.verdict(site="s1")) == "site=s1 is paused by ana: bad deploy"


def test_the_headline_of_every_other_outcome() -> None:
    assert headline(ALLOWED) == "allowed"
    assert headline(Verdict("blocked", (), ("site=s9",))) == "unknown name site=s9 (strict mode refuses it)"
    assert headline(Verdict("unknown")) == "the state could not be read"


# ---------------------------------------------------------------------------------------------------------------- why


def test_why_says_what_would_still_hold_after_each_release() -> None:
    engine = Engine()
    site = engine.pause(on(site="s1")).hold_ids[0]
    everything = engine.pause().hold_ids[0]

    explanation = why(engine.state.table(), on(site="s1"))

    assert ids(explanation.verdict.blockers) == [everything, site]
    assert list(map(str, explanation.previews)) == [
        f"after releasing {everything}, still blocked by {site}",
        f"after releasing {site}, still blocked by {everything}",
    ]


def test_why_with_one_blocker_says_that_its_release_lets_it_run() -> None:
    engine = Engine()
    site = engine.pause(on(site="s1")).hold_ids[0]

    assert list(map(str, why(engine.state.table(), on(site="s1")).previews)) == [f"after releasing {site}, it may run"]


def test_why_shows_the_narrower_holds_inside_a_scope_and_none_beside_it() -> None:
    engine = Engine()
    inside = engine.pause(on(site="s1", operation="ab_testing")).hold_ids[0]
    across = engine.pause(on(workflow="xml-import")).hold_ids[0]
    engine.pause(on(site="s2"))

    explanation = why(engine.state.table(), on(site="s1"))

    assert explanation.verdict.outcome == "allowed"
    assert ids(explanation.partial) == [inside, across]


def test_why_of_everything_shows_every_hold() -> None:
    engine = Engine()
    engine.pause(on(site="s1"))
    engine.pause(on(site="s2"))

    assert len(why(engine.state.table(), EVERYTHING).partial) == 2


def test_a_ramp_that_lets_this_key_through_still_shows_as_a_part() -> None:
    almost_all = Hold("H-1", on(site="s1"), "operator", "ana", admit=1.0)

    assert why(Table([almost_all]), on(site="s1")).partial == (almost_all,)


def test_one_decision_function_serves_the_engine_and_the_gate() -> None:
    engine = Engine()
    engine.pause(on(site="s1"))

    assert decide(engine.state, {"site": "s1"}) == engine.verdict(site="s1")


# ---------------------------------------------------------------------------------------------------------- the fleet


def test_the_fleet_in_one_word() -> None:
    engine = Engine()
    assert run_state(engine.state) == "running"

    engine.do(SetLimit(name="sites", limit=0))
    assert run_state(engine.state) == "partly"
    engine.pause(on(site="s1"))
    assert run_state(engine.state) == "partly"
    engine.pause(EVERYTHING, admit=0.5)
    assert run_state(engine.state) == "partly"
    engine.pause(EVERYTHING)
    assert run_state(engine.state) == "stopped"


# --------------------------------------------------------------------------------------------------------------- times


@given(st.timedeltas(-timedelta(days=739_000), timedelta(days=730_000)), st.timezones())
def test_a_moment_is_read_back_as_it_was_written_and_sorts_as_text(since: timedelta, zone: tzinfo) -> None:
    when = NOON + since

    text = timestamp(when.astimezone(zone))

    assert moment(text) == when
    assert (text < timestamp(NOON)) is (when < NOON)


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00", "yesterday", "", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time zone|Invalid isoformat|calendar"):
        moment(text)
