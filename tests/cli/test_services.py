"""Services and the way back in steps, as a person types it."""

import json
from pathlib import Path

import pytest

from tests.cli.shell import Shell


@pytest.fixture
def stopped(ops: Shell) -> str:
    """Two services that a stop lists; nobody drives them here. The id of its emergency."""
    ops.ok("services", "add", "db", "--driver", "process", "--criticality", "4", "--label", "site=s1")
    health = json.dumps({"kind": "tcp", "host": "127.0.0.1", "port": 1})
    ops.ok("services", "add", "web", "--driver", "http", "--depends-on", "db", "--health", health)
    ops("stop", "--no-wait", "--level", "graceful")
    (row,) = ops.ok("emergencies", "list", "-o", "json").json
    return str(row["emergency_id"])


def test_a_service_is_added_listed_shown_and_removed(ops: Shell, tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    told.write_text('{"url": "http://127.0.0.1:9/"}')
    ops.ok("services", "add", "mail", "--driver", "http", "--config", f"@{told}", "--title", "Letters")

    (row,) = ops.ok("services", "list", "-o", "json").json
    assert (row["name"], row["standing"], row["config"]) == ("mail", "unknown", {"url": "http://127.0.0.1:9/"})
    assert "Letters" in ops.ok("services", "show", "mail").out
    ops.ok("services", "rm", "mail")
    assert ops.ok("services", "list", "-o", "json").json == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--driver", "proces"), "there is no driver of the kind 'proces'"),
        (("--driver", "process", "--config", '{"pid_file": "/run/x"}'), "pidfile: Field required"),
        (("--driver", "command", "--config", '{"stop": ["/bin/true"]}'), "name a status command or a health check"),
        (("--driver", "process", "--config", '{"pidfile": "/run/x"}', "--health", '{"kind": "tpc"}'), "health: "),
    ],
)
def test_a_service_that_no_stop_could_end_is_registered_with_a_warning(
    ops: Shell, arguments: tuple[str, ...], said: str
) -> None:
    answer = ops("services", "add", "x", *arguments)
    elsewhere = ops("services", "add", "y", *arguments, "--host", "another.internal")

    assert (answer.code, "warning: as it is" in answer.err, said in answer.err) == (0, True, True), answer.err
    assert (elsewhere.code, "warning" in elsewhere.err) == (0, False), "what another host can do is not known here"


def test_a_service_that_can_be_driven_is_registered_without_a_word_of_warning(ops: Shell, tmp_path: Path) -> None:
    told = json.dumps({"pidfile": str(tmp_path / "pid"), "command": ["/bin/true"]})

    assert "warning" not in ops.ok("services", "add", "x", "--driver", "process", "--config", told).err


