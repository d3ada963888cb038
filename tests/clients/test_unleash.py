"""The official client of Unleash, as it is, against a real server that wants its token."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from UnleashClient import UnleashClient  # type: ignore[attr-defined]  # as its own documentation says

from backends.server.identity import Doorkeeper
from core.capabilities.emergencies import OrderStop
from core.capabilities.tokens import CreateToken, digest_of, secret_of
from opsgate.selector import Selector
from tests.support.fleets import say
from tests.support.serving import Served, serving
from tests.support.waiting import eventually

FEATURES = "/api/client/features"


@pytest.fixture(scope="module")
def secret() -> str:
    """What the client shows: a token that may only look."""
    return secret_of("t-0123456789ab", os.urandom(32))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, secret: str) -> Iterator[Served]:
    """A server that lets in whoever shows a token."""
    backend = f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}"
    with serving(backend, lambda room: Doorkeeper(room.runtime.latest)) as one:
        token = CreateToken(token_id="t-0123456789ab", name="shop", digest=digest_of(secret), role="viewer")
        one.room.runtime.submit(say(token))
        one.http.headers["X-API-Key"] = secret
        yield one


@pytest.fixture
def client(served: Served, secret: str, tmp_path: Path) -> Iterator[UnleashClient]:
    """A client that asks every second."""
    logging.getLogger("UnleashClient").setLevel(logging.CRITICAL)
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    client = UnleashClient(
        url=f"{served.url}/api",
        app_name="shop",
        instance_id="shop-1",
        refresh_interval=1,
        metrics_interval=1,
        custom_headers={"Authorization": secret},
        cache_directory=str(tmp_path),
    )
    client.initialize_client()
    yield client
    client.destroy()


def test_a_stop_turns_a_toggle_off_and_says_which_client_saw_it(served: Served, client: UnleashClient) -> None:
    eventually(lambda: client.is_enabled("enableABTesting"))
    assert client.is_enabled("workflow.xml-import")
    assert not client.is_enabled("enableFlying"), "what is not there is off to this client"

    served.room.runtime.submit(say(stop("operation", "ab_testing")))

    eventually(lambda: not client.is_enabled("enableABTesting"))
    assert client.is_enabled("enableSiteCreation")
    seen = 'opsconsole_client_evaluations_total{app="shop",flag="enableABTesting",result="off"}'
    eventually(lambda: seen in served.get("/metrics").text)
    assert 'opsconsole_client_age_seconds{app="shop",instance="shop-1"}' in served.get("/metrics").text
    assert "enableFlying" not in served.get("/metrics").text
    (seen_client,) = served.get("/v1/observations").json()["clients"]
    assert (seen_client["app"], seen_client["instance"]) == ("shop", "shop-1")
    assert seen_client["found_on"] >= 2
    assert seen_client["found_off"] >= 1


def test_what_has_not_changed_is_not_sent_again(served: Served) -> None:
    first = served.get(FEATURES)
    again = served.get(FEATURES, headers={"If-None-Match": first.headers["etag"]})
    served.room.runtime.submit(say(stop("workflow", "status-sync")))
    changed = served.get(FEATURES, headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, again.status_code, again.content, changed.status_code) == (200, 304, b"", 200)
    assert not served.get(f"{FEATURES}/workflow.status-sync").json()["enabled"]
    assert served.get(f"{FEATURES}/nothing").status_code == 404


def test_a_count_that_no_metric_can_show_is_refused_and_the_metrics_go_on(served: Served) -> None:
    bucket = {"toggles": {"enableABTesting": {"yes": 10**400, "no": 0}}}

    answer = served.http.post("/api/client/metrics", json={"appName": "a", "instanceId": "a-1", "bucket": bucket})

    assert (served.get("/metrics").status_code, answer.status_code) == (200, 400)


@pytest.mark.parametrize("path", ["register", "metrics"])
@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"appName": 3}', b'{"appName": "a", "bucket": 3}'])
def test_what_is_no_word_of_a_client_is_refused_and_counts_for_nothing(served: Served, path: str, body: bytes) -> None:
    answer = served.http.post(f"/api/client/{path}", content=body)

    assert answer.status_code in ((202, 400, 422) if path == "register" and b'"a"' in body else (400, 422))


def test_it_is_let_in_by_the_bare_token_under_its_own_paths_only(served: Served, secret: str) -> None:
    bare = {"Authorization": secret}

    assert served.get(FEATURES, headers=bare).status_code == 200
    assert served.get(FEATURES, headers={"Authorization": "*:development.abc"}).status_code == 401
    assert served.get("/v1/state", headers=bare).status_code == 401


def stop(dimension: str, name: str) -> OrderStop:
    return OrderStop(stop_id=f"S-{name}", selectors=(Selector.from_mapping({dimension: name}),))
