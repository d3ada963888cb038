"""Erasure of what is about one account: it lies nowhere any more, the chain verifies, and nothing is released by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from backends.runtime import Runtime
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.recovery import Recover
from core.errors import BackendUnavailable, CommandRejected
from core.triggers.sample import Sample
from opsgate.selector import EVERYTHING, Selector
from tests.support.fleets import ANA, START, Clock, say
from tests.support.places import Place, place_of
from tests.support.postgres import postgres_server

__all__ = ["postgres_server"]

ACCOUNT = "account-7"
OF_THE_ACCOUNT = Selector.of(account=ACCOUNT)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from place_of(request.param, request, tmp_path)


def lived(runtime: Runtime) -> None:
    """An account was paused and stopped, and both are over."""
    runtime.submit(say(PlaceHold(selectors=(OF_THE_ACCOUNT,), reason="a debtor")))
    runtime.submit(say(ReleaseHolds(selectors=(OF_THE_ACCOUNT,), reason="has paid")))
    runtime.submit(say(OrderStop(stop_id="S-1", selectors=(OF_THE_ACCOUNT,), reason="was abused")))
    emergency = runtime.state().stops["S-1"].emergency_id
    runtime.submit(say(Recover(emergency_id=emergency, reason="is over", confirm=f"account={ACCOUNT}")))
    runtime.submit(say(PlaceHold(selectors=(EVERYTHING,), reason=f"all but {ACCOUNT}."), command_id="c-of-text"))
    runtime.submit(say(ReleaseHolds(selectors=(EVERYTHING,), reason="mended")))
    runtime.submit(say(PlaceHold(selectors=(Selector.of(account="account-77"),), reason="somebody else")))
    runtime.put_samples([Sample("risk", 1.0, 99.0, ACCOUNT), Sample("risk", 2.0, 98.0, "account-77")])


def bodies(runtime: Runtime) -> list[str]:
    return [row.body for row in runtime.journal(after=17)]


def test_what_is_about_an_account_is_gone_and_the_chain_verifies(place: Place) -> None:
    runtime, other = place.runtime(), place.runtime()
    lived(runtime)
    runtime._store_checkpoint(*runtime.sealed())
    other.state()

    receipt = runtime.erase(ACCOUNT, ANA, reason="was asked to")

    left = "".join(filter(None, bodies(runtime)))
    assert "account-7" not in left.replace("account-77", "")
    assert not any(word in left for word in ("debtor", "has paid", "abused", "is over"))
    assert "somebody else" in left
    assert (runtime.verify().fault, runtime.verify().erased) == (None, bodies(runtime).count(""))
    assert runtime.state().emergencies == other.state().emergencies
    assert not runtime.state().emergencies
    assert other.state() == runtime.state() == place.runtime().state()
    assert [event.kind for event in receipt.events] == ["account.erased"]
    assert [sample.account for sample in runtime.store.samples("risk", 0.0)] == ["account-77"]


def test_a_command_that_was_erased_is_not_carried_out_again(place: Place) -> None:
    runtime = place.runtime()
    lived(runtime)
    runtime.erase(ACCOUNT, ANA)

    with pytest.raises(CommandRejected, match="was used for another command"):
        runtime.submit(say(PlaceHold(selectors=(EVERYTHING,), reason=f"all but {ACCOUNT}."), command_id="c-of-text"))


def test_what_is_in_force_is_not_erased_because_that_would_release_it(place: Place) -> None:
    runtime = place.runtime()
    lived(runtime)
    runtime.submit(say(PlaceHold(selectors=(OF_THE_ACCOUNT,), reason="again")))
    before = runtime.state().revision

    with pytest.raises(CommandRejected, match="still named by holds of the fleet; release, recover or remove"):
        runtime.erase(ACCOUNT, ANA)
    with pytest.raises(CommandRejected, match="the reason names the account"):
        runtime.erase("account-77", ANA, reason="of account-77")

    assert runtime.state().revision == before
    assert runtime.verify().erased == 0


def test_retention_goes_on_behind_what_was_erased(place: Place) -> None:
    clock = Clock()
    runtime = place.runtime(clock)
    lived(runtime)
    clock.pass_(3600)
    runtime.erase(ACCOUNT, ANA)
    clock.pass_(3600)
    runtime.submit(say(PlaceHold(selectors=(Selector.of(site="s1"),), create=True)))

    with pytest.raises(BackendUnavailable, match="was erased, so what held then cannot be told"):
        runtime.state_at(START + timedelta(seconds=60))
    assert runtime.retain(START + timedelta(seconds=1800)) > 17
    assert runtime.verify().fault is None
    assert place.runtime(clock).state() == runtime.state()
