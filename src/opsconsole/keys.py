"""Bytes from a keyboard become messages, whatever the bytes are."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

PASTE_GAP_POLLS = 20
"""A paste that has been silent for two seconds lost its end; without this one stray sequence would eat every key."""


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
        self._silent_polls = 0

    def feed(self, data: bytes) -> None:
        """Take what was read in one go."""
        self._silent_polls = 0
        for char in self._decode(data):
            self._watch_paste(char)
            self._parse(char)
        self._tick()

    def nothing_came(self) -> None:
        """A poll went by without input: a lone Escape is a key now, and a paste without an end is over."""
        self._silent_polls += 1
        if self._in_paste and self._silent_polls >= PASTE_GAP_POLLS:
            self._in_paste = False
            self._parse(BRACKETED_PASTE_END)
        self._tick()

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
        except Exception:  # noqa: BLE001 - as above
            self._start_afresh()

    def _start_afresh(self) -> None:
        self._parser = XTermParser()
        if self._in_paste:
            self._parse(BRACKETED_PASTE_START)
