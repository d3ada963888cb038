"""What a line of command mode means, what it could go on with, and what is wrong with it, as text in and text out."""

from __future__ import annotations

import random

import pytest

from opsconsole.command.completion import complete, near
from opsconsole.command.grammar import parse
from opsconsole.command.intentions import Ask, Case, Do, Fault, Freeze, Hold, Narrow, Order, Show, Switch, Wear
from opsconsole.command.verbs import NEVER_TYPED, vocabulary
from opsgate.selector import EVERYTHING, Selector

VERBS = vocabulary(("sites", "workers", "workflows", "holds", "audit"))
NAMES = {
    "site": ["feed", "mail", "pay-gw", "search", "shop-eu", "shop-us"],
    "operation": ["content_generation", "site_creation"],
    "workflow": ["status-sync", "xml-import"],
    "column": ["AGE", "SITE", "STATE"],
}


def names(what: str) -> list[str]:
    return NAMES.get(what, [])


@pytest.mark.parametrize(
    ("line", "intention"),
    [
        ("sites", Show("sites")),
        (":workers ", Show("workers")),
        ("pause", Do("pause")),
        ("pause shop-eu", Hold("pause", (("shop-eu", 7),))),
        ("pause shop-* mail", Hold("pause", (("shop-*", 7), ("mail", 14)))),
        ("pause shop-eu -- INC-412, prices", Hold("pause", (("shop-eu", 7),), "INC-412, prices")),
        ('pause --site shop-eu --reason "two words"', Hold("pause", (("shop-eu", 14),), "two words")),
        ("resume site=shop-eu", Hold("resume", (("shop-eu", 8),))),
        ("flag site_creation off", Switch("operation", "site_creation", 6, on=False)),
        ("flag enableSiteCreation on -- done", Switch("operation", "site_creation", 6, on=True, reason="done")),
        ("workflow xml-import off", Switch("workflow", "xml-import", 10, on=False)),
        ("why", Do("why")),
        ("why all", Ask(EVERYTHING)),
        ("why shop-eu", Ask(Selector.of(site="shop-eu"))),
        ("why site=s1,operation=site_creation", Ask(Selector.of(site="s1", operation="site_creation"))),
        ("why site=s1 flag=enableSiteCreation", Ask(Selector.of(site="s1", operation="site_creation"))),
        ("filter shop -eu", Narrow("shop -eu")),
        ("filter", Narrow("")),
        ("sort -age", Order("-age")),
        ("theme light", Wear("light")),
        ("still", Freeze(still=True)),
        ("live", Freeze(still=False)),
        ("q", Do("quit")),
        ("help", Do("help")),
        ("recover", Do("recover")),
        ("recover E-37", Case("recover", "E-37", 9)),
        ("recover E-37 --reason prices are right", Case("recover", "E-37", 9, "prices are right")),
        ("explain E-37 -- INC-412", Case("explain", "E-37", 9, "INC-412")),
    ],
)
def test_a_line_means(line: str, intention: object) -> None:
    assert parse(line, VERBS) == intention


