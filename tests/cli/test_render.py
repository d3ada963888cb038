"""The four formats: JSON is exact, everything that people or spreadsheets see is harmless."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.render import Document, Listing, rendered

HOSTILE = "\x1b]0;owned\x07\u202eoff\x9b2J"


def text_of(result: Listing | Document, output: str) -> str:
    return "\n".join(rendered(result, output))


def listing(*rows: dict[str, Any]) -> Listing:
    return Listing(("name", "on_since", "what"), rows, "nothing here")


def test_a_table_has_a_heading_and_columns_as_wide_as_their_widest_cell() -> None:
    table = listing({"name": "shop-eu", "on_since": None, "what": True}, {"name": "m", "on_since": 5, "what": "x"})
    assert text_of(table, "table").splitlines() == [
        "NAME     ON-SINCE  WHAT",
        "shop-eu  -         yes",
        "m        5         x",
    ]


def test_an_empty_table_says_so_in_words_and_other_formats_are_empty() -> None:
    assert text_of(listing(), "table") == "nothing here"
    assert json.loads(text_of(listing(), "json")) == []
    assert text_of(listing(), "jsonl") == ""
    assert text_of(listing(), "csv") == "name,on_since,what"


def test_json_has_every_fact_exactly_also_those_without_a_column() -> None:
    row = {"name": HOSTILE, "on_since": None, "what": {"site": "s1"}, "more": [1, 2.5]}
    assert json.loads(text_of(listing(row), "json")) == [row]
    assert [json.loads(line) for line in rendered(listing(row), "jsonl")] == [row]
    assert json.loads(text_of(Document(row, ()), "json")) == row


@given(st.text())
def test_no_text_reaches_a_table_or_a_csv_with_a_control_character(text: str) -> None:
    for output in ("table", "csv"):
        shown = text_of(listing({"name": text, "on_since": 1, "what": [text]}), output).replace("\n", "")
        assert all(char.isprintable() for char in shown)
    assert all(char.isprintable() for char in text_of(Document({}, [text]), "table"))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "=HYPERLINK(1)", "@SUM(A1)"])
def test_a_csv_cell_never_begins_a_formula(start: str) -> None:
    shown = text_of(listing({"name": f"{start}1", "on_since": -5, "what": ""}), "csv")
    assert list(csv.reader(io.StringIO(shown)))[1] == [f"'{start}1", "-5", ""]


def test_csv_quotes_commas_and_quotation_marks() -> None:
    shown = text_of(listing({"name": 'a,"b"', "on_since": True, "what": {"site": "s", "env": "e"}}), "csv")
    assert list(csv.reader(io.StringIO(shown)))[1] == ['a,"b"', "yes", "site=s,env=e"]


def test_one_fact_as_csv_is_a_list_of_one() -> None:
    shown = text_of(Document({"state": "running", "stops": [], "revision": 7}, ()), "csv")
    assert list(csv.DictReader(io.StringIO(shown))) == [{"state": "running", "stops": "", "revision": "7"}]
