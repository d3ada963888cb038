"""Sites, flags, limits, workflows, holds, workers and emergencies: each verb, and what it refuses."""

import csv
import io

import pytest

from opsconsole.cli.invocation import login_name
from opsgate.names import OPERATIONS, WORKFLOWS
from tests.cli.shell import Shell


def names(ops: Shell, noun: str, key: str = "name") -> list[str]:
    return [row[key] for row in ops.ok(noun, "list", "-o", "json").json]


def test_a_new_fleet_has_five_flags_on_six_workflows_four_limits_and_no_sites(ops: Shell) -> None:
    assert names(ops, "sites") == []
    assert sorted(names(ops, "flags", "operation")) == sorted(OPERATIONS)
    assert {row["state"] for row in ops.ok("flags", "list", "-o", "json").json} == {"on"}
    assert names(ops, "workflows") == sorted(WORKFLOWS)
    assert {row["enabled"] for row in ops.ok("workflows", "list", "-o", "json").json} == {True}
    assert {(row["alias"], row["limit"], row["window_s"]) for row in ops.ok("limits", "list", "-o", "json").json} == {
        ("maxSitesPerHour", 10, 3600.0),
        ("maxContentPagesPerHour", 100, 3600.0),
        ("maxGSCRequestsPerHour", 200, 3600.0),
        ("maxOpportunityScansPerDay", 50, 86_400.0),
    }


def test_an_empty_list_says_how_to_begin(ops: Shell) -> None:
    assert ops.ok("sites", "list").out == "no site is registered: opsconsole sites add NAME\n"
    assert ops.ok("holds", "list").out == "nothing is held\n"


def test_a_site_is_added_shown_paused_resumed_and_removed(ops: Shell) -> None:
    ops.ok("sites", "add", "shop-eu", "--title", "Shop EU")
    assert ops.ok("sites", "show", "shop-eu", "-o", "json").json["title"] == "Shop EU"

    ops.ok("sites", "pause", "shop-eu", "--reason", "r")
    assert ops.ok("sites", "show", "shop-eu", "-o", "json").json["state"] == "paused"
    refused = ops("sites", "rm", "shop-eu")
    assert (refused.code, "release that first" in refused.err) == (1, True)

    ops.ok("sites", "resume", "shop-eu", "--reason", "r")
    ops.ok("sites", "rm", "shop-eu")
    assert names(ops, "sites") == []


def test_a_site_under_a_wider_hold_is_held_and_not_paused(ops: Shell) -> None:
    ops.ok("sites", "add", "mail")
    ops.ok("pause", "--all")

    assert ops.ok("sites", "show", "mail", "-o", "json").json["state"] == "held"


def test_many_sites_are_paused_by_a_pattern(ops: Shell) -> None:
    for site in ("shop-eu", "shop-us", "mail"):
        ops.ok("sites", "add", site)

    ops.ok("sites", "pause", "shop-*", "--halt")

    states = {row["name"]: row["state"] for row in ops.ok("sites", "list", "-o", "json").json}
    assert states == {"shop-eu": "paused", "shop-us": "paused", "mail": "running"}


def test_a_site_added_again_changes_nothing_and_another_title_does(ops: Shell) -> None:
    ops.ok("sites", "add", "mail")

    assert ops.ok("sites", "add", "mail", "-o", "json").json["changed"] is False
    assert ops.ok("sites", "add", "mail", "--title", "Mail", "-o", "json").json["changed"] is True


@pytest.mark.parametrize("name", ["enableABTesting", "ab_testing"])
def test_a_flag_goes_by_either_of_its_names(ops: Shell, name: str) -> None:
    ops.ok("flags", "off", name, "--reason", "r")

    shown = ops.ok("flags", "show", name, "-o", "json").json
    assert (shown["name"], shown["operation"], shown["state"]) == ("enableABTesting", "ab_testing", "off")
    assert ops("check", "--operation", name).code == 10

    ops.ok("flags", "on", name)
    assert ops("check", "--operation", name).code == 0


