"""Bodies of clients that exist already: they are taken whatever type they claim to be of, and may be missing where
the client sends none. What is no JSON is 400, what is JSON and wrong is 422."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import ValidationError

from backends.server.caps import read_body, read_json
from backends.server.problems import Problem
from core.faults import sentence
from core.messages import Message

BATCH_MAX: Final = 1_048_576
"""Bytes of a body in which a client reports about many things at once: a refusal would lose all of them."""

ModelT = TypeVar("ModelT", bound=Message)


async def document_of(request: Request, *, optional: bool = False, at_most: int | None = None) -> dict[str, Any]:
    """The JSON object of a request; an empty one for no body at all, where that is ``optional``."""
    body = await (
        read_body(request.receive, request.headers)
        if at_most is None
        else read_body(request.receive, request.headers, at_most=at_most)
    )
    if optional and not body.strip():
        return {}
    return document_in(body)


def document_in(body: bytes) -> dict[str, Any]:
    """The JSON object of a body."""
    document = read_json(body, None)
    if not isinstance(document, dict):
        raise Problem(422, "malformed-body", "the body is an object", "see /openapi.json for its fields")
    return document


def model_of(model: type[ModelT], document: Mapping[str, Any]) -> ModelT:
    """The message in a document; `Problem` 422 where it is none."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise Problem(422, "malformed-body", sentence(error), "see /openapi.json for its fields") from error
