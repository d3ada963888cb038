"""Every error of the engine arrives at a client as what it was; whatever stands in between has one of ours."""

import pytest

from backends.remote.client import error_of
from backends.server.problems import of_error
from core.errors import (
    BackendUnavailable,
    CommandRejected,
    ConfirmationNeeded,
    NotOurDatabase,
    NotPermitted,
    OpsError,
    RevisionConflict,
    TimedOut,
    UnknownName,
)

ERRORS = [
    BackendUnavailable,
    CommandRejected,
    ConfirmationNeeded,
    NotOurDatabase,
    NotPermitted,
    RevisionConflict,
    TimedOut,
    UnknownName,
]


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("code", ["some-code", "unknown-stop", "name-exists"])
def test_an_error_arrives_as_what_it_was(kind: type[OpsError], code: str) -> None:
    problem = of_error(kind(code, "a sentence", "the next step"), conditional=True)

    arrived = error_of(problem.status, problem.document(), "http://server")

    assert type(arrived) is kind
    assert (arrived.code, arrived.message, arrived.hint) == (code, "a sentence", "the next step")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, NotPermitted),
        (404, NotOurDatabase),
        (429, BackendUnavailable),
        (502, BackendUnavailable),
        (504, TimedOut),
    ],
)
def test_what_a_proxy_answers_instead_is_an_error_too(status: int, kind: type[OpsError]) -> None:
    arrived = error_of(status, {}, "http://server")

    assert type(arrived) is kind
    assert "http://server" in str(arrived)