def test_a_fleet_gets_a_procedure_of_its_own_and_loses_it_again(ops: Shell) -> None:
    own = json.dumps({"name": "careful", "gates": ["running"]})

    assert "procedure careful is set at revision" in ops.ok("recoveries", "set-procedure", own).out
    assert "careful" in [row["name"] for row in ops.ok("recoveries", "procedures", "-o", "json").json]
    wrong = ops("recoveries", "set-procedure", '{"name": "careful", "gates": ["flying"]}')
    assert (wrong.code, "gates" in wrong.err) == (2, True), wrong.err
    ops.ok("recoveries", "remove-procedure", "careful")
    assert "careful" not in [row["name"] for row in ops.ok("recoveries", "procedures", "-o", "json").json]
    assert ops("recoveries", "remove-procedure", "careful").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("services", "add", "x", "--driver", "http", "--config", "[]"), 2, "not a JSON object"),
        (("services", "add", "x", "--driver", "http", "--config", "@/nowhere"), 2, "not a JSON object"),
        (("services", "add", "x", "--driver", "http", "--label", "site"), 2, "write NAME=VALUE"),
        (("services", "add", "db", "--driver", "http", "--depends-on", "web"), 1, "db -> web -> db"),
        (("services", "add", "x", "--driver", "http", "--depends-on", "webb"), 1, "did you mean web?"),
        (("services", "rm", "db"), 1, "is on the list of"),
        (("recover", "E-1"), 2, "Missing option '--reason'"),
        (("recover", "E-1", "--abort", "--dry-run"), 2, "goes with neither"),
        (("recoveries", "show", "R-1"), 1, "recoveries list"),
    ],
)
def test_what_makes_no_sense_is_said_so(
    ops: Shell, stopped: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    answer = ops(*arguments)

    assert (answer.code, said in answer.err) == (code, True), answer.err


def test_a_dry_run_prints_the_plan_and_does_nothing(ops: Shell, stopped: str) -> None:
    before = ops.ok("status", "-o", "json").json["revision"]

    plan = ops.ok("recover", stopped, "--dry-run").out
    direct = ops.ok("recover", stopped, "--dry-run", "--procedure", "direct_recovery").out

    assert "standard_recovery:" in plan
    assert plan.index("start db") < plan.index("start web") < plan.index("admit 5% of the work")
    assert "no service is started" in direct
    assert ops.ok("status", "-o", "json").json["revision"] == before
    assert ops("recover", stopped, "--dry-run", "--procedure", "nonsense").code == 1


def test_a_recovery_in_steps_is_begun_held_continued_and_aborted(ops: Shell, stopped: str) -> None:
    ops.ok("emergencies", "ack", stopped, "--note", "looking")
    ops.ok("emergencies", "own", stopped, "--owner", "ben")
    refused = ops("recover", stopped, "--reason", "mended", "--confirm", "all", "--procedure", "standard_recovery")
    assert (refused.code, "still counting" in refused.err) == (1, True)
    assert ops("recover", stopped, "--abort").code == 1

    shown = ops.ok("emergencies", "show", stopped, "-o", "json").json
    assert (shown["owner"], shown["stops"][0]["missing"]) == ("ben", ["service:web", "service:db"])
    assert shown["stops"][0]["of"] == 2
    for verb in ("hold", "continue", "abort", "rollback"):
        assert ops("recoveries", verb, stopped).code == 1
    assert ops.ok("recoveries", "list", "-o", "json").json == []
    names = [row["name"] for row in ops.ok("recoveries", "procedures", "-o", "json").json]
    assert names == ["critical_recovery", "maintenance_recovery", "standard_recovery"]


def test_a_recovery_of_work_alone_goes_in_steps_where_it_is_named(ops: Shell) -> None:
    ops("stop", "--no-wait")
    (row,) = ops.ok("emergencies", "list", "-o", "json").json
    said = ops.ok(
        "recover", row["emergency_id"], "--reason", "x", "--confirm", "all", "--procedure", "critical_recovery"
    )

    assert "no keeper is alive here" in said.err
    (recovery,) = ops.ok("recoveries", "list", "-o", "json").json
    assert (recovery["procedure"], recovery["status"], recovery["phase"]) == (
        "critical_recovery",
        "running",
        "validation",
    )
    assert "began at revision" in said.out + said.err
    held = ops.ok("recoveries", "hold", row["emergency_id"]).out
    assert "other hold" not in held, "the only hold is that of the emergency"
    assert ops.ok("recoveries", "show", row["emergency_id"], "-o", "json").json["status"] == "held"
    ops.ok("recoveries", "continue", row["emergency_id"])
    ops.ok("recover", row["emergency_id"], "--abort")
    assert ops.ok("recoveries", "show", recovery["recovery_id"], "-o", "json").json["status"] == "aborted"
    ops.ok("recover", row["emergency_id"], "--reason", "x", "--confirm", "all")
    assert ops.ok("status", "-o", "json").json["state"] == "running"


def test_making_the_first_token_and_the_doctor_tell_of_services_that_cannot_be_driven_any_more(
    ops: Shell, tmp_path: Path
) -> None:
    told = json.dumps({"pidfile": str(tmp_path / "pid"), "command": ["/bin/true"]})
    ops.ok("services", "add", "x", "--driver", "process", "--config", told)

    made = ops.ok("token", "create", "--role", "admin", "--name", "ana")

    assert "Service x cannot be driven wholly: this host allows no programs" in made.err
    (row,) = (row for row in ops("doctor", "-o", "json").json if row["what"] == "services")
    assert (row["verdict"], "drivers.toml" in row["detail"]) == ("fail", True)
