"""Pausing is cheap and resuming is dear, as scripts and people meet it."""

from datetime import UTC, datetime, timedelta

import pytest

from opsconsole.cli.invocation import login_name
from opsgate.hold import moment
from tests.cli.shell import Shell


@pytest.fixture
def fleet(ops: Shell) -> Shell:
    """A fleet with three sites."""
    for site in ("shop-eu", "shop-us", "mail"):
        ops.ok("sites", "add", site)
    return ops


def blocked(ops: Shell, *selector: str) -> bool:
    return ops("check", *selector).code == 10


def test_a_pause_answers_with_a_receipt_and_blocks_exactly_what_it_names(fleet: Shell) -> None:
    receipt = fleet.ok("pause", "--site", "shop-eu", "--reason", "drill", "-o", "json").json

    assert receipt["changed"] is True
    assert [event["kind"] for event in receipt["events"]] == ["hold.placed"]
    assert receipt["durable"] == "database"
    (hold,) = receipt["remaining_holds"]
    assert (hold["hold_id"], hold["selector"], hold["owner"]) == (
        receipt["hold_ids"][0],
        {"site": "shop-eu"},
        login_name(),
    )
    assert blocked(fleet, "--site", "shop-eu")
    assert not blocked(fleet, "--site", "shop-us")


def test_the_same_pause_again_keeps_its_id_and_changes_nothing(fleet: Shell) -> None:
    first = fleet.ok("pause", "--site", "mail", "-o", "json").json

    again = fleet.ok("pause", "--site", "mail", "-o", "json")

    assert again.json["changed"] is False
    assert again.json["hold_ids"] == first["hold_ids"]
    assert "in force already" in again.err


def test_a_stronger_pause_strengthens_and_a_weaker_one_says_that_nothing_changes(fleet: Shell) -> None:
    fleet.ok("pause", "--site", "mail")

    assert fleet.ok("pause", "--site", "mail", "--halt", "-o", "json").json["changed"] is True

    weaker = fleet.ok("pause", "--site", "mail", "--drain", "--for", "5m", "-o", "json")
    assert weaker.json["changed"] is False
    assert "stronger" in weaker.err


def test_repeated_options_pause_each_in_one_transaction(fleet: Shell) -> None:
    receipt = fleet.ok("pause", "--site", "shop-eu", "--site", "mail", "-o", "json").json

    assert len(receipt["hold_ids"]) == len(receipt["events"]) == 2


def test_a_pattern_is_expanded_when_the_command_is_given(fleet: Shell) -> None:
    fleet.ok("pause", "--site", "shop-*")
    fleet.ok("sites", "add", "shop-new")

    assert blocked(fleet, "--site", "shop-us")
    assert not blocked(fleet, "--site", "shop-new")


def test_site_and_operation_together_pause_only_that_operation_of_that_site(fleet: Shell) -> None:
    fleet.ok("pause", "--site", "mail", "--operation", "enableABTesting")

    assert blocked(fleet, "--site", "mail", "--operation", "ab_testing")
    assert not blocked(fleet, "--site", "mail", "--operation", "site_creation")
    assert not blocked(fleet, "--site", "shop-eu", "--operation", "ab_testing")


def test_an_environment_is_paused_without_touching_another_one(fleet: Shell) -> None:
    fleet.ok("pause", "--env", "dev")

    assert blocked(fleet, "--env", "dev", "--site", "mail")
    assert not blocked(fleet, "--env", "prod", "--site", "mail")


def test_a_pause_may_end_by_itself(fleet: Shell) -> None:
    receipt = fleet.ok("pause", "--all", "--for", "2h30m", "-o", "json").json

    end = moment(receipt["remaining_holds"][0]["expires_at"])
    assert abs(end - datetime.now(UTC) - timedelta(hours=2, minutes=30)) < timedelta(minutes=1)


def test_a_dry_run_says_what_would_happen_and_does_nothing(fleet: Shell) -> None:
    rehearsed = fleet.ok("pause", "--all", "--dry-run", "-o", "json")

    assert rehearsed.json["changed"] is True
    assert "dry run: nothing was done" in rehearsed.err
    assert not blocked(fleet, "--all")


