"""Alertmanager's webhook: stored before it is answered, done once, and released only by what placed it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from backends.clients.alertmanager import HOLD_MAX
from backends.server.identity import Doorkeeper
from core.audit import event_of
from core.authority import Identity
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import AddName
from core.capabilities.tokens import CreateToken, digest_of, secret_of
from core.errors import BackendUnavailable
from core.messages import Envelope
from core.state import State
from opsgate.hold import Hold
from opsgate.selector import Selector
from tests.support.fleets import say
from tests.support.serving import Served, serving

HOOK = "/v1/hooks/alertmanager"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that knows a token which may bring alerts and stop, and nothing else, and one of a single site."""
    backend = f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}"
    with serving(backend, lambda room: Doorkeeper(room.runtime.latest)) as one:
        one.room.runtime.submit(say(AddName(dimension="site", name="s-mine")))
        for number, sites in enumerate([(), ("s-mine",)]):
            secret = secret_of(f"t-{number:012x}", os.urandom(32))
            token = CreateToken(
                token_id=f"t-{number:012x}", name=f"am{number}", digest=digest_of(secret), role="stop", sites=sites
            )
            one.room.runtime.submit(say(token))
            one.http.headers[f"x-secret-{number}"] = secret
        one.http.headers["authorization"] = f"Bearer {one.http.headers['x-secret-0']}"
        yield one


@pytest.fixture
def site(served: Served) -> str:
    name = f"s-{uuid.uuid4().hex[:8]}"
    served.room.runtime.submit(say(AddName(dimension="site", name=name)))
    return name


def alert(site: str, status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "ErrorRate", "opsconsole_scope": f"site={site}", **labels},
        "annotations": {"summary": f"half of {site} fails"},
        "startsAt": "2026-11-22T14:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": f"f-{site}",
    }


def tell(served: Served, *alerts: dict[str, Any], **options: Any) -> httpx.Response:
    """Send a notification, as Alertmanager writes it."""
    body = {
        "version": "4",
        "groupKey": '{}:{alertname="ErrorRate"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "opsconsole",
        "notification_reason": "first notification",
        "groupLabels": {"alertname": "ErrorRate"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": list(alerts),
    }
    return served.http.post(HOOK, json=body, **options)


def state(served: Served) -> State:
    return served.room.runtime.state()


def holds(served: Served, site: str) -> tuple[Hold, ...]:
    return state(served).holds_on(Selector.of(site=site))


def test_an_alert_holds_what_its_label_names_and_is_in_the_journal_as_automation(served: Served, site: str) -> None:
    told = tell(served, alert(site), {**alert(site), "labels": {"alertname": "DiskFull"}})

    (hold,) = holds(served, site)
    assert (told.status_code, told.json()["ignored"]) == (200, 1)
    assert (hold.source, hold.owner, hold.reason) == ("alert", f"f-{site}~am0", f"ErrorRate: half of {site} fails")
    actor = event_of(served.room.runtime.journal(after=hold.revision - 1)[0]).header.actor
    assert (actor.name, actor.kind) == ("am0", "automation")


def test_a_repetition_does_nothing_even_in_other_words(served: Served, site: str) -> None:
    tell(served, alert(site))
    before = state(served).control_revision
    again = tell(served, alert(site))
    other_words = tell(served, {**alert(site), "annotations": {"summary": "now two thirds fail"}})

    assert again.status_code == other_words.status_code == 200
    assert other_words.json()["done"][0]["changed"] is False
    assert state(served).control_revision == before


def test_its_end_releases_its_own_hold_and_nobody_elses(served: Served, site: str) -> None:
    tell(served, alert(site))
    served.room.runtime.submit(say(PlaceHold(selectors=(Selector.of(site=site),), reason="mine")))
    tell(served, {**alert(site), "fingerprint": "f-other"})

    resolved = tell(served, alert(site, "resolved"))

    assert resolved.status_code == 200
    assert {(hold.source, hold.owner) for hold in holds(served, site)} == {
        ("operator", "ana"),
        ("alert", "f-other~am0"),
    }


def test_the_end_of_an_alert_that_another_token_brought_releases_nothing(served: Served) -> None:
    """Who may bring alerts and stop must not be able to release by saying another one's fingerprint."""
    another = {"authorization": f"Bearer {served.http.headers['x-secret-1']}"}
    mine = {**alert("s-mine"), "fingerprint": "f-of-mine"}
    tell(served, mine)

    forged = tell(served, {**mine, "status": "resolved"}, headers=another)

    assert forged.status_code == 200
    assert [hold.owner for hold in holds(served, "s-mine")] == ["f-of-mine~am0"]
    tell(served, {**mine, "status": "resolved"})
    assert holds(served, "s-mine") == (), "and it took nothing from the one who may"


def test_a_beginning_that_comes_after_the_end_of_its_alert_holds_nothing(served: Served, site: str) -> None:
    resolved = tell(served, alert(site, "resolved"))
    late = tell(served, alert(site))
    in_another_group = served.http.post(HOOK, json={"version": "4", "groupKey": "another", "alerts": [alert(site)]})

    assert [told.status_code for told in (resolved, late, in_another_group)] == [200, 200, 200]
    assert holds(served, site) == ()
    tell(served, {**alert(site), "startsAt": "2026-11-22T16:00:00Z"})
    assert len(holds(served, site)) == 1, "another time that it fires is another time"


def test_a_repetition_brings_nothing_back_that_a_person_released(served: Served, site: str) -> None:
    tell(served, alert(site))
    selectors = (Selector.of(site=site),)
    served.room.runtime.submit(say(ReleaseHolds(selectors=selectors, reason="known", source="alert", force=True)))

    tell(served, alert(site))

    assert holds(served, site) == ()


def test_an_alert_that_goes_on_firing_keeps_its_hold_young(
    served: Served, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end() -> datetime:
        (hold,) = holds(served, site)
        assert hold.expires_at is not None
        return hold.expires_at

    tell(served, alert(site))
    first = end()
    tell(served, alert(site))
    assert end() == first, "it is young"

    later = datetime.now(UTC) + timedelta(hours=7)
    with monkeypatch.context() as patched:
        patched.setattr("backends.server.engine.Engine.now", lambda _engine: later)
        tell(served, alert(site))
        tell(served, alert(site))

    assert end() == later + HOLD_MAX
    tell(served, alert(site, "resolved"))
    assert holds(served, site) == ()


def test_an_alert_may_stop_and_its_end_recovers_nothing(served: Served, site: str) -> None:
    stopping = {"opsconsole_action": "stop", "opsconsole_level": "graceful"}

    told, again = (tell(served, alert(site, **stopping)) for _ in range(2))
    resolved = tell(served, alert(site, "resolved", **stopping))

    stop_id = told.json()["done"][0]["stop_id"]
    assert (told.status_code, again.json()["done"][0]["stop_id"]) == (200, stop_id)
    assert resolved.json() == {"done": [], "ignored": 1}
    assert (state(served).stops[stop_id].level, state(served).stops[stop_id].ordered_by) == ("graceful", "am0")
    assert [hold.source for hold in holds(served, site)] == ["emergency"]
    (ordered,) = (
        recorded.header
        for recorded in map(event_of, served.room.runtime.journal(limit=10_000))
        if recorded.event.kind == "stop.ordered" and recorded.header.command_id == stop_id
    )
    assert (ordered.actor.name, ordered.actor.kind, ordered.door) == ("am0", "automation", "alert")


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"opsconsole_scope": "site=nowhere"}, "no site is called nowhere"),
        ({"opsconsole_scope": "everything"}, "is not a selector"),
        ({"opsconsole_action": "release"}, "write pause or stop"),
        ({"opsconsole_action": "stop", "opsconsole_level": "hard"}, "no level"),
    ],
)
def test_what_can_never_be_done_is_refused_and_the_rest_is_done(
    served: Served, site: str, labels: dict[str, str], why: str
) -> None:
    told = tell(served, {**alert("s-mine", **labels), "fingerprint": "bad"}, alert(site))

    assert (told.status_code, told.json()["code"]) == (422, "alert-refused")
    assert why in told.json()["detail"]
    assert [refused["fingerprint"] for refused in told.json()["refused"]] == ["bad"]
    assert len(holds(served, site)) == 1


