"""Triggers on the command line: added, tried out, rehearsed, switched, fired by a person, listed."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends import open_runtime
from core.triggers.sample import Sample
from tests.cli.shell import Shell

HEALTH = ("triggers", "add", "health", "--type", "health_score_critical", "--threshold", "healthScore=30")


def test_a_trigger_is_added_switched_shown_and_removed(ops: Shell) -> None:
    ops.ok("sites", "add", "s1")
    ops.ok(
        *HEALTH,
        "--scope",
        "site=s1",
        "--window",
        "30s",
        "--cooldown",
        "10m",
        "--priority",
        "3",
        "--clear",
        "healthScore=50",
    )

    (row,) = ops.ok("triggers", "list", "-o", "json").json
    assert (row["name"], row["state"], row["condition"], row["scope"]) == (
        "health",
        "armed",
        "healthScore < 30",
        "site=s1",
    )
    said = ops.ok("triggers", "show", "health", "-o", "json").json["definition"]
    assert (said["time_window_ms"], said["cooldown_period_ms"], said["clear"]) == (
        30_000,
        600_000,
        {"healthScore": 50.0},
    )
    ops.ok("triggers", "off", "health")
    assert ops.ok("triggers", "show", "health", "-o", "json").json["state"] == "off"
    ops.ok("triggers", "rm", "health")
    assert ops.ok("triggers", "list").out == "no trigger: opsconsole triggers add NAME --type TYPE\n"


def test_one_that_makes_no_sense_is_refused_in_words(ops: Shell) -> None:
    wrong = ops("triggers", "add", "health", "--type", "health_score_critical", "--threshold", "riskScore=30")
    assert (wrong.code, "has no threshold riskScore: it takes healthScore" in wrong.err) == (1, True)
    assert ops("triggers", "add", "health", "--type", "health_score_critical", "--threshold", "healthScore").code == 2
    assert ops("triggers", "add", "x", "--type", "custom_rule_trigger", "--rule", "value >").code == 1
    assert ops("triggers", "on", "nothing").code == 1
    assert ops("triggers", "add", "x", "--threshold", "healthScore=30").code == 2


def test_s1s_own_configuration_is_read_from_a_file(ops: Shell, tmp_path: Path) -> None:
    document = tmp_path / "trigger.json"
    document.write_text(
        json.dumps(
            {
                "triggerType": "health_score_critical",
                "accountId": "account-123",
                "name": "Health Score Critical",
                "thresholds": {"healthScore": 30},
                "timeWindow": 60000,
                "targetServices": ["sessionManager", "behavioralEngine"],
                "priority": 3,
                "create": True,
            }
        )
    )

    ops.ok("triggers", "add", "health", "--from", str(document))

    shown = ops.ok("triggers", "show", "health", "-o", "json").json
    assert (
        shown["scope"] == "service=sessionManager,account=account-123 or service=behavioralEngine,account=account-123"
    )


def test_what_samples_would_do_is_said_and_not_done(ops: Shell) -> None:
    ops.ok(*HEALTH)

    said = ops.ok("triggers", "test", "health", "--sample", "healthScore=20", "-o", "json").json
    assert (said["crosses"], said["would"], said["scope"]) == (True, "stop", "all")
    assert ops.ok("triggers", "test", "health", "--sample", "healthScore=40", "-o", "json").json["would"] == "nothing"
    unheard = ops.ok("triggers", "test", "health", "--sample", "health=20")
    assert "health does not listen to health: it listens to healthScore" in unheard.err
    assert ops.ok("holds", "list").out == "nothing is held\n"


def test_a_rehearsal_says_when_it_would_have_fired(ops: Shell, tmp_path: Path) -> None:
    ops.ok(*HEALTH, "--cooldown", "60s")
    values = [(0, 80), (10, 20), (20, 80), (30, 20), (100, 80), (110, 20)]
    lines = [json.dumps({"metric": "healthScore", "value": value, "at": 1_767_225_600 + at}) for at, value in values]
    (tmp_path / "day.jsonl").write_text("\n".join(lines))
    table = "\n".join(f"2026-01-01T00:0{at // 60}:{at % 60:02}Z,healthScore,{value}" for at, value in values)
    (tmp_path / "day.csv").write_text(f"at,metric,value\n{table}\n")

    for name in ("day.jsonl", "day.csv"):
        rows = ops.ok("triggers", "rehearse", "health", "--from", str(tmp_path / name), "-o", "json").json
        told = [(row["at"][14:19], row["what"]) for row in rows if row["what"] != "cleared"]
        assert told == [("00:10", "fired"), ("00:30", "suppressed"), ("01:50", "fired")]
    (tmp_path / "bad.jsonl").write_text('{"metric": "healthScore"}')
    wrong = ops("triggers", "rehearse", "health", "--from", str(tmp_path / "bad.jsonl"))
    assert (wrong.code, "line 1 is no sample" in wrong.err) == (2, True)


@pytest.fixture
def kept(ops: Shell, tmp_path: Path) -> tuple[str, ...]:
    """A fleet with the trigger `health`, whose engine has kept some samples; the beginning of a rehearsal there."""
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    ops.ok("-b", url, *HEALTH, "--cooldown", "60s")
    now_s = datetime.now(UTC).timestamp()
    with closing(open_runtime(url, create=False)) as runtime:
        ages = [(7200, 5), (3000, 20), (2990, 80), (2980, 20), (600, 80), (500, 25), (490, 80)]
        runtime.put_samples([Sample("healthScore", now_s - age, value) for age, value in ages])
    return "-b", url, "triggers", "rehearse"


def test_what_the_engine_has_kept_is_rehearsed_as_far_back_as_is_said(ops: Shell, kept: tuple[str, ...]) -> None:
    answer = ops.ok(*kept, "health", "--last", "1h", "-o", "json")

    told = [row["what"] for row in answer.json if row["what"] != "cleared"]
    assert told == ["fired", "suppressed", "fired"]
    assert "6 samples of healthScore, since " in answer.err
    assert f"it would have fired 2 times, first at {answer.json[0]['at']}, and stopped all" in answer.err


def test_a_candidate_is_rehearsed_without_being_added(ops: Shell, kept: tuple[str, ...], tmp_path: Path) -> None:
    (told := tmp_path / "strict.json").write_text(
        json.dumps({"triggerType": "health_score_critical", "thresholds": {"healthScore": 10}})
    )

    answer = ops.ok(*kept, "strict", "--last", "3h", "--candidate", str(told), "-o", "json")

    assert [(row["what"], row["value"]) for row in answer.json if row["what"] == "fired"] == [
        ("fired", "healthScore 5 (threshold 10, last)")
    ]
    assert ops(*kept, "strict", "--last", "3h").code == 1, "there is no trigger of that name"
    told.write_text(json.dumps({"triggerType": "health_score_critical", "thresholds": {"healthScore": 1000}}))
    wrong = ops(*kept, "strict", "--last", "3h", "--candidate", str(told))
    assert (wrong.code, "healthScore lies from" in wrong.err) == (1, True), wrong.err


@pytest.mark.parametrize("said", [(), ("--last", "2h", "--from", "{file}"), ("--last", "2d"), ("--last", "0s")])
def test_a_rehearsal_takes_one_kind_of_samples_and_no_more_than_are_kept(
    ops: Shell, kept: tuple[str, ...], tmp_path: Path, said: tuple[str, ...]
) -> None:
    (file := tmp_path / "day.jsonl").touch()

    assert ops(*kept, "health", *(word.format(file=file) for word in said)).code == 2


def test_a_person_fires_a_manual_trigger_by_name(ops: Shell) -> None:
    ops.ok("sites", "add", "s1")
    ops.ok("triggers", "add", "button", "--type", "manual_trigger", "--scope", "site=s1")

    ops.ok("triggers", "fire", "button", "--reason", "smoke")

    assert ops("check", "--site", "s1").code == 10
    assert "trigger button: smoke" in ops.ok("emergencies", "list").out
    ops.ok("triggers", "bound", "50")
