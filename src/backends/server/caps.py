"""How much of a request is read, and which JSON is taken: nothing that two readers could read differently.

A body is at most 64 KiB of UTF-8; nothing in it is deeper than 32 levels, no member comes twice, every number ends, and
every text can be written down again.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from backends.server.problems import Problem
from backends.server.stepping import Rest, begin

BODY_MAX: Final = 65_536
DEPTH_MAX: Final = 32

WITHIN_S: Final = 10.0
"""Seconds in which the whole of a body must come."""

_CLOSE: Final = {"Connection": "close"}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class ClientGone(Exception):
    """Whoever asked has left before the whole of the question was here; there is nobody to answer."""


async def read_body(receive: Receive, headers: Mapping[str, str], *, at_most: int = BODY_MAX) -> bytes:
    """The body of a request; `Problem` 413 as soon as it is seen to be too large, 408 where it comes too slowly."""
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > at_most:
        raise _too_large(at_most)
    begun = begin(receive())
    if not isinstance(begun, Rest) and not begun.get("more_body", False):
        return _part(begun, at_most)  # all of it is here, as most are: no clock has to run
    try:
        async with asyncio.timeout(WITHIN_S):
            first = await begun if isinstance(begun, Rest) else begun
            return await _read(first, receive, at_most)
    except TimeoutError:
        raise Problem(
            408, "too-slow", f"the body did not come within {WITHIN_S:g} s", "send it at once", headers=_CLOSE
        ) from None


async def _read(message: Message, receive: Receive, at_most: int) -> bytes:
    parts = [_part(message, at_most)]
    size = len(parts[0])
    while message.get("more_body", False):
        message = await receive()
        parts.append(_part(message, at_most - size))
        size += len(parts[-1])
    return b"".join(parts)


def _part(message: Message, at_most: int) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientGone
    part: bytes = message.get("body", b"")
    if len(part) > at_most:
        raise _too_large(at_most)
    return part


def read_json(body: bytes, content_type: str | None) -> Any:
    """The JSON value of a body; `Problem` 415 for another content type, 400 where it is none that is taken."""
    if content_type is not None and not _is_json(content_type):
        raise Problem(415, "not-json", f"the body is {ascii(content_type)[:60]}", "send Content-Type: application/json")
    try:
        value = _decoder.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Problem(400, "malformed-json", f"the body is no JSON that is taken: {why}", "send one object") from None
    if b"\\u" in body or body.count(b"{") + body.count(b"[") > DEPTH_MAX:
        _check(value)  # nothing else can hide half a letter, or be so deep
    return value


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {ascii(twice)[:60]} comes twice")
    return members


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number that ends")
    return number


_decoder: Final = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_number, parse_float=_finite)


def _check(value: Any) -> None:
    """Look through the value level by level."""
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        texts = [item for item in level if isinstance(item, str)]
        texts += [name for item in level if isinstance(item, dict) for name in item]
        if any(not _can_be_written(text) for text in texts):
            raise Problem(400, "malformed-json", "a text holds half a letter (a lone surrogate)", "send UTF-8")
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise Problem(400, "malformed-json", f"the body is nested deeper than {DEPTH_MAX} levels", "send it flatter")


def _can_be_written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_large(at_most: int) -> Problem:
    return Problem(413, "too-large", f"the body is larger than {at_most} bytes", "send less at once", headers=_CLOSE)
