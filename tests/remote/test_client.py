"""Every error of the engine arrives at a client as what it was; whatever stands in between has one of ours."""

import pytest

from backends.remote.client import error_of
from backends.server.problems import of_error
from core import errors
from core.errors import KINDS, BackendUnavailable, NotOurDatabase, NotPermitted, OpsError, TimedOut


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("code", ["some-code", "unknown-stop", "name-exists"])
def test_an_error_arrives_as_what_it_was(kind: type[OpsError], code: str) -> None:
    problem = of_error(kind(code, "a sentence", "the next step"), conditional=True)

    arrived = error_of(problem.status, problem.document(), "http://server")

    assert type(arrived) is kind
    assert (arrived.code, arrived.message, arrived.hint) == (code, "a sentence", "the next step")


def test_each_class_of_errors_has_a_word_of_its_own_on_the_wire() -> None:
    classes = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, OpsError)}

    assert set(KINDS.values()) == classes - {OpsError}
    assert all(each.kind == word for word, each in KINDS.items())


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