def test_a_custom_flag_is_added_or_created_by_switching_it_off(ops: Shell) -> None:
    ops.ok("flags", "add", "mail.digest", "--title", "The digest")
    refused = ops("flags", "off", "mail.digset")
    assert (refused.code, "did you mean mail.digest?" in refused.err) == (1, True)

    ops.ok("flags", "off", "other", "--create")

    assert {"mail.digest", "other"} <= set(names(ops, "flags"))


def test_all_workflows_are_switched_at_once_and_s2_sees_who_and_when(ops: Shell) -> None:
    ops.ok("workflows", "off", "--all", "--reason", "dev")
    rows = ops.ok("workflows", "list", "-o", "json").json
    assert {(row["enabled"], row["updated_by"]) for row in rows} == {(False, login_name())}

    ops.ok("workflows", "on", "--all")
    assert {row["enabled"] for row in ops.ok("workflows", "list", "-o", "json").json} == {True}


def test_switching_on_releases_only_the_switchs_own_hold(ops: Shell) -> None:
    ops.ok("workflows", "off", "xml-import")
    hold = ops.ok("pause", "--workflow", "xml-import", "-o", "json").json["hold_ids"][0]

    answer = ops.ok("workflows", "on", "xml-import", "-o", "json")

    assert [each["hold_id"] for each in answer.json["remaining_holds"]] == [hold]
    assert f"stays held by {hold}" in answer.err
    assert ops.ok("workflows", "show", "xml-import", "-o", "json").json["enabled"] is False


def test_a_limit_is_set_by_either_name_and_zero_stops_what_it_charges(ops: Shell) -> None:
    ops.ok("limits", "set", "maxSitesPerHour", "0")

    assert ops("check", "--operation", "site_creation").code == 10
    assert ops.ok("limits", "show", "sites", "-o", "json").json["limit"] == 0

    ops.ok("limits", "set", "sites", "5", "--per", "day")
    assert ops("check", "--operation", "site_creation").code == 0
    assert ops.ok("limits", "show", "maxSitesPerHour", "-o", "json").json["window_s"] == 86_400.0


