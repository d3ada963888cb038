"""Each error has one exit code, and the numbers never move."""

import pytest

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
from opsconsole.cli.exits import Exit, exit_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandRejected, 1),
        (UnknownName, 1),
        (NotOurDatabase, 2),
        (BackendUnavailable, 3),
        (TimedOut, 4),
        (RevisionConflict, 6),
        (ConfirmationNeeded, 7),
        (NotPermitted, 8),
        (OpsError, 1),
    ],
)
def test_each_error_has_its_code(error: type[OpsError], code: int) -> None:
    assert exit_of(error("code", "message")) == code


def test_the_codes_are_the_documented_ones() -> None:
    assert sorted(int(code) for code in Exit) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 70, 129, 130, 143]
