"""Answers that many ask for: a tag by which a client sees that it has them, and bytes that are made only where not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.responses import Response


def at_revision(revision: int, chain: str) -> str:
    """The revision and enough of its event's hash to tell it from the same one before a database was put back."""
    return f"{revision}.{chain[:12]}"


def cached(headers: Mapping[str, str], revision: int, chain: str, body: bytes, *, variant: str = "") -> Response:
    """The body under the tag of its revision, or 304 to whoever has it. ``variant`` tells two bodies of one revision
    apart."""
    return tagged(headers, f'"{at_revision(revision, chain)}{variant}"', lambda: body)


def tagged(headers: Mapping[str, str], tag: str, made: Callable[[], bytes]) -> Response:
    """What is made under this tag, or 304 to whoever has it."""
    known = {part.strip().removeprefix("W/") for part in headers.get("if-none-match", "").split(",")}
    sent = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in known:
        return Response(status_code=304, headers=sent)
    return Response(made(), headers=sent, media_type="application/json")
