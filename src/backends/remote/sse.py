"""Server-sent events, read from bytes as they come: fields ``id``, ``event``, ``data``; the rest is passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from backends.documents import Malformed

_LONGEST: Final = 256 * 1024 * 1024
"""Bytes of one event at most; the state of a fleet of a million sites is smaller."""


class Sent(NamedTuple):
    """One event. ``name`` is ``message`` where none was said."""

    id: str
    name: str
    data: bytes


def events(chunks: Iterable[bytes]) -> Iterator[Sent | None]:
    """The events in a stream; None for anything else that shows that it is alive. Whatever stands behind the last
    empty line was cut off, and is no event. `Malformed` for one that never ends."""
    buffer = bytearray()
    for chunk in chunks:
        seen = max(0, len(buffer) - 3)
        buffer += chunk.replace(b"\r", b"")  # lines may end in both; inside of JSON it stands as an escape
        while (end := buffer.find(b"\n\n", seen)) >= 0:
            yield _event(bytes(buffer[:end]))
            del buffer[: end + 2]
            seen = 0
        if len(buffer) > _LONGEST:
            raise Malformed("this is no stream of ours: one event in it never ends")


def _event(block: bytes) -> Sent | None:
    known, name, data = "", "message", list[bytes]()
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match field:
            case b"data":
                data.append(value)
            case b"event":
                name = value.decode("utf-8", "replace")
            case b"id":
                known = value.decode("utf-8", "replace")
    return Sent(known, name, b"\n".join(data)) if data else None
