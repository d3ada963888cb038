"""What an operator reads: each sentence is whole, in singular and plural, and says the next step."""

import stat
from pathlib import Path

import pytest

from backends.stop_lane import new_order
from opsconsole.cli.invocation import login_name
from opsgate import latch
from opsgate.gate import Gate
from opsgate.paths import default_database, latch_home
from tests.cli.shell import Shell, keeper_of, run
from tests.cli.test_bad_databases import OBEYING_MODES
from tests.support.waiting import eventually


# ---------------------------------------------------------------------------------------------------------- status
def test_a_fleet_that_runs_in_parts_says_which(ops: Shell) -> None:
    for site in ("a", "b", "c"):
        ops.ok("sites", "add", site)
    ops.ok("flags", "off", "ab_testing")
    ops.ok("pause", "--site", "a", "--site", "b")
    ops.ok("workflows", "off", "xml-import")
    ops.ok("pause", "--site", "c", "--operation", "ab_testing")
    ops.ok("stop", "--site", "c")

    said = ops.ok("status").out.splitlines()

    assert said[0].startswith("[PART] at revision")
    assert said[1] == "  1 site held by an emergency, 1 flag off, 1 combination paused, 2 sites paused, 1 workflow off"


def test_a_fleet_that_runs_or_is_stopped_needs_no_such_sentence(ops: Shell) -> None:
    ops.ok("flags", "list")
    assert ops.ok("status").out.splitlines()[1].startswith("  workers:")
    ops.ok("pause", "--all")
    assert ops.ok("status").out.splitlines()[1].startswith("  workers:")


def test_a_stop_that_misses_a_worker_names_it_at_the_top(ops: Shell) -> None:
    ops.ok("flags", "list")
    url = f"sqlite:///{default_database()}"
    with keeper_of(url), Gate.open(url, worker="w-12") as gate, gate.work(operation="ab_testing") as work:
        eventually(lambda: ops.ok("status", "-o", "json").json["workers"]["live"] == 1, within_s=60)
        answer = ops("stop", "-o", "json")
        said = ops.ok("status").out.splitlines()
        assert work

    assert (answer.code, answer.json["result"]) == (5, "unverified")
    assert said[0].startswith("[PART] at revision")
    assert said[1] == f"  stop {answer.json['stop_id']} unverified: 0/1, missing w-12; everything held by an emergency"


@pytest.mark.parametrize("command", [("status",), ("sites", "list"), ("why", "--all"), ("holds", "list"), ("export",)])
def test_reading_a_database_that_is_not_there_names_the_command_that_makes_it(
    ops: Shell, tmp_path: Path, command: tuple[str, ...]
) -> None:
    answer = ops(*command, "-b", f"sqlite:///{tmp_path}/none.db")

    assert answer.code == 3
    assert "opsconsole sites add NAME" in answer.out + answer.err


# -------------------------------------------------------------------------------------------------------- receipts
def test_a_pause_shows_what_it_placed_and_counts_the_rest(ops: Shell) -> None:
    ops.ok("sites", "add", "mail")
    ops.ok("pause", "--all", "--reason", "wide")

    one = ops.ok("pause", "--site", "mail", "--reason", "narrow").out.splitlines()
    ops.ok("flags", "off", "ab_testing")
    two = ops.ok("pause", "--site", "mail").out.splitlines()

    assert one[0].startswith("paused site=mail at revision ")
    assert one[1].endswith(f"holds site=mail (operator {login_name()}, drain): narrow")
    assert one[2:] == ["  1 other hold is in force there: see 'opsconsole why --site mail'"]
    assert two[0].startswith("nothing changed")
    assert two[2:] == ["  2 other holds are in force there: see 'opsconsole why --site mail'"]
    many = ops.ok("pause", "--site", "mail", "--env", "dev", "--env", "test").out.splitlines()
    assert many[-1] == "  3 other holds are in force there: see 'opsconsole holds list'"


def test_a_resume_says_once_what_it_released_and_whose_that_was_and_names_all_that_still_holds(ops: Shell) -> None:
    ops.ok("sites", "add", "mail")
    wide = ops.ok("pause", "--all", "-o", "json").json["hold_ids"][0]
    narrow = ops.ok("pause", "--site", "mail", "-o", "json").json["hold_ids"][0]

    answer = ops.ok("resume", "--site", "mail", "--reason", "over")

    assert (answer.out + answer.err).count("released") == 1
    assert answer.err == f"{narrow} was placed by operator {login_name()}\n"
    assert f"  {wide} holds everything (operator {login_name()}, drain)" in answer.out


