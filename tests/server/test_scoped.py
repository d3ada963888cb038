"""A credential for one site learns nothing of another one: in no route, in no stream, in no refusal."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from backends import open_backend
from backends.remote.backend import RemoteBackend
from backends.remote.transport import HttpTransport
from backends.server.access import ROUTES, WHOLE
from backends.server.identity import Doorkeeper
from core.capabilities.names import AddName
from core.capabilities.tokens import CreateToken, digest_of, secret_of
from core.messages import Recorded, Role
from core.ports import Arrival
from core.state import State
from opsgate import Gate
from tests.cli.shell import run
from tests.support.fleets import say
from tests.support.serving import Served, serving
from tests.support.waiting import eventually

DEADLINE_S = 60.0
MARK = "q7Zx"
"""In every name and text of the other tenant, and in nothing else."""

THEIRS = f"{MARK}-shop"
OURS = {"site": "s1"}

QUERIES = {
    "/v1/events": "?after=1",
    "/v1/audit": "?after=0&limit=5000",
    "/v1/check": "?site=s1",
    "/v1/why": "?operation=ab_testing",
}


SHAPED = {"/v1/samples": "?metric=healthScore"}


def closed(schema: Any) -> Any:
    """The same schema, where no object has members that it does not tell of."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    return {"additionalProperties": False, **inner} if {"type", "properties"} <= set(inner) else inner


class Town:
    """A server with two tenants, and a person of each role that is asked for."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.secrets: dict[str, str] = {}
        for site in ("s1", THEIRS):
            self.runtime.submit(say(AddName(dimension="site", name=site, title=f"title of {site}")))
        self.make("root", "admin")
        self.make("ours", "admin", sites=("s1",))
        self.make("w1", "worker", sites=("s1",), worker_id="w1")
        self.make(f"{MARK}-ana", "admin", sites=(THEIRS,))
        self.make(f"{MARK}-w", "worker", sites=(THEIRS,), worker_id=f"{MARK}-w")

    @property
    def runtime(self) -> Any:
        """The database side of it."""
        return self.served.room.runtime

    def make(self, name: str, role: Role, **fields: Any) -> None:
        """A token called so."""
        token_id = f"t-{os.urandom(6).hex()}"
        self.secrets[name] = secret_of(token_id, os.urandom(32))
        wanted = CreateToken(token_id=token_id, name=name, digest=digest_of(self.secrets[name]), role=role, **fields)
        self.runtime.submit(say(wanted))

    def ask(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask in somebody's name."""
        headers = {"Authorization": f"Bearer {self.secrets[who]}", **options.pop("headers", {})}
        return self.served.http.request(method, path, headers=headers, **options)

    def command(self, who: str, kind: str, **fields: Any) -> httpx.Response:
        """Give a command in somebody's name, with ids of theirs."""
        ids = {"Idempotency-Key": f"{who}-{os.urandom(4).hex()}", "X-Correlation-ID": f"{who}-why"}
        return self.ask(who, "POST", "/v1/commands", json={"kind": kind, **fields}, headers=ids)

    def beat(self, worker: str, **said: Any) -> httpx.Response:
        """A worker says something of itself."""
        beat = {"env": "", "pid": 7, "started": "a", "revision": 0, "stops": [], **said}
        return self.ask(worker, "PUT", f"/v1/workers/{worker}", json=beat)

    def incident(self) -> None:
        """Everything that can happen to the other tenant, and something that happens to both."""
        them = f"{MARK}-ana"
        self.equip()
        self.beat("w1")
        self.beat(f"{MARK}-w")
        eventually(lambda: len(self.runtime.state().workers) == 2, within_s=DEADLINE_S)
        assert self.command(them, "place-hold", selectors=[{"site": THEIRS}], reason=f"{MARK} sale").status_code == 200
        assert self.command(them, "set-limit", name="sites", limit=3).status_code == 403
        release = {"selectors": [{"site": THEIRS}], "reason": f"{MARK} over"}
        assert self.command(them, "release-holds", **release).status_code == 200
        stop = {"stop_id": f"S-{MARK}", "reason": f"{MARK} burns"}
        assert self.command(them, "order-stop", selectors=[{"site": THEIRS}], **stop).status_code == 200
        self.recovered()
        assert (
            self.command("root", "order-stop", stop_id="S-all", selectors=[{}], reason="all of us").status_code == 200
        )
        assert self.command("ours", "place-hold", selectors=[OURS], reason="inventory").status_code == 200
        both = [{"site": "s1", "operation": "ab_testing"}, {"site": THEIRS, "operation": "ab_testing"}]
        assert self.command("root", "place-hold", selectors=both, reason="both").status_code == 200

    def equip(self) -> None:
        """Each tenant has a service, which is its workers, and a trigger that stops its site."""
        for site in ("s1", THEIRS):
            service = {
                "name": f"{site}-db",
                "driver": "gate",
                "labels": {"site": site},
                "config": {"scope": {"site": site}},
            }
            assert self.command("root", "add-service", **service).status_code == 200
            trigger = {"name": f"{site}-sick", "scope": [{"site": site}], "thresholds": {"healthScore": 30}}
            added = self.command("root", "add-trigger", trigger_type="health_score_critical", **trigger)
            assert added.status_code == 200, added.text

    def recovered(self) -> None:
        """The other tenant tries to come back from its stop, and does not."""
        self.beat(f"{MARK}-w", stops=[f"S-{MARK}"])
        eventually(lambda: self.runtime.state().stops[f"S-{MARK}"].result == "verified", within_s=DEADLINE_S)
        case = {"emergency_id": self.runtime.state().stops[f"S-{MARK}"].emergency_id, "reason": f"{MARK} mended"}
        begun = self.command(f"{MARK}-ana", "recover", confirm=f"site={THEIRS}", **case)
        assert begun.status_code == 200, begun.text
        assert self.command(f"{MARK}-ana", "abort-recovery", **case).status_code == 200
        eventually(lambda: self.recovery_status() == "aborted", within_s=DEADLINE_S)

    def recovery_status(self) -> str:
        """How the recovery of the other tenant goes."""
        (recovery,) = (case.recovery for case in self.runtime.state().emergencies.values() if case.recovery)
        return str(recovery.status)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    url = f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}"
    with serving(url, lambda room: Doorkeeper(room.runtime.latest), heartbeat_s=0.5) as served:
        yield Town(served)


