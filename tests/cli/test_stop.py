"""``stop`` needs nothing alive, says by which routes it went, and never claims more than was observed."""

import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.drivers import driver_of
from backends.drivers.base import Host, perform
from backends.drivers.contract import ORDER
from backends.driving.inventory import Inventory
from core.services import Service
from opsconsole.cli.stop_line import OPTIONS, Wanted, read
from opsgate.latch import in_force
from opsgate.order import BUDGET_S, LEVELS
from opsgate.paths import default_database, fleet_of_url, latch_home, state_home
from tests.cli.shell import Shell, keeper_of, run
from tests.support.services import agent, alive, ended_afterwards
from tests.support.waiting import eventually

URL = "sqlite:////nowhere/fleet.db"


def latched(fleet: str) -> list[str]:
    return [str(selector) for order in in_force([fleet]) for selector in order.selectors]


# ------------------------------------------------------------------------------------------------------- what is typed
def test_the_line_of_a_stop_is_read_without_click_wherever_its_options_stand() -> None:
    wanted = read(
        [
            "-b",
            URL,
            "stop",
            "--site",
            "a",
            "--site=b",
            "--level",
            "graceful",
            "--reason",
            "r",
            "--no-wait",
            "-o",
            "json",
        ]
    )
    assert wanted is not None
    assert wanted.flags == {"backend": URL, "output": "json"}
    assert (wanted.dimensions["site"], wanted.level, wanted.reason, wanted.no_wait) == (
        ["a", "b"],
        "graceful",
        "r",
        True,
    )


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "stop --help",
        "stop now",
        "stop --sit a",
        "stop --level hard",
        "pause --all --reason stop",
        "sites add stop",
        "stop --site",
        "stop --unknown",
    ],
)
def test_what_is_not_plainly_a_stop_is_left_to_click(line: str) -> None:
    assert read(line.split()) is None


def test_both_readings_of_the_line_have_the_same_options() -> None:
    from opsconsole.cli.commands.stop import stop

    assert {option.key for option in OPTIONS} <= {param.name for param in stop.params}
    assert {option.key for option in OPTIONS} <= set(Wanted.__dataclass_fields__)


# -------------------------------------------------------------------------------------------------------- what is done
def test_nobody_to_stop_is_verified_at_once(ops: Shell) -> None:
    ops.ok("flags", "list")

    answer = ops.ok("stop", "--reason", "drill", "-o", "json")

    assert (answer.json["result"], answer.json["acked"], answer.json["of"]) == ("verified", 0, 0)
    assert (answer.json["durable"], answer.json["level"]) == ("database", "immediate")
    assert ops("check", "--all").code == 10
    assert "latch: placed on this host" in answer.err
    assert "keeper: none is running on this host" in answer.err
    assert "no worker was on the list: none is known here" in answer.err


def test_the_routes_are_narrated_and_the_data_goes_to_stdout(ops: Shell) -> None:
    ops.ok("flags", "list")
    answer = ops.ok("stop")
    assert answer.out.startswith("verified in ")
    assert answer.err.startswith("stopping all (immediate) as S-")


def test_with_a_keeper_it_is_recorded_without_loading_an_engine(ops: Shell) -> None:
    ops.ok("flags", "list")
    with keeper_of(f"sqlite:///{default_database()}"):
        answer = run("stop", "-o", "json")

    assert (answer.code, answer.json["durable"], answer.json["result"]) == (0, "database", "verified")
    assert "keeper: told every gate, recorded at revision" in answer.err
    assert answer.json["emergency_id"].startswith("E-")


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_is_recorded(ops: Shell, level: str) -> None:
    ops.ok("flags", "list")
    named = ("--target", "mailer", "--create") if level == "service_specific" else ()

    assert ops.ok("stop", "--level", level, *named, "-o", "json").json["level"] == level
    assert level in BUDGET_S


def test_a_stop_of_named_services_covers_each(ops: Shell) -> None:
    ops.ok("flags", "list")
    ops.ok("stop", "--level", "service_specific", "--target", "a", "--target", "b", "--create")

    assert ops("check", "--service", "b").code == 10
    assert ops("check", "--all").code == 0