def test_where_too_many_samples_wait_what_an_alert_stops_is_stopped_all_the_same(
    served: Served, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.keeper.triggering.WAITING_MAX", 0)
    number, other = alert(site, opsconsole_metric="healthScore"), f"{site}-other"
    served.room.runtime.submit(say(AddName(dimension="site", name=other)))

    answer = tell(served, number, alert(other))

    assert (answer.status_code, answer.json()["code"]) == (503, "too-many-samples"), "it comes again"
    assert [len(holds(served, name)) for name in (site, other)] == [1, 1]


def test_a_token_brings_alerts_no_further_than_it_reaches(served: Served, site: str) -> None:
    scoped = {"authorization": f"Bearer {served.http.headers['x-secret-1']}"}

    assert tell(served, alert("s-mine"), headers=scoped).status_code == 200
    refused = tell(served, alert(site), headers=scoped)
    stop = tell(served, alert(site, opsconsole_action="stop"), headers=scoped)

    assert (refused.status_code, stop.status_code) == (422, 422)
    assert "am1 may alert within site s-mine only" in refused.json()["detail"]
    assert holds(served, site) == ()


def test_what_could_not_be_stored_is_asked_for_again_and_then_done_once(
    served: Served, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, other = served.room.runtime, "s-mine"

    def away(wanted: list[tuple[Envelope, Identity | None]], **options: Any) -> Any:
        raise BackendUnavailable("locked", "the database is locked", "try again")

    with monkeypatch.context() as patched:
        patched.setattr(runtime, "submit_together", away)
        failed = tell(served, alert(site), alert(other))
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "1")
    assert holds(served, site) == ()

    assert tell(served, alert(site), alert(other)).status_code == 200
    assert len(holds(served, site)) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"", 400), (b"[]", 422), (b'{"version": "5"}', 422), (b"x" * 1_100_000, 413)],
)
def test_what_is_no_notification_is_refused_for_good(served: Served, body: bytes, status: int) -> None:
    assert served.http.post(HOOK, content=body).status_code == status
