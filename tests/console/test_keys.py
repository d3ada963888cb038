"""Whatever bytes a keyboard sends, reading goes on, and the stop is heard where the keys are read."""

from __future__ import annotations

import random

import pytest
from textual import events
from textual.message import Message

from opsconsole.chord import Heard
from opsconsole.driver import POLL_S
from opsconsole.ear import ChordHeard, StopEar
from opsconsole.keys import PASTE_GAP_POLLS, KeyReader

PASTE, END = b"\x1b[200~", b"\x1b[201~"


class Ears:
    """A key reader wired to a chord as the driver wires them, on a clock that only the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fired = 0
        self.messages: list[Message] = []
        self.now = 0.0
        monkeypatch.setattr("textual._parser.get_time", lambda: self.now)
        self.ear = StopEar(self.fire, lambda: self.now)
        self.reader = KeyReader(self.deliver)

    def fire(self) -> str:
        self.fired += 1
        return "ticket"

    def deliver(self, message: Message) -> None:
        self.messages += self.ear.hear(message) if isinstance(message, events.Key) else (message,)

    def type(self, data: bytes, *, after_s: float = 1.0) -> None:
        self.now += after_s
        with self.ear.one_read():
            self.reader.feed(data)

    def wait(self, polls: int = 2) -> None:
        for _ in range(polls):
            self.now += POLL_S
            self.reader.nothing_came()


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> Ears:
    return Ears(monkeypatch)


def test_it_is_polled_only_as_long_as_time_alone_could_change_what_was_read(ears: Ears) -> None:
    assert not ears.reader.awaits(), "nothing was read"
    ears.type(PASTE + b"half a paste")
    assert ears.reader.awaits()
    ears.wait(PASTE_GAP_POLLS)
    assert not ears.reader.awaits()
    assert any(isinstance(message, events.Paste) for message in ears.messages)
    ears.type(b"j")
    assert ears.reader.awaits()


def test_both_keys_in_one_read_fire(ears: Ears) -> None:
    ears.type(b"!S")
    assert ears.fired == 1
    armed, fired = ears.messages
    assert isinstance(armed, ChordHeard)
    assert armed.heard is Heard.ARMED
    assert isinstance(fired, ChordHeard)
    assert (fired.heard, fired.answer) == (Heard.FIRED, "ticket")


def test_a_machine_that_is_slow_over_one_read_makes_no_stop_of_prose(ears: Ears) -> None:
    def slow(message: Message) -> None:
        ears.now += 0.5
        ears.deliver(message)

    ears.reader = KeyReader(slow)
    ears.type(b"wow!Stop it!S")
    assert ears.fired == 0
    ears.type(b"!S")
    assert ears.fired == 1


def test_the_kitty_protocol_says_the_same_keys(ears: Ears) -> None:
    ears.type(b"\x1b[49;2;33u\x1b[115;2;83u")
    assert ears.fired == 1


def test_a_bracketed_paste_never_fires_and_stays_a_paste_when_it_comes_in_pieces(ears: Ears) -> None:
    for piece in (PASTE + b"all!", b"S", b"!S" + END):
        ears.type(piece)
    assert ears.fired == 0
    assert [type(message) for message in ears.messages] == [events.Paste]


def test_a_paste_that_lost_its_end_is_over_after_two_seconds_of_silence(ears: Ears) -> None:
    ears.type(PASTE + b"half")
    ears.wait(PASTE_GAP_POLLS)
    ears.type(b"!S")
    assert ears.fired == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff\xfe\xc3\x28",
        b"\x1b[121;1:3u",
        b"\x1b[99999999999u",
        b"\x1b[1;2;1114112u",
        b"\x1b[<0;999999999999999999999;1M",
        b"\x1b[",
        b"\x1b]0;title\x07",
        b"\x00" * 100,
        b"\xc3",
        b"\x1b[121;1:1u\x1b[121;1:2u\x1b[121::65;1:3;33u",
        b"\x1b[1114112u\x1b[55296u",
        b"\x1b[?2026;2$y\x1b[?1u\x1b[>0;276;0c",
        b"\x1b[999999999999999999999;999999999999999999999R",
    ],
)
def test_after_garbage_the_stop_is_still_heard(ears: Ears, garbage: bytes) -> None:
    ears.type(garbage)
    ears.wait()
    ears.type(b"!S")
    assert ears.fired == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"\x1b]11;rgb:0000/ffff/0000\x1b\\",
        b"\x1b]lpy!S\x1b\\",
        b"\x1b]52;c;cHk=\x07",
        b"\x1bP>|tmux 3.3a\x1b\\",
        b"\x1b_Gi=31;OK py\x1b\\",
    ],
)
def test_what_a_terminal_says_of_itself_presses_no_key(ears: Ears, answer: bytes) -> None:
    ears.type(answer)
    ears.wait()
    assert ears.messages == []
    ears.type(b"!S")
    assert ears.fired == 1


def test_an_escape_and_a_letter_typed_behind_it_swallow_nothing(ears: Ears) -> None:
    ears.type(b"\x1bP")
    ears.wait()
    ears.type(b"!S")
    assert ears.fired == 1


def test_the_release_of_a_key_is_no_key(ears: Ears) -> None:
    ears.type(b"!")
    ears.type(b"\x1b[83;2:3u")
    assert ears.fired == 0


def test_a_stop_behind_garbage_in_the_same_read_is_heard(ears: Ears) -> None:
    """The parser dies on the first sequence; the keys that follow it are not lost with it."""
    ears.type(b"\x1b[121;1:3u!S")
    assert ears.fired == 1


def test_a_stop_after_any_random_bytes_is_heard(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(200):
        ears = Ears(monkeypatch)
        ears.type(rng.randbytes(rng.randrange(200)).replace(b"!", b""))
        ears.wait(PASTE_GAP_POLLS)
        ears.type(b"\x1b")
        ears.wait()
        ears.type(b"!S")
        assert ears.fired == 1


def test_a_stop_that_fails_does_not_end_the_thread_that_reads_keys() -> None:
    failure = OSError("no route")

    def fire() -> None:
        raise failure

    ear = StopEar(fire, lambda: 0.0)
    ear.hear(events.Key("exclamation_mark", "!"))
    (heard,) = ear.hear(events.Key("S", "S"))
    assert isinstance(heard, ChordHeard)
    assert heard.answer is failure
