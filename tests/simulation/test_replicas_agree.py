"""Three servers on one PostgreSQL, whose ways to it stall and break, are as one: what their clients are told of a hold
can have happened in one order."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import httpx
import pytest

from backends import open_runtime
from tests.conftest import FULL
from tests.simulation.linear import Operation, is_linear, one_hold
from tests.support.postgres import Server, postgres_server, postgres_url
from tests.support.proxy import Proxy
from tests.support.serving import Served, serving

__all__ = ["postgres_server", "postgres_url"]

ROUNDS = 1_000 if FULL else 4
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
        ],
    )
    def test_a_history_that_no_order_explains_is_rejected(self, history: list[Operation]) -> None:
        assert not is_linear(history, one_hold, False)

    @pytest.mark.parametrize(
        "history",
        [
            [],
            said((0, 1, "place", True), (2, 3, "place", False), (4, 5, "release", True), (6, 7, "look", False)),
            said((0, 9, "place", True), (1, 2, "look", False), (3, 4, "look", True)),
            said((0, 5, "place", True), (1, 6, "release", True), (2, 7, "place", True), (8, 9, "look", True)),
            said((0, 1, "place", True), (2, 9, "release", None), (3, 4, "look", True), (5, 6, "look", False)),
            said((0, 9, "release", None), (1, 2, "look", False)),
        ],
    )
    def test_a_history_that_some_order_explains_passes(self, history: list[Operation]) -> None:
        assert is_linear(history, one_hold, False)


@pytest.fixture(scope="module")
def lines(postgres_server: Server) -> Iterator[list[Proxy]]:
    """The ways of three servers to the database."""
    with ExitStack() as opened:
        path = str(postgres_server.folder / ".s.PGSQL.5432")
        yield [opened.enter_context(Proxy.before(path)) for _ in range(3)]


@pytest.fixture(scope="module")
def replicas(postgres_server: Server, lines: list[Proxy]) -> Iterator[list[Served]]:
    """The servers."""
    with postgres_server.database() as url, ExitStack() as opened:
        open_runtime(url).close()
        name = urlsplit(url).path
        yield [opened.enter_context(serving(f"postgresql://postgres@127.0.0.1:{line.port}{name}")) for line in lines]


def test_what_clients_of_three_servers_are_told_can_have_happened_in_one_order(
    replicas: list[Served], lines: list[Proxy], seed: int
) -> None:
    for number in range(ROUNDS):
        chance = random.Random(f"{seed}-{number}")
        plans = [(one, [chance.choice(["place", "release", "look"]) for _ in range(EACH)]) for one in replicas]
        with ThreadPoolExecutor(4) as pool:
            running = [pool.submit(_carry_out, one, f"a-{number}", plan) for one, plan in plans]
            _weather(lines, chance)
            history = [each for done in running for each in done.result()]
        for line in lines:
            line.heal()

        assert is_linear(history, one_hold, False), history


def _weather(lines: list[Proxy], chance: random.Random) -> None:
    line = chance.choice(lines)
    what = chance.choice(["fair", "slow", "stall", "cut"])
    if what == "slow":
        line.slow(chance.uniform(0.0, 0.02))
    elif what == "stall":
        line.stall()
        threading.Event().wait(chance.uniform(0.0, 0.3))  # for how long it stalls
        line.heal()
    elif what == "cut":
        line.cut()


def _carry_out(served: Served, account: str, plan: list[str]) -> list[Operation]:
    """One client's operations, one after the other."""
    done: list[Operation] = []
    with closing(httpx.Client(base_url=served.url, timeout=60)) as client:
        for what in plan:
            began_s = time.monotonic()
            answer = _ask(client, account, what)
            if answer is None and what == "look":
                continue
            done.append(
                Operation(began_s, what) if answer is None else Operation(began_s, what, answer, time.monotonic())
            )
    return done


def _ask(client: httpx.Client, account: str, what: str) -> bool | None:
    """What is answered; None where nobody knows what became of it."""
    if what == "look":
        answer = client.get("/v1/state")
        if answer.status_code != 200:
            return None
        return any(hold["selector"] == {"account": account} for hold in answer.json()["state"]["holds"])
    kind = "place-hold" if what == "place" else "release-holds"
    command = {"kind": kind, "selectors": [{"account": account}], "reason": "a round"}
    answer = client.post("/v1/commands", json=command)
    if answer.status_code >= 500:
        return None
    answer.raise_for_status()
    return bool(answer.json()["changed"])
