"""Three servers on one PostgreSQL are as one, whatever befalls them and their ways to it: what clients are told of
holds and stops can have happened in one order, and no stop is lost.

Gates are not asked here: each decides by what it knows, and says how old that is."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx
import pytest

from backends import open_runtime
from tests.conftest import FULL
from tests.simulation.linear import Held, Operation, is_linear, one_selector
from tests.support.postgres import Server, postgres_server, postgres_url
from tests.support.proxy import Proxy
from tests.support.serving import Served, server_process
from tests.support.waiting import eventually

__all__ = ["postgres_server", "postgres_url"]

ROUNDS = 1_000 if FULL else 8
EACH = 6

pytestmark = [pytest.mark.timeout(0 if FULL else 240), pytest.mark.xdist_group("replicas-agree")]


def said(*operations: tuple[float, float, str, bool | None]) -> list[Operation]:
    return [
        Operation(began_s, what, answer, ended_s) if answer is not None else Operation(began_s, what)
        for began_s, ended_s, what, answer in operations
    ]


class TestTheChecker:
    """What it is to find, and what it is to let pass."""

    @pytest.mark.parametrize(
        "history",
        [
            said((0, 1, "look", True)),
            said((0, 1, "place", True), (2, 3, "look", False)),
            said((0, 1, "place", True), (2, 3, "place", True)),
            said((0, 9, "place", True), (1, 2, "look", True), (3, 4, "look", False)),
            said((0, 1, "place", True), (2, 9, "release", True), (3, 8, "release", True)),
            said((0, 1, "place", True), (2, 3, "release", True), (4, 5, "look", True)),
            said((0, 1, "place", True), (2, 9, "release", None), (3, 4, "look", False), (5, 6, "look", True)),
            said((5, 9, "place", None), (0, 1, "look", True)),
            said((0, 1, "stop", True), (2, 3, "look", False)),
            said((0, 1, "stop", True), (2, 3, "release", True)),
            said((0, 1, "place", True), (0, 2, "stop", True), (3, 4, "release", True), (5, 6, "look", False)),
            said((0, 9, "stop", None), (1, 2, "look", True), (3, 4, "look", False)),
        ],
    )
    def test_a_history_that_no_order_explains_is_rejected(self, history: list[Operation]) -> None:
        assert not is_linear(history, one_selector, Held())

    @pytest.mark.parametrize(
        "history",
        [
            [],
            said((0, 1, "place", True), (2, 3, "place", False), (4, 5, "release", True), (6, 7, "look", False)),
            said((0, 9, "place", True), (1, 2, "look", False), (3, 4, "look", True)),
            said((0, 5, "place", True), (1, 6, "release", True), (2, 7, "place", True), (8, 9, "look", True)),
            said((0, 1, "place", True), (2, 9, "release", None), (3, 4, "look", True), (5, 6, "look", False)),
            said((0, 9, "release", None), (1, 2, "look", False)),
            said((0, 1, "stop", True), (2, 3, "place", True), (4, 5, "release", True), (6, 7, "look", True)),
            said((0, 1, "stop", None), (2, 3, "look", False), (4, 5, "look", True)),
        ],
    )
    def test_a_history_that_some_order_explains_passes(self, history: list[Operation]) -> None:
        assert is_linear(history, one_selector, Held())


@pytest.fixture(scope="module")
def lines(postgres_server: Server) -> Iterator[list[Proxy]]:
    """The ways of three servers to the database."""
    with ExitStack() as opened:
        path = str(postgres_server.folder / ".s.PGSQL.5432")
        yield [opened.enter_context(Proxy.before(path)) for _ in range(3)]


@pytest.fixture(scope="module")
def replicas(
    postgres_server: Server, lines: list[Proxy], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Served]]:
    """The servers: processes that share no latch, as if each ran on a host of its own."""
    with postgres_server.database() as url, ExitStack() as opened:
        open_runtime(url).close()
        name = urlsplit(url).path
        homes = [Path(opened.enter_context(TemporaryDirectory(prefix="ops-"))) for _ in lines]
        for home in homes:
            (home / "run").mkdir(mode=0o700)
        yield [
            opened.enter_context(
                server_process(f"postgresql://postgres@127.0.0.1:{line.port}{name}", "--dev", home=home)
            )
            for line, home in zip(lines, homes, strict=True)
        ]


def test_what_clients_of_three_servers_are_told_can_have_happened_in_one_order_and_no_stop_is_lost(
    replicas: list[Served], lines: list[Proxy], seed: int
) -> None:
    for number in range(ROUNDS):
        chance = random.Random(f"{seed}-{number}")
        plans = [(one, [chance.choice(["place", "release", "look"]) for _ in range(EACH)]) for one in replicas]
        if number % 2:
            chance.choice(plans)[1].insert(chance.randrange(EACH), "stop")
        with ThreadPoolExecutor(len(plans)) as pool:
            running = [pool.submit(_carry_out, one, f"a-{number}", plan) for one, plan in plans]
            _weather(replicas, lines, chance)
            history = [each for done in running for each in done.result()]

        assert is_linear(history, one_selector, Held()), history
        if number % 2:
            eventually(lambda: all(_is_stopped(one, f"a-{number}") for one in replicas), within_s=60.0)  # noqa: B023


def _weather(replicas: list[Served], lines: list[Proxy], chance: random.Random) -> None:
    """Something befalls a server or its way to the database, for a while."""
    at = chance.randrange(len(lines))
    line, pid = lines[at], replicas[at].pid
    what = chance.choice(["fair", "slow", "stall", "cut", "part", "pause"])
    for_a_while = threading.Event()
    if what == "slow":
        line.slow(chance.uniform(0.0, 0.02))
    elif what == "stall":
        line.stall()
    elif what == "cut":
        line.cut()
    elif what == "part":
        line.refuse()
    elif what == "pause":
        os.kill(pid, signal.SIGSTOP)
    for_a_while.wait(chance.uniform(0.1, 0.4))
    if what == "pause":
        os.kill(pid, signal.SIGCONT)
    line.heal()


def _carry_out(served: Served, account: str, plan: list[str]) -> list[Operation]:
    """One client's operations, one after the other."""
    done: list[Operation] = []
    with closing(httpx.Client(timeout=60)) as client:
        for what in plan:
            began_s = time.monotonic()
            answer = _ask(client, served, account, what)
            if answer is None and what == "look":
                continue
            done.append(
                Operation(began_s, what) if answer is None else Operation(began_s, what, answer, time.monotonic())
            )
    return done


def _ask(client: httpx.Client, served: Served, account: str, what: str) -> bool | None:
    """What is answered; None where nobody knows what became of it, or what is to be done later."""
    selector = {"account": account}
    if what == "look":
        answer = client.get(f"{served.url}/v1/state")
        if answer.status_code != 200:
            return None
        return any(hold["selector"] == selector for hold in answer.json()["state"]["holds"])
    if what == "stop":
        answer = client.post(f"{served.stop_url}/v1/stop", json={"selector": selector}).raise_for_status()
        return True if answer.json()["durable"] == "database" else None
    kind = "place-hold" if what == "place" else "release-holds"
    command = {"kind": kind, "selectors": [selector], "reason": "a round"}
    answer = client.post(f"{served.url}/v1/commands", json=command)
    if answer.status_code >= 500:
        return None
    answer.raise_for_status()
    return bool(answer.json()["changed"])


def _is_stopped(served: Served, account: str) -> bool:
    answer = served.get("/v1/state")
    return answer.status_code == 200 and any(
        hold["source"] == "emergency" and hold["selector"] == {"account": account}
        for hold in answer.json()["state"]["holds"]
    )