def test_a_custom_limit_takes_any_window_and_the_same_again_changes_nothing(ops: Shell) -> None:
    add = ("limits", "add", "mails", "30", "--per", "15m", "--operation", "ab_testing", "-o", "json")

    assert ops.ok(*add).json["changed"] is True
    assert ops.ok(*add).json["changed"] is False
    assert ops("limits", "add", "mails", "31").code == 1
    assert ops.ok("limits", "reset", "mails", "-o", "json").json["changed"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("limits", "set", "sites", "-5"), 2, "-5 is not in the range"),
        (("limits", "set", "sites", "many"), 2, "'many' is not a valid integer"),
        (("limits", "set", "sites", "99999999999"), 2, "is not in the range"),
        (("limits", "set", "nope", "5"), 1, "no limit is called nope"),
        (("limits", "add", "x", "5", "--per", "0"), 2, "give a duration above zero"),
        (("limits", "add", "x", "5", "--per", "60d"), 2, "window_s"),
        (("limits", "add", "x y", "5"), 2, "is not a valid limit"),
        (("sites", "show", "nope"), 1, "see 'opsconsole sites list'"),
        (("sites", "rm", "nope"), 1, "no site is called nope"),
        (("sites", "add", "é"), 2, "is not a valid site"),
        (("sites", "add", "x", "--title", "t" * 301), 2, "301 characters are too many"),
        (("flags", "show", "enableABTestng"), 1, "see 'opsconsole flags list'"),
        (("flags", "off"), 2, "give names, or --all"),
        (("flags", "off", "ab_testing", "--all"), 2, "give names, or --all"),
        (("workflows", "on", "nope"), 1, "no workflow is called nope"),
        (("holds", "show", "H-99"), 1, "see 'opsconsole holds list'"),
        (("workers", "show", "w"), 1, "see 'opsconsole workers list'"),
        (("workers", "forget", "w"), 1, "no worker is called w"),
        (("emergencies", "show", "E-1"), 1, "see 'opsconsole emergencies list'"),
        (("recover", "E-1", "--reason", "r"), 1, "no emergency is called E-1"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_with_the_next_step(
    ops: Shell, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    answer = ops(*arguments)

    assert (answer.code, answer.out) == (code, "")
    assert sentence in answer.err
    assert answer.err.count("\n") == 1


def test_lists_are_written_as_table_json_jsonl_and_csv(ops: Shell) -> None:
    ops.ok("sites", "add", "mail", "--title", "=1+1")

    assert ops.ok("sites", "list").out.splitlines()[0].split() == [
        "NAME", "STATE", "HOLDS", "CHANGED-AT", "CHANGED-BY", "TITLE",
    ]  # fmt: skip
    assert ops.ok("sites", "list", "-o", "jsonl").jsonl == ops.ok("sites", "list", "-o", "json").json
    (row,) = csv.DictReader(io.StringIO(ops.ok("sites", "list", "-o", "csv").out))
    assert (row["name"], row["title"]) == ("mail", "'=1+1")
    assert ops.ok("sites", "list", "-o", "json").json[0]["title"] == "=1+1"


def test_hostile_text_is_harmless_in_tables_and_exact_in_json(ops: Shell) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202e\rSTOPPED"
    ops.ok("sites", "add", "mail", "--title", hostile)
    ops.ok("pause", "--site", "mail", "--reason", hostile)

    for command in (("sites", "list"), ("sites", "show", "mail"), ("holds", "list"), ("why", "--site", "mail"),
                    ("check", "--site", "mail"), ("status",), ("audit", "list"), ("pause", "--site", "mail"),
                    ("sites", "list", "-o", "csv"), ("export",)):  # fmt: skip
        answer = ops(*command)
        assert all(char.isprintable() or char == "\n" for char in answer.out + answer.err), command

    assert ops.ok("sites", "show", "mail", "-o", "json").json["title"] == hostile


def test_a_stop_fired_without_a_reason_is_explained_later(ops: Shell) -> None:
    stopped = ops.ok("stop", "-o", "json").json
    emergency, stop = stopped["emergency_id"], stopped["stop_id"]

    ops.ok("emergencies", "explain", emergency, "--reason", "the price feed was late")

    assert ops.ok("emergencies", "show", emergency, "-o", "json").json["reason"] == "the price feed was late"
    assert ops.ok("holds", "list", "-o", "json").json[0]["reason"] == "the price feed was late"
    again = ops("emergencies", "explain", emergency, "--reason", "another")
    assert (again.code, "has its reason already: the price feed was late" in again.err) == (1, True)
    ops.ok("emergencies", "explain", stop, "--reason", "the price feed was wrong")


def test_the_status_says_how_stops_and_recoveries_went_where_it_is_asked_to(ops: Shell) -> None:
    emergency = ops.ok("stop", "--reason", "drill", "-o", "json").json["emergency_id"]
    ops.ok("recover", emergency, "--reason", "over", "--confirm", "all")

    measured = ops.ok("status", "--metrics", "-o", "json").json["metrics"]

    assert (measured["total_triggers"], measured["successful_recoveries"], measured["failed_recoveries"]) == (0, 1, 0)
    assert "recoveries: 1 successful, 0 failed (100%)" in ops.ok("status", "--metrics").out
    assert "metrics" not in ops.ok("status", "-o", "json").json


def test_an_emergency_is_listed_and_shown_with_its_stops(ops: Shell) -> None:
    stop_id = ops.ok("stop", "--reason", "drill", "-o", "json").json["stop_id"]

    (row,) = ops.ok("emergencies", "list", "-o", "json").json
    assert (row["status"], row["scope"], row["stops"][0]["stop_id"]) == ("active", "all", stop_id)
    assert ops.ok("emergencies", "show", row["emergency_id"], "-o", "json").json["reason"] == "drill"
    assert ops.ok("holds", "list", "-o", "json").json[0]["owner"] == row["emergency_id"]
