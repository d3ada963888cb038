"""Services and the way back in steps, as a person types it."""

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from backends import open_backend
from backends.driving.inventory import Inventory
from opsgate.paths import config_home, default_database
from tests.cli.shell import Shell, keeper_of


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


def test_a_service_that_did_not_stop_is_named_with_the_reason_wherever_it_is_looked_for(ops: Shell) -> None:
    ops.ok("services", "add", "mail", "--driver", "process", "--config", '{"pid_file": "/run/x"}')
    with keeper_of(f"sqlite:///{default_database()}"):
        answer = ops("stop", "--target", "mail")
        (row,) = ops.ok("services", "list", "-o", "json").json
        (case,) = ops.ok("emergencies", "list", "-o", "json").json
        shown = ops.ok("emergencies", "show", case["emergency_id"]).out

    assert answer.code == 5
    assert "service mail has NOT been seen to stop: kill refused: " in answer.err
    assert "pidfile: Field required" in answer.err
    assert row["why"].startswith("kill refused: ")
    assert re.search(r"(?m)^service mail of S-\S+: \S+, tier 0$", shown), shown
    assert re.search(r"(?m)^  20\S+Z  kill refused, took \d+\.\d s: .*pidfile: Field required", shown), shown


def test_a_service_is_looked_at_once_before_a_stop_needs_it(ops: Shell, tmp_path: Path) -> None:
    told = json.dumps({"stop": ["/bin/true"], "status": ["/bin/sh", "-c", f"test -e {tmp_path}/runs || exit 3"]})
    health = json.dumps({"kind": "command", "argv": ["/bin/sh", "-c", f"test -e {tmp_path}/runs || exit 3"]})
    ops.ok("services", "add", "mail", "--driver", "command", "--config", told, "--health", health)
    revision = ops.ok("status", "-o", "json").json["revision"]

    down = ops.ok("services", "check", "mail", "-o", "json").json
    (tmp_path / "runs").touch()
    up = ops.ok("services", "check", "mail")

    assert (down["seen"], down["standing"], down["why"], "stop" in down["can"]) == (True, "stopped", None, True)
    assert (up.out.count("\n"), up.out.startswith("mail: running")) == (1, True)
    assert "; health up" in up.out
    assert ops.ok("status", "-o", "json").json["revision"] == revision


def test_a_service_that_cannot_be_seen_from_here_says_why(ops: Shell) -> None:
    told = json.dumps({"stop": ["/bin/true"], "status": ["/bin/true"]})
    ops.ok("services", "add", "mail", "--driver", "command", "--config", told)
    ops.ok("services", "add", "far", "--driver", "command", "--config", told, "--host", "another.internal")
    rules = config_home() / "opsconsole" / "drivers.toml"
    rules.parent.mkdir(parents=True, exist_ok=True)
    rules.write_text('commands = ["/usr/bin/systemctl"]\n')
    rules.chmod(0o600)

    forbidden, far = ops("services", "check", "mail"), ops("services", "check", "far", "-o", "json")

    assert (forbidden.code, forbidden.out.startswith("mail could NOT be seen: ")) == (1, True)
    assert "drivers.toml" in forbidden.out
    assert (far.code, far.json["seen"], "another.internal drives it" in far.json["why"]) == (1, False, True)
    assert ops("services", "check", "nobody").code == 1


CAREFUL = """\
name: careful
gates: [running]
ramp:
  - {admit: 0.01, wait_s: 300}
  - admit: 1.0
    wait_s: 0
"""


def test_a_fleet_gets_a_procedure_of_its_own_and_loses_it_again(ops: Shell, stopped: str, tmp_path: Path) -> None:
    (written := tmp_path / "careful.yaml").write_text(CAREFUL)
    add = ("recoveries", "procedures", "add", "-f", str(written))

    plan = ops.ok(*add, "--dry-run")
    assert plan.out.index("start db") < plan.out.index("start web") < plan.out.index("admit 1% of the work")
    assert ("+name: careful" in plan.out, "nothing was done" in plan.err) == (True, True)
    assert _procedures(ops) == ["critical_recovery", "maintenance_recovery", "standard_recovery"]
    assert "procedure careful is set at revision" in ops.ok(*add).out
    assert "careful" in _procedures(ops)
    assert "procedures:\n  careful:\n" in ops.ok("export").out
    ops.ok("recoveries", "procedures", "rm", "careful")
    assert "careful" not in _procedures(ops)
    assert ops("recoveries", "procedures", "rm", "careful").code == 1


@pytest.mark.parametrize("name", ["standard_recovery", "critical_recovery", "maintenance_recovery"])
def test_a_built_in_procedure_is_printed_as_the_document_that_would_define_it(
    ops: Shell, tmp_path: Path, name: str
) -> None:
    (written := tmp_path / "own.yaml").write_text(ops.ok("recoveries", "procedures", "show", name).out)

    answer = ops.ok("recoveries", "procedures", "add", "-f", str(written))

    assert f"procedure {name} is so already" in answer.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CAREFUL.replace("running", "flying"), "line 2: gates.0 ('flying'): give 'running' or 'health'"),
        (CAREFUL.replace("admit: 1.0", "admit: 2"), "line 5: ramp.1.admit (2): give a number up to 1"),
        (CAREFUL.replace("wait_s: 0", "wait: 0"), "line 5: ramp.1.wait_s is missing"),
        (CAREFUL.replace("1.0", "0.5"), "line 3: ramp: a ramp rises with every step and ends at 1.0"),
        (CAREFUL + "steps: 3\n", "line 7: steps (3) is no field here"),
        (CAREFUL.replace("name: careful", "title: x"), "line 1: name is missing"),
        (CAREFUL + "name: again\n", "line 7: 'name' stands twice"),
        (CAREFUL + 'metrics: [{must: "err_rate"}]\n', "line 7: metrics.0.must"),
        ("- careful\n", "line 1: the document"),
        (CAREFUL.replace("careful", "direct_recovery"), "line 1: name"),
    ],
)
def test_what_is_wrong_with_a_procedure_is_said_with_its_line_and_field(
    ops: Shell, tmp_path: Path, text: str, said: str
) -> None:
    (written := tmp_path / "wrong.yaml").write_text(text)

    answer = ops("recoveries", "procedures", "add", "-f", str(written))

    assert (answer.code, said in answer.err) == (2, True), answer.err


def _procedures(ops: Shell) -> list[str]:
    return [row["name"] for row in ops.ok("recoveries", "procedures", "list", "-o", "json").json]


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
    assert _procedures(ops) == ["critical_recovery", "maintenance_recovery", "standard_recovery"]


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


def test_what_a_server_without_tokens_may_not_drive_is_not_called_drivable(ops: Shell, tmp_path: Path) -> None:
    """A keeper writes down what services there are, and whether anybody else may say so."""
    told = json.dumps({"pidfile": str(tmp_path / "pid"), "command": ["/bin/true"]})
    ops.ok("services", "add", "x", "--driver", "process", "--config", told)
    assert drivable(ops) == "ok"

    with closing(open_backend(f"sqlite:///{default_database()}")) as backend:
        state = backend.state()
        Inventory(state.fleet).keep(state.services, is_own=False)

    assert drivable(ops) == "fail"


def drivable(ops: Shell) -> str:
    (row,) = (row for row in ops("doctor", "-o", "json").json if row["what"] == "services")
    return str(row["verdict"])