class Ear(threading.Thread):
    """Keeps every byte of a stream."""

    def __init__(self, town: Town, who: str, path: str) -> None:
        super().__init__(daemon=True)
        self.heard = b""
        self._town, self._who, self._path = town, who, path
        self.ended = threading.Event()

    def run(self) -> None:
        """Listen until it is enough."""
        headers = {"Authorization": f"Bearer {self._town.secrets[self._who]}", "Accept": "text/event-stream"}
        with httpx.stream("GET", self._town.served.url + self._path, headers=headers, timeout=DEADLINE_S) as answer:
            for chunk in answer.iter_raw():
                self.heard += chunk
                if self.ended.is_set():
                    return


class Follower:
    """A client of the server, and what it was told."""

    def __init__(self, town: Town, who: str) -> None:
        self.backend = RemoteBackend(HttpTransport([town.served.url], token=town.secrets[who]))
        self.events: list[Recorded] = []
        self.states: list[State] = []
        self.backend.follow(self.arrived)
        limits = itertools.count(100)

        def is_told() -> bool:
            town.command("root", "set-limit", name="sites", limit=next(limits))
            return bool(self.events)

        eventually(is_told)  # before it hears, what happened comes as a whole, and by no event

    def arrived(self, arrival: Arrival) -> None:
        """Note it."""
        self.events += arrival.events
        self.states.append(arrival.state)


