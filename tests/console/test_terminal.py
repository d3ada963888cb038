"""The console on a real terminal: signals, hang-up, garbage, pastes, and the stop when nothing else works."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsconsole.cli.engine import opened as opened_engine
from opsconsole.cli.invocation import Invocation
from opsconsole.hush import opens_the_console
from opsgate.paths import latch_home
from tests.cli.shell import keeper_of
from tests.console.child import BLOCKED_S
from tests.console.terminal import ROOT, Terminal, terminal

CHILD = "tests.console.child"
HAMMERED_MAX = 240
ALTERNATE_SCREEN = b"\x1b[?1049h"
CTRL_R = b"\x12"
POINTER_SHAPE = b"\x1b]22;default\x07"
"""The one title-like sequence that Textual sends by itself."""


WORDS = {"real": "[ RUN]", "lossy": "[ RUN]"}
"""What a fleet is in that holds nothing; in all others something is held."""


def latches() -> set[str]:
    """The stops that lie on this host's disk, each under all the names of its fleet."""
    return {latch.name for latch in latch_home().glob("*/S-*")}


@contextmanager
def console(mode: str = "real", width: int = 80, height: int = 24) -> Iterator[Terminal]:
    """A console on a terminal, when it has painted the first state."""
    with terminal(mode, warm=CHILD, width=width, height=height) as opened:
        until_painted(opened, mode)
        yield opened


def until_painted(opened: Terminal, mode: str = "real") -> None:
    """Wait for the first state."""
    opened.until_said("! S STOP ALL")
    opened.until_said(WORDS.get(mode, "[PART]"))


def hammer(opened: Terminal, *, reading: bool = True) -> None:
    """Press ``!`` and ``S`` again and again, as a person would who sees nothing happen, until a stop has left."""
    for _ in range(HAMMERED_MAX):
        opened.type(b"!S")
        opened.bytes_within(0.5) if reading else opened.leave_alone(0.5)
        if latches():
            return
    raise AssertionError(f"no stop left; the screen said:\n{opened.text()}")


def until_still(opened: Terminal) -> None:
    """Close whatever is open and wait for the help: then everything that was typed before has been carried out."""
    while "KEYS" not in opened.text():
        opened.type(b"\x1b")
        opened.bytes_within(0.3)
        opened.type(b"?")
        opened.bytes_within(0.3)


def is_as_painted_anew(opened: Terminal) -> None:
    """Whether every cell is as it comes when the terminal has forgotten them all and asks for them by a key."""
    shown = opened.text()
    opened.screen.reset()
    opened.type(CTRL_R)
    opened.until(lambda: opened.text() == shown)


@pytest.fixture
def real() -> Iterator[Terminal]:
    with console() as opened:
        yield opened


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=str
)
def test_a_signal_ends_it_with_its_own_code_and_gives_the_terminal_back(
    real: Terminal, number: signal.Signals, code: int
) -> None:
    os.kill(real.process.pid, number)
    assert real.ended() == code
    assert real.is_restored()
    assert b"Traceback" not in real.sent


def test_q_leaves_with_success_and_gives_the_terminal_back(real: Terminal) -> None:
    real.type(b"q")
    assert real.ended() == 0
    assert real.is_restored()


@pytest.mark.parametrize("ignore_hangup", [False, True])
def test_a_terminal_that_goes_away_ends_it_at_once_even_where_the_signal_is_ignored(ignore_hangup: bool) -> None:
    with terminal("real", warm=CHILD, ignore_hangup=ignore_hangup) as opened:
        opened.until_said("[ RUN]")
        opened.type(b"!")
        opened.until_said("S = stop everything now")
        opened.hang_up()
        opened.until(lambda: opened.process.poll() is not None, reading=False)
        assert opened.process.returncode == 129
        assert not latches(), "what was armed is not carried out"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=str
)
def test_a_signal_while_it_starts_gives_the_terminal_back_too(number: signal.Signals, code: int) -> None:
    with terminal("-m", CHILD, "real") as opened:
        opened.until(lambda: ALTERNATE_SCREEN in opened.sent)
        os.kill(opened.process.pid, number)
        assert opened.ended() == code
        assert opened.is_restored()


