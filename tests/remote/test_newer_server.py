"""A console that is older than its server shows what it knows, and stops; it says that there may be more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from backends import documents, open_backend
from backends.remote import copy
from core import checkpoint
from core.audit import Row, event_of
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold
from core.errors import NotOurDatabase
from core.messages import Receipt, Recorded, as_json
from core.state import State
from opsgate.selector import Selector
from tests.support.fleets import say
from tests.support.serving import Served, serving
from tests.support.waiting import eventually

LATER = checkpoint.FORMAT + 1
WRITTEN = documents.of_state


def grown(state: State, chain: str) -> str:
    """The state as a later version tells it: members that nobody knows here, and longer rows, within others too."""
    document: dict[str, Any] = json.loads(WRITTEN(state, chain))
    told = document["state"]
    for key in ("names", "limits", "workers", "stops", "emergencies", "tokens", "services", "triggers"):
        for row in told[key]:
            for field in row:
                if isinstance(field, list) and field and isinstance(field[0], list):
                    field[0].append("new")
            row.append({"new": True})
    told |= {"format": LATER, "weather": "fair"}
    return json.dumps(document)


def known_here(row: Row) -> Recorded:
    """Its events of one kind are of no kind that is known here."""
    if row.kind == "hold.placed":
        raise ValueError("unknown event kind")
    return event_of(row)


@pytest.fixture
def newer(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server of a later version, for whoever reads it."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}", heartbeat_s=0.2) as one:
        one.command("add-name", dimension="site", name="s1").raise_for_status()
        one.command("add-service", name="web", driver="external").raise_for_status()
        monkeypatch.setattr(documents, "of_state", grown)
        monkeypatch.setattr(copy, "event_of", known_here)
        yield one


def test_it_is_seen_followed_and_stopped(newer: Served) -> None:
    with closing(open_backend(newer.url)) as console:
        assert console.contact().newer
        assert ("site", "s1") in console.latest().names
        console.follow(lambda _: None)

        console.submit(say(PlaceHold(selectors=(Selector.of(site="s1"),))))
        eventually(lambda: console.latest().holds_on(Selector.of(site="s1")))
        stopped = console.submit(say(OrderStop(stop_id="S-1", selectors=(Selector(),))))

        assert stopped.stop_id == "S-1"
        eventually(lambda: "S-1" in console.latest().stops)
        eventually(lambda: console.state() == newer.room.runtime.state())  # the stop is concluded in its own time


def test_one_of_this_version_is_not_called_newer(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}") as served,
        closing(open_backend(served.url)) as console,
    ):
        assert not console.contact().newer


def test_what_would_be_taken_for_something_else_is_not_shown(newer: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "OLDEST_READER", LATER)

    with pytest.raises(NotOurDatabase) as refused:
        open_backend(newer.url)

    assert refused.value.code == "newer-server"


def test_nobody_goes_on_from_a_stored_state_of_a_later_version() -> None:
    """What he does not know would be lost with the next one that he stores."""
    stored = json.loads(grown(State(fleet="f-1"), ""))["state"]

    assert checkpoint.load(json.dumps(stored)) is None


def test_a_receipt_of_a_later_version_may_say_more() -> None:
    told = json.loads(as_json(Receipt(revision=7, changed=True))) | {"took_ms": 3}

    assert Receipt.model_validate(told, strict=False) == Receipt(revision=7, changed=True)