@pytest.fixture(scope="module")
def heard(town: Town) -> Iterator[dict[str, Any]]:
    """The incident, with somebody of this tenant, and of all, at every stream."""
    paths = ("/v1/events", "/v1/gate/events", "/ofrep/v1/events")
    ears = {(who, path): Ear(town, who, path) for who in ("ours", "root", "w1") for path in paths}
    del ears["w1", "/v1/events"]  # a worker sees no journal
    for ear in ears.values():
        ear.start()
    eventually(lambda: all(ear.heard for ear in ears.values()), within_s=DEADLINE_S)
    follower = Follower(town, "ours")
    with closing(follower.backend), Gate.open(town.served.url, token=town.secrets["w1"], worker="w1") as gate:
        town.incident()
        end = town.runtime.state().revision
        eventually(lambda: follower.backend.latest().revision >= end, within_s=DEADLINE_S)
        eventually(lambda: gate.revision >= end, within_s=DEADLINE_S)
        journals = (ears["root", "/v1/events"], ears["ours", "/v1/events"])
        eventually(lambda: all(f"id: {end}\n".encode() in ear.heard for ear in journals), within_s=DEADLINE_S)
        eventually(lambda: MARK.encode() in ears["root", "/v1/gate/events"].heard, within_s=DEADLINE_S)
        eventually(lambda: b"all of us" in ears["w1", "/v1/gate/events"].heard, within_s=DEADLINE_S)
        for ear in ears.values():
            ear.ended.set()
        yield {"ears": ears, "follower": follower, "gate": gate, "end": end}


def test_no_stream_tells_of_another_site(heard: dict[str, Any]) -> None:
    told = {key: ear.heard for key, ear in heard["ears"].items()}

    assert {key for key, text in told.items() if MARK.encode() in text} == {
        ("root", "/v1/events"),
        ("root", "/v1/gate/events"),
    }
    assert b"inventory" in told["ours", "/v1/events"], "what concerns this one is told"
    assert b"all of us" in told["w1", "/v1/gate/events"], "and so is what concerns everybody"


@pytest.mark.parametrize(("method", "path"), sorted(route for route in ROUTES if route[0] == "GET"))
def test_no_route_tells_of_another_site(town: Town, heard: dict[str, Any], method: str, path: str) -> None:
    if path in {"/v1/gate/events", "/ofrep/v1/events"}:
        return  # those are heard above
    asked = path.replace("{name:path}", "enableABTesting")
    answer = town.ask("ours", method, asked + QUERIES.get(path, ""))

    assert answer.status_code == (403 if (method, path) in WHOLE else 200) or (path, answer.status_code) == (
        "/v1/events",
        410,
    )
    assert MARK not in answer.text + str(answer.headers)


LISTS = ("sites", "holds", "workers", "emergencies", "services", "triggers", "recoveries")
SEEN = ("/v1/state", *(f"/v1/{noun}" for noun in LISTS), "/v1/audit?limit=5000", "/metrics")


@pytest.mark.parametrize("path", SEEN)
def test_whoever_sees_everything_finds_it_there(town: Town, heard: dict[str, Any], path: str) -> None:
    assert MARK in town.ask("root", "GET", path).text


def test_what_they_read_has_the_shape_that_the_document_gives_it(town: Town, heard: dict[str, Any]) -> None:
    """Neither less than the document promises, nor more than it tells of."""
    document = closed(town.ask("root", "GET", "/openapi.json").json())
    hold = {"kind": "place-hold", "selectors": [OURS], "reason": "inventory"}
    asked: list[tuple[str, str, Any]] = [(*route, None) for route in sorted(ROUTES) if route[0] == "GET"]
    asked += [("GET", "/readyz", None), ("POST", "/v1/commands", hold), ("POST", "/v1/check", OURS)]
    asked += [("POST", "/v1/limits/{name}/reserve", {"cost": 1}), ("POST", "/v1/stop", {"selector": {"site": THEIRS}})]

    found = []
    for method, template, body in asked:
        operation = document["paths"][template.replace(":path", "")][method.lower()]
        if "application/json" not in operation["responses"]["200"].get("content", {}):
            continue
        path = template.replace("{name:path}", "enableABTesting").replace("{name}", "sites")
        answer = town.ask("root", method, path + SHAPED.get(path, QUERIES.get(path, "")), json=body)
        told = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
        faults = Draft202012Validator(told | {"components": document["components"]}).iter_errors(answer.json())
        found += [f"{method} {path}: {list(fault.instance_path)} {fault.message[:500]}" for fault in faults]
    assert found == [], "\n".join(found)


