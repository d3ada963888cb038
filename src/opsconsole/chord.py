"""Hear ``!`` then ``S``: the two keys that stop everything, and nothing that merely looks like them.

A pure recogniser, fed one key at a time together with the moment it was read. The terminal's input thread feeds it in
production, and the headless driver feeds the very same object in tests, so there is one answer to "was that a stop?".

``!S`` counts unless another printable key came less than `QUIET_S` before the ``!`` or between the two; so it works
when both bytes arrive in one read over a slow line, and typed prose never fires it. Text inside a bracketed paste
reaches nobody as keys. ``!!`` is a literal exclamation mark. The keys of an attempt do not spoil the next attempt:
whoever hammers ``!S!S`` in a fright fires.
"""

from __future__ import annotations

from enum import Enum

QUIET_S = 0.2
"""Prose arrives faster than this between keys; a person who means ``!`` pauses longer before it."""

ARM_CHARACTER = "!"
FIRE_CHARACTER = "S"
HARMLESS_WHILE_ARMED = frozenset({"enter"})
"""Enter never confirms; whoever presses it out of habit must find the prompt still standing."""


class Heard(Enum):
    """What one key meant. Only `PASSED` and `LITERAL` go on to the screen as keys."""

    PASSED = "passed"
    """No part of a chord."""
    ARMED = "armed"
    """``!`` after a pause: the prompt opens, ``S`` would fire."""
    FIRED = "fired"
    """``S`` while armed: everything stops."""
    HURRIED = "hurried"
    """``!`` in the middle of fast typing: not armed, no key, text where text is typed; again after a pause it arms."""
    LITERAL = "literal"
    """The second ``!`` of ``!!``: an exclamation mark for whoever has the focus."""
    CANCELLED = "cancelled"
    """Any other key while armed: the prompt closes and the key does nothing else."""
    IGNORED = "ignored"
    """Swallowed without effect: Enter while armed."""


class Chord:
    """The recogniser. It keeps no clock: each key brings its own time, in seconds of any monotonic clock."""

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        self._quiet_s = quiet_s
        self._armed = False
        self._after_bang = False
        self._bang_at = float("-inf")
        self._printable_at = float("-inf")

    @property
    def armed(self) -> bool:
        """Whether ``S`` would fire now."""
        return self._armed

    def hear(self, key: str, character: str | None, at: float) -> Heard:
        """Take one key: its name, the character it types if any, and when it was read, in seconds."""
        if character == ARM_CHARACTER:
            return self._hear_bang(at)
        after_bang, self._after_bang = self._after_bang, False
        if self._armed:
            return self._hear_while_armed(key, character, at)
        if _is_printable(character) and not (after_bang and character == FIRE_CHARACTER):
            self._printable_at = at
        return Heard.PASSED

    def disarm(self) -> None:
        """Forget a pending ``!``: the terminal went away, or the console decided so."""
        self._armed = self._after_bang = False

    def _hear_bang(self, at: float) -> Heard:
        if self._armed or (self._after_bang and at - self._bang_at < self._quiet_s):
            self._armed = self._after_bang = False
            self._printable_at = at  # it typed a character, so `wow!!!Stop` stays prose
            return Heard.LITERAL
        self._after_bang = True
        self._bang_at = at
        self._armed = at - self._printable_at >= self._quiet_s
        return Heard.ARMED if self._armed else Heard.HURRIED

    def _hear_while_armed(self, key: str, character: str | None, at: float) -> Heard:
        if key in HARMLESS_WHILE_ARMED:
            return Heard.IGNORED
        self._armed = False
        if character == FIRE_CHARACTER:
            return Heard.FIRED
        if _is_printable(character):
            self._printable_at = at
        return Heard.CANCELLED


def _is_printable(character: str | None) -> bool:
    return character is not None and character.isprintable()
