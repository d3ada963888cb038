"""The journal from the command line: list, verify, export, the past, and the configuration as one document."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from core.audit import Row, verify
from opsconsole.cli.invocation import login_name
from opsgate.hold import timestamp
from opsgate.paths import default_database
from tests.cli.shell import Shell


def now() -> str:
    return timestamp(datetime.now(UTC))


def test_the_list_has_who_when_by_which_door_and_why_the_latest_at_the_end(ops: Shell) -> None:
    ops.ok("pause", "--all", "--reason", "drill")
    ops("recover", "E-99", "--reason", "r")

    placed, refused = ops.ok("audit", "list", "--limit", "2", "-o", "json").json

    assert (placed["kind"], placed["actor"], placed["door"], placed["data"]["reason"]) == (
        "hold.placed",
        login_name(),
        "cli",
        "drill",
    )
    assert (refused["kind"], refused["data"]["code"]) == ("command.refused", "unknown-emergency")


def test_the_list_goes_on_behind_a_revision(ops: Shell) -> None:
    ops.ok("flags", "list")

    rows = ops.ok("audit", "list", "--since", "3", "--limit", "2", "-o", "json").json

    assert [row["revision"] for row in rows] == [4, 5]


def test_the_journal_verifies_until_somebody_changes_it(ops: Shell) -> None:
    ops.ok("pause", "--all", "--reason", "drill")
    sound = ops.ok("audit", "verify", "-o", "json").json
    assert sound["verified"] is True

    with sqlite3.connect(default_database()) as file:
        file.execute("UPDATE journal SET body = replace(body, 'drill', 'lunch') WHERE body LIKE '%drill%'")
    file.close()

    answer = ops("audit", "verify", "-o", "json")
    assert answer.code == 1
    assert answer.json["fault"].endswith(f"the body of event {sound['revision']} was changed")


def test_what_is_exported_verifies_elsewhere(ops: Shell) -> None:
    ops.ok("pause", "--all")

    rows = [Row(**line) for line in ops.ok("audit", "export").jsonl]

    fault, revision, chain = verify(rows)
    head = ops.ok("audit", "verify", "-o", "json").json
    assert (fault, revision, chain) == (None, head["revision"], head["chain"])


def test_the_past_is_what_held_then(ops: Shell) -> None:
    ops.ok("pause", "--all", "--reason", "then")
    then = now()
    ops.ok("resume", "--all", "--reason", "over")

    past = ops.ok("audit", "show", "--at", then, "-o", "json").json

    assert (past["state"], [hold["reason"] for hold in past["holds"]]) == ("stopped", ["then"])
    assert "nothing was held" in ops.ok("audit", "show", "--at", now()).out


def test_list_verify_and_export_go_as_far_as_a_past_time(ops: Shell) -> None:
    ops.ok("pause", "--all")
    then, last = now(), ops.ok("audit", "list", "--limit", "1", "-o", "json").json[0]["revision"]
    ops.ok("resume", "--all", "--reason", "over")

    assert ops.ok("audit", "list", "--limit", "1", "--at", then, "-o", "json").json[0]["revision"] == last
    assert ops.ok("audit", "export", "--at", then).jsonl[-1]["revision"] == last
    at = ops.ok("audit", "verify", "--at", then, "-o", "json").json["at"]
    assert at == {"revision": last, "chain": ops.ok("audit", "export", "--at", then).jsonl[-1]["chain"]}


def test_equal_configurations_export_equal_bytes(ops: Shell, tmp_path: Path) -> None:
    ops.ok("sites", "add", "mail", "--title", "Mäil")
    ops.ok("limits", "set", "sites", "7")
    exported = ops.ok("export").out
    document = tmp_path / "fleet.yaml"
    document.write_text(exported)

    other = ("-b", f"sqlite:///{tmp_path}/other.db")
    ops.ok("apply", "-f", str(document), *other)
    ops.ok("pause", "--all", *other)

    assert ops.ok("export", *other).out == exported
    assert yaml.safe_load(exported)["sites"] == {"mail": {"title": "Mäil"}}
    assert ops.ok("export", "-o", "json").json == yaml.safe_load(exported)


def test_apply_adds_and_changes_and_never_releases(ops: Shell, tmp_path: Path) -> None:
    ops.ok("flags", "off", "ab_testing")
    document = tmp_path / "fleet.yaml"
    document.write_text(
        "sites: {mail: {title: Mail}}\n"
        "flags:\n  enableABTesting: {state: on}\n  site_creation: {state: off}\n"
        "limits: {sites: {limit: 3}}\n"
    )

    answer = ops.ok("apply", "-f", str(document))

    assert "operation=ab_testing stays off" in answer.err
    states = {row["operation"]: row["state"] for row in ops.ok("flags", "list", "-o", "json").json}
    assert (states["ab_testing"], states["site_creation"]) == ("off", "off")
    assert ops.ok("limits", "show", "sites", "-o", "json").json["limit"] == 3
    assert ops.ok("apply", "-f", str(document), "-o", "json").json["changed"] is False


def test_a_dry_run_prints_the_difference_and_does_nothing(ops: Shell, tmp_path: Path) -> None:
    document = tmp_path / "fleet.yaml"
    document.write_text("sites: {mail: {}}\nworkflows: {xml-import: {state: off}}")

    answer = ops.ok("apply", "-f", str(document), "--dry-run")

    assert "+  mail: {}" in answer.out
    assert "+hold on workflow=xml-import" in answer.out
    assert ops.ok("sites", "list", "-o", "json").json == []
    assert ops("check", "--workflow", "xml-import").code == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is empty"),
        ("sites: [", "did not find expected node content"),
        ("sties: {}", "sties"),
        ("sites: {'a b': {}}", "sites"),
        ("sites: {a: {title: 5}}", "sites.a.title (5)"),
        ("limits: {x: {limit: -1}}", "limits.x.limit (-1)"),
        ("limits: {x: {limit: 1, window_s: 0}}", "limits.x.window_s (0)"),
        ("flags: {x: {state: maybe}}", "flags.x.state"),
        ("format: 2", "format (2)"),
        ("- 1", "the document: give a mapping"),
    ],
)
def test_a_document_that_is_none_is_refused_whole_in_one_sentence(
    ops: Shell, tmp_path: Path, text: str, sentence: str
) -> None:
    document = tmp_path / "fleet.yaml"
    document.write_text(text)

    answer = ops("apply", "-f", str(document))

    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert sentence in answer.err


def test_a_document_that_cannot_be_read_says_so(ops: Shell, tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in ops("apply", "-f", str(tmp_path / "none")).err
    assert "cannot be read: Is a directory" in ops("apply", "-f", str(tmp_path)).err
    assert ops("apply").code == 2


def test_every_line_of_the_export_is_json_with_what_verifies_it(ops: Shell) -> None:
    ops.ok("flags", "list")

    first = json.loads(ops.ok("audit", "export").out.splitlines()[0])

    assert (first["kind"], sorted(first)) == (
        "fleet.created",
        ["at", "body", "chain", "command_id", "correlation_id", "digest", "kind", "revision", "salt", "version"],
    )