def test_the_past_is_hidden_too(town: Town, heard: dict[str, Any]) -> None:
    at = town.runtime.state().emergencies
    moment = max(emergency.opened_at for emergency in at.values())

    answer = town.ask("ours", "GET", "/v1/state", params={"at": moment.isoformat()})

    assert answer.status_code == 200
    assert MARK not in answer.text


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("recover", {"emergency_id": "EMERGENCY", "reason": "x", "confirm": "all"}),
        ("explain-stop", {"stop_id": f"S-{MARK}", "reason": "x"}),
        ("place-hold", {"selectors": [{"site": "q7Z"}]}),
        ("release-holds", {"selectors": [{"site": f"{MARK[:3]}-shop"}], "reason": "x"}),
        ("add-name", {"dimension": "site", "name": f"{MARK[:3]}-shop"}),
        ("forget-workers", {"workers": ["w"]}),
    ],
)
def test_a_refusal_names_nothing_that_was_not_named(
    town: Town, heard: dict[str, Any], kind: str, fields: dict[str, Any]
) -> None:
    emergency_id = next(iter(town.runtime.state().emergencies))
    sent = {name: emergency_id if value == "EMERGENCY" else value for name, value in fields.items()}

    answer = town.command("ours", kind, **sent)

    assert answer.status_code == 403
    assert MARK not in answer.text.replace(f"S-{MARK}", "")


def test_an_answer_names_no_incident_of_others_that_a_stop_of_everything_has_joined(
    town: Town, heard: dict[str, Any]
) -> None:
    """Whoever opened an emergency made up its correlation id, and all holds of its stops have it."""
    answer = town.command("ours", "place-hold", selectors=[OURS], reason="inventory")

    assert "emergency" in {hold["source"] for hold in answer.json()["remaining_holds"]}
    assert MARK not in answer.text


def test_a_site_that_is_gone_is_not_told_the_names_of_others(town: Town, heard: dict[str, Any]) -> None:
    town.make("late", "operator", sites=("s1",))
    for path in ("/admin/api/sites/q7Zx%20/pause", "/admin/api/sites/q7Z-shop/pause"):
        assert MARK not in town.ask("late", "POST", path).text.replace("q7Zx ", "")


def test_a_console_of_one_site_has_exactly_its_part(town: Town, heard: dict[str, Any]) -> None:
    follower: Follower = heard["follower"]
    shown = follower.backend.state()

    assert [name.name for name in shown.names_of("site")] == ["s1"]
    assert {str(hold.selector) for hold in shown.holds.values()} == {"all", "site=s1", "site=s1,operation=ab_testing"}
    assert set(shown.stops) == {"S-all"}
    assert set(shown.workers) == {"w1"}
    assert (set(shown.services), set(shown.triggers)) == ({"s1-db"}, {"s1-sick"})
    assert not any(case.recovery for case in shown.emergencies.values())
    assert not shown.tokens
    stop, whole = shown.stops["S-all"], town.runtime.state().stops["S-all"]
    assert (len(stop.of), len(stop.missing), stop.result) == (len(whole.of), len(whole.missing), whole.result)
    assert "w1" in stop.of, "of its own workers it knows the names, of the others how many there are"
    assert "hold.placed" in {recorded.event.kind for recorded in follower.events}
    assert MARK not in repr(follower.states) + repr(follower.events)


def test_what_it_follows_is_what_it_would_read_anew(town: Town, heard: dict[str, Any]) -> None:
    follower: Follower = heard["follower"]
    town.command("ours", "place-hold", selectors=[OURS | {"operation": "ab_testing"}], reason="more")
    town.command(f"{MARK}-ana", "place-hold", selectors=[{"site": THEIRS}], reason=f"{MARK} again")
    end = town.runtime.state().revision
    eventually(lambda: follower.backend.latest().revision >= end, within_s=DEADLINE_S)

    with closing(open_backend(town.served.url, token=town.secrets["ours"])) as anew:
        assert anew.state() == follower.backend.latest()


