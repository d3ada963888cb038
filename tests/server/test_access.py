"""Every route is for somebody and for nobody else; what a credential is not good for changes nothing."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from backends import known_as, open_backend
from backends.server.access import OPEN, ROUTES
from backends.server.identity import Doorkeeper
from backends.server.listening import Listening
from backends.server.serving import Serving
from core import checkpoint
from core.audit import event_of
from core.authority import ROLES, permissions_of
from core.capabilities.holds import PlaceHold
from core.capabilities.names import AddName
from core.capabilities.tokens import CreateToken, RevokeToken, digest_of, secret_of
from core.engine import CommandRefused
from core.errors import NotPermitted
from core.messages import Role
from core.triggers.sample import Sample
from opsconsole.cli.main import run
from opsgate.selector import Selector
from tests.support.fleets import say
from tests.support.serving import client
from tests.support.waiting import eventually

DEADLINE_S = 60.0
NOBODIES = ("nothing", "nonsense", "revoked", "expired", "somebody of another fleet")

STREAMS = frozenset({"/v1/gate/events", "/ofrep/v1/events"})
SENT: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/stop"): {"content": b"[]"},
    ("POST", "/v1/commands"): {"content": b"[]"},
    ("PUT", "/v1/workers/{worker_id}"): {"content": b"[]"},
    ("POST", "/v1/limits/{name}/reserve"): {"json": {"cost": 0}},
    **{route: {"content": b"[]"} for route in ROUTES if route[1].startswith(("/admin/", "/api/", "/v1/hooks/"))},
}
"""What is sent where the question must not do anything: who is let in is told so by a 422."""

NAMED = {"worker_id": "w1", "name": "sites", "reservation_id": "r-1@w1", "site_id": "s1", "key": "enableABTesting"}


def tomorrow() -> datetime:
    """When the door looks at who comes: what is good for an hour has expired."""
    return datetime.now(UTC) + timedelta(days=1)


class House:
    """A server that is shown tokens, with one of each role and some that are good for nothing."""

    def __init__(self, server: Serving, backend: str) -> None:
        self.server = server
        self.backend = backend
        self.url, self.stop_url = (f"http://127.0.0.1:{port}" for port in (server.port, server.stop_port))
        self.runtime = server.room.runtime
        self.http = client()
        self.secrets: dict[str, str] = {}
        self.runtime.submit(say(AddName(dimension="site", name="s1")))
        for role in ROLES:
            self.make(role, role, **({"worker_id": "w1"} if role == "worker" else {}))
        self.make("scoped", "operator", sites=("s1",))
        self.revoke(self.make("revoked", "admin"))
        self.make("expired", "admin", expires_at=datetime.now(UTC) + timedelta(hours=1))
        self.secrets["nothing"] = ""
        self.secrets["nonsense"] = "Bearer of good news"
        self.secrets["somebody of another fleet"] = secret_of("t-ffffffffffff", os.urandom(32))

    def make(self, name: str, role: Role, **fields: Any) -> str:
        """A token called so; returns its id."""
        token_id = f"t-{os.urandom(6).hex()}"
        self.secrets[name] = secret_of(token_id, os.urandom(32))
        digest = digest_of(self.secrets[name])
        self.runtime.submit(say(CreateToken(token_id=token_id, name=name, digest=digest, role=role, **fields)))
        return token_id

    def revoke(self, token_id: str) -> None:
        """End a token."""
        self.runtime.submit(say(RevokeToken(token_id=token_id)))

    def headers(self, name: str) -> dict[str, str]:
        """How somebody shows their credential."""
        return {"authorization": f"Bearer {self.secrets[name]}"} if self.secrets[name] else {}

    def ask(self, name: str, method: str, template: str, **options: Any) -> httpx.Response:
        """Ask in somebody's name. Of a stream only the beginning is read."""
        path = template.replace(":path}", "}").format_map(NAMED)
        base = self.stop_url if template == "/v1/stop" else self.url
        options = {**SENT.get((method, template), {}), **options}
        headers = {"content-type": "application/json", **self.headers(name), **options.pop("headers", {})}
        request = self.http.build_request(method, base + path, headers=headers, **options)
        answer = self.http.send(request, stream=True)
        if answer.status_code >= 400 or template not in STREAMS:
            answer.read()
        answer.close()
        return answer

    def command(self, name: str, kind: str, /, **fields: Any) -> httpx.Response:
        """Give a command in somebody's name."""
        return self.ask(name, "POST", "/v1/commands", content=None, json={"kind": kind, **fields})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    backend = f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}"
    server = Serving(
        backend, lambda room: Doorkeeper(room.runtime.latest, now=tomorrow), Listening(port=0, stop_port=0)
    )
    try:
        server.start()
        house = House(server, backend)
        with house.http:
            yield house
    finally:
        server.close()


