"""A signed hook pauses and stops, once, and is believed only as it was signed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import time
from typing import Any

import httpx
import pytest

from backends.clients.signed import SKEW_S, secrets_in, signature
from backends.configuration import ConfigurationFault
from backends.emergency_settings import EmergencySettings
from opsgate.selector import Selector
from tests.support.serving import DEADLINE_S, Served, serving
from tests.support.waiting import eventually

SECRET = "s" * 40
HOOK = "/v1/hooks/signed"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that knows the secret."""
    folder = tmp_path_factory.mktemp("fleet")
    with serving(f"sqlite:///{folder / 'fleet.db'}", hook_secrets=keep(folder / "hook.secret", SECRET)) as one:
        yield one


def keep(file: Path, *secrets: str) -> Path:
    """Write a file of secrets in one step."""
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text("\n".join(secrets) + "\n")
    return new.replace(file)


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


def test_a_secret_gives_way_to_another_and_no_request_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Both count while both stand in the file. A sender never stops: it changes when both are known."""
    old, new = "o" * 32, "n" * 32
    file = keep(tmp_path / "hook.secret", old)
    with serving(f"sqlite:///{tmp_path / 'fleet.db'}", hook_secrets=file, heartbeat_s=0.05) as served:
        signing, answers, ended = [old], list[int](), Event()

        def traffic() -> None:
            body = text()
            while not ended.is_set():
                answers.append(send(served, body, signed(body, secret=signing[0])).status_code)

        def counts(secret: str) -> bool:
            return httpx.post(served.url + HOOK, content=text(), headers=signed(text(), secret=secret)).is_success

        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(traffic)
            try:
                eventually(lambda: answers, within_s=DEADLINE_S)
                keep(file, new, old)
                eventually(lambda: counts(new), within_s=DEADLINE_S)
                signing[0], before = new, len(answers)
                eventually(lambda: len(answers) > before + 1, within_s=DEADLINE_S)
                keep(file, new)
                eventually(lambda: not counts(old), within_s=DEADLINE_S)
            finally:
                ended.set()
            sending.result()

        assert set(answers) == {200}
        keep(file, "short")
        eventually(lambda: "a new hook secret is of no use" in caplog.text, within_s=DEADLINE_S)
        assert counts(new), "what is of no use leaves what counted before"


@pytest.mark.parametrize("content", ["", "\n", "s" * 31, f"{SECRET}\nshort"])
def test_a_file_that_holds_no_secret_or_a_short_one_is_refused_at_the_start_and_not_quoted(
    tmp_path: Path, content: str
) -> None:
    with pytest.raises(ConfigurationFault) as refused:
        secrets_in(keep(tmp_path / "hook.secret", content))

    assert "fewer than 32 characters" in str(refused.value)
    assert SECRET not in str(refused.value)


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
    folder = tmp_path_factory.mktemp("off")
    secrets = keep(folder / "hook.secret", SECRET)
    settings = EmergencySettings(emergency_stop_enabled=False)
    body = text(action="stop", scope="all")
    with serving(f"sqlite:///{folder / 'fleet.db'}", settings=settings, hook_secrets=secrets) as one:
        refused = send(one, body, signed(body))
        by_a_person = one.stop(stop_id="S-of-a-person")

        assert (refused.status_code, refused.json()["code"]) == (422, "automatic-stops-off")
        assert by_a_person.status_code == 200
        eventually(lambda: set(one.room.runtime.state().stops) == {"S-of-a-person"})
