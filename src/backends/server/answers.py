"""Answers that many ask for: bytes that are made once, and a tag by which a client sees that it has them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response


def cached(headers: Mapping[str, str], revision: int, body: bytes, *, variant: str = "") -> Response:
    """The body under the tag of its revision, or 304 to whoever has it. ``variant`` tells two bodies of one revision
    apart."""
    tag = f'"{revision}{variant}"'
    known = {part.strip().removeprefix("W/") for part in headers.get("if-none-match", "").split(",")}
    sent = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in known:
        return Response(status_code=304, headers=sent)
    return Response(body, headers=sent, media_type="application/json")