def test_a_document_that_makes_one_change_says_one_change(ops: Shell, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("sites: {mail: {}}")
    assert "applied in 1 change at" in ops.ok("apply", "-f", str(tmp_path / "one.yaml")).out


def test_one_latched_stop_is_one_latched_stop(ops: Shell) -> None:
    ops.ok("flags", "list")
    for said in ("1 latched stop is not in the journal yet", "2 latched stops are not in the journal yet"):
        latch.place(new_order(), "all")
        assert said in ops("doctor").out


# ----------------------------------------------------------------------------------------------------------- names
def test_a_hint_about_an_unknown_name_is_made_of_whole_sentences(ops: Shell) -> None:
    ops.ok("sites", "add", "shop-eu")

    assert ops("pause", "--site", "shop-ue").err.endswith(
        "; did you mean shop-eu? To register it, say --create, over HTTP create: true\n"
    )
    assert ops("pause", "--site", "zzz").err.endswith(
        "; see the list with 'opsconsole sites list'. To register it, say --create, over HTTP create: true\n"
    )
    for command in (("sites", "rm", "zzz"), ("workflows", "on", "zzz"), ("flags", "on", "zzz")):
        assert "--create" not in ops(*command).err, command


def test_why_about_a_name_that_nobody_registered_says_so_and_answers_as_a_gate_would(ops: Shell) -> None:
    ops.ok("sites", "add", "shop-eu")

    said = ops.ok("why", "--site", "shop-ue").out.splitlines()
    assert said[0].startswith("site=shop-ue is allowed at revision")
    assert said[1:] == [
        "no site is registered as shop-ue; did you mean shop-eu? To register it: opsconsole sites add shop-ue",
        "a gate lets work of an unknown name run; a strict one refuses it",
    ]
    assert "no dependency is registered as stripe. To register it: opsconsole pause --dependency stripe --create" in (
        ops.ok("why", "--dependency", "stripe").out
    )

    ops.ok("pause", "--all")
    assert ops.ok("why", "--site", "shop-ue").out.startswith("site=shop-ue is blocked")


# ---------------------------------------------------------------------------------------------------------- faults
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sites: {a: {title: 5}}", "sites.a.title (5): give a text"),
        ("sites: {a: {tilte: x}}", "sites.a.tilte ('x') is no field here: leave it out, or correct its name"),
        ("sites: [a]", "sites: give a mapping, written as name: value"),
        ("sites: {'a b': {}}", "sites.a b ('a b'): give a name of letters, digits and . _ ~ -"),
        ("limits: {x: {}}", "limits.x.limit is missing, and has to be given"),
        ("limits: {x: {limit: -1}}", "limits.x.limit (-1): give a number from 0 on"),
        ("limits: {x: {limit: 1.5}}", "limits.x.limit (1.5): give a whole number"),
        ("flags: {x: {state: maybe}}", "flags.x.state ('maybe'): give 'on' or 'off'"),
        ("- 1", "the document: give a mapping, written as name: value"),
    ],
)
def test_what_cannot_be_read_is_said_with_where_it_is_and_what_to_give(
    ops: Shell, tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "fleet.yaml").write_text(text)

    answer = ops("apply", "-f", str(tmp_path / "fleet.yaml"))

    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert sentence in answer.err
    assert "a small one is: sites: {shop-eu: {title: Shop EU}}" in answer.err


def test_apply_without_a_file_shows_what_a_document_looks_like(ops: Shell) -> None:
    answer = ops("apply")

    assert (answer.code, "a small one is: sites: {shop-eu: {title: Shop EU}}" in answer.err) == (2, True)
    assert "sites: {shop-eu: {title: Shop EU}}" in ops("apply", "--help").out


def test_the_small_document_is_one(ops: Shell, tmp_path: Path) -> None:
    small = ops("apply").err.partition("a small one is: ")[2].partition(";")[0]
    shown = ops("apply", "--help").out.partition("prints the one of this fleet:")[2].partition("Options")[0]
    for text in (small, shown):
        (tmp_path / "fleet.yaml").write_text(text)
        ops.ok("apply", "-f", str(tmp_path / "fleet.yaml"))


def test_a_release_without_a_reason_says_what_to_give(ops: Shell) -> None:
    assert "Missing option '--reason': why; it is recorded and shown; see" in ops("resume", "--all").err


# ----------------------------------------------------------------------------------------------------------- audit
def test_the_audit_list_is_made_of_words(ops: Shell) -> None:
    ops.ok("sites", "add", "mail")
    ops.ok("pause", "--site", "mail", "--env", "dev", "--reason", 'a "quoted" one', "--for", "1h")
    ops.ok("resume", "--site", "mail", "--env", "dev", "--reason", "over")
    ops.ok("stop")

    said = ops.ok("audit", "list").out

    for form in ("{'", "['", "('", "None", "True", "False", "[]", "{}", "datetime"):
        assert form not in said, form
    assert "selector=site:mail+env:dev source=operator" in said
    assert 'reason="a \\"quoted\\" one"' in said
    assert "forced=no" in said
    assert "selectors=all" in said


def test_the_audit_list_for_programs_has_the_shape_of_watch(ops: Shell) -> None:
    ops.ok("flags", "list")

    row = ops.ok("audit", "list", "--limit", "1", "-o", "json").json[0]

    assert list(row) == ["revision", "at", "kind", "actor", "door", "correlation_id", "command_id", "data"]


# ---------------------------------------------------------------------------------------------------------- doctor
def doctor(*prelude: str) -> list[dict[str, str]]:
    """What doctor finds, as a user whom the modes of files bind."""
    answer = run("doctor", "-o", "json", prelude="\n".join([OBEYING_MODES, *prelude]))
    assert answer.code == 1, answer.err
    found: list[dict[str, str]] = answer.json
    return found


def test_latches_that_cannot_be_read_are_a_fault_with_the_next_step(ops: Shell) -> None:
    ops.ok("flags", "list")
    place = latch.place(new_order(), "all")

    place.chmod(0)
    (row,) = (row for row in doctor() if row["what"] == "spool")
    assert (row["verdict"], str(place) in row["detail"]) == ("fail", True)
    assert row["hint"].startswith("let its owner or root make it readable for this user")

    place.chmod(stat.S_IRUSR)
    for folder in (latch_home(), latch_home().parent):
        before = folder.stat().st_mode
        folder.chmod(0)
        (row,) = (row for row in doctor() if row["what"] == "latches")
        folder.chmod(before)
        assert (row["verdict"], row["hint"]) == ("fail", f"chmod u+rx {folder}, as its owner or root")
