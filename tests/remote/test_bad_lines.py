"""A console and a gate behind a line that is cut, torn, slow, half-open, sliced or held back: whatever happened, they
come to know what the server knows, nothing that they showed is taken back, and no stop is missed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends import open_backend
from backends.remote import stream as console_stream
from backends.remote.backend import RemoteBackend
from backends.remote.transport import HttpTransport, Request
from core.errors import BackendUnavailable, TimedOut
from core.ports import Arrival, Backend, Observations
from core.state import State
from opsconsole.sight import Sight
from opsconsole.views.last_known import freshness
from opsconsole.views.picture import Facts, Picture, Who
from opsgate import Gate, http_link, teller
from opsgate import stream as gate_stream
from opsgate.evaluate import evaluate
from opsgate.http_faults import Unreachable
from opsgate.http_line import Line
from opsgate.http_servers import Servers
from tests.conftest import FULL
from tests.support.proxy import Proxy
from tests.support.serving import Served, serving
from tests.support.waiting import eventually

HEARTBEAT_S = 0.2
SILENT_S = 2.5 * HEARTBEAT_S
LONG_S = 60.0

pytestmark = [pytest.mark.timeout(0 if FULL else 120), pytest.mark.xdist_group("bad-lines")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose heart beats quickly."""
    url = f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}"
    with serving(url, heartbeat_s=HEARTBEAT_S) as one:
        yield one


@pytest.fixture
def line(served: Served) -> Iterator[Proxy]:
    """What lies between the server and everybody in this module."""
    with Proxy.before(served.url) as one:
        yield one


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long, neither for a word nor between two tries."""
    monkeypatch.setattr(console_stream, "SILENT_S", SILENT_S)
    monkeypatch.setattr(console_stream, "CONNECT_S", SILENT_S)
    monkeypatch.setattr(console_stream, "PAUSES_S", (0.0, 0.02, 0.05))
    monkeypatch.setattr(console_stream, "WAIT_S", 0.5)
    monkeypatch.setattr(gate_stream, "SILENCE_S", SILENT_S)
    monkeypatch.setattr(gate_stream, "_HEAD_WITHIN_S", SILENT_S)
    monkeypatch.setattr(gate_stream, "RETRIES_S", (0.02, 0.05))
    monkeypatch.setattr(gate_stream, "_NO_STREAM_S", 0.5)
    monkeypatch.setattr(http_link, "ANSWER_WITHIN_S", SILENT_S)
    monkeypatch.setattr(http_link, "_POLL_WAITS_S", 0.5)
    monkeypatch.setattr(http_link, "_QUIET_S", 1.5 * HEARTBEAT_S)
    monkeypatch.setattr(http_link, "_AWAY_S", 0.1)
    monkeypatch.setattr(teller, "RETRIES_S", (0.02, 0.05))
    monkeypatch.setattr(teller, "_TAKEN_WITHIN_S", SILENT_S)


class Seen:
    """What a follower was shown, one after the other."""

    def __init__(self, backend: Backend) -> None:
        self.revisions = [backend.latest().revision]
        self.went_back: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def __call__(self, arrival: Arrival) -> None:
        with self._lock:
            if arrival.state.revision < self.revisions[-1]:
                self.went_back.append((self.revisions[-1], arrival.state.revision))
            self.revisions.append(arrival.state.revision)


@contextmanager
def follower(url: str) -> Iterator[tuple[Backend, Seen]]:
    """A console's backend that follows the fleet, and what it was shown."""
    with closing(open_backend(url)) as backend:
        seen = Seen(backend)
        backend.follow(seen)
        yield backend, seen


def picture_of(backend: Backend) -> Picture:
    """What a console that has looked once would show now."""
    now = datetime.now(UTC)
    sight = Sight(time.monotonic, lambda: now)
    sight.saw(Observations(now), time.monotonic())
    return Picture(Facts.of(backend.latest()), now, sight.link(backend.contact()), Who("ana", ""))


def on_the_server(served: Served) -> State:
    return served.room.runtime.state()


# ------------------------------------------------------------------------------------------------------ one by one
FAULTS: dict[str, Callable[[Proxy, random.Random], None]] = {
    "cut": lambda line, _: line.cut(),
    "refuse": lambda line, _: line.refuse(),
    "stall": lambda line, _: line.stall(),
    "slow": lambda line, chance: line.slow(chance.uniform(0.0, 0.1)),
    "slice": lambda line, chance: line.slice(chance.randint(1, 7)),
    "tear": lambda line, chance: line.tear(chance.randint(1, 4000)),
    "hold-back": lambda line, chance: line.hold_back(chance.randint(200, 100_000)),
    "heal": lambda line, _: line.heal(),
}


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "heal"])
def test_after_each_fault_a_console_and_a_gate_know_what_the_server_knows(
    served: Served, line: Proxy, fault: str, seed: int
) -> None:
    with follower(line.url) as (backend, seen), Gate.open(line.url, worker=f"w-{fault}") as gate:
        eventually(lambda: gate.freshness == "valid")
        FAULTS[fault](line, random.Random(seed))
        served.command("add-name", dimension="site", name=f"s-{fault}", title="x").raise_for_status()
        placed = served.command("place-hold", selectors=[{"site": f"s-{fault}"}], reason=fault)
        line.heal()

        eventually(lambda: not gate.check(site=f"s-{fault}"), within_s=LONG_S)
        eventually(lambda: backend.latest() == on_the_server(served), within_s=LONG_S)  # workers may come meanwhile
        assert placed.json()["hold_ids"][0] in backend.latest().holds
        assert seen.went_back == []


