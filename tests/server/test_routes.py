"""What a stranger with an HTTP client can do with a server."""

from __future__ import annotations

import json
import logging
import re
import socket
import uuid
from contextlib import closing
from threading import Timer
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from backends import open_runtime
from backends.keeper.log import JsonLines
from backends.server.access import ROUTES
from backends.spool import Recorded
from core.authority import ENGINE_ONLY
from core.capabilities.names import AddName
from core.messages import COMMANDS
from opsgate.names import DIMENSIONS
from tests.support.fleets import say
from tests.support.serving import Served
from tests.support.waiting import eventually

NOUNS = ("holds", "sites", "flags", "workflows", "limits", "workers", "emergencies")


@pytest.fixture
def site(served: Served) -> str:
    """A registered site that no other test knows."""
    name = f"s-{uuid.uuid4().hex[:8]}"
    assert served.command("add-name", dimension="site", name=name).json()["changed"]
    return name


def hold(served: Served, site: str, **fields: Any) -> dict[str, Any]:
    document: dict[str, Any] = served.command("place-hold", selectors=[{"site": site}], **fields).json()
    return document


def test_a_server_that_lives_and_has_its_database_is_ready(served: Served) -> None:
    assert served.get("/healthz").text == "ok\n"
    ready = {"ready": True, "database": "here", "contact": "valid", "reason": "", "warnings": []}
    assert served.get("/readyz").json() == ready


def test_a_command_is_answered_by_its_receipt_and_decides_the_next_check(served: Served, site: str) -> None:
    receipt = hold(served, site, reason="broken")

    assert (receipt["changed"], receipt["durable"]) == (True, "database")
    for answer in (served.get("/v1/check", params={"site": site}), served.http.post("/v1/check", json={"site": site})):
        decision = answer.json()
        assert (decision["outcome"], decision["blockers"][0]["hold_id"]) == ("blocked", receipt["hold_ids"][0])
        assert (decision["blockers"][0]["owner"], decision["decided_by"]) == ("dev", "live")
    why = served.get("/v1/why", params={"site": site}).json()
    assert why["after_release"] == [{"hold_id": receipt["hold_ids"][0], "remaining": []}]


def test_the_same_key_gets_the_same_receipt_and_another_command_under_it_is_refused(served: Served, site: str) -> None:
    key = {"Idempotency-Key": f'"{uuid.uuid4()}"'}
    first, again = (served.command("set-limit", headers=key, name="sites", limit=7) for _ in range(2))
    other = served.command("set-limit", headers=key, name="sites", limit=8)

    assert first.json()["changed"]
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (422, "command-id-reused")


def test_a_command_that_comes_without_a_key_gets_one_that_nobody_can_take_first(served: Served, site: str) -> None:
    after = served.revision
    for reason in ("one", "other"):
        served.command("place-hold", selectors=[{"site": site, "account": reason}])
    rows = served.get(f"/v1/audit?after={after}").json()["rows"]
    first, second = (row["command_id"] for row in rows if row["kind"] == "hold.placed")

    assert first.startswith("http-")
    assert first[-20:] != second[-20:], "one says nothing of the next, but for the time"


