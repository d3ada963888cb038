"""Several servers on one PostgreSQL: each takes stops whatever becomes of the others and of its way to the database."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import literal, select

from backends import open_backend, open_runtime
from backends.local import postgres
from core.capabilities.holds import PlaceHold
from opsgate import Gate, http_counter, leases
from opsgate.http_servers import Servers
from opsgate.selector import Selector
from opsgate.sources import SourceError
from tests.support.fleets import say
from tests.support.postgres import Server, postgres_server, postgres_url
from tests.support.proxy import Proxy
from tests.support.serving import Served, server_process, serving
from tests.support.waiting import eventually

__all__ = ["postgres_server", "postgres_url"]

LONG_S = 60.0

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("several-servers")]


@pytest.fixture
def line(postgres_server: Server) -> Iterator[Proxy]:
    """The way of one server to the database."""
    with Proxy.before(str(postgres_server.folder / ".s.PGSQL.5432")) as one:
        yield one


AWAY: dict[str, Callable[[Proxy], None]] = {"cut off": Proxy.refuse, "half-open": Proxy.swallow}


@pytest.mark.parametrize("how", AWAY)
def test_a_stop_where_the_database_is_away_is_in_force_at_once_and_recorded_on_return(
    postgres_url: str, line: Proxy, how: str
) -> None:
    """Nothing is released there meanwhile, while the other server and the fleet's database know nothing of it."""
    through = f"postgresql://postgres@127.0.0.1:{line.port}{urlsplit(postgres_url).path}"
    with closing(open_runtime(postgres_url)) as elsewhere, serving(through) as served:
        elsewhere.submit(say(PlaceHold(selectors=(Selector.of(account="a1"),))))
        with Gate.open(served.url, worker="w1") as gate:
            eventually(lambda: not gate.allowed(account="a1") and "w1" in served.room.roster.entries, within_s=LONG_S)
            AWAY[how](line)
            try:
                answer = served.stop(selector={"account": "a2"})

                assert (answer.status_code, answer.json()["durable"]) in {(202, "spool"), (202, "memory")}
                eventually(lambda: not gate.allowed(account="a2"))
                assert served.command("release-holds", selectors=[{"account": "a1"}], reason="x").status_code == 503
                assert not elsewhere.state().stops
                assert not gate.allowed(account="a1")
            finally:
                line.heal()
            stop_id = answer.json()["stop_id"]
            eventually(lambda: stop_id in elsewhere.state().stops, within_s=LONG_S)
            eventually(lambda: elsewhere.state().stops[stop_id].result == "verified", within_s=LONG_S)


def test_where_every_notification_is_lost_gates_and_consoles_hear_of_what_others_change_all_the_same(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notification is a hint: each look at the database finds all that has happened since the last one."""
    monkeypatch.setattr(postgres, "_NEWS", select(literal(1)))
    with (
        closing(open_runtime(postgres_url)) as elsewhere,
        serving(postgres_url) as served,
        closing(open_backend(served.url)) as console,
        Gate.open(served.url, worker="w1") as gate,
    ):
        heard = list[int]()
        console.follow(lambda arrival: heard.extend(recorded.revision for recorded in arrival.events))
        eventually(lambda: gate.freshness == "valid", within_s=LONG_S)
        for account in ("a1", "a2", "a3"):
            elsewhere.submit(say(PlaceHold(selectors=(Selector.of(account=account),))))
            eventually(partial(_is_held, gate, account), within_s=LONG_S)
        last = elsewhere.state().revision
        eventually(lambda: bool(heard) and heard[-1] >= last, within_s=LONG_S)

    assert heard == list(range(heard[0], heard[-1] + 1)), "each of them once, and none left out"


def _is_held(gate: Gate, account: str) -> bool:
    return not gate.allowed(account=account)


def test_a_limit_is_one_over_all_servers_whatever_becomes_of_workers_and_answers(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (http_counter, leases):
        monkeypatch.setattr(module, "ANSWER_WITHIN_S", LONG_S)
    monkeypatch.setattr(leases, "elapsed_s", lambda: 0.0)  # everybody is fast, on any machine
    with (
        serving(postgres_url) as first,
        serving(postgres_url) as second,
        Proxy.before(first.url) as line,
        _taker(first.url) as dying,
        _taker(second.url) as fast,
        _taker(line.url) as cut_off,
        _taker(line.url, second.url) as either,
    ):
        first.command("add-limit", name="pages", limit=100, window_s=3600.0).raise_for_status()
        died_with = sum(bool(dying.reserve("pages", 1)) for _ in range(10))
        assert _used(second) > died_with == 10, "it took blocks, and dies with one open"
        lost = _used(second) - died_with

        line.tear(after=1)
        assert not cut_off.reserve("pages", 20), "given, and never heard of"
        assert _used(second) == 10 + lost + 20
        assert either.reserve("pages", 30)
        assert _used(second) == 10 + lost + 20 + 30, "what was asked for at two servers counts once"

        taken = sum(bool(fast.reserve("pages", 1)) for _ in range(60))
        assert taken == 100 - (10 + lost + 20 + 30)
        line.heal()
        cut_off.sweep(all_of_them=True)
        assert _used(first) == 80, "what was never heard of is given back, and what died with its worker is not"


@contextmanager
def _taker(*urls: str) -> Iterator[leases.Leases]:
    """What a worker's gate takes units by."""
    servers = Servers(urls, "")
    counter = http_counter.Counter(lambda *_answer: SourceError("no answer of ours"), servers, "")
    try:
        yield leases.Leases(counter.take, counter.give_back, lambda: 0, lambda: None)
    finally:
        servers.abandon()


def _used(server: Served) -> int:
    usage = server.get("/v1/observations").json()["usage"]
    return next(int(row["used"]) for row in usage if row["name"] == "pages")


def test_when_the_leading_server_is_killed_another_one_concludes_its_stop_and_clients_go_on(
    postgres_url: str, home: Path
) -> None:
    with server_process(postgres_url, "--dev", home=_home(home, "a")) as first:
        eventually(lambda: _leads(first), within_s=LONG_S)
        with server_process(postgres_url, "--dev", home=_home(home, "b")) as second:
            both = f"{first.url},{second.url}"
            with closing(open_backend(both)) as backend, Gate.open(both, worker="w1") as gate:
                backend.follow(lambda _arrival: None)
                eventually(lambda: gate.freshness == "valid")
                eventually(lambda: "w1" in backend.state().workers, within_s=LONG_S)
                deaf = {"env": "prod", "scope": {}, "pid": 1, "started": "1", "revision": 0, "stops": []}
                first.http.put("/v1/workers/deaf", json=deaf).raise_for_status()
                eventually(lambda: "deaf" in backend.state().workers, within_s=LONG_S)
                stop_id = first.stop().json()["stop_id"]
                eventually(lambda: stop_id in backend.latest().stops)
                os.kill(first.pid, signal.SIGKILL)

                eventually(lambda: backend.latest().stops[stop_id].result == "partial", within_s=LONG_S)
                assert backend.latest().stops[stop_id].missing == ("deaf",)
                assert not gate.allowed(account="a1")
                eventually(lambda: gate.freshness == "valid" and gate.revision >= backend.latest().revision)
                assert second.command("place-hold", selectors=[{"account": "a9"}]).status_code == 200
                eventually(lambda: len(backend.latest().holds) == 2, within_s=LONG_S)


def _leads(served: Served) -> bool:
    return bool(served.get("/v1/observations").json()["keeper"])


def _home(home: Path, name: str) -> Path:
    made = home / name
    (made / "run").mkdir(mode=0o700, parents=True)
    return made