def test_what_is_held_back_by_a_proxy_that_buffers_is_asked_for_instead(served: Served, line: Proxy) -> None:
    line.hold_back(1 << 30)
    with follower(line.url) as (backend, seen), Gate.open(line.url, worker="w-asks") as gate:
        eventually(lambda: gate.freshness == "valid" and "w-asks" in served.room.roster.entries, within_s=LONG_S)
        stop_id = served.stop(selector={"site": "s-asks"}).json()["stop_id"]

        eventually(lambda: not gate.check(site="s-asks"), within_s=LONG_S)
        eventually(lambda: stop_id in served.room.roster.entries["w-asks"].row.stops, within_s=LONG_S)
        eventually(lambda: backend.latest() == on_the_server(served), within_s=LONG_S)
        assert seen.went_back == []
        assert stop_id in backend.latest().stops


def test_a_line_that_is_open_and_says_nothing_is_lost_contact_and_is_said_so(served: Served, line: Proxy) -> None:
    with follower(line.url) as (backend, _), Gate.open(line.url, worker="w-deaf") as gate:
        eventually(lambda: gate.freshness == "valid" and backend.contact().word == "valid")
        before = picture_of(backend).word
        line.stall()

        took_s = eventually(lambda: backend.contact().word == "interrupted", within_s=LONG_S)
        shown = picture_of(backend)
        assert (freshness(shown).text[:5], shown.word) == ("STALE", "unknown"), f"after {took_s:.2f} s"
        eventually(lambda: gate.freshness == "interrupted", within_s=LONG_S)

        line.heal()
        eventually(lambda: backend.contact().word == "valid" and gate.freshness == "valid", within_s=LONG_S)
        assert picture_of(backend).word == before


@pytest.mark.parametrize("comes_at_once", [0, 700], ids=["head", "body"])
def test_an_answer_that_drips_is_ended_by_the_deadline_of_the_question(
    served: Served, line: Proxy, comes_at_once: int
) -> None:
    line.drip(comes_at_once)
    with (
        closing(HttpTransport([line.url])) as transport,
        pytest.raises(TimedOut),
        transport.open(Request("GET", "/v1/state"), 0.3) as reply,
    ):
        reply.read()

    asked_by_a_gate = Line(Servers((line.url,), ""))
    with closing(asked_by_a_gate), pytest.raises(Unreachable):
        asked_by_a_gate.ask("GET", "/v1/state", within_s=0.3)


def test_a_stream_may_go_on_for_longer_than_its_question_might_wait(line: Proxy) -> None:
    asked = Request("GET", "/v1/events", {"Accept": "text/event-stream"}, silent_s=LONG_S)
    with closing(HttpTransport([line.url])) as transport, transport.open(asked, 3 * HEARTBEAT_S) as news:
        pieces = news.chunks()

        assert all(next(pieces) for _ in range(5)), "five heartbeats at least"


def test_of_two_servers_the_one_that_has_fallen_silent_is_left_for_the_other(served: Served, line: Proxy) -> None:
    """It takes connections and questions, as a process does that stands still, and answers none of them."""

    def asked(backend: Backend, stop_id: str) -> bool:
        try:
            return stop_id in backend.state().stops
        except BackendUnavailable:
            return False

    both = f"{line.url},{served.url}"
    with follower(both) as (backend, seen), Gate.open(both, worker="w-left") as gate:
        eventually(lambda: gate.freshness == "valid" and "w-left" in served.room.roster.entries, within_s=LONG_S)
        line.stall()
        stop_id = served.stop(selector={"site": "s-left"}).json()["stop_id"]

        eventually(lambda: asked(backend, stop_id), within_s=LONG_S)  # which is answered by the other
        eventually(lambda: stop_id in served.room.roster.entries["w-left"].row.stops, within_s=LONG_S)
        added = served.command("add-name", dimension="site", name="s-left-later").json()["revision"]
        eventually(lambda: backend.latest().revision >= added, within_s=LONG_S)
        eventually(lambda: gate.reserve("content_pages"), within_s=LONG_S)
        assert seen.went_back == []
    with Gate.open(both, worker="w-came") as late, closing(open_backend(both, timeout_s=16.0)) as came:
        eventually(lambda: not late.allowed(site="s-left") and "w-came" in served.room.roster.entries, within_s=LONG_S)
        assert stop_id in came.latest().stops


