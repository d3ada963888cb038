"""Server-sent events, as bytes in and events out. Pure.

What is understood is what our servers send: lines that end with LF or CR LF, the fields ``id``, ``event`` and ``data``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FRAME_BYTES_MAX: Final = 64 << 20
"""A frame for a gate that is longer is none of a server of ours."""


class Event(NamedTuple):
    """One event; ``last_id`` is the last id that the stream named, here or before."""

    name: str
    data: bytes
    last_id: str


class Events:
    """Takes a stream as it comes, in whatever pieces."""

    def __init__(self, bytes_max: int = FRAME_BYTES_MAX) -> None:
        """``bytes_max`` is how long one frame may be."""
        self._bytes_max = bytes_max
        self._rest = bytearray()
        self._name = self._last_id = ""
        self._data: list[bytes] = []
        self._length = 0

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes. ValueError for a frame that never ends."""
        self._rest += piece
        if len(self._rest) + self._length > self._bytes_max:
            raise ValueError("a frame does not end")
        if b"\n" not in piece:
            return []
        end = self._rest.rfind(b"\n")
        lines = bytes(self._rest[:end]).split(b"\n")
        del self._rest[: end + 1]
        return [event for line in lines if (event := self._line(line.removesuffix(b"\r"))) is not None]

    @property
    def is_inside(self) -> bool:
        """Whether an event has begun and not ended."""
        return bool(self._data) or (bool(self._rest) and not self._rest.startswith(b":"))

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._complete()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._length += len(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"id":
            self._last_id = value.decode("utf-8", "replace")
        return None

    def _complete(self) -> Event | None:
        event = Event(self._name or "message", b"\n".join(self._data), self._last_id) if self._data else None
        self._name, self._data, self._length = "", [], 0
        return event