def test_nobody_live_means_that_a_pause_waits_for_nobody(fleet: Shell) -> None:
    assert "seen by 0/0 workers" in fleet.ok("pause", "--all", "--wait-acks", "30s").err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("pause",), 2, "say which work is meant: --all, or some of --site"),
        (("pause", "--all", "--site", "mail"), 2, "--all covers everything"),
        (("pause", "--site", "shop-e"), 1, "no site is called shop-e; did you mean shop-eu"),
        (("pause", "--site", "zzz"), 1, "see the list with 'opsconsole sites list'"),
        (("pause", "--site", "z*"), 1, "no site matches 'z*'"),
        (("pause", "--site", "a b"), 2, "'a b' is not a valid site"),
        (("pause", "--all", "--until", "2001-01-01"), 1, "lies in the past; give a later --until or --for"),
        (("pause", "--all", "--until", "soon"), 2, "'soon' is not a time"),
        (("pause", "--all", "--for", "0"), 2, "give a duration above zero"),
        (("pause", "--all", "--for", "1h", "--until", "23:00"), 2, "--for and --until are two ways to say one thing"),
        (("pause", "--all", "--dry-run", "--wait-acks", "1s"), 2, "leave out --wait-acks"),
        (("pause", "--all", "--reason", "x" * 301), 2, "301 characters are too many"),
        (("pause", "--all", "--reason", "x" * 10_000_000), 2, "10000000 characters are too many"),
        (("pause", "--all", "--reason", "\udc80"), 2, "it is no valid text"),
        (("pause", "--site", "\udc80"), 2, "is not a valid site"),
        (("resume", "--all"), 2, "Missing option '--reason'"),
        (("resume", "--all", "--reason", " "), 1, "a release needs a reason"),
        (("resume", "--reason", "r"), 2, "say which work is meant"),
        (("resume", "--all", "--reason", "r", "--expect-revision", "-1"), 2, "x>=0"),
        (("pause", "mail"), 2, "Got unexpected extra argument"),
        (("pasue", "--all"), 2, "No such command 'pasue'. Did you mean 'pause'?"),
        (("sites", "remove", "mail"), 2, "No such command 'remove'. Did you mean 'rm'?"),  # and not 'resume'
        (("holds", "show", "H-999"), 1, "no hold is called H-999; see 'opsconsole holds list'"),
        (("emergencies", "show", "E-999"), 1, "no emergency is called E-999; see 'opsconsole emergencies list'"),
        (("pause", "--al"), 2, "No such option '--al'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_with_the_next_step(
    fleet: Shell, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    answer = fleet(*arguments)

    assert (answer.code, answer.out) == (code, "")
    assert sentence in answer.err
    assert answer.err.count("\n") == 1


def test_an_unknown_name_is_registered_where_that_is_said(fleet: Shell) -> None:
    fleet.ok("pause", "--site", "brand-new", "--create")

    assert "brand-new" in fleet.ok("sites", "list").out


def test_a_resume_releases_the_operators_holds_of_exactly_that_selector_and_prints_whose_they_were(
    fleet: Shell,
) -> None:
    wide = fleet.ok("pause", "--all", "--reason", "wide", "-o", "json").json["hold_ids"][0]
    narrow = fleet.ok("pause", "--site", "mail", "--reason", "narrow", "-o", "json").json["hold_ids"][0]

    answer = fleet.ok("resume", "--site", "mail", "--reason", "done", "-o", "json")

    assert answer.json["hold_ids"] == [narrow]
    assert [hold["hold_id"] for hold in answer.json["remaining_holds"]] == [wide]
    assert f"{narrow} was placed by operator {login_name()}" in answer.err
    assert blocked(fleet, "--site", "mail")


def test_nothing_to_release_is_no_failure(fleet: Shell) -> None:
    answer = fleet.ok("resume", "--site", "mail", "--reason", "done", "-o", "json")

    assert answer.json["changed"] is False
    assert "nothing to release on site=mail" in answer.err


def test_a_flag_that_is_off_stays_off_when_its_operation_is_resumed_without_force(fleet: Shell) -> None:
    fleet.ok("flags", "off", "ab_testing")

    answer = fleet.ok("resume", "--operation", "ab_testing", "--reason", "r")
    assert "nothing changed" in answer.out
    assert "flag ab_testing" in answer.out

    fleet.ok("resume", "--operation", "ab_testing", "--reason", "r", "--force")
    assert not blocked(fleet, "--operation", "ab_testing")


def test_a_hold_of_another_source_named_by_id_needs_force(fleet: Shell) -> None:
    hold = fleet.ok("flags", "off", "ab_testing", "-o", "json").json["hold_ids"][0]

    answer = fleet("resume", "--operation", "ab_testing", "--hold", hold, "--reason", "r")

    assert answer.code == 8
    assert "say --force" in answer.err


def test_an_emergencys_hold_is_never_released_by_resume(fleet: Shell) -> None:
    fleet.ok("stop", "--site", "mail")

    answer = fleet("resume", "--site", "mail", "--reason", "r", "--force")

    assert answer.code == 8
    assert "it ends by recovery only: opsconsole recover E-" in answer.err
    assert blocked(fleet, "--site", "mail")


def test_a_release_of_what_moved_since_it_was_looked_at_is_a_conflict(fleet: Shell) -> None:
    looked_at = fleet.ok("pause", "--site", "mail", "-o", "json").json["revision"]
    fleet.ok("pause", "--site", "shop-eu")

    answer = fleet("resume", "--site", "mail", "--reason", "r", "--expect-revision", str(looked_at))

    assert answer.code == 6
    assert "look again, then decide again" in answer.err
    fleet.ok("resume", "--site", "mail", "--reason", "r", "--expect-revision", str(looked_at + 1))


def test_why_names_every_blocker_and_what_would_remain_after_each_release(fleet: Shell) -> None:
    first = fleet.ok("pause", "--all", "-o", "json").json["hold_ids"][0]
    second = fleet.ok("pause", "--site", "mail", "-o", "json").json["hold_ids"][0]

    answer = fleet.ok("why", "--site", "mail", "-o", "json").json

    assert [hold["hold_id"] for hold in answer["blockers"]] == [first, second]
    assert answer["after_release"] == [
        {"hold_id": first, "remaining": [second]},
        {"hold_id": second, "remaining": [first]},
    ]
    assert f"after releasing {second}, still blocked by {first}" in fleet.ok("why", "--site", "mail").out


def test_why_about_a_wide_scope_names_the_narrower_holds_inside_it(fleet: Shell) -> None:
    hold = fleet.ok("pause", "--site", "mail", "-o", "json").json["hold_ids"][0]

    answer = fleet.ok("why", "--all", "-o", "json").json

    assert (answer["outcome"], [each["hold_id"] for each in answer["partial"]]) == ("allowed", [hold])


@pytest.mark.parametrize("given", [("--read-only",), ()])
def test_read_only_settings_refuse_every_change_but_a_stop(
    fleet: Shell, given: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not given:
        monkeypatch.setenv("OPSCONSOLE_READ_ONLY", "1")

    for change in (("pause", "--all"), ("sites", "add", "x"), ("resume", "--all", "--reason", "r")):
        answer = fleet(*change, *given)
        assert (answer.code, "say --no-read-only if you mean this change" in answer.err) == (8, True)

    assert fleet("status", *given).code == 0
    assert fleet("stop", "--all", *given).code == 0


def test_global_options_may_stand_before_and_after_the_command_and_the_last_one_counts(fleet: Shell) -> None:
    before = fleet.ok("-o", "json", "sites", "list").json
    between = fleet.ok("sites", "-o", "json", "list").json
    behind = fleet.ok("-o", "table", "sites", "list", "-o", "json").json

    assert before == between == behind
