"""What the console looks like on a terminal: decided before it starts, and held to on every byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from opsconsole.charset import to_ascii
from opsconsole.dress import THEMES, Dress, dressed
from opsconsole.text import clean, width
from tests.console.hostile import HOSTILE
from tests.console.terminal import Terminal, terminal

CHILD = "tests.console.child"
GOLDENS = Path(__file__).parent / "__snapshots__" / "test_goldens"
SGR = re.compile(rb"\x1b\[([0-9;:]*)m")


def dress(theme: str | None = None, color: str = "auto", *, encoding: str = "utf-8", **environ: str) -> Dress:
    return dressed(theme, color, ascii_only=False, environ=environ, encoding=encoding)


def test_it_is_dark_unless_something_is_said() -> None:
    assert dress(TERM="xterm-256color") == Dress("dark", "as the terminal says", ascii_only=False)


@pytest.mark.parametrize("term", ["linux", "screen", "screen-256color", "screen.xterm", "linux-16color"])
def test_a_simple_terminal_gets_the_16_colours_of_its_own_palette(term: str) -> None:
    assert dress(TERM=term) == Dress("ansi", "16")
    assert dress(color="always", TERM=term) == Dress("dark")
    assert dress("light", TERM=term) == Dress("light", "16")


@pytest.mark.parametrize("theme", THEMES)
def test_without_colour_no_theme_brings_one_back(theme: str) -> None:
    assert dress(theme, "never", TERM="xterm") == Dress("none", "none")


def test_where_the_terminal_is_not_utf8_nothing_but_ascii_leaves() -> None:
    for encoding in ("ascii", "ISO-8859-1", "ANSI_X3.4-1968", ""):
        assert dress(encoding=encoding).ascii_only
    for encoding in ("utf-8", "UTF-8", "utf8"):
        assert not dress(encoding=encoding).ascii_only


@pytest.mark.parametrize("text", [*HOSTILE.values(), "plain", "é", "日本語", "▁▂▃▄▅▆▇█", "┌─┐│└┘", "e\u0301"])
def test_ascii_is_as_wide_as_what_it_stands_for(text: str) -> None:
    shown = clean(text)
    folded = to_ascii(shown)
    assert folded.isascii()
    assert not folded or folded.isprintable()
    assert width(folded) == width(shown)


@pytest.mark.parametrize("state", ["paused", "running", "stopped", "partial", "stale", "thousands"])
def test_whatever_frames_bars_and_curves_are_drawn_with_has_a_sign_of_its_own_in_ascii(state: str) -> None:
    """At every size: nothing becomes a question mark, and the pane with the focus is still seen from its frame."""
    rows = (GOLDENS / f"test_each_state_at_each_size[{state}].txt").read_text().splitlines()
    folded = [to_ascii(row) for row in rows]

    assert [row.count("?") for row in folded] == [row.count("?") for row in rows]
    assert not all(map(str.isascii, rows))
    assert {row[:2] for row in folded if row.startswith("+")} == {"+=", "+-"}


# ------------------------------------------------------------------------------------------------------------ on bytes


def walk_through(opened: Terminal) -> bytes:
    """Look at everything that the keys open; returns what was sent meanwhile."""
    opened.until_said("[PART]")
    for keys in (b"j", b"d", b"\x1b", b"p", b"\x1b", b"?", b"\x1b", b"!", b"\x1b", b"3", b"z", b"z"):
        opened.type(keys)
        opened.bytes_within(0.3)
    return bytes(opened.sent)


def parameters(sent: bytes) -> Iterator[str]:
    """Each graphic rendition that was asked for."""
    for found in SGR.finditer(sent):
        yield found[1].decode()


def colors(sent: bytes) -> set[int]:
    """The numbers of those that are colours."""
    numbers = {int(number or 0) for each in parameters(sent) for number in re.split("[;:]", each)}
    return {number for number in numbers if 30 <= number <= 49 or 90 <= number <= 107}


READ_AT_START = {"OPSCONSOLE_COLOR", "PYTHONIOENCODING"}
"""What is settled while an interpreter starts and Textual is imported."""


def console(monkeypatch: pytest.MonkeyPatch, mode: str, environ: Mapping[str, str]) -> bytes:
    monkeypatch.setattr("tests.console.terminal.TERM", environ.get("TERM", "xterm-256color"))
    for name, value in environ.items():
        if name != "TERM":
            monkeypatch.setenv(name, value)
    if READ_AT_START & environ.keys():
        opening = terminal("-m", CHILD, mode, width=120, height=36)
    else:
        opening = terminal(mode, warm=CHILD, width=120, height=36)
    with opening as opened:
        return walk_through(opened)


def test_no_color_sends_no_colour_code_at_all_and_the_state_is_there_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = console(monkeypatch, "fleet", {"NO_COLOR": "1"})
    assert colors(sent) == set()
    assert {each for each in parameters(sent) if each} <= {"0", "1", "7", "1;7"}
    assert "1;7" in set(parameters(sent)), "what is armed stands out in bold and reverse video"


def test_sixteen_colours_are_the_terminals_own(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = console(monkeypatch, "fleet", {"OPSCONSOLE_COLOR": "ansi16"})
    assert colors(sent)
    assert not colors(sent) & {38, 48}, "38 and 48 begin a colour out of 256, or one of its own"


def test_a_downgraded_theme_stays_within_the_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = console(monkeypatch, "fleet", {"OPSCONSOLE_COLOR": "ansi16", "OPSCONSOLE_THEME": "high-contrast"})
    assert colors(sent)
    assert not colors(sent) & {38, 48}


@pytest.mark.parametrize("environ", [{"TERM": "linux"}, {"OPSCONSOLE_ASCII": "1"}, {"PYTHONIOENCODING": "latin-1"}])
def test_where_it_is_ascii_nothing_else_leaves_not_even_in_a_name(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = console(monkeypatch, "hostile", environ)
    assert not {byte for byte in sent if byte > 0x7E}
    assert b"h00" in sent
