"""A stop by an id that was used before stops what it says, and is recorded."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.serving import Served, serving
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a new fleet, that takes everybody for an administrator."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}") as one:
        yield one


def stop(served: Served, key: str, site: str, level: str = "immediate") -> httpx.Response:
    """One site, by a key that a script may have written down."""
    body = {"selectors": [{"site": site}], "level": level}
    return httpx.post(f"{served.stop_url}/v1/stop", headers={"Idempotency-Key": f'"{key}"'}, json=body, timeout=60)


def is_blocked(served: Served, site: str) -> bool:
    return bool(served.get("/v1/check", params={"site": site}).json()["outcome"] == "blocked")


def recover(served: Served, emergency_id: str, site: str) -> None:
    said = served.command("recover", emergency_id=emergency_id, reason="mended", confirm=f"site={site}")
    assert said.status_code == 200, said.text


def recorded(served: Served, answer: httpx.Response) -> str:
    """The emergency of a stop, once the journal has it."""
    stop_id = answer.json()["stop_id"]
    eventually(lambda: stop_id in served.room.runtime.latest().stops)
    return served.room.runtime.latest().stops[stop_id].emergency_id


def test_a_key_of_a_stop_that_was_recovered_stops_again(served: Served) -> None:
    recover(served, recorded(served, stop(served, "runbook", "s1")), "s1")
    eventually(lambda: not is_blocked(served, "s1"))

    again = [stop(served, "runbook", "s1") for _ in range(2)]

    assert is_blocked(served, "s1")
    assert [answer.json()["stop_id"] for answer in again] == ["runbook.2", "runbook.2"], "said twice, it is one stop"


def test_a_key_of_another_stop_that_is_in_force_stops_what_it_says_now(served: Served) -> None:
    stop(served, "shared", "s2")

    other = stop(served, "shared", "s3")

    assert is_blocked(served, "s3")
    assert other.json()["stop_id"] == "shared.2"
    assert stop(served, "shared", "s2").json()["stop_id"] == "shared", "the first one is in force still"


def test_a_key_of_a_weaker_stop_does_not_weaken_a_stronger_one(served: Served) -> None:
    stop(served, "harder", "s4", "graceful")

    assert stop(served, "harder", "s4", "immediate").json()["stop_id"] == "harder.2"
    assert stop(served, "harder", "s4", "graceful").json()["stop_id"] == "harder"


def test_a_key_of_another_command_is_no_reason_not_to_record_a_stop(served: Served) -> None:
    """Nothing could ever be released again, for a stop was in force that no journal took."""
    held = served.command(
        "place-hold", headers={"Idempotency-Key": '"ticket-7"'}, selectors=[{"site": "s5"}], create=True
    )
    assert held.status_code == 200, held.text

    emergency_id = recorded(served, stop(served, "ticket-7", "s6"))

    released = served.command("release-holds", selectors=[{"site": "s5"}], reason="over")
    assert released.status_code == 200, released.text
    recover(served, emergency_id, "s6")


def test_a_command_that_orders_a_stop_by_the_id_of_another_one_says_so(served: Served) -> None:
    recorded(served, stop(served, "mine", "s7"))

    said = served.command("order-stop", stop_id="mine", selectors=[{"site": "s8"}], create=True).json()

    assert not said["changed"]
    assert "names another stop" in said["notes"][0]
