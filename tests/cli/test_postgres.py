"""The same commands over PostgreSQL, where status and check ask the engine instead of a file."""

import json
from collections.abc import Callable

import pytest

from tests.cli.shell import Answer, Shell
from tests.support.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture
def on_postgres(ops: Shell, postgres_url: str) -> Callable[..., Answer]:
    """Types commands at a fleet on PostgreSQL."""
    return lambda *arguments: ops(*arguments, "-b", postgres_url)


def test_a_day_on_postgresql(on_postgres: Callable[..., Answer]) -> None:
    assert on_postgres("sites", "add", "mail").code == 0
    assert on_postgres("status", "--exit-code").code == 0
    assert on_postgres("check", "--site", "mail").code == 0
    assert on_postgres("check", "--site", "nobody", "--strict").code == 10

    assert on_postgres("pause", "--site", "mail", "--reason", "drill").code == 0
    status = on_postgres("status", "--exit-code")
    assert (status.code, "site=mail is paused by" in status.out) == (11, True)
    decision = json.loads(on_postgres("check", "--site", "mail", "-o", "json").out)
    assert (decision["outcome"], decision["decided_by"], len(decision["blockers"])) == ("blocked", "live", 1)

    stopped = on_postgres("stop", "-o", "json")
    assert (stopped.code, stopped.json["result"], stopped.json["durable"]) == (0, "verified", "database")
    assert on_postgres("status", "--exit-code").code == 10

    assert on_postgres("recover", stopped.json["emergency_id"], "--reason", "over").code == 0
    assert on_postgres("resume", "--site", "mail", "--reason", "over").code == 0
    assert on_postgres("status", "--exit-code").code == 0
    assert on_postgres("audit", "verify").code == 0


def test_the_demo_says_that_its_workers_join_through_a_file(on_postgres: Callable[..., Answer]) -> None:
    answer = on_postgres("demo")

    assert (answer.code, "workers join through an SQLite file" in answer.err) == (2, True)
