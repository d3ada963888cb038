"""`!` then `S` stops everything; nothing that a person types as prose does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.chord import Chord, Heard


def hear(chord: Chord, text: str, *, start: float = 100.0, step: float = 0.0) -> list[Heard]:
    """Feed the characters of `text`, `step` seconds apart."""
    return [chord.hear(char, char, start + i * step) for i, char in enumerate(text)]


@pytest.mark.parametrize("gap_s", [0.0, 0.001, 0.199, 0.2, 5.0, 3600.0])
def test_bang_then_s_fires_however_fast_or_slow_it_comes(gap_s: float) -> None:
    chord = Chord()
    assert chord.hear("exclamation_mark", "!", 10.0) is Heard.ARMED
    assert chord.armed
    assert chord.hear("S", "S", 10.0 + gap_s) is Heard.FIRED
    assert not chord.armed


def test_s_alone_and_lower_case_s_fire_nothing() -> None:
    assert hear(Chord(), "S") == [Heard.PASSED]
    assert hear(Chord(), "!s") == [Heard.ARMED, Heard.CANCELLED]


@pytest.mark.parametrize(("pause_s", "first"), [(0.199, Heard.HURRIED), (0.2, Heard.ARMED)])
def test_a_key_typed_less_than_200_ms_before_the_bang_makes_it_prose(pause_s: float, first: Heard) -> None:
    chord = Chord()
    chord.hear("w", "w", 0.0)
    assert chord.hear("exclamation_mark", "!", pause_s) is first
    assert (chord.hear("S", "S", 20.0) is Heard.FIRED) == (first is Heard.ARMED)


def test_a_printable_key_between_the_two_cancels() -> None:
    assert hear(Chord(), "!xS", step=1.0) == [Heard.ARMED, Heard.CANCELLED, Heard.PASSED]


@pytest.mark.parametrize("key", ["escape", "up", "tab", "ctrl+c", "f1"])
def test_any_other_key_while_armed_cancels_and_does_nothing_else(key: str) -> None:
    chord = Chord()
    chord.hear("exclamation_mark", "!", 10.0)
    assert chord.hear(key, None, 11.0) is Heard.CANCELLED
    assert not chord.armed


def test_enter_while_armed_is_swallowed_and_leaves_the_prompt_standing() -> None:
    chord = Chord()
    chord.hear("exclamation_mark", "!", 10.0)
    assert chord.hear("enter", "\r", 11.0) is Heard.IGNORED
    assert chord.hear("S", "S", 12.0) is Heard.FIRED


def test_an_arrow_key_before_the_bang_is_no_typing() -> None:
    chord = Chord()
    chord.hear("down", None, 10.0)
    assert chord.hear("exclamation_mark", "!", 10.01) is Heard.ARMED


def test_two_bangs_are_one_literal_exclamation_mark() -> None:
    assert hear(Chord(), "!!S", step=1.0) == [Heard.ARMED, Heard.LITERAL, Heard.PASSED]


def test_after_a_hurried_bang_the_next_one_after_a_pause_arms() -> None:
    chord = Chord()
    assert hear(chord, "j!", step=0.05)[-1] is Heard.HURRIED
    assert chord.hear("exclamation_mark", "!", 101.0) is Heard.ARMED


def test_hammering_fires_even_when_it_began_in_the_middle_of_typing() -> None:
    """The keys of an attempt do not spoil the next one: the first that counts fires."""
    assert Heard.FIRED in hear(Chord(), "j!S!S!S!S", step=0.06)


def test_disarm_forgets_a_pending_bang() -> None:
    chord = Chord()
    chord.hear("exclamation_mark", "!", 10.0)
    chord.disarm()
    assert chord.hear("S", "S", 11.0) is Heard.PASSED


PROSE = ["wow!Seriously", "Stop!!!Stop", "!!Stop", "STOP!S!", "it failed!So I left", "a!Sb!Sc"]


@pytest.mark.parametrize("prose", PROSE)
@pytest.mark.parametrize("step", [0.0, 0.03, 0.09])
def test_typed_prose_never_fires(prose: str, step: float) -> None:
    assert Heard.FIRED not in hear(Chord(), prose, step=step)


@given(st.lists(st.tuples(st.characters(), st.floats(0, 2)), max_size=60))
def test_no_sequence_without_a_bang_ever_arms_or_fires(keys: list[tuple[str, float]]) -> None:
    chord, at = Chord(), 0.0
    for char, pause in keys:
        at += pause
        if char != "!":
            assert chord.hear(char, char, at) is Heard.PASSED


@given(st.lists(st.tuples(st.sampled_from("!Sa\r"), st.floats(0, 0.5)), max_size=40))
def test_whatever_came_before_a_pause_and_bang_s_still_fires(keys: list[tuple[str, float]]) -> None:
    """There is no state that keeps a determined operator from stopping: Escape, a breath, `!`, `S`."""
    chord, at = Chord(), 0.0
    for char, pause in keys:
        at += pause
        chord.hear("enter" if char == "\r" else char, char, at)
    chord.hear("escape", None, at)
    assert chord.hear("exclamation_mark", "!", at + 1.0) is Heard.ARMED
    assert chord.hear("S", "S", at + 1.0) is Heard.FIRED
