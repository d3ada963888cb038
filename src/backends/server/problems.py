"""What is answered when the answer is no: one problem document (RFC 9457) for every error, whoever found it.

``code`` is our reason code, ``hint`` the next step, ``kind`` whose fault it is, by the classes of `core.errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse

from core.errors import (
    BackendUnavailable,
    ConfirmationNeeded,
    NotOurDatabase,
    NotPermitted,
    OpsError,
    RevisionConflict,
    UnknownName,
)

MEDIA_TYPE: Final = "application/problem+json"

RETRY_AFTER_S: Final = 1
"""What a client is told to wait where the world is at fault."""

_STATUS: Final[Mapping[type[OpsError], int]] = {
    OpsError: 422,
    UnknownName: 404,
    NotPermitted: 403,
    ConfirmationNeeded: 428,
    RevisionConflict: 409,
    BackendUnavailable: 503,
    NotOurDatabase: 503,
}
"""The status of each class of errors; one that is not listed has that of its base."""

_NOT_THERE: Final = frozenset({"unknown-emergency", "unknown-stop", "not-kept"})
_IN_THE_WAY: Final = frozenset({"limit-exists", "name-exists", "name-held", "name-limited", "worker-alive"})


class Problem(Exception):
    """An answer that is an error. ``more`` are members of the document beside the usual ones."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str = "",
        *,
        kind: str = "rejected",
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.kind = kind
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def document(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            **self.more,
            "type": f"urn:opsconsole:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "hint": self.hint,
            "kind": self.kind,
        }

    def response(self) -> JSONResponse:
        """The same as an answer."""
        return JSONResponse(self.document(), self.status, self.headers, MEDIA_TYPE)


def of_error(error: OpsError, *, conditional: bool = False) -> Problem:
    """The problem of one of the engine's errors. ``conditional``: the request named the revision it had seen."""
    status = next(_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS)
    if error.code in _NOT_THERE:
        status = 404
    elif error.code in _IN_THE_WAY:
        status = 409
    elif isinstance(error, RevisionConflict) and conditional:
        status = 412
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    return Problem(status, error.code, error.message, error.hint, kind=error.kind, headers=headers)