def test_without_waiting_it_is_in_force_and_not_verified(ops: Shell) -> None:
    ops.ok("flags", "list")

    answer = ops("stop", "--no-wait")

    assert answer.code == 5
    assert ops("check", "--all").code == 10


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("stop", "--site", "shop-e"), 1, "nothing was stopped, no site is called shop-e; did you mean shop-eu?"),
        (("stop", "--site", "z*"), 1, "no site matches 'z*'"),
        (("stop", "--site", "a b"), 2, "'a b' is not a valid site"),
        (("stop", "--all", "--site", "shop-eu"), 2, "--all covers everything"),
        (("stop", "--level", "service_specific"), 2, "name them with --target SERVICE"),
        (("stop", "--level", "hard"), 2, "'hard' is not one of"),
        (("stop", "now"), 2, "Got unexpected extra argument (now)"),
        (("stop", "--local", "--site", "a*"), 2, "write the names out"),
    ],
)
def test_what_is_no_stop_stops_nothing_and_says_so(
    ops: Shell, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    ops.ok("sites", "add", "shop-eu")

    answer = ops(*arguments)

    assert (answer.code, answer.out) == (code, "")
    assert sentence in answer.err
    assert not [path for path in latch_home().rglob("*") if path.is_file()]


@pytest.mark.parametrize("options", [(), ("--all", "--no-wait"), ("--local",)])
def test_no_stop_is_refused_for_a_reason_that_is_too_long(ops: Shell, options: tuple[str, ...]) -> None:
    ops.ok("flags", "list")

    answer = ops("stop", *options, "--reason", f"disk full {'x' * 5000} the end", "-o", "json")

    (order,) = in_force([ops.ok("info", "-o", "json").json["fleet"], fleet_of_url(f"sqlite:///{default_database()}")])
    assert answer.code in (0, 5)
    assert len(order.reason) == 300
    assert (order.reason.startswith("disk full xxx"), order.reason.endswith(" [cut]")) == (True, True)
    assert "the reason is not kept as typed: it was cut from 5018 to 300 characters" in answer.err
    assert "the end" not in ops.ok("audit", "export").out + answer.out + answer.err


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\x1b[2Jb\nc\x9bd\x7f", "a [2Jb c d "),
        ("half \udc80 letter", "half \ufffd letter"),
        ("Mäil ☃ \u202e", "Mäil ☃ \u202e"),
    ],
)
def test_control_characters_of_a_reason_are_replaced_and_the_stop_goes_out(ops: Shell, typed: str, kept: str) -> None:
    ops.ok("flags", "list")

    answer = ops.ok("stop", "--reason", typed)

    (row,) = ops.ok("emergencies", "list", "-o", "json").json
    assert row["reason"] == kept
    assert ("characters that are no text were replaced" in answer.err) is (kept != typed)


@pytest.mark.parametrize("line", [("stop", "--reason", b"\xff\xfe"), ("stop", "--local", "--reason", b"\xff" * 400)])
def test_a_reason_of_bytes_that_are_no_text_stops_all_the_same(line: tuple[str | bytes, ...]) -> None:
    answer = run(*line)

    assert "latch: placed on this host" in answer.err
    assert "the reason is not kept as typed" in answer.err


def test_a_pattern_whose_names_cannot_be_read_stops_nothing_and_says_so(ops: Shell) -> None:
    answer = ops("stop", "--site", "shop-*")

    assert (answer.code, "nothing was stopped, the names that a pattern stands for" in answer.err) == (3, True)


def test_names_that_cannot_be_read_hold_up_no_stop(ops: Shell, tmp_path: Path) -> None:
    (tmp_path / "fleet.db").write_bytes(bytes(4096))

    answer = ops("stop", "--site", "shop-eu", "-b", f"sqlite:///{tmp_path}/fleet.db")

    assert (answer.code, "latch: placed on this host" in answer.err) == (5, True)


def test_a_pattern_stops_the_sites_that_match_now(ops: Shell) -> None:
    for site in ("shop-eu", "shop-us", "mail"):
        ops.ok("sites", "add", site)

    ops.ok("stop", "--site", "shop-*")

    assert [ops("check", "--site", site).code for site in ("shop-eu", "shop-us", "mail")] == [10, 10, 0]


# ------------------------------------------------------------------------------------------- when everything else fails
def test_a_local_stop_needs_no_database_and_stops_every_fleet_of_this_host(ops: Shell) -> None:
    answer = ops("stop", "--local", "--reason", "drill", "-o", "json")

    assert (answer.code, answer.json["durable"], answer.json["result"]) == (5, "spool", "unverified")
    assert latched("any") == ["all"]
    assert not default_database().exists()
    assert "for every fleet of this host" in answer.err


def test_the_way_back_that_a_local_stop_tells_is_the_way_back(ops: Shell) -> None:
    ops.ok("flags", "list")
    stop_id = ops("stop", "--local", "-o", "json").json["stop_id"]

    answer = ops.ok("recover", stop_id, "--reason", "drill over")

    assert "recovered E-" in answer.out
    assert ops("check", "--all").code == 0


def test_a_local_stop_with_a_backend_stops_only_that_fleet_and_checks_no_names(ops: Shell) -> None:
    assert ops("stop", "--local", "-b", URL, "--site", "whatever").code == 5

    assert latched(fleet_of_url(URL)) == ["site=whatever"]
    assert latched("another") == []


@pytest.mark.parametrize("text", ["this is no TOML", "outptu = 1", "backend = 'nonsense'"])
def test_a_broken_configuration_holds_up_no_local_stop(ops: Shell, home: Path, text: str) -> None:
    file = home / "config" / "opsconsole" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)

    assert ops("status").code == 2
    refused = ops("stop")
    assert (refused.code, "'opsconsole stop --local' stops this host" in refused.err) == (2, True)

    answer = ops("stop", "--local")
    assert (answer.code, "going on without the configuration" in answer.err) == (5, True)
    assert latched("any") == ["all"]


