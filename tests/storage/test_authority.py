"""Whose authority a command takes is asked where it is decided: on the locked state, whatever was looked at before."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from backends.local.memory import MemoryStore
from backends.runtime import Runtime
from core.audit import event_of
from core.authority import Identity, identity_of
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.tokens import CreateToken, RevokeToken
from core.engine import CommandRefused
from core.errors import NotPermitted
from opsgate.selector import EVERYTHING
from tests.support.fleets import say

PAUSE = PlaceHold(selectors=(EVERYTHING,))
RESUME = ReleaseHolds(selectors=(EVERYTHING,), reason="done")
VIEWER, ADMIN = Identity("vic", "viewer"), Identity("ada", "admin")


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with closing(Runtime(MemoryStore())) as runtime:
        yield runtime


def test_what_a_role_may_not_is_refused_and_the_refusal_is_in_the_journal(runtime: Runtime) -> None:
    runtime.submit(say(PAUSE), identity=ADMIN)

    with pytest.raises(NotPermitted, match="viewer may not release holds"):
        runtime.submit(say(RESUME), identity=VIEWER)

    refused = event_of(runtime.journal()[-1]).event
    assert isinstance(refused, CommandRefused)
    assert (refused.command, refused.code) == ("release-holds", "role-forbids")
    assert len(runtime.state().holds) == 1


def test_the_answer_to_a_command_of_somebody_else_is_not_given_to_whoever_may_not_give_it(runtime: Runtime) -> None:
    sent = say(PAUSE)
    receipt = runtime.submit(sent, identity=ADMIN)
    assert runtime.submit(sent, identity=ADMIN) == receipt

    with pytest.raises(NotPermitted):
        runtime.submit(sent, identity=VIEWER)


def test_a_token_that_was_revoked_after_it_was_shown_carries_nothing_out(runtime: Runtime) -> None:
    made = CreateToken(token_id="t-0123456789ab", name="ben", digest="ab" * 32, role="operator")
    runtime.submit(say(made))
    ben = identity_of(runtime.state().tokens[made.token_id])
    runtime.submit(say(RevokeToken(token_id=made.token_id)))

    with pytest.raises(NotPermitted, match="revoked or has expired"):
        runtime.submit(say(PAUSE), identity=ben)

    assert not runtime.state().holds


def test_whoever_has_the_database_itself_is_asked_for_nothing(runtime: Runtime) -> None:
    assert runtime.submit(say(PAUSE)).changed
