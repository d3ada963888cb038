"""Whose authority a command takes is asked where it is decided: on the locked state, whatever was looked at before."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backends import open_runtime
from backends.local.memory import MemoryStore
from backends.runtime import Runtime
from core.audit import event_of
from core.authority import Identity, identity_of
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.tokens import CreateToken, RevokeToken
from core.engine import CommandRefused
from core.errors import CommandRejected, NotPermitted
from core.messages import Envelope
from opsgate.selector import EVERYTHING, Selector
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


ALICE, BOB = (Identity(name, "operator") for name in ("alice", "bob"))


def paused(account: str) -> Envelope:
    """A command under an id that somebody else may use as well."""
    return say(PlaceHold(selectors=(Selector.of(account=account),)), command_id="ticket-7")


@pytest.fixture(params=["memory", "sqlite"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Runtime, Runtime]]:
    """Two servers of one fleet."""
    if request.param == "memory":
        with closing(Runtime(MemoryStore())) as runtime:
            yield runtime, runtime
    else:
        url = f"sqlite:///{tmp_path / 'fleet.db'}"
        with closing(open_runtime(url)) as first, closing(open_runtime(url)) as second:
            yield first, second


def test_the_same_id_by_two_credentials_names_two_commands_and_each_is_given_its_own_receipt(
    two: tuple[Runtime, Runtime],
) -> None:
    first, second = two
    by_alice = first.submit(paused("a1"), identity=ALICE)
    by_bob = second.submit(paused("a2"), identity=BOB)

    assert [by_alice.changed, by_bob.changed] == [True, True], "neither stands in the other's way"
    assert len(first.state().holds) == 2
    for server in two:
        assert server.submit(paused("a1"), identity=ALICE) == by_alice
        assert server.submit(paused("a2"), identity=BOB) == by_bob
    with pytest.raises(CommandRejected, match="was used for another command"):
        second.submit(paused("a3"), identity=ALICE)
    assert len(first.state().holds) == 2


def test_whoever_gives_a_command_that_another_has_given_is_told_what_that_changed(runtime: Runtime) -> None:
    by_alice = runtime.submit(paused("a1"), identity=ALICE)
    by_bob = runtime.submit(paused("a1"), identity=BOB)

    assert [by_alice.changed, by_bob.changed] == [True, False], "it was paused already"


def test_what_a_server_of_the_version_before_answered_is_answered_again(two: tuple[Runtime, Runtime]) -> None:
    """It did not write down whose command it was."""
    first, second = two
    receipt = first.submit(paused("a1"))

    assert second.submit(paused("a1"), identity=BOB) == receipt


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
