"""With live workers: a pause that waits until it was seen, and a stop that is verified or names who is missing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsgate import Gate
from opsgate.paths import default_database
from tests.cli.shell import Shell, environment, keeper_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def fleet(ops: Shell) -> Iterator[Shell]:
    """A fleet with two sites and a keeper."""
    for site in ("mail", "shop"):
        ops.ok("sites", "add", site)
    with keeper_of(f"sqlite:///{default_database()}"):
        yield ops


def joined(ops: Shell, *workers: str) -> None:
    """Wait until these workers are live."""
    eventually(
        lambda: set(workers) <= {row["worker_id"] for row in ops.ok("workers", "list", "-o", "json").json}, within_s=60
    )


def test_a_stop_is_verified_when_every_live_worker_acknowledged(fleet: Shell) -> None:
    with Gate.open(f"sqlite:///{default_database()}", worker="w1", scope={"site": ["mail"]}):
        joined(fleet, "w1")

        answer = fleet.ok("stop", "--reason", "drill", "-o", "json").json

        assert (answer["result"], answer["acked"], answer["of"], answer["missing"]) == ("verified", 1, 1, [])
        assert [hold["owner"] for hold in answer["remaining_holds"]] == [answer["emergency_id"]]
        assert answer["hold_ids"] == [answer["remaining_holds"][0]["hold_id"]]
        assert fleet("status", "--exit-code").code == 10
        assert fleet.ok("status", "-o", "json").json["workers"] == {"live": 1, "lost": 0, "acked": 1, "missing": []}


def test_a_worker_that_still_works_at_the_end_of_the_budget_is_named_and_exit_is_5(fleet: Shell) -> None:
    url = f"sqlite:///{default_database()}"
    with (
        Gate.open(url, worker="idle", scope={"site": ["shop"]}),
        Gate.open(url, worker="busy", scope={"site": ["mail"]}) as busy,
        busy.work(site="mail"),
    ):
        joined(fleet, "idle", "busy")

        answer = fleet("stop", "-o", "json")

        assert (answer.code, answer.json["result"], answer.json["missing"]) == (5, "partial", ["busy"])
        assert answer.json["took_s"] >= 5.0
        assert "1/2 acknowledged" in answer.err
        assert fleet("status", "--exit-code").code == 11
        assert "MISSING busy" in fleet.ok("status").out
        table = {line.split()[0]: line for line in fleet.ok("workers", "list").out.splitlines()}
        assert ("missing" in table["busy"], "missing" in table["idle"]) == (True, False)
        assert "site=mail" in table["busy"]
        assert {row["state"] for row in fleet.ok("workers", "list", "-o", "json").json} == {"live"}


def test_a_stop_of_one_site_waits_only_for_those_who_serve_it(fleet: Shell) -> None:
    url = f"sqlite:///{default_database()}"
    with (
        Gate.open(url, worker="idle", scope={"site": ["shop"]}),
        Gate.open(url, worker="busy", scope={"site": ["mail"]}) as busy,
        busy.work(site="mail"),
    ):
        joined(fleet, "idle", "busy")

        answer = fleet.ok("stop", "--site", "shop", "-o", "json").json

        assert (answer["result"], answer["of"]) == ("verified", 1)


def test_a_pause_waits_until_the_workers_that_serve_it_have_seen_it(fleet: Shell) -> None:
    with Gate.open(f"sqlite:///{default_database()}", worker="w1", scope={"site": ["mail"]}) as gate, gate.work():
        joined(fleet, "w1")

        answer = fleet.ok("pause", "--site", "mail", "--wait-acks", "30s")

        assert "seen by 1/1 worker; 1 piece of work still running in them" in answer.err
        assert not gate.allowed(site="mail")
        assert "seen by 0/0" in fleet.ok("pause", "--site", "shop", "--wait-acks", "30s").err


def test_a_worker_that_does_not_see_a_pause_in_time_is_named_and_exit_is_4(fleet: Shell, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "opsconsole.demo.worker", "--url", f"sqlite:///{default_database()}", "--worker", "w1",
         "--site", "mail", "--character", "steady", "--journal", str(tmp_path / "steps")],
        env=environment(),
        stdin=subprocess.PIPE,
    )  # fmt: skip
    try:
        joined(fleet, "w1")
        os.kill(process.pid, signal.SIGSTOP)

        answer = fleet("pause", "--site", "mail", "--wait-acks", "0.5s")

        assert (answer.code, "not seen in time by w1" in answer.err) == (4, True)
        assert fleet("check", "--site", "mail").code == 10
    finally:
        process.kill()
        process.communicate()


def test_workers_are_listed_shown_and_forgotten_when_they_are_gone(fleet: Shell) -> None:
    with Gate.open(f"sqlite:///{default_database()}", worker="w1", scope={"site": ["mail"]}):
        joined(fleet, "w1")
        shown = fleet.ok("workers", "show", "w1", "-o", "json").json
        assert (shown["state"], shown["pid"], shown["scope"]) == ("live", os.getpid(), {"site": ["mail"]})
        refused = fleet("workers", "forget", "w1")
        assert (refused.code, "was heard of just now" in refused.err) == (1, True)


def test_doctor_sees_the_keeper(fleet: Shell) -> None:
    rows = {row["what"]: row for row in fleet.ok("doctor", "-o", "json").json}

    assert "runs the loops" in rows["keeper"]["detail"]