def test_its_commands_work_through_what_it_sees(town: Town, heard: dict[str, Any]) -> None:
    """A release is decided on the revision that was looked at, and other tenants move the fleet on all the time."""
    looked_at = heard["follower"].backend.state().revision
    sent = {"kind": "release-holds", "selectors": [OURS], "reason": "done"}

    answer = town.ask("ours", "POST", "/v1/commands", json=sent, headers={"If-Match": f'"{looked_at}"'})

    assert answer.status_code == 200, answer.text


def test_a_gate_of_one_site_refuses_work_of_another(heard: dict[str, Any]) -> None:
    gate: Gate = heard["gate"]
    other = gate.check(site="another", operation="opportunity_scan")

    assert other.outcome == "blocked"
    assert gate.table.beyond({"site": "another"}) == ("site=another",), "and not only for the stop of everything"


def test_a_gate_and_what_a_worker_is_answered_know_nothing_of_another_site(town: Town, heard: dict[str, Any]) -> None:
    for wait in ("", "?wait=0.1"):
        assert MARK not in town.ask("w1", "GET", f"/v1/gate{wait}").text
    assert MARK not in town.beat("w1", stops=["S-all", f"S-{MARK}"]).text
    assert MARK not in town.ask("w1", "POST", "/ofrep/v1/evaluate/flags", json={}).text


def test_work_beyond_the_scope_is_refused_by_every_protocol(town: Town) -> None:
    for who in ("ours", "w1"):
        assert town.ask(who, "GET", "/v1/check?site=another").json()["outcome"] == "blocked"
        flag = town.ask(
            who, "POST", "/ofrep/v1/evaluate/flags/enableABTesting", json={"context": {"site": "another"}}
        ).json()
        assert flag["value"] is False


@pytest.mark.parametrize("said", [{"scope": {"site": [THEIRS]}}, {"scope": {"site": ["s1", "s9"]}}])
def test_a_worker_does_no_work_beyond_its_token(town: Town, said: dict[str, Any]) -> None:
    assert town.beat("w1", **said).status_code == 403


def test_a_worker_that_declares_nothing_is_kept_to_its_token(town: Town, heard: dict[str, Any]) -> None:
    town.beat("w1")

    rows = {row["worker_id"]: row for row in town.ask("root", "GET", "/v1/workers").json()["workers"]}

    assert rows["w1"]["scope"] == {"site": ["s1"]}


def test_workers_that_went_elsewhere_are_counted_without_their_names(town: Town, heard: dict[str, Any]) -> None:
    missing = town.ask("ours", "GET", "/v1/emergencies").json()["emergencies"][0]["stops"][0]["missing"]

    assert "(elsewhere 1)" in missing or not missing


PANES = ("sites", "workers")

TOUR = """
size: 120x36
within: 60s
steps:
  - wait until: {screen: all of us}
  - screenshot: global
""" + "".join(
    f"""
  - press: ":"
  - type: {pane}
  - press: enter
  - screenshot: {pane}
"""
    for pane in PANES
)


def test_a_console_of_one_site_shows_nothing_of_another(town: Town, heard: dict[str, Any], tmp_path: Path) -> None:
    tour, token = tmp_path / "tour.yaml", tmp_path / "token"
    tour.write_text(TOUR)
    token.touch(0o600)
    token.write_text(town.secrets["ours"])
    behind = ("-b", town.served.url, "--token-file", str(token))

    toured = run(*behind, "script", str(tour), "--out", str(tmp_path))
    lists = [run(*behind, *words) for words in (("audit", "list"), ("status",))]

    assert toured.code == 0, toured.out + toured.err
    drawn = [unescape(file.read_text("utf-8")).replace("\xa0", " ") for file in tmp_path.glob("*.svg")]
    assert len(drawn) == len(PANES) + 1
    assert any("all of us" in picture for picture in drawn)
    said = "".join(f"{answer.out}{answer.err}" for answer in (toured, *lists))
    assert "S-all" in said
    assert not any(MARK in text for text in (said, *drawn))
