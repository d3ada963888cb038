"""Hostile text changes nothing on a screen but the cells it stands in."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.text import CUT_MARK, MARKS_MAX, REPLACEMENT, clean, cut, fit, width
from tests.console.hostile import HOSTILE

ANY_TEXT = st.text(st.characters(codec=None), max_size=80) | st.sampled_from(sorted(HOSTILE.values()))
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_plain_text_passes_as_it_is() -> None:
    assert clean("shop-eu") == "shop-eu"
    assert clean("Größe, 站点, नमस्ते") == "Größe, 站点, नमस्ते"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b]0;owned\x07", "␛]0;owned␇"),
        ("a\x7fb", "a␡b"),
        ("\x9b31mred", f"{REPLACEMENT}31mred"),
        ("\u202eoff", f"{REPLACEMENT}off"),
        ("a\u200bb", f"a{REPLACEMENT}b"),
        ("a\ud800b", f"a{REPLACEMENT}b"),
        ("\u0301shop", f"{REPLACEMENT}shop"),
        ("e\u0301\u0301\u0301\u0301!", "e\u0301\u0301!"),
        ("\u2764\ufe0f", "\u2764"),
        ("a\u00a0b\u3000c", "a b c"),
    ],
)
def test_each_kind_of_harm_has_a_visible_harmless_form(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@given(ANY_TEXT, st.integers(0, 40))
def test_cleaned_text_can_be_sent_to_any_terminal(raw: str, limit: int) -> None:
    """No control, no format character, no more marks than the cap, encodable, and never wider than asked."""
    shown = clean(raw, limit)
    assert not {unicodedata.category(char) for char in shown} & FORBIDDEN
    assert width(shown) <= limit
    shown.encode("utf-8")
    marks = 0
    for char in shown:
        marks = marks + 1 if width(char) == 0 else 0
        assert marks <= MARKS_MAX


@given(ANY_TEXT)
def test_cleaning_twice_is_cleaning_once(raw: str) -> None:
    assert clean(clean(raw)) == clean(raw)


@given(ANY_TEXT, st.integers(0, 40), st.booleans())
def test_fitted_text_takes_exactly_its_cells(raw: str, cells: int, right: bool) -> None:
    assert width(fit(clean(raw), cells, right=right)) == cells


def test_what_is_cut_says_so() -> None:
    assert cut("shop-europe", 6) == "shop-" + CUT_MARK
    assert cut("站点站点", 5) == "站点" + CUT_MARK
    assert cut("站点站点", 4) == "站" + CUT_MARK
    assert clean("x" * 400) == "x" * 299 + CUT_MARK


def test_numbers_stand_against_the_right_edge() -> None:
    assert fit("97", 5, right=True) == "   97"
    assert fit("点", 5, right=True) == "   点"


def test_a_name_of_ten_million_marks_is_answered_at_once() -> None:
    """Only as much is read as can be shown, so that nobody can make the console think."""
    assert clean("\u0301" * 10_000_000, 20).startswith(REPLACEMENT)


def test_the_command_line_gets_clean_text_without_textual() -> None:
    program = "import sys; from opsconsole.text import clean; clean('\\x1b'); print('textual' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "False"