GARBAGE = (
    b"\xff\xfe\xc3(\x80",  # no UTF-8
    b"\x1b[121;1:3u",  # a key with an event type, which Textual's parser cannot stand
    b"\x1b[121;1:1u\x1b[121;1:2u\x1b[121::65;1:3;33u",  # pressed, repeated, and with everything a report may have
    b"\x1b[83;2:3u",  # a released S
    b"\x1b[99999999999u",  # a code point that is none
    b"\x1b[1114112u\x1b[55296u",  # the first one behind the last, and half a letter
    b"\x1b[<0;99999999999999999999;1M",  # a mouse very far away
    b"\x1b[?2026;2$y\x1b[?1u\x1b[>0;276;0c\x1bP>|tmux 3.3a\x1b\\",  # answers that nobody asked for
    b"\x1b]11;rgb:0000/0000/0000\x1b\\\x1b]52;c;IVM=\x07",  # a colour, and a clipboard with !S in it
    b"\x1b[999999999999999999999;999999999999999999999R",
    b"\x1b[" + b"1;" * 2000,  # a sequence without an end
    b"\xc3",  # half a character
)


def test_garbage_on_its_input_does_it_no_harm(real: Terminal, seed: int) -> None:
    noise = random.Random(seed).randbytes(4096)
    for garbage in (*GARBAGE, bytes(byte for byte in noise if byte not in b"q!\x03")):
        real.type(garbage)
        real.bytes_within(0.1)
    assert not latches(), "no garbage is a stop"
    hammer(real)
    assert real.process.poll() is None


def test_both_keys_in_one_read_stop(real: Terminal) -> None:
    real.type(b"!S")
    real.until(lambda: len(latches()) == 1)
    real.until_said("reason (optional)")


def test_a_bracketed_paste_never_stops(real: Terminal) -> None:
    real.type(b"\x1b[200~!S and !S\x1b[201~")
    real.type(b"?")
    real.until_said("KEYS")
    assert not latches()


def test_prose_in_one_read_never_stops_and_the_two_keys_behind_it_do(real: Terminal) -> None:
    for prose in (b"wow!S", b"it is broken!Stop it!S", b"x!S!", "\u7ad9!S".encode(), b"a" * 300 + b"!S"):
        real.type(prose)
        real.bytes_within(0.3)
    until_still(real)
    assert not latches()
    hammer(real)


