"""The official provider of OpenFeature, as it is, against a real server; and what it would be told if it asked more."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode

from backends import open_backend
from backends.clients import ofrep
from backends.server.refetch import Refetch
from core.capabilities.holds import PlaceHold
from core.capabilities.names import AddName
from core.capabilities.rate_limits import SetLimit
from core.messages import Command
from opsgate.selector import EVERYTHING
from tests.support.fleets import say
from tests.support.serving import Served

FLAGS = "/ofrep/v1/evaluate/flags"


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[OpenFeatureClient]:
    """A client of the SDK, whose default for everything in these tests is true."""
    api.set_provider(OFREPProvider(served.url))
    yield api.get_client()
    api.shutdown()


@pytest.fixture
def site(served: Served) -> str:
    """A registered site that no other test knows."""
    name = f"s-{uuid.uuid4().hex[:8]}"
    served.command("add-name", dimension="site", name=name)
    return name


def at(site: str) -> EvaluationContext:
    return EvaluationContext(targeting_key="page-7", attributes={"site": site, "plan": "gold"})


def bulk(served: Served, **options: Any) -> httpx.Response:
    return served.http.post(FLAGS, **options)


def test_what_may_run_is_true_to_it(client: OpenFeatureClient) -> None:
    found = client.get_boolean_details("enableSiteCreation", False)

    assert (found.value, found.variant, found.reason, found.error_code) == (True, "on", "STATIC", None)
    assert found.flag_metadata["holdCount"] == 0


def test_a_paused_thing_whose_code_default_is_true_is_false_to_it(
    served: Served, client: OpenFeatureClient, site: str
) -> None:
    held = served.command("place-hold", selectors=[{"site": site}], reason="imports fail").json()

    found = client.get_boolean_details("allow.content_generation", True, at(site))

    assert (found.value, found.variant, found.reason, found.error_code) == (False, "off", "TARGETING_MATCH", None)
    assert found.flag_metadata["blockedBy"] == "operator"
    assert found.flag_metadata["holdId"] == held["hold_ids"][0]
    assert "imports fail" in str(found.flag_metadata["reasonText"])
    assert client.get_boolean_value("allow.content_generation", True, at("another")) is True


@pytest.mark.parametrize("key", ["enableABTesting", "ab_testing", "allow.ab_testing", "allow.enableABTesting"])
def test_a_flag_that_is_off_is_false_by_each_of_its_names(served: Served, client: OpenFeatureClient, key: str) -> None:
    served.command("set-switch", dimension="operation", names=["ab_testing"], on=False)

    assert client.get_boolean_value(key, True) is False


@pytest.mark.parametrize("key", ["enableFlying", "site/42", "workflow.", "..", "%2e"])
def test_a_key_that_nobody_registered_is_not_found_and_says_so(client: OpenFeatureClient, key: str) -> None:
    found = client.get_boolean_details(key, True)

    assert (found.value, found.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)


def test_everything_is_evaluated_at_once_under_a_tag_of_the_fleet_and_the_context(served: Served, site: str) -> None:
    first = bulk(served, json={"context": {"site": site}})
    again = bulk(served, json={"context": {"site": site}}, headers={"If-None-Match": first.headers["etag"]})
    elsewhere = bulk(served, json={}, headers={"If-None-Match": first.headers["etag"]})
    served.command("place-hold", selectors=[{"site": site}])
    held = bulk(served, json={"context": {"site": site}}, headers={"If-None-Match": first.headers["etag"]})

    flags = {flag["key"]: flag["value"] for flag in first.json()["flags"]}
    assert (flags["enableSiteCreation"], flags["workflow.xml-import"]) == (True, True)
    assert (again.status_code, again.content) == (304, b"")
    assert elsewhere.status_code == held.status_code == 200
    assert not any(flag["value"] for flag in held.json()["flags"])


def test_a_server_that_is_behind_catches_up_with_what_a_client_knows_of(served: Served) -> None:
    known = f'"{served.revision + 1000}"'

    assert bulk(served, params={"flagConfigEtag": known}).status_code == 200
    assert bulk(served, params={"flagConfigEtag": "x" * 5000}).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", None])
def test_a_body_may_be_missing_and_of_any_type(served: Served, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}

    for path in (FLAGS, f"{FLAGS}/enableSiteCreation"):
        assert served.http.post(path, headers=headers).status_code == 200
        assert served.http.post(path, headers=headers, content=b'{"context": {}}').status_code == 200


@pytest.mark.parametrize("path", [FLAGS, f"{FLAGS}/enableSiteCreation", f"{FLAGS}/unknown"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"context": 3}', 400),
        (b'{"context": {"a": NaN}}', 400),
        (b'{"context": {"a": 1, "a": 2}}', 400),
        (b'{"context": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}", 400),
        (b'{"context": {"a": "' + b"x" * 70_000 + b'"}}', 413),
    ],
)
def test_what_cannot_be_read_is_refused_in_the_protocols_own_words(
    served: Served, path: str, body: bytes, status: int
) -> None:
    """The provider raises KeyError where the details are missing."""
    refused = served.http.post(path, content=body)

    assert refused.status_code == status
    assert refused.json()["errorCode"] in ("PARSE_ERROR", "INVALID_CONTEXT")
    assert refused.json()["errorDetails"]
    assert ("key" in refused.json()) is (path != FLAGS)


def test_whoever_listens_is_told_to_ask_again_when_a_decision_may_have_changed(served: Served, site: str) -> None:
    stream = bulk(served).json()["eventStreams"][0]["endpoint"]["requestUri"]
    with served.stream(stream) as events:
        came = next(events)
        held = served.command("place-hold", selectors=[{"site": site}]).json()["revision"]
        told = next(event for event in events if int(event["id"]) >= held)
        now = bulk(served, params={"flagConfigEtag": told["data"]["etag"]})
        served.stop(selector={"site": site}, stop_id=f"S-{site}")
        stopped = next(event for event in events if event["data"]["etag"] != told["data"]["etag"])

    assert {event["event"] for event in (came, told, stopped)} == {"message"}
    assert {event["data"]["type"] for event in (came, told, stopped)} == {"refetchEvaluation"}
    assert ofrep.revision_of(now.headers["etag"]) >= held


def test_only_what_changes_a_decision_tells_anybody_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, orders = open_backend("memory://"), [""]
    refetch = Refetch(lambda: f"{fleet.latest().revision}{orders[0]}", fleet.latest)
    told: list[bytes] = []
    monkeypatch.setattr(refetch.hub, "publish", lambda frame: told.append(frame.data))

    def times_told_after(*commands: Command) -> int:
        told.clear()
        for command in commands:
            fleet.submit(say(command))
        refetch.look()
        return len(told)

    assert times_told_after() == 1
    assert times_told_after(SetLimit(name="sites", limit=9)) == 0
    assert times_told_after(SetLimit(name="sites", limit=0)) == 1, "that holds what it charges"
    assert times_told_after(AddName(dimension="workflow", name="w-1")) == 1
    assert times_told_after(PlaceHold(selectors=(EVERYTHING,)), PlaceHold(selectors=(EVERYTHING,))) == 1
    orders[0] = "+f00d"
    assert times_told_after() == 1, "a stop that no journal has"
    assert f"{fleet.latest().revision}+f00d" in told[0].decode()
