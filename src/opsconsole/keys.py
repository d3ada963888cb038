"""Bytes from a keyboard become messages, whatever the bytes are."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

PASTE_GAP_POLLS = 20
"""A paste that has been silent for two seconds lost its end; without this one stray sequence would eat every key."""

ANSWER = re.compile(r"\x1b[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)")
"""A string that a terminal sends by itself: its colours, its version, its title, a clipboard (OSC, DCS, SOS, PM, APC).

Textual's parser takes the text in one for keys, and a title with ``py`` in it would pause something. Only a whole one
is left out: an Escape and a ``P`` typed one after the other must not swallow what is typed behind them.
"""


class KeyReader:
    """Bytes in, messages out, through Textual's parser, and through whatever that parser cannot stand.

    It raises on key reports it does not know (``ESC [121;1:3u``) and on numbers that are no character, and is dead
    afterwards. So it is fed one character at a time and replaced when it dies: nothing that follows is lost, least of
    all a stop. A paste goes on being a paste across that.
    """

    def __init__(self, deliver: Callable[[Message], None]) -> None:
        self._deliver = deliver
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._parser = XTermParser()
        self._tail = ""
        self._in_paste = False
        self._silent_polls = PASTE_GAP_POLLS

    def awaits(self) -> bool:
        """Whether time alone may still change what was read: what comes next is polled for, not slept for."""
        return self._silent_polls < PASTE_GAP_POLLS

    def feed(self, data: bytes) -> None:
        """Take what was read in one go."""
        self._silent_polls = 0
        self._take(self._decode(data))
        self._tick()

    def nothing_came(self) -> None:
        """A poll went by without input: a lone Escape is a key now, and a paste without an end is over."""
        self._silent_polls += 1
        self._take(self._decode(b"", final=True))  # half a character gets no other half any more
        if self._in_paste and self._silent_polls >= PASTE_GAP_POLLS:
            self._in_paste = False
            self._parse(BRACKETED_PASTE_END)
        self._tick()

    def _take(self, text: str) -> None:
        for char in text if self._in_paste else ANSWER.sub("", text):
            self._watch_paste(char)
            self._parse(char)

    def _watch_paste(self, char: str) -> None:
        self._tail = (self._tail + char)[-len(BRACKETED_PASTE_START) :]
        if self._tail == BRACKETED_PASTE_START:
            self._in_paste = True
        elif self._tail == BRACKETED_PASTE_END:
            self._in_paste = False

    def _parse(self, text: str) -> None:
        try:
            for message in self._parser.feed(text):
                self._deliver(message)
        except Exception:  # noqa: BLE001 - whatever the parser raises at bytes from outside, reading goes on
            self._start_afresh()

    def _tick(self) -> None:
        try:
            for message in self._parser.tick():
                self._deliver(message)
        except Exception:  # noqa: BLE001 - what the parser makes of bytes that never went on is as much from outside
            self._start_afresh()

    def _start_afresh(self) -> None:
        self._parser = XTermParser()
        if self._in_paste:
            self._parse(BRACKETED_PASTE_START)