# ------------------------------------------------------------------------------------------------------------- routes


def test_every_route_has_a_rule_and_every_rule_a_route(house: House) -> None:
    """A route that is added without one is for nobody, and is found here."""
    served = house.server.door.routes

    assert {path for _, path in served} >= OPEN
    assert {route for route in served if route[1] not in OPEN} | {("POST", "/v1/stop")} == set(ROUTES)


@pytest.mark.parametrize("who", NOBODIES)
def test_nobody_is_let_in_anywhere_and_learns_not_even_what_there_is(house: House, who: str) -> None:
    before = checkpoint.dump(house.runtime.state())
    nowhere = [("GET", "/nowhere"), ("POST", "/v1/nothing"), ("DELETE", "/v1/commands"), ("GET", "/")]
    nowhere += [("OPTIONS", "/v1/commands"), ("OPTIONS", "/nowhere")]
    answers = [house.ask(who, method, path) for method, path in (*ROUTES, *nowhere)]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "no-identity")}
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
    assert len({answer.content for answer in answers}) == 1
    assert checkpoint.dump(house.runtime.state()) == before


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_let_in_where_its_permissions_say_and_nowhere_else(house: House, role: Role) -> None:
    before = checkpoint.dump(house.runtime.state())
    for (method, path), permission in ROUTES.items():
        answer = house.ask(role, method, path)
        if permission in permissions_of(role):
            assert answer.status_code not in (401, 403), (method, path, answer.text)
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "role-forbids"), (method, path)
    assert checkpoint.dump(house.runtime.state()) == before


def test_what_anybody_may_ask_says_nothing_of_the_fleet(house: House) -> None:
    for path in OPEN:
        assert house.ask("nothing", "GET", path).status_code == 200