def test_a_release_at_an_older_revision_is_refused_where_holds_have_changed(served: Served, site: str) -> None:
    hold(served, site)
    seen = served.revision
    hold(served, site, mode="halt")
    release = {"selectors": [{"site": site}], "reason": "mended"}

    refused = served.command("release-holds", headers={"If-Match": f'"{seen}"'}, **release)
    assert (refused.status_code, refused.json()["kind"]) == (412, "conflict")
    assert served.command("release-holds", headers={"If-Match": f'"{served.revision}"'}, **release).json()["changed"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed-json"),
        (b"{", 400, "malformed-json"),
        (b'{"kind": "add-name", "kind": "add-name"}', 400, "malformed-json"),
        (b'{"kind": NaN}', 400, "malformed-json"),
        (b'{"kind": 1e999}', 400, "malformed-json"),
        (b'{"kind": "\\ud800"}', 400, "malformed-json"),
        (b"[" * 60_000, 400, "malformed-json"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, 400, "malformed-json"),
        (b"\xff{}", 400, "malformed-json"),
        (b"[]", 422, "malformed-command"),
        (b"{}", 422, "malformed-command"),
        (b'{"kind": "sing"}', 422, "malformed-command"),
        (b'{"kind": "add-name", "dimension": "site"}', 422, "malformed-command"),
        (b'{"kind": "set-switch", "dimension": "workflow", "names": ["x"], "on": "false"}', 422, "malformed-command"),
        (b'{"kind": "add-name", "dimension": "site", "name": "x", "actor": "root"}', 422, "malformed-command"),
        (b'{"kind": "place-hold", "selectors": [{"site": "nobody"}]}', 404, "unknown-name"),
        (b'"' + b"x" * 70_000 + b'"', 413, "too-large"),
    ],
)
def test_a_body_that_cannot_be_taken_is_answered_by_a_problem_and_changes_nothing(
    served: Served, body: bytes, status: int, code: str
) -> None:
    before = served.get("/v1/gate").json()["snapshot"]
    answer = served.http.post("/v1/commands", content=body, headers={"content-type": "application/json"})

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["status"] == status
    after = served.get("/v1/gate").json()["snapshot"]
    assert (after["holds"], after["names"]) == (before["holds"], before["names"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/", 404),
        ("DELETE", "/v1/state", 405),
        ("POST", "/v1/gate/events", 405),
        ("GET", "/v1/events?after=-1", 422),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(served: Served, method: str, path: str, status: int) -> None:
    answer = served.http.request(method, path)

    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get("allow") == ("GET, HEAD, OPTIONS" if status == 405 else None)


def test_a_command_of_another_content_type_is_refused(served: Served) -> None:
    answer = served.http.post("/v1/commands", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_a_page_and_a_name_that_leads_here_from_elsewhere_are_turned_away_by_dev(served: Served) -> None:
    assert served.get("/v1/state", headers={"Origin": "http://evil.example"}).status_code == 403
    assert served.get("/v1/state", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert served.get("/v1/state", headers={"Host": "evil.example"}).status_code == 400
    assert served.get("/v1/state", headers={"Host": "[::1]:3001"}).status_code == 200


def test_what_a_server_for_developers_is_told_of_services_this_host_does_not_run(served: Served) -> None:
    """Everybody on this host may say what services there are, and not only the user whose programs would run."""
    rules = served.room.services.host()

    assert (rules.commands, rules.destinations) == ((), ())


def test_the_state_and_the_gates_table_are_asked_for_once_per_revision(served: Served) -> None:
    for path in ("/v1/state", "/v1/gate"):
        first = served.get(path)
        assert served.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    served.command("reset-limit", name="sites")
    assert served.get("/v1/gate").json()["stop_port"] == int(served.stop_url.rpartition(":")[2])


def test_the_journal_streams_each_event_once_from_where_a_listener_was(served: Served, site: str) -> None:
    seen = served.revision
    hold(served, site)
    with served.stream("/v1/events", **{"last-event-id": str(seen)}) as events:
        missed = next(events)
        hold(served, site, mode="halt")
        fresh = next(event for event in events if event["event"] == "row")
    assert (missed["event"], int(missed["id"]), missed["data"]["kind"]) == ("row", seen + 1, "hold.placed")
    assert int(fresh["id"]) == seen + 2
    assert fresh["data"]["revision"] == seen + 2
    assert fresh["data"]["chain"]


def test_a_listener_who_knows_nothing_is_told_the_whole_state_first(served: Served) -> None:
    with served.stream("/v1/events") as events:
        first = next(events)
    assert (first["event"], first["data"]["fleet"]) == ("snapshot", served.room.fleet)


def test_a_long_poll_is_answered_by_what_comes_next_or_by_nothing_in_time(served: Served, site: str) -> None:
    seen = served.revision
    nothing = served.get("/v1/events", params={"after": seen, "wait": 0.01}).json()
    assert (nothing["revision"], nothing["rows"]) == (seen, [])
    assert nothing["chain"] == served.get("/v1/state").json()["chain"]
    hold(served, site)
    polled = served.get("/v1/events", params={"after": seen, "wait": 30}).json()
    assert [row["revision"] for row in polled["rows"]] == [seen + 1]


def test_who_asks_for_what_the_journal_has_never_held_has_to_read_the_state(served: Served) -> None:
    answer = served.get("/v1/events", params={"after": served.revision + 1})
    assert (answer.status_code, answer.json()["code"]) == (410, "not-kept")


def test_a_gates_stream_begins_with_all_it_needs_and_goes_on_with_what_changes(served: Served, site: str) -> None:
    with served.stream("/v1/gate/events") as events:
        alive, first = next(events), next(events)
        receipt = hold(served, site)
        deltas = (event for event in events if event["event"] == "delta")
        delta = next(each for each in deltas if each["data"]["delta"]["placed"])  # a worker may be lost before that
    assert (alive["event"], alive["data"]["fleet"], alive["data"]["age_s"]) == (
        "heartbeat",
        first["data"]["fleet"],
        0.0,
    )
    assert (first["event"], int(first["id"])) == ("snapshot", first["data"]["revision"])
    assert delta["data"]["delta"]["placed"][0]["hold_id"] == receipt["hold_ids"][0]


def test_who_polls_the_gates_state_is_answered_when_something_changes(served: Served, site: str) -> None:
    known = served.get("/v1/gate")
    tag = {"If-None-Match": known.headers["etag"]}
    unchanged = served.get("/v1/gate", headers=tag, params={"wait": 0.05})
    assert (unchanged.status_code, unchanged.headers["age"]) == (304, "0")

    later = Timer(0.05, hold, (served, site))
    later.start()
    changed = served.get("/v1/gate", headers=tag, params={"wait": 30})
    later.join()

    assert (changed.status_code, changed.json()["revision"]) == (200, known.json()["revision"] + 1)


def test_the_gates_state_is_the_same_past_the_framework_as_through_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    through, call = [], FastAPI.__call__

    async def counted(api: FastAPI, scope: Any, receive: Any, send: Any) -> None:
        through.append(scope["query_string"])
        await call(api, scope, receive, send)

    monkeypatch.setattr(FastAPI, "__call__", counted)

    def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
        return answer.status_code, answer.content, {**answer.headers, "date": ""}

    for tag in ({}, {"If-None-Match": served.get("/v1/gate").headers["etag"]}):
        at_once, waited, otherwise = (
            told(served.get(f"/v1/gate{query}", headers=tag)) for query in ("", "?wait=0", "?wait=0e0")
        )
        assert at_once == waited == otherwise

    assert through == [b"wait=0e0"] * 2


def test_a_worker_reports_by_http_and_is_told_what_is_for_it(served: Served) -> None:
    beat = {"pid": 12, "started": "a", "scope": {}, "env": "", "revision": 0, "stops": [], "in_flight": 0}
    answer = served.http.put("/v1/workers/w1", json=beat).json()
    assert [message["t"] for message in answer["messages"]] == ["moved"], "it knows an older revision"
    eventually(lambda: any(w["worker_id"] == "w1" for w in served.get("/v1/observations").json()["workers"]))

    other = served.http.put("/v1/workers/w1", json=beat | {"pid": 13, "started": "b"})
    assert (other.status_code, other.json()["code"]) == (409, "another-process")
    assert served.http.delete("/v1/workers/w1").json() == {"left": True}


def test_a_worker_that_restarts_goes_on_at_once_and_the_process_before_it_is_told_so(served: Served) -> None:
    beat = {"pid": 1, "env": "", "revision": 0, "stops": [], "in_flight": 0}
    first, second = (beat | {"boot": boot} for boot in ("one", "two"))
    served.http.put("/v1/workers/w-again", json=first).raise_for_status()

    served.http.put("/v1/workers/w-again", json=second).raise_for_status()

    late = served.http.put("/v1/workers/w-again", json=first)
    assert (late.status_code, late.json()["code"]) == (409, "replaced")
    assert served.http.delete("/v1/workers/w-again?boot=one").json() == {"left": False}
    assert served.http.delete("/v1/workers/w-again?boot=two").json() == {"left": True}


@pytest.mark.parametrize("said", [{"pid": 10**30}, {"env": "prod\0"}, {"in_flight": -1}])
def test_a_heartbeat_that_no_database_can_hold_is_refused_and_stops_are_recorded(
    served: Served, site: str, said: dict[str, Any]
) -> None:
    """Its row is written with all others, before a stop is."""
    beat = {"pid": 12, "started": "a", "scope": {}, "env": "", "revision": 0, "stops": [], "in_flight": 0}
    answer = served.http.put("/v1/workers/broken", json=beat | said)
    stop_id = served.stop(selectors=[{"site": site}]).json()["stop_id"]

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed-beat")
    eventually(lambda: stop_id in served.room.runtime.latest().stops)


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_beyond_the_calendar_is_refused_and_holds_up_nobody(served: Served, site: str, moment: str) -> None:
    scope: dict[str, Any] = {"selectors": [{"site": site}]}
    answers = [
        served.command("order-stop", stop_id=f"S-{site}-late", ordered_at=moment, **scope),
        served.command("place-hold", expires_at=moment, **scope),
        served.get("/v1/state", params={"at": moment}),
    ]

    assert [answer.status_code for answer in answers] == [422] * 3, [answer.text for answer in answers]
    assert served.get("/v1/gate").json()["orders"] == []


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"])
def test_a_stop_of_any_time_is_recorded(served: Served, site: str, moment: str) -> None:
    scope: dict[str, Any] = {"selectors": [{"site": site}]}
    stopped = served.command("order-stop", stop_id=f"S-{site}-{moment[:4]}", ordered_at=moment, **scope)

    assert (stopped.status_code, stopped.json()["durable"]) == (200, "database"), stopped.text


def test_a_limit_that_is_used_up_says_when_to_try_again(served: Served) -> None:
    served.command("add-limit", name="pages", limit=2, window_s=60.0)
    first = served.http.post("/v1/limits/pages/reserve", json={"cost": 2})
    refused = served.http.post("/v1/limits/pages/reserve", json={"cost": 1})

    assert (first.status_code, first.headers["ratelimit"]) == (200, '"pages";r=0')
    assert (refused.status_code, refused.json()["granted"]) == (429, False)
    assert int(refused.headers["retry-after"]) <= 60
    assert served.http.delete(f"/v1/reservations/{first.json()['reservation_id']}").json() == {"refunded": True}
    assert served.http.post("/v1/limits/pages/reserve", json={"cost": 2}).status_code == 200


def test_the_audit_can_be_read_and_verified(served: Served) -> None:
    rows = served.get("/v1/audit", params={"after": 0, "limit": 3}).json()["rows"]
    assert [row["revision"] for row in rows] == [1, 2, 3]
    assert served.get("/v1/audit/verify").json()["fault"] is None


def test_a_connection_that_says_nothing_keeps_nobody_from_being_answered(served: Served) -> None:
    host, _, port = served.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as silent:
        silent.sendall(b"POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        assert served.get("/healthz").status_code == 200


def test_a_stop_is_a_command_too_and_goes_the_stop_lanes_way(served: Served, site: str) -> None:
    stop_id = f"S-{uuid.uuid4().hex[:8]}"
    receipt = served.command("order-stop", stop_id=stop_id, selectors=[{"site": site}]).json()
    assert receipt["stop_id"] == stop_id
    assert served.get("/v1/check", params={"site": site}).json()["blockers"][0]["source"] == "emergency"
    eventually(lambda: served.get("/v1/gate").json()["orders"] == [])
    assert served.command("order-stop", stop_id=stop_id, selectors=[{"site": site}]).json()["durable"] == "database"


def test_a_stop_that_is_recorded_is_in_the_table_before_it_is_no_order_any_more(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asked in between would have been told that the work may run."""
    room, known = served.room, []
    settle = room.desk.settled

    def settled(recorded: Recorded) -> None:
        known.append(recorded.order.stop_id in room.runtime.latest().stops)
        settle(recorded)

    monkeypatch.setattr(room.desk, "settled", settled)
    for number in range(1, 6):
        served.stop(selector={"account": "a1"})
        eventually(lambda number=number: len(known) == number)  # type: ignore[misc] # bound per turn

    assert known == [True] * 5


def test_the_stop_port_stops_and_does_nothing_else(served: Served, site: str) -> None:
    answer = served.stop(selector={"site": site}, level="graceful", reason="smoke", stop_id=f"S-{site}")
    assert answer.json()["stop_id"] == f"S-{site}"
    eventually(lambda: served.get("/v1/gate").json()["orders"] == [])
    again = served.stop(selector={"site": site}, level="graceful", reason="smoke", stop_id=f"S-{site}")
    assert (again.status_code, again.json()["durable"]) == (200, "database")
    assert served.http.get(f"{served.stop_url}/v1/state").status_code == 404
    assert served.http.get(f"{served.stop_url}/v1/stop").status_code == 405
    refused = served.stop(selector={"nothing": "x"})
    assert (refused.status_code, refused.json()["code"]) == (422, "malformed-stop")


def test_the_document_describes_every_route_every_command_and_every_error(served: Served) -> None:
    document = served.get("/openapi.json").json()

    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    routes = {(method, path.replace(":path}", "}")) for method, path in ROUTES}
    assert described == {*routes, ("GET", "/healthz"), ("GET", "/readyz")}
    kinds = document["components"]["schemas"]["Command"]["discriminator"]["mapping"]
    assert set(kinds) == set(COMMANDS) - ENGINE_ONLY
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        found = document
        for part in reference.split("/"):
            found = found[part]
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for operation in operations:
        assert operation["description"], operation["operationId"]
        assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"]}
        for status, answer in operation["responses"].items():
            told = answer.get("content", {}).get("application/json", {}).get("schema", {"$ref": ""})
            assert told.keys() & {"$ref", "properties", "items", "description"}, (operation["operationId"], status)
    asked = {each["name"] for each in document["paths"]["/v1/check"]["get"]["parameters"]}
    assert asked == {*DIMENSIONS, "strict"}
    errors = document["paths"]["/v1/commands"]["post"]["responses"]
    assert {"401", "403", "404", "409", "412", "413", "415", "422", "503"} <= set(errors)


@pytest.mark.parametrize("kind", sorted(ENGINE_ONLY))
def test_what_the_engine_says_to_itself_is_for_nobody(served: Served, kind: str) -> None:
    said: dict[str, dict[str, Any]] = {
        "create-fleet": {"fleet": "f-1"},
        "conclude-stop": {"stop_id": "S-1"},
        "expire-holds": {"watched_until": "2026-11-22T14:05:00Z"},
        "report-workers": {},
        "record-erasure": {"events": 1},
        "clear-trigger": {"trigger": "health"},
        "report-services": {"reports": [{"service": "db"}]},
        "advance-recovery": {"recovery_id": "R-1", "step": 0},
    }
    assert served.command(kind, **said[kind]).status_code == 403


def test_metrics_say_what_is_held_who_works_and_which_state_is_the_one(served: Served, site: str) -> None:
    hold(served, site)
    served.get("/v1/check", params={"site": site})
    page = served.get("/metrics").text

    for family in text_string_to_metric_families(page):
        assert family.name.startswith("opsconsole_"), family.name
        assert family.documentation, family.name
        assert family.type != "unknown", family.name
        if {family.name} == {label for sample in family.samples for label in sample.labels}:
            assert sum(sample.value for sample in family.samples) == 1, "a set of states, of which one is"
    samples = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    assert samples[f'opsconsole_paused{{scope="site={site}",scope_type="site"}}'] == "1.0"
    assert float(samples['opsconsole_holds{scope="site",source="operator"}']) >= 1
    states = [value for name, value in samples.items() if name.startswith("opsconsole_fleet_state{")]
    assert sorted(states) == ["0.0", "0.0", "1.0"], "exactly one of them"
    assert float(samples['opsconsole_check_total{blocked_by="operator",result="blocked"}']) >= 1
    assert samples['opsconsole_database_state{opsconsole_database_state="here"}'] == "1.0"
    asked = 'opsconsole_http_request_duration_seconds_count{method="GET",route="/v1/check",status="200"}'
    assert float(samples[asked]) >= 1
    assert {"opsconsole_triggers_fired", 'opsconsole_stops{result="successful"}'} <= samples.keys()


def test_a_request_is_logged_without_anything_secret(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("opsconsole.requests")
    log.addHandler(caplog.handler)
    log.setLevel(logging.INFO)
    try:
        served.get("/v1/check", params={"site": "hush"}, headers={"Authorization": "Bearer hush", "X-API-Key": "hush"})
        eventually(lambda: [record for record in caplog.records if vars(record).get("path") == "/v1/check"])
    finally:
        log.removeHandler(caplog.handler)
    lines = [JsonLines().format(record) for record in caplog.records]
    assert json.loads(lines[-1])["status"] == 200
    assert "hush" not in "".join(lines)


def test_each_noun_has_a_list_at_the_revision_that_it_names(served: Served, site: str) -> None:
    receipt = hold(served, site)
    lists = {noun: served.get(f"/v1/{noun}").json() for noun in NOUNS}

    assert {each["revision"] for each in lists.values()} == {receipt["revision"]}
    assert {"name": site, "state": "paused"}.items() <= next(
        row for row in lists["sites"]["sites"] if row["name"] == site
    ).items()
    assert receipt["hold_ids"][0] in [row["hold_id"] for row in lists["holds"]["holds"]]
    assert len(lists["flags"]["flags"]) >= 5


def test_a_list_is_sent_again_only_where_it_may_have_changed(served: Served, site: str) -> None:
    for noun in NOUNS:
        first = served.get(f"/v1/{noun}")
        again = served.get(f"/v1/{noun}", headers={"If-None-Match": first.headers["etag"]})
        assert first.headers["etag"].startswith(f'"{first.json()["revision"]}')
        assert (again.status_code, again.content) == (304, b"") or again.json() != first.json(), noun
    tag = served.get("/v1/holds").headers["etag"]
    assert tag.startswith(f'"{served.revision}.')
    receipt = hold(served, site)
    assert served.get("/v1/holds", headers={"If-None-Match": tag}).json()["revision"] == receipt["revision"]


@pytest.mark.parametrize("read", ["/v1/holds", "/v1/workers", "/v1/limits", "/v1/state", "/v1/gate"])
def test_a_release_is_bound_by_the_tag_of_whatever_was_read(served: Served, site: str, read: str) -> None:
    hold(served, site)
    old = served.get(read).headers["etag"]
    hold(served, site, mode="halt")
    release = {"selectors": [{"site": site}], "reason": "mended"}

    assert served.command("release-holds", headers={"If-Match": old}, **release).status_code == 412
    new = served.get(read).headers["etag"]
    assert served.command("release-holds", headers={"If-Match": new}, **release).json()["changed"]


@pytest.mark.parametrize("ask", ["check", "why"])
def test_a_question_about_two_sites_is_not_answered_for_one_of_them(served: Served, site: str, ask: str) -> None:
    hold(served, site)
    answer = served.get(f"/v1/{ask}?site={site}&site=s-else")
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed-selector")


def test_what_another_server_of_the_fleet_told_is_not_taken_for_lost(served: Served) -> None:
    """Its revision may be asked for here before this server has noticed it."""
    with closing(open_runtime(served.backend)) as elsewhere:
        for number in range(5):
            told = elsewhere.submit(say(AddName(dimension="site", name=f"told-{number}"))).revision
            answer = served.get(f"/v1/events?after={told}")

            assert (answer.status_code, answer.json()["revision"], answer.json()["rows"]) == (200, told, [])
