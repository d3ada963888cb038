"""What looks at the installation: doctor, info and config."""

import sqlite3
import stat
from pathlib import Path

import pytest

from backends.stop_lane import new_order
from opsconsole.cli.invocation import login_name
from opsgate import latch
from opsgate.order import Order
from opsgate.paths import default_database, fleet_of_url, latch_home, runtime_home
from tests.cli.shell import Shell


def verdicts(ops: Shell) -> dict[str, str]:
    return {row["what"]: row["verdict"] for row in ops("doctor", "-o", "json").json}


def test_a_sound_installation_needs_no_mending(ops: Shell) -> None:
    ops.ok("flags", "list")

    answer = ops.ok("doctor", "-o", "json")

    assert "fail" not in {row["verdict"] for row in answer.json}
    rows = {row["what"]: row["detail"] for row in answer.json}
    assert sqlite3.sqlite_version in rows["sqlite"]
    assert "none is running on this host" in rows["keeper"]
    assert "verified from 1 to 17" in rows["journal"]


def test_a_world_writable_latch_folder_fails(ops: Shell) -> None:
    latch_home().mkdir(parents=True)
    latch_home().chmod(0o777)

    answer = ops("doctor", "-o", "json")

    assert answer.code == 1
    (row,) = (row for row in answer.json if row["what"] == "latches")
    assert (row["verdict"], row["hint"]) == ("fail", f"chmod o-w {latch_home()}")


def test_a_folder_of_sockets_that_others_may_enter_fails(ops: Shell) -> None:
    runtime_home().mkdir(parents=True, exist_ok=True)
    runtime_home().chmod(0o755)

    assert verdicts(ops)["sockets"] == "fail"


def test_a_database_that_others_may_write_is_to_be_known(ops: Shell) -> None:
    ops.ok("flags", "list")
    default_database().chmod(default_database().stat().st_mode | stat.S_IWOTH)

    assert verdicts(ops)["file"] == "warn"


def test_a_backend_that_fails_is_one_finding_among_the_others(ops: Shell, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear sir, " * 1000)

    answer = ops("doctor", "-b", f"sqlite:///{tmp_path}/letter.txt", "-o", "json")

    assert answer.code == 1
    found = {row["what"]: row["verdict"] for row in answer.json}
    assert (found["python"], found["backend"]) == ("ok", "fail")


def test_a_stop_that_is_not_recorded_yet_is_to_be_known(ops: Shell) -> None:
    ops.ok("flags", "list")
    order: Order = new_order(actor="ana")
    latch.place(order, fleet_of_url(f"sqlite:///{default_database()}"))

    (row,) = (row for row in ops("doctor", "-o", "json").json if row["what"] == "spool")

    assert (row["verdict"], order.stop_id in row["detail"]) == ("warn", True)


def test_info_says_what_runs_and_where_things_lie_also_without_a_backend(ops: Shell, tmp_path: Path) -> None:
    ops.ok("flags", "list")
    info = ops.ok("info", "-o", "json").json
    assert (info["user"], info["latches"], info["revision"]) == (login_name(), str(latch_home()), 17)
    assert info["fleet"].startswith("f-")

    gone = ops.ok("info", "-o", "json", "-b", f"sqlite:///{tmp_path}/none.db").json
    assert (gone["fleet"], "there is no database at" in gone["unreachable"]) == (None, True)


def test_config_show_says_where_each_value_comes_from(ops: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "config" / "opsconsole" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("timeout = '7s'")
    monkeypatch.setenv("OPSCONSOLE_COLOR", "never")

    rows = {row["setting"]: row for row in ops.ok("config", "show", "-o", "json", "--no-input").json}

    assert (rows["timeout"]["value"], rows["timeout"]["origin"]) == (7.0, str(file))
    assert (rows["color"]["value"], rows["color"]["origin"]) == ("never", "environment")
    assert (rows["no_input"]["value"], rows["no_input"]["origin"]) == (True, "flag")
    assert rows["ascii"]["origin"] == "default"


def test_config_validate_reads_every_layer(ops: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ops.ok("config", "validate").out == "valid: no file, defaults only\n"
    file = home / "config" / "opsconsole" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[profiles.p]\ntimeut = 1")
    answer = ops("config", "validate")
    assert (answer.code, "did you mean timeout?" in answer.err) == (2, True)

    file.write_text("")
    monkeypatch.setenv("OPSCONSOLE_BACKED", "x")
    answer = ops("config", "validate")
    assert (answer.code, "OPSCONSOLE_BACKED sets nothing; did you mean OPSCONSOLE_BACKEND?" in answer.err) == (2, True)
