"""Triggers on the command line: added, tried out, rehearsed, switched, fired by a person, listed."""

import json
from pathlib import Path

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


def test_a_person_fires_a_manual_trigger_by_name(ops: Shell) -> None:
    ops.ok("sites", "add", "s1")
    ops.ok("triggers", "add", "button", "--type", "manual_trigger", "--scope", "site=s1")

    ops.ok("triggers", "fire", "button", "--reason", "smoke")

    assert ops("check", "--site", "s1").code == 10
    assert "trigger button: smoke" in ops.ok("emergencies", "list").out
    ops.ok("triggers", "bound", "50")