def test_a_storm_of_sizes_ends_in_the_size_that_it_has_and_loses_no_key(real: Terminal, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        real.resize(chance.randint(1, 250), chance.randint(1, 80))
        real.read(0.005)
    real.resize(1, 1)
    real.type(b"4")
    real.bytes_within(0.5)
    real.resize(80, 24)
    real.until(lambda: "4[Limits" in real.text() and real.text().count("[ RUN]") == 1)
    real.until(lambda: "! S STOP ALL" in real.text().split("\n")[-1])


def test_what_a_terminal_cut_off_while_it_was_narrow_for_a_moment_is_painted_again(real: Terminal) -> None:
    shown = real.text()
    os.kill(real.process.pid, signal.SIGSTOP)  # when it looks, the size is what it was
    real.resize(60, 20)
    real.resize(80, 24)
    os.kill(real.process.pid, signal.SIGCONT)
    assert real.text() != shown
    real.until(lambda: real.text() == shown)


def test_a_stop_at_the_smallest_size_there_is(real: Terminal) -> None:
    real.resize(1, 1)
    real.type(b"!S")
    real.until(lambda: len(latches()) == 1)
    real.resize(80, 24)
    real.until_said("reason (optional)")


def test_the_stop_leaves_while_the_event_loop_is_blocked() -> None:
    with console("blocked") as opened:
        opened.type(b"x")
        opened.bytes_within(0.3)
        opened.type(b"!S")
        opened.until(lambda: len(latches()) == 1, within_s=BLOCKED_S / 2)


def stall(opened: Terminal) -> None:
    """Make the console paint more than its terminal takes while nobody reads: help, and away with it, again and again.

    No Escape here: with the key behind it in one read it would be another key.
    """
    opened.type(b"?x" * 40)
    opened.leave_alone(2.0)


def test_the_stop_leaves_while_nobody_reads_the_terminal() -> None:
    with console(width=200, height=60) as opened:
        stall(opened)
        hammer(opened, reading=False)


def test_a_stop_pressed_at_a_stalled_terminal_is_in_the_journal_before_anybody_reads_again() -> None:
    with (
        opened_engine(Invocation(), create=True) as engine,
        keeper_of(Invocation().settings.backend),
        terminal(warm="opsconsole", width=200, height=60) as opened,
    ):
        opened.until_said("live")
        stall(opened)
        hammer(opened, reading=False)
        opened.until(lambda: bool(engine.backend.state().active_stops()), reading=False)


@pytest.mark.parametrize("mode", ["real", "lossy"])
def test_a_stalled_terminal_holds_nothing_up_and_gets_the_truth_when_it_reads_again(mode: str) -> None:
    with console(mode, width=200, height=60) as opened:
        stall(opened)
        opened.type(b"4z")
        opened.leave_alone(0.5)
        opened.until(lambda: "4 Rate limits" in opened.text() and "1 Global" not in opened.text())
        opened.until(lambda: opened.bytes_within(2.0) == 0)
        assert opened.text().count(WORDS.get(mode, "[PART]")) == 1
        assert "KEYS" not in opened.text()
        is_as_painted_anew(opened)


def test_one_key_paints_every_cell_of_a_screen_that_something_else_wrote_on(real: Terminal) -> None:
    is_as_painted_anew(real)


def test_a_signal_ends_it_while_nobody_reads_the_terminal() -> None:
    with console(width=200, height=60) as opened:
        stall(opened)
        os.kill(opened.process.pid, signal.SIGTERM)
        opened.until(lambda: opened.process.poll() is not None, reading=False)
        assert opened.process.returncode == 143


def test_hostile_text_reaches_the_terminal_as_harmless_bytes() -> None:
    with console("hostile", width=200, height=60) as opened:
        opened.until_said("owned")
        for key in (b"j", b"\x06", b"d", b"\x1b", b"p", b"\x1b", b"?"):
            opened.type(key)
            opened.bytes_within(0.2)
        sent = bytes(opened.sent).replace(POINTER_SHAPE, b"")
        assert b"\x1b]" not in sent
        assert b"\x07" not in sent
        assert b"\x1b[6n" not in sent
        text = sent.decode("utf-8", errors="replace")
        assert not {char for char in text if 0x80 <= ord(char) < 0xA0 or char in "\u202e\u2066\u200b\u200d\ufeff"}


OWN = re.compile(
    rb"\x1b\[[0-9;:]*m"  # a rendition
    rb"|\x1b\[[0-9;]*[HJK]"  # a place, and what is cleared
    rb"|\x1b\[\??[0-9;]*[hl]|\x1b\[\?[0-9;]*\$p"  # a mode, set or asked for
    rb"|\x1b\[[<>=][0-9;]*u"  # the protocol of the keyboard
    rb"|\x1b\]22;default\x07"  # the shape of the pointer
)
"""Every escape sequence that the console has of its own."""


def test_no_escape_sequence_but_the_consoles_own_reaches_the_terminal(seed: int) -> None:
    with terminal(f"sweep:{seed}", warm=CHILD, width=120, height=36) as opened:
        opened.until_said("! S STOP ALL")
        opened.until_said("rev 1")
        for pane in (b"1", b"2", b"3", b"4", b"5", b"6", b":workers\r", b":holds\r", b":workflows\r", b":audit\r"):
            opened.type(pane)
            opened.bytes_within(0.1)
            for key in (b"j", b"d", b"\x1b", b"p", b"\x1b", b"P", b"\x1b") if pane in (b"2", b":holds\r") else ():
                opened.type(key)
                opened.bytes_within(0.1)
            for key in (b"\r", b"w", b"\x1b"):
                opened.type(key)
                opened.bytes_within(0.1)
        opened.resize(80, 24)
        opened.bytes_within(0.5)
        opened.type(b"?")
        opened.until_said("KEYS")
        assert opened.process.poll() is None, "nothing that stands in a database ends a console"
        whole, _, _ = bytes(opened.sent).rpartition(b"\x1b")  # the last sequence may be on its way
        rest = OWN.sub(b"", whole).decode("utf-8")
        strange = {char for char in rest if not char.isprintable()} - {"\r", "\n"}
        assert not strange


def test_an_internal_error_is_told_without_the_values_of_variables() -> None:
    with console("crash") as opened:
        opened.type(b"\x1b[23~")
        assert opened.ended() == 70
        assert opened.is_restored()
        assert b"internal error" in opened.sent
        assert b"hunter2" not in opened.sent


def test_an_idle_console_sends_nothing_and_takes_hardly_any_processor_time(real: Terminal) -> None:
    def is_at_rest() -> bool:
        before = real.cpu_s()
        return real.bytes_within(4.0) == 0 and real.cpu_s() - before < 0.2

    real.until(is_at_rest)  # on a busy machine it has come up later


def test_variables_of_textual_press_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_PRESS", "q")
    with terminal("-m", CHILD, "real") as opened:
        until_painted(opened)
        opened.bytes_within(1.0)
        assert opened.process.poll() is None


def test_a_dumb_terminal_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.console.terminal.TERM", "dumb")
    with terminal("real", warm=CHILD) as opened:
        assert opened.ended() == 2
        assert b"needs a terminal" in opened.sent


@pytest.mark.parametrize("environ", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "latin-1"}])
def test_without_utf_8_it_works_in_ascii_and_gives_the_terminal_back(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with terminal("-m", CHILD, "real") as opened:
        until_painted(opened)
        opened.type("\u7ad9\xe9".encode())
        opened.type(b"4")
        opened.until_said("4[Limits")
        opened.type(b"q")
        assert opened.ended() == 0
        assert opened.is_restored()
        assert opened.sent.isascii()


def test_without_a_keyboard_it_says_so_and_leaves_the_terminal_alone() -> None:
    here = f"exec '{sys.executable}' -m {CHILD} real </dev/null"
    with terminal("-c", here, program="/bin/sh") as opened:
        assert opened.ended() == 2
        assert b"needs a terminal" in opened.sent
        assert b"\x1b" not in opened.sent


def test_without_a_terminal_it_says_so_and_does_not_spin() -> None:
    program = [sys.executable, "-m", CHILD, "real"]
    environment = os.environ | {"TERM": "xterm", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    with Path(os.devnull).open("rb") as nothing:
        ended = subprocess.run(
            program, stdin=nothing, capture_output=True, timeout=60, check=False, cwd=ROOT, env=environment
        )
    assert ended.returncode == 2
    assert b"needs a terminal" in ended.stderr


def test_what_is_typed_before_the_console_is_up_is_not_echoed_and_is_not_lost(tmp_path: Path) -> None:
    """From the moment the program runs. ``!S`` typed ahead is a stop like any other; the terminal is given back."""
    with terminal("-m", "opsconsole", "-b", f"sqlite:///{tmp_path}/fleet.db") as opened:
        opened.until(lambda: not opened.echoes())
        opened.type(b"!S")
        assert b"\x1b[?1049h" not in opened.sent, "there is no screen yet"
        opened.until(lambda: len(latches()) == 1)
        assert b"!S" not in opened.sent
        opened.until_said("recorded as E-")
        opened.type(b"\x1b")
        opened.until(lambda: "reason (optional)" not in opened.text())  # or it would be another key with the next one
        opened.type(b"q")
        assert opened.ended() == 0
        assert opened.is_restored()
        said = opened.sent.decode(errors="replace")
        assert "opsconsole: " in said.rpartition("\x1b[?1049l")[2]
        assert "until somebody recovers it" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=str)
def test_a_signal_before_the_console_is_up_gives_the_terminal_back(number: signal.Signals, tmp_path: Path) -> None:
    with terminal("-m", "opsconsole", "-b", f"sqlite:///{tmp_path}/fleet.db") as opened:
        opened.until(lambda: not opened.echoes())
        os.kill(opened.process.pid, number)
        assert opened.ended() == 128 + number
        assert opened.echoes()


@pytest.mark.parametrize(
    ("arguments", "opens"),
    [
        ([], True),
        (["-b", "sqlite:///x", "--read-only"], True),
        (["demo", "--workers", "4"], True),
        (["status"], False),
        (["resume", "--all", "--reason", "demo"], False),
        (["--help"], False),
        (["demo", "--help"], False),
        (["--reason", "demo"], False),
    ],
)
def test_only_what_opens_the_console_hushes_the_terminal(arguments: list[str], opens: bool) -> None:
    assert opens_the_console(arguments) is opens