@pytest.mark.parametrize(
    ("line", "column", "sentence"),
    [
        ("puase shop-eu", 1, "no command is called puase; did you mean pause?"),
        ("  wrkers", 3, "no command is called wrkers; did you mean workers"),
        ("sites now", 7, ":sites takes nothing"),
        ("pause shop-eu because,of prices", 15, "because,of is no name; a reason comes behind --"),
        ("pause -- why not", 6, "name the sites first"),
        ("flag", 5, "FLAG on|off is missing"),
        ("flag site_creation", 19, "on or off is missing"),
        ("flag site_creation maybe", 20, "maybe is neither on nor off"),
        ("flag site_creation off now", 24, "a reason comes behind --"),
        ("why stie=s1", 5, "stie=s1 is no scope; did you mean site=?"),
        ("why site=s1 site=s2", 13, "site stands twice"),
        ("why site=/etc", 5, "site"),
        ("theme drak", 7, "no theme is called drak; did you mean dark?"),
        ("theme", 6, "which one?"),
        ("sort age down", 10, ":sort takes COLUMN"),
        ("recover E-1 --reason", 21, "the reason is missing behind --reason"),
        ("pause mail --", 14, "the reason is missing behind --"),
        ("recover E-1 because", 13, "a reason comes behind --"),
        ("recover -- mended", 8, "name the emergency first"),
        (f"pause mail -- {'x' * 301}", 12, "at most 300 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_column(line: str, column: int, sentence: str) -> None:
    fault = parse(line, VERBS)
    assert isinstance(fault, Fault)
    assert fault.sentence.startswith(sentence) or sentence in fault.sentence
    assert fault.column == column


def test_no_line_is_a_stop() -> None:
    assert "stop" not in VERBS
    assert not NEVER_TYPED & VERBS.keys()
    for line in ("stop", "!", "! S", "stop all"):
        fault = parse(line, VERBS)
        assert isinstance(fault, Fault)
        assert "a typed line never stops anything" in fault.sentence


def test_nothing_is_no_mistake() -> None:
    for line in ("", ":", "   "):
        assert parse(line, VERBS) is None


@pytest.mark.parametrize(
    ("line", "start", "offers", "common"),
    [
        ("wor", 0, ("workers", "workflow", "workflows"), "work"),
        ("pause sh", 6, ("shop-eu", "shop-us"), "shop-"),
        ("pause shop-eu ma", 14, ("mail",), "mail"),
        ("pause x", 6, (), ""),
        ("flag s", 5, ("site_creation",), "site_creation"),
        ("flag site_creation o", 19, ("off", "on"), "o"),
        ("workflow x", 9, ("xml-import",), "xml-import"),
        ("why si", 4, ("site=",), "site="),
        ("why site=sea", 9, ("search",), "search"),
        ("sort a", 5, ("AGE",), "AGE"),
        ("sort -st", 6, ("STATE",), "STATE"),
        ("theme h", 6, ("high-contrast",), "high-contrast"),
        ("pause mail -- sh", 14, (), ""),
        ("sites x", 6, (), ""),
        ("nonsense x", 9, (), ""),
    ],
)
def test_a_line_can_go_on_with(line: str, start: int, offers: tuple[str, ...], common: str) -> None:
    found = complete(line, VERBS, names)
    assert (found.start, found.offers, found.common) == (start, offers, common)


def test_of_many_names_a_few_are_offered_and_the_others_counted() -> None:
    many = [f"site-{number:06}" for number in range(100_000)]
    found = complete("pause site-00", VERBS, lambda _: many)
    assert found.offers[0] == "site-000000"
    assert len(found.offers) + found.more == 10_000


def test_a_name_that_was_meant_is_found_among_very_many_without_comparing_them_all() -> None:
    many = sorted([*(f"site-{number:06}" for number in range(100_000)), "shop-eu"])
    assert near(many, "shop-ue") == ["shop-eu"]
    assert near(many, "site-04217") != []
    assert near([], "x") == []


def test_no_line_breaks_the_grammar_or_the_completion(seed: int) -> None:
    rng = random.Random(seed)
    words = [
        *VERBS,
        *NAMES["site"],
        "--",
        "-",
        "=",
        ",",
        "site=",
        "on",
        "off",
        "'",
        '"',
        "[",
        "*",
        "?",
        "\u202e",
        "é",
        "",
    ]
    for _ in range(2_000):
        line = rng.choice([" ", "  ", ""]).join(rng.choices(words, k=rng.randrange(6)))
        if rng.random() < 0.2:
            line += chr(rng.randrange(0x11_0000))
        parsed = parse(line, VERBS)
        if isinstance(parsed, Fault):
            assert 1 <= parsed.column <= len(line) + 1
        complete(line, VERBS, names)
