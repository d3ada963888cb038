"""What is copied reaches the terminal as the bytes that it takes, through tmux and screen too."""

from __future__ import annotations

import base64
import re

import pytest

from opsconsole.clipboard import BYTES_MAX, sequence
from tests.console.desk import Desk, small_fleet
from tests.console.terminal import terminal

NOTHING_BETWEEN = {"TERM": "xterm-256color"}


def test_nothing_between_takes_the_plain_sequence() -> None:
    assert sequence("shop-eu", NOTHING_BETWEEN) == "\x1b]52;c;c2hvcC1ldQ==\x07"


def test_tmux_passes_it_on_with_every_escape_doubled() -> None:
    assert sequence("shop-eu", {"TMUX": "/tmp/tmux-0/default,1,0"}) == "\x1bPtmux;\x1b\x1b]52;c;c2hvcC1ldQ==\x07\x1b\\"


def test_screen_passes_it_on_in_pieces_that_it_takes() -> None:
    sent = sequence("x" * 5000, {"STY": "1.pts-0"})
    pieces = re.findall("\x1bP(.*?)\x1b\\\\", sent, flags=re.DOTALL)
    assert max(map(len, pieces)) < 768
    assert "".join(pieces) == sequence("x" * 5000, NOTHING_BETWEEN)


def test_what_is_too_long_is_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=f"{BYTES_MAX + 1} bytes, a terminal takes {BYTES_MAX}"):
        sequence("x" * (BYTES_MAX + 1), NOTHING_BETWEEN)


def test_the_key_under_the_cursor_is_sent_to_a_real_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/none,1,0")
    with terminal("blocked", warm="tests.console.child") as shown:
        shown.until_said("shop-eu")
        shown.type(b"y")
        shown.until_said("sent to the terminal")
        found = re.search(rb"\x1bPtmux;\x1b\x1b\]52;c;([A-Za-z0-9+/=]+)\x07\x1b\\", bytes(shown.sent))
        assert found is not None
        assert base64.b64decode(found[1]) == b"shop-eu"


@pytest.mark.asyncio
async def test_it_says_sent_and_never_copied_and_takes_the_marked_rows() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("space", "space", "y")
        assert "2 keys sent to the terminal" in desk.text()
        assert "copied" not in desk.text()
        await desk.press("U", "g", "Y")
        assert "row of shop-eu sent to the terminal" in desk.text()