@pytest.mark.parametrize("fate", ["missing", "corrupt", "foreign", "locked"])
def test_a_database_that_cannot_record_leaves_the_stop_latched_and_not_verified(
    ops: Shell, tmp_path: Path, fate: str
) -> None:
    file = tmp_path / "fleet.db"
    url = f"sqlite:///{file}"
    lock = None
    if fate == "corrupt":
        ops.ok("sites", "add", "mail", "-b", url)
        file.write_bytes(b"\0" * 4096)
    elif fate == "foreign":
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE groceries (name TEXT)")
        other.close()
    elif fate == "locked":
        ops.ok("sites", "add", "mail", "-b", url)
        lock = sqlite3.connect(file, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")

    answer = ops("stop", "-b", url, "--timeout", "0.3s", "-o", "json")

    assert (answer.code, answer.json["durable"]) == (5, "spool")
    assert answer.json["result"] != "verified"
    assert "journal: not recorded yet" in answer.err
    assert fate != "missing" or not file.exists()
    assert [path for path in latch_home().rglob("*") if path.is_file()]
    if lock is not None:
        lock.close()


def test_a_latched_stop_is_recorded_before_anything_is_released(ops: Shell) -> None:
    ops.ok("pause", "--all")
    ops("stop", "--local", "-b", f"sqlite:///{default_database()}", "--reason", "spooled")
    assert ops.ok("emergencies", "list", "-o", "json").json == []

    ops.ok("resume", "--all", "--reason", "r")

    (emergency,) = ops.ok("emergencies", "list", "-o", "json").json
    assert (emergency["reason"], emergency["status"]) == ("spooled", "active")
    assert ops("check", "--all").code == 10


def test_when_neither_disk_nor_keeper_nor_journal_took_it_nobody_claims_that_it_stopped(ops: Shell) -> None:
    latch_home().parent.mkdir(parents=True, exist_ok=True)
    latch_home().write_text("a file where a folder should be")

    answer = ops("stop", "--local")

    assert (answer.code, answer.out) == (3, "")
    assert "the stop reached neither disk nor keeper nor journal" in answer.err


def test_a_stop_whose_latch_fails_is_still_recorded(ops: Shell) -> None:
    ops.ok("flags", "list")
    latch_home().parent.mkdir(parents=True, exist_ok=True)
    latch_home().write_text("a file where a folder should be")

    answer = ops("stop")

    assert (answer.code, "latch: NOT placed" in answer.err) == (0, True)
    assert ops("check", "--all").code == 10


def test_with_every_server_gone_the_stop_is_latched_and_each_is_named_with_what_became_of_it(ops: Shell) -> None:
    gone = ("http://127.0.0.1:1", "http://127.0.0.1:2")

    answer = ops("stop", "--no-wait", "-b", ",".join(gone), "-o", "json")

    assert (answer.code, answer.json["durable"], answer.json["result"]) == (5, "spool", "unverified")
    told = answer.err.splitlines()
    assert "latch: placed on this host" in told
    assert [sum(line.startswith(f"server {url}: NOT reached: ") for line in told) for url in gone] == [1, 1]
    assert all(latched(fleet_of_url(url)) for url in gone)


# -------------------------------------------------------------------------------------------------------- the way back
def test_recovery_ends_the_emergency_removes_the_latch_and_prints_what_was_looked_at(ops: Shell) -> None:
    ops.ok("flags", "list")
    emergency = ops.ok("stop", "-o", "json").json["emergency_id"]

    answer = ops.ok("recover", emergency, "--reason", "drill over")

    assert "0/0 acknowledged, verified" in answer.err
    assert "work starts at once" in answer.err
    assert ops("check", "--all").code == 0
    assert not [path for path in latch_home().rglob("*") if path.is_file()]
    again = ops.ok("recover", emergency, "--reason", "r", "-o", "json")
    assert again.json["changed"] is False


def test_status_exit_codes_tell_running_from_stopped_from_partly_from_unknown(ops: Shell) -> None:
    assert ops("status", "--exit-code").code == 12
    assert ops("status").code == 3
    ops.ok("sites", "add", "mail")
    assert ops("status", "--exit-code").code == 0

    ops.ok("pause", "--site", "mail")
    assert ops("status", "--exit-code").code == 11

    ops.ok("stop")
    assert ops("status", "--exit-code").code == 10
    assert ops("status").code == 0


def test_status_has_exactly_the_documented_fields(ops: Shell) -> None:
    ops.ok("flags", "list")
    stop_id = ops.ok("stop", "-o", "json").json["stop_id"]

    status = ops.ok("status", "-o", "json").json

    assert list(status) == ["state", "revision", "age_s", "holds", "workers", "stops", "failing_channels"]
    assert list(status["workers"]) == ["live", "lost", "acked", "missing"]
    (stop,) = status["stops"]
    assert list(stop) == ["stop_id", "emergency_id", "level", "result", "acked", "of", "missing", "deadline_at"]
    assert (status["state"], stop["stop_id"]) == ("stopped", stop_id)


def test_check_has_exactly_the_documented_fields(ops: Shell) -> None:
    ops.ok("pause", "--all", "--reason", "r")

    decision = json.loads(ops("check", "--site", "nobody", "-o", "json").out)

    assert list(decision) == [
        "outcome", "allowed", "headline", "blockers", "unknown_names", "decided_by", "age_s", "revision",
    ]  # fmt: skip
    assert list(decision["blockers"][0]) == [
        "hold_id", "source", "owner", "selector", "mode", "reason", "placed_at", "expires_at", "admit",
    ]  # fmt: skip
    assert (decision["decided_by"], decision["unknown_names"]) == ("live", ["site=nobody"])


def test_check_follows_the_policy_for_unknown_names_and_says_when_nothing_could_be_read(ops: Shell) -> None:
    assert ops("check", "--site", "nobody").code == 12
    ops.ok("flags", "list")

    assert ops("check", "--site", "nobody").code == 0
    assert ops("check", "--site", "nobody", "--strict").code == 10
    assert ops("check").code == 2
    assert ops("check", "--site", "a", "--site", "b").code == 2


def test_the_latch_folder_of_this_test_is_its_own() -> None:
    assert str(latch_home()).startswith(os.environ["HOME"])
    assert str(state_home()).startswith(os.environ["HOME"])


# ------------------------------------------------------------------------------------- services, with nobody else alive
def test_a_local_stop_drives_the_services_that_the_last_keeper_knew(ops: Shell, tmp_path: Path) -> None:
    """One that ends, however nasty it is, and one whose command lies: the first has stopped, the second is named."""
    meek, lies = tmp_path / "meek", tmp_path / "lies"
    meek.mkdir()
    lies.touch()
    process = {"pidfile": f"{meek}/pid", "command": agent(meek, "deaf", "forks", "orphans"), "restart_s": 0.01}
    command = {"stop": ["/bin/sh", "-c", "exit 0"], "status": ["/bin/sh", "-c", f"test -e {lies} || exit 3"]}
    kept = {"meek": service("meek", "process", process), "lies": service("lies", "command", command)}
    with ended_afterwards(tmp_path):
        driver = driver_of("meek", "process", kept["meek"].config, Host())
        assert perform(driver, "start", ORDER, 60.0).result == "done"
        eventually(lambda: len(alive(meek)) == 4)
        Inventory("f-gone").keep(kept, is_own=True)

        answer = ops("stop", "--local", "--target", "meek", "--target", "lies", "-o", "json")

        assert alive(meek) == []
    assert (answer.code, answer.json["result"], answer.json["missing"]) == (5, "unverified", ["service:lies"])
    assert "services seen to have stopped: meek" in answer.err
    assert "service lies has NOT been seen to stop" in answer.err


def service(name: str, driver: str, config: object) -> Service:
    now = datetime.now(UTC)
    return Service(name, "", None, (), (), driver, json.dumps(config), "", 2, None, now, now, "ana")