def test_a_line_that_breaks_now_and_then_is_taken_up_again_as_soon_as_after_the_first_time(
    served: Served, line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_after: list[int] = []

    def pause_s(failures: int) -> float:
        waited_after.append(failures)
        return 0.0

    monkeypatch.setattr(console_stream, "_pause_s", pause_s)
    for patience in ("SILENT_S", "CONNECT_S"):  # however busy this machine is
        monkeypatch.setattr(console_stream, patience, LONG_S)
    with follower(line.url) as (backend, _):
        for number in range(4):
            added = served.command("add-name", dimension="site", name=f"s-now-{number}").json()["revision"]
            eventually(lambda: backend.latest().revision >= added, within_s=LONG_S)  # noqa: B023 (it is waited for here)
            line.cut()
        eventually(lambda: len(waited_after) > 4, within_s=LONG_S)

    assert max(waited_after) == 1


def test_a_heartbeat_that_says_another_revision_costs_no_follower_an_event(served: Served) -> None:
    """An answer may have been ahead of the stream, and a row may have been lost on it: neither is a reason to begin
    anew, which would tell the state and not what led to it."""
    with closing(open_backend(served.url)) as backend:
        assert isinstance(backend, RemoteBackend)
        known = backend.latest().revision
        backend._stream._compare({"revision": known - 1})
        assert backend.latest().revision >= known

        events: list[int] = []
        leave = backend._feed.follow(lambda arrival: events.extend(one.revision for one in arrival.events))
        added = served.command("add-name", dimension="site", name="s-lost").json()["revision"]
        backend._stream._compare({"revision": added})

        eventually(lambda: added in events)
        assert events == list(range(events[0], events[-1] + 1)), "workers of other tests may be lost meanwhile"
        leave()


# ------------------------------------------------------------------------------------------------- all of them at once
RUNS = 100 if FULL else 6


@pytest.mark.parametrize("batch", range(100 if FULL else 1))
def test_whatever_befalls_a_line_nothing_goes_back_and_no_stop_is_missed(tmp_path: Path, seed: int, batch: int) -> None:
    chance = random.Random(f"{seed}-{batch}")
    with (
        serving(f"sqlite:///{tmp_path / 'fleet.db'}", heartbeat_s=HEARTBEAT_S) as served,
        Proxy.before(served.url) as line,
        follower(line.url) as (backend, seen),
        Gate.open(line.url, worker="w1") as gate,
    ):
        eventually(lambda: gate.freshness == "valid" and "w1" in served.room.roster.entries)
        for number in range(RUNS):
            stops = _some_weather(served, line, chance, number)
            line.heal()
            _comes_to_know(served, backend, gate, stops)
            assert seen.went_back == []
            for stop_id in stops:
                _recover(served, stop_id)
        eventually(lambda: gate.revision == served.revision, within_s=LONG_S)
        assert all(gate.allowed(account=f"a-{step}") for step in range(9)), "all is recovered"


def _some_weather(served: Served, line: Proxy, chance: random.Random, number: int) -> list[str]:
    """Faults and changes, in any order; returns the stops among them."""
    stops: list[str] = []
    for step in range(chance.randint(2, 8)):
        what = chance.choice(["fault", "fault", "hold", "stop", "wait"])
        if what == "fault":
            chance.choice(list(FAULTS.values()))(line, chance)
        elif what == "hold":
            site = f"s-{chance.randint(0, 3)}"
            served.command("place-hold", selectors=[{"site": site}], create=True).raise_for_status()
            if chance.random() < 0.7:
                served.command("release-holds", selectors=[{"site": site}], reason="over").raise_for_status()
        elif what == "stop" and len(stops) < 2:
            stop_id = f"stop-{number}-{step}"
            served.stop(selector={"account": f"a-{step}"}, stop_id=stop_id).raise_for_status()
            stops.append(stop_id)
        else:
            threading.Event().wait(chance.uniform(0.0, 2 * SILENT_S if chance.random() < 0.1 else 0.03))
    return stops


def _comes_to_know(served: Served, backend: Backend, gate: Gate, stops: list[str]) -> None:
    truth = on_the_server(served)
    eventually(lambda: backend.latest().revision >= truth.revision, within_s=LONG_S)
    eventually(lambda: gate.revision >= truth.revision, within_s=LONG_S)
    eventually(lambda: set(stops) <= set(served.room.roster.entries["w1"].row.stops), within_s=LONG_S)
    eventually(lambda: backend.latest() == on_the_server(served), within_s=LONG_S)
    assert set(stops) <= set(backend.latest().stops)
    view = served.room.runtime.latest().table()
    for value in range(9):
        site, account = f"s-{value}", f"a-{value}"
        assert gate.allowed(site=site) == (evaluate(view, {"site": site}).outcome == "allowed")
        assert gate.allowed(account=account) == (evaluate(view, {"account": account}).outcome == "allowed")


def _recover(served: Served, stop_id: str) -> None:
    stop = served.room.runtime.state().stops[stop_id]
    confirm = str(stop.selectors[0])

    def recovered() -> bool:
        answer = served.command("recover", emergency_id=stop.emergency_id, reason="over", confirm=confirm)
        return answer.status_code == 200

    eventually(recovered, within_s=LONG_S)