def test_no_byte_of_a_body_is_waited_for_from_nobody(house: House) -> None:
    host, _, port = house.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as connection:
        connection.sendall(b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")

        assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_somebody_who_may_not_use_a_route_is_told_so_before_the_body_is_there(house: House) -> None:
    host, _, port = house.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as connection:
        head = f"Host: x\r\nX-API-Key: {house.secrets['viewer']}\r\nContent-Length: 60000\r\n\r\n"
        connection.sendall(b"POST /v1/commands HTTP/1.1\r\n" + head.encode())

        assert connection.recv(65_536).startswith(b"HTTP/1.1 403 ")


@pytest.fixture(scope="module")
def watched(house: House) -> House:
    """A trigger that stops a site, one that stops everything, one that stops an account, and tokens for that site."""
    house.make("w2", "worker", worker_id="w2", sites=("s1",))
    house.make("hook of s1", "operator", sites=("s1",))
    rule = "value > 99.0"
    for metric, scope, account in (("ours", [{"site": "s1"}], None), ("riskScore", [], None), ("health", [], "a1")):
        fields = {"trigger_type": "custom_rule_trigger", "rule": rule, "metrics": [metric], "account_id": account}
        answer = house.command("admin", "add-trigger", name=metric, scope=scope, **fields)
        assert answer.status_code == 200, answer.text
    return house


def sampled(house: House, who: str, *samples: dict[str, Any]) -> tuple[int, str]:
    """What the sender of these samples is answered."""
    said = [{"value": 1.0, **sample} for sample in samples]
    answer = house.ask(who, "POST", "/v1/samples", json={"samples": said})
    return answer.status_code, answer.json().get("code", "")


def test_a_token_with_a_scope_sends_samples_only_of_what_stops_nothing_beyond_it(watched: House) -> None:
    refused = (403, "outside-scope")

    assert sampled(watched, "w2", {"metric": "ours"}, {"metric": "nobody_looks"}) == (202, "")
    assert sampled(watched, "w2", {"metric": "riskScore"}) == refused
    assert sampled(watched, "w2", {"metric": "ours"}, {"metric": "riskScore", "account": "a1"}) == refused
    assert sampled(watched, "w2", {"metric": "health", "account": "a1"}) == refused
    assert sampled(watched, "w2", {"metric": "health", "account": "a2"}) == (202, ""), "it is about another account"
    assert sampled(watched, "worker", {"metric": "riskScore"}) == (202, ""), "it reaches everything"


def test_a_refused_sample_is_told_what_to_do_and_no_trigger_by_name(watched: House) -> None:
    refused = watched.ask("w2", "POST", "/v1/samples", json={"samples": [{"metric": "riskScore", "value": 1.0}]})

    assert "reaches site s1, and what samples of riskScore stop" in refused.json()["detail"]
    assert "a token that reaches all of it" in refused.text


@pytest.mark.parametrize(("who", "status"), [("hook of s1", 403), ("operator", 200)])
def test_a_hook_brings_samples_as_far_as_its_token_reaches(watched: House, who: str, status: int) -> None:
    event = {"event": "healthAlert", "accountId": "a1", "data": {"riskScore": 1}}
    alert = {
        "status": "firing",
        "labels": {"alertname": "Risk", "opsconsole_metric": "riskScore"},
        "annotations": {"value": "1"},
        "startsAt": "2026-03-01T12:00:00Z",
        "fingerprint": f"f-{status}",
    }
    alerts = {"version": "4", "groupKey": "g", "alerts": [alert]}

    assert watched.ask(who, "POST", "/v1/hooks/events", content=None, json=event).status_code == status
    heard = watched.ask(who, "POST", "/v1/hooks/alertmanager", content=None, json=alerts)
    assert heard.status_code == (200 if status == 200 else 422), heard.text
    assert ("outside-scope" in heard.text or "reaches site s1" in heard.text) is (status == 403)


def test_kept_samples_are_read_by_whoever_sees_the_whole_fleet_and_by_a_backend_over_http(watched: House) -> None:
    now_s = datetime.now(UTC).timestamp()
    kept = [Sample("kept", now_s - 60, 90.25, "a1", source="w1"), Sample("kept", now_s - 30, 95.0)]
    watched.runtime.put_samples(kept)

    def read(who: str, query: str = "?metric=kept&last_s=3600") -> int:
        return watched.http.get(f"{watched.url}/v1/samples{query}", headers=watched.headers(who)).status_code

    assert [read(who) for who in ("viewer", "operator", "admin")] == [200, 200, 200]
    assert [read(who) for who in ("worker", "stop", "scoped", "hook of s1")] == [403, 403, 403, 403]
    bad = ("", "?metric=a+b", "?metric=x&last_s=0", "?metric=x&last_s=90000", "?metric=x&most=0")
    assert [read("viewer", query) for query in bad] == [422] * 5
    with closing(open_backend(watched.url, token=watched.secrets["viewer"])) as remote:
        assert list(remote.samples("kept", last_s=3600)) == kept
        assert list(remote.samples("kept", last_s=3600, most=1)) == kept[1:]
        assert list(remote.samples("kept", last_s=45)) == kept[1:]


def test_a_worker_gives_back_only_what_it_took_itself(watched: House) -> None:
    def took(who: str) -> str:
        said = {"content": None, "json": {"cost": 1}}
        return str(watched.ask(who, "POST", "/v1/limits/{name}/reserve", **said).json()["reservation_id"])

    def gives_back(who: str, reservation: str) -> tuple[int, Any]:
        answer = watched.ask(who, "DELETE", f"/v1/reservations/{quote(reservation, safe='')}")
        return answer.status_code, answer.json().get("refunded", answer.json().get("code"))

    first, second = took("worker"), took("worker")

    assert gives_back("w2", first) == (403, "not-this-worker")
    assert gives_back("w2", first.replace("@w1", "@w2")) == (200, False), "no name changes whose it is"
    assert gives_back("worker", first) == (200, True)
    assert gives_back("worker", took("admin")) == (403, "not-this-worker")
    assert gives_back("admin", second) == (200, True)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW")

BENT = (
    "/v1/commands/",
    "//v1/commands",
    "/v1//commands",
    "/V1/Commands",
    "/v1/%63ommands",
    "/v1%2Fcommands",
    "/v1/commands%00",
    "/v1/commands;x=1",
    "/v1/commands?/healthz",
    "/healthz/../v1/commands",
    "/healthz/%2e%2e/v1/commands",
    "/healthz%2F..%2Fv1%2Fcommands",
    "/api/client/../../v1/commands",
    "/v1/./commands",
    "/v1/commands/healthz",
    "/v1/commands#/readyz",
    "http://localhost/v1/commands",
    "http://localhost/healthz/../v1/commands",
    "*",
    "healthz",
)
"""Ways to write a path that some part of a server may take for another one."""


@pytest.mark.parametrize("who", ["nothing", "revoked", "viewer", "worker", "stop"])
def test_no_way_of_writing_a_request_opens_what_is_closed(house: House, who: str) -> None:
    before = house.runtime.state()
    body = b'{"kind":"place-hold","selectors":[{"site":"s1"}]}'
    host, _, port = house.url.removeprefix("http://").partition(":")
    with closing(http.client.HTTPConnection(host, int(port), timeout=DEADLINE_S)) as connection:
        for method, path in product(METHODS, BENT):
            for name in ("localhost", "healthz", "evil.example/healthz", ""):
                connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
                sent = {"Host": name, "X-Original-URL": "/healthz", "X-HTTP-Method-Override": "GET"}
                for header, value in (sent | house.headers(who)).items():
                    connection.putheader(header, value)
                connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                answer = connection.getresponse()
                said = answer.read()
                if answer.status == 400:
                    connection.close()  # what is no request of HTTP ends its connection
                expected = (400, 401) if who in NOBODIES else (400, 403, 404, 405)
                harmless = answer.status == 204 and method == "OPTIONS" and who not in NOBODIES
                assert harmless or answer.status in expected, (method, path, name, said)

    after = house.runtime.state()
    assert (after.holds, after.stops, after.names) == (before.holds, before.stops, before.names)


# ----------------------------------------------------------------------------------------------------------- who it was


def test_who_acted_is_who_the_credential_says_and_a_name_in_the_body_is_none(house: House) -> None:
    pause = {"selectors": [{"site": "s1"}], "owner": "root"}
    assert house.command("operator", "place-hold", **pause, actor="root").status_code == 422

    done = house.ask(
        "operator",
        "POST",
        "/v1/commands?actor=root",
        content=None,
        json={"kind": "place-hold", **pause},
        headers={"x-forwarded-user": "root", "x-actor": "root"},
    )

    hold = house.runtime.state().holds[done.json()["hold_ids"][0]]
    assert (hold.source, hold.owner) == ("operator", "operator")
    assert event_of(house.runtime.journal(after=hold.revision - 1)[0]).header.actor.name == "operator"
    assert house.command("operator", "release-holds", selectors=[{"site": "s1"}], reason="done").json()["changed"]


def test_what_a_role_may_not_is_refused_and_the_attempt_is_in_the_journal(house: House) -> None:
    house.runtime.submit(say(PlaceHold(selectors=(Selector.of(site="s1"),))))

    for who in ("stop", "scoped"):
        wide = [{}] if who == "scoped" else [{"site": "s1"}]
        refused = house.command(who, "release-holds", selectors=wide, reason="x")
        assert refused.status_code == 403
        told = event_of(house.runtime.journal(after=house.runtime.state().revision - 1)[0])
        assert isinstance(told.event, CommandRefused)
        assert (told.header.actor.name, told.header.door, told.event.code) == (who, "http", refused.json()["code"])

    assert house.command("scoped", "release-holds", selectors=[{"site": "s1"}], reason="x").json()["changed"]


def test_a_stop_reaches_no_further_than_its_token_by_either_way(house: House) -> None:
    by_lane = house.ask("scoped", "POST", "/v1/stop", content=b"")
    by_command = house.command("scoped", "order-stop", stop_id="S-no", selectors=[{"operation": "ab_testing"}])

    assert {(answer.status_code, answer.json()["code"]) for answer in (by_lane, by_command)} == {(403, "outside-scope")}
    assert not house.runtime.state().stops
    house.ask("scoped", "POST", "/v1/stop", content=None, json={"selector": {"site": "s1"}, "stop_id": "S-1"})
    eventually(lambda: "S-1" in house.runtime.state().stops)
    assert house.runtime.state().stops["S-1"].ordered_by == "scoped"


def test_a_panel_does_for_somebody_what_their_role_and_scope_allow_and_no_more(house: House) -> None:
    everything, one = "/admin/api/settings/{}-all", "/admin/api/sites/s1/{}"

    def told(who: str, path: str, **options: Any) -> tuple[int, str]:
        answer = house.ask(who, "POST", path, **{"content": b"", **options})
        return answer.status_code, answer.json().get("code", "")

    for verb in ("pause", "resume"):
        assert told("operator", everything.format(verb)) == told("scoped", one.format(verb)) == (200, "")
        assert told("scoped", everything.format(verb)) == (403, "outside-scope")
        assert told("stop", everything.format(verb)) == (403, "role-forbids")
    switch = {"content": None, "json": {"enabled": True}}
    assert house.ask("scoped", "PUT", "/api/workflow_controls/xml-import", **switch).status_code == 403
    assert told("operator", "/admin/api/sites/create") == (403, "role-forbids")
    assert told("admin", "/admin/api/sites/create") == (200, "")


def test_a_worker_speaks_for_itself_alone(house: House) -> None:
    beat = {"env": "prod", "pid": 1, "started": "1", "revision": 0}

    assert house.ask("worker", "PUT", "/v1/workers/w1", content=None, json=beat).status_code == 200
    forged = house.ask("worker", "PUT", "/v1/workers/w2", content=None, json=beat)
    assert (forged.status_code, forged.json()["code"]) == (403, "not-this-worker")
    assert house.ask("worker", "DELETE", "/v1/workers/w2").status_code == 403
    assert "w2" not in house.server.room.roster.entries


@pytest.mark.parametrize("who", sorted({*ROLES, "scoped"}))
def test_everybody_can_ask_who_they_are_taken_for(house: House, who: str) -> None:
    known = house.ask(who, "GET", "/v1/whoami").json()

    assert (known["name"], known["role"]) == (who, "operator" if who == "scoped" else who)
    assert known_as(house.url, token=house.secrets[who]).name == who


def test_on_the_command_line_a_token_in_a_file_is_who_one_is(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(who: str, *arguments: str) -> tuple[int, str, str]:
        file = tmp_path / "token"
        file.touch(mode=0o600)
        file.write_text(house.secrets[who])
        code = run(["-b", house.url, "--token-file", str(file), *arguments, "-o", "json"])
        said = capsys.readouterr()
        return code, said.out, said.err

    code, out, _ = typed("scoped", "whoami")
    assert (code, json.loads(out)["scope"], json.loads(out)["known_by"]) == (0, "site s1", "a token")

    code, out, _ = typed("admin", "token", "create", "--role", "viewer", "--name", "wall")
    assert (code, json.loads(out)["name"]) == (0, "wall")
    assert known_as(house.url, token=json.loads(out)["secret"]).name == "wall"

    code, out, err = typed("operator", "token", "create", "--role", "viewer")
    assert (code, out) == (8, "")
    assert "the role operator may not create tokens; it takes one of the roles admin" in err
    code, _, err = typed("nonsense", "whoami")
    assert code == 2, err
    code, _, err = typed("revoked", "whoami")
    assert (code, "nobody is known by this credential" in err) == (8, True)


# ------------------------------------------------------------------------------------------------------------- the end


@pytest.mark.parametrize("path", ["/v1/events", "/v1/gate/events"])
def test_a_stream_ends_with_the_token_that_opened_it_and_others_go_on(house: House, path: str) -> None:
    name = f"short-{len(path)}"
    token_id = house.make(name, "viewer")

    with opened(house, name, path) as ending, opened(house, "viewer", path) as lasting:
        next(ending), next(lasting)
        house.revoke(token_id)
        for _ in ending:
            pass  # to its end, which comes
        house.runtime.submit(say(AddName(dimension="site", name=name)))
        assert next(lasting)

    assert house.ask(name, "GET", "/v1/whoami").status_code == 401


def test_whoever_waits_for_events_is_told_none_after_their_token_has_ended(house: House) -> None:
    token_id = house.make("waiting", "viewer")
    after = house.runtime.state().revision
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(house.ask, "waiting", "GET", f"/v1/events?after={after}&wait=30")
        house.revoke(token_id)

        assert (waiting.result().status_code, waiting.result().json()["code"]) == (401, "no-identity")


def test_a_gate_that_waits_for_news_is_told_none_after_its_token_has_ended(house: House) -> None:
    token_id = house.make("gate-waits", "viewer")
    tag = house.ask("gate-waits", "GET", "/v1/gate").headers["etag"]
    headers = {**house.headers("gate-waits"), "If-None-Match": tag}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(house.http.get, f"{house.url}/v1/gate?wait=20", headers=headers)
        house.revoke(token_id)

        assert waiting.result().status_code == 401


@contextmanager
def opened(house: House, who: str, path: str, *, url: str = "") -> Iterator[Iterator[str]]:
    """The lines of a stream."""
    headers = {"accept": "text/event-stream", **house.headers(who)}
    with house.http.stream("GET", (url or house.url) + path, headers=headers) as answer:
        assert answer.status_code == 200
        yield answer.iter_lines()


def test_every_server_of_a_fleet_learns_of_the_end_of_a_token_from_the_journal(house: House) -> None:
    token_id = house.make("replica", "viewer")
    other = Serving(house.backend, lambda room: Doorkeeper(room.runtime.latest), Listening(port=0, stop_port=0))
    try:
        other.start()
        url = f"http://127.0.0.1:{other.port}"
        assert known_as(url, token=house.secrets["replica"]).token_id == token_id
        with opened(house, "replica", "/v1/events", url=url) as ending:
            next(ending)
            house.revoke(token_id)
            for _ in ending:
                pass  # to its end, which comes
        with pytest.raises(NotPermitted, match="nobody is known"):
            known_as(url, token=house.secrets["replica"])
    finally:
        other.close()


def test_no_secret_is_in_what_was_logged_or_stored(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("viewer", "revoked"):
        house.ask(name, "GET", f"/v1/{house.secrets[name]}")

    state = checkpoint.dump(house.runtime.state())
    rows = "".join(row.body for row in house.runtime.journal(limit=10_000))
    for secret in filter(None, house.secrets.values()):
        assert secret not in state + rows + caplog.text
