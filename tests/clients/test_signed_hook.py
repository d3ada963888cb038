"""A signed hook pauses and stops, once, and is believed only as it was signed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from time import time
from typing import Any

import httpx
import pytest

from backends.clients.signed import SKEW_S, signature
from backends.emergency_settings import EmergencySettings
from opsgate.selector import Selector
from tests.support.serving import Served, serving
from tests.support.waiting import eventually

SECRET = "s" * 40
HOOK = "/v1/hooks/signed"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that knows the secret."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}", hook_secret=SECRET) as one:
        yield one


def signed(body: bytes, *, secret: str = SECRET, at_s: float | None = None, nonce: str | None = None) -> dict[str, str]:
    timestamp, nonce = str(int(time() if at_s is None else at_s)), nonce or uuid.uuid4().hex
    return {
        "X-Opsconsole-Timestamp": timestamp,
        "X-Opsconsole-Nonce": nonce,
        "X-Opsconsole-Signature": signature(secret, timestamp, nonce, body),
    }


def send(served: Served, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return served.http.post(HOOK, content=body, headers=headers)


def text(**fields: Any) -> bytes:
    return json.dumps({"action": "pause", "scope": "operation=ab_testing", **fields}).encode()


def held(served: Served) -> int:
    return served.room.runtime.state().control_revision


def test_it_pauses_and_a_replay_changes_nothing(served: Served) -> None:
    body = text(reason="the shop fails")
    headers = signed(body)

    first = send(served, body, headers)
    before = held(served)
    replayed = send(served, body, headers)

    (hold,) = served.room.runtime.state().holds_on(Selector.of(operation="ab_testing"))
    assert (first.status_code, hold.source, hold.owner, hold.reason) == (200, "alert", "dev", "the shop fails")
    assert replayed.json() == first.json()
    assert held(served) == before


def test_it_stops_once(served: Served) -> None:
    body = text(action="stop", scope="account=a1", level="graceful")
    headers = signed(body)

    first, again = (send(served, body, headers) for _ in range(2))

    assert first.json() == again.json()
    assert served.room.runtime.state().stops[first.json()["stop_id"]].level == "graceful"


def test_what_is_not_as_it_was_signed_changes_nothing(served: Served) -> None:
    body, now_s = text(scope="all"), time()
    good, before = signed(body, nonce="n-1"), held(served)
    flipped = {**good, "X-Opsconsole-Signature": good["X-Opsconsole-Signature"][:-1] + "x"}
    cases = [
        (body, flipped),
        (body + b" ", good),
        (body, {**good, "X-Opsconsole-Nonce": "n-2"}),
        (body, {**good, "X-Opsconsole-Timestamp": str(int(now_s) + 1000)}),
        (body, signed(body, secret="t" * 40)),
        (body, signed(body, at_s=now_s - SKEW_S - 30)),
        (body, signed(body, at_s=now_s + SKEW_S + 30)),
        *((body, {name: value for name, value in good.items() if name != missing}) for missing in good),
    ]

    answers = [send(served, *case) for case in cases]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "not-signed")}
    assert held(served) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 422),
        (text(action="release"), 422),
        (text(scope="everything"), 422),
        (text(scope="site=nowhere"), 404),
        (text(level="hard"), 422),
        (text(hold_id="H-1"), 422),
    ],
)
def test_what_is_signed_and_wrong_is_refused(served: Served, body: bytes, status: int) -> None:
    before = held(served)

    assert send(served, body, signed(body)).status_code == status
    assert held(served) == before


def test_no_alert_stops_where_automatic_stops_are_switched_off_and_a_person_does(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('off') / 'fleet.db'}"
    settings = EmergencySettings(emergency_stop_enabled=False)
    body = text(action="stop", scope="all")
    with serving(url, settings=settings, hook_secret=SECRET) as one:
        refused = send(one, body, signed(body))
        by_a_person = one.stop(stop_id="S-of-a-person")

        assert (refused.status_code, refused.json()["code"]) == (422, "automatic-stops-off")
        assert by_a_person.status_code == 200
        eventually(lambda: set(one.room.runtime.state().stops) == {"S-of-a-person"})
