"""Holds: placing is cheap, releasing is dear, and nobody ends what is another's."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.capabilities.holds import ExpireHolds, HoldReleased, PlaceHold, ReleaseHolds
from core.capabilities.switches import SetSwitch
from core.engine import REMAINING_SHOWN
from core.errors import RevisionConflict
from core.messages import Envelope
from opsgate.evaluate import admitted
from opsgate.hold import AUTOMATIC_SOURCES, SOURCES, Hold, Mode, Source
from opsgate.selector import EVERYTHING
from tests.specs.engine import BEGINNING, Engine, Kind, on, said

HOUR = 3600.0


@pytest.fixture
def engine() -> Engine:
    return Engine()


def by_automation(
    engine: Engine, source: Source, owner: str, *, of: str = "s1", by: str = "watcher", for_s: float | None = None
) -> str:
    """Automation holds a site; the hold's id."""
    end = None if for_s is None else engine.now + timedelta(seconds=for_s)
    wanted = PlaceHold(selectors=(on(site=of),), source=source, owner=owner, expires_at=end)
    return engine.do(wanted, by=by, kind="automation").hold_ids[0]


# ------------------------------------------------------------------------------------------------------------ placing


def test_a_hold_covers_the_work_it_selects_and_no_other(engine: Engine) -> None:
    engine.pause(on(site="s1", operation="content_generation"))

    assert not engine.runs(site="s1", operation="content_generation")
    assert not engine.runs(site="s1", operation="content_generation", campaign="c9")
    assert engine.runs(site="s1", operation="site_creation")
    assert engine.runs(site="s2", operation="content_generation")
    assert engine.runs(site="s1")


def test_a_hold_on_everything_covers_names_that_nobody_has_heard_of(engine: Engine) -> None:
    engine.pause()

    assert not engine.runs()
    assert not engine.runs(site="never-registered", agent="p1")


def test_pauses_are_independent_lifting_the_wider_one_leaves_the_narrower_one_in_force(engine: Engine) -> None:
    engine.pause(EVERYTHING)
    engine.pause(on(site="s1"))

    receipt = engine.resume(EVERYTHING)

    assert not engine.runs(site="s1")
    assert engine.runs(site="s2")
    assert [hold["selector"] for hold in receipt.remaining_holds] == [{"site": "s1"}]


def test_a_hold_says_who_placed_it_when_why_and_in_which_command(engine: Engine) -> None:
    engine.wait(60)
    receipt = engine.pause(on(site="s1"), by="ben", reason="bad deploy", mode="halt", for_s=HOUR)

    hold = engine.hold(receipt.hold_ids[0])
    assert hold == Hold(
        hold_id=f"H-{receipt.revision}",
        selector=on(site="s1"),
        source="operator",
        owner="ben",
        reason="bad deploy",
        mode="halt",
        placed_at=BEGINNING + timedelta(seconds=60),
        expires_at=BEGINNING + timedelta(seconds=60 + HOUR),
        correlation_id=engine.journal[-1].header.command_id,
        revision=receipt.revision,
    )


def test_many_selectors_are_one_command_and_one_hold_each(engine: Engine) -> None:
    receipt = engine.pause(on(site="s1"), on(site="s2"), on(site="s1"))

    assert len(receipt.hold_ids) == len(engine.state.holds) == 2
    assert engine.kinds(receipt) == ["hold.placed", "hold.placed"]
    assert said(receipt) == ""  # one that is named twice is meant once


def test_stopping_is_never_refused_for_a_stale_revision(engine: Engine) -> None:
    long_ago = engine.state.revision
    engine.pause(on(site="s1"))

    receipt = engine.do(PlaceHold(selectors=(EVERYTHING,)), looked_at=long_ago)

    assert receipt.changed


def test_a_hold_on_a_name_that_nobody_registered_is_refused_with_the_near_names(engine: Engine) -> None:
    with pytest.raises(Exception, match="no site is called s11; did you mean s1"):
        engine.pause(on(site="s11"))
    assert engine.refused(PlaceHold(selectors=(on(site="s11"),))) == "unknown-name"


def test_whoever_says_create_registers_the_name_with_the_hold(engine: Engine) -> None:
    receipt = engine.pause(on(site="s11"), create=True)

    assert engine.kinds(receipt) == ["name.added", "hold.placed"]
    assert ("site", "s11") in engine.state.names


def test_accounts_agents_and_environments_are_free(engine: Engine) -> None:
    engine.pause(on(account="a1"), on(agent="p1"), on(env="dev"))

    assert not engine.runs(account="a1")
    assert not engine.runs(agent="p1")


def test_dev_is_paused_and_prod_runs_on_one_database(engine: Engine) -> None:
    engine.pause(on(env="dev"))
    engine.pause(on(env="prod", workflow="xml-import"))

    assert not engine.runs(env="dev", workflow="status-sync")
    assert engine.runs(env="prod", workflow="status-sync")
    assert not engine.runs(env="prod", workflow="xml-import")


def test_an_end_in_the_past_is_refused(engine: Engine) -> None:
    assert engine.refused(PlaceHold(selectors=(EVERYTHING,), expires_at=engine.now)) == "time-in-the-past"


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "x" * 301},
        {"reason": "\ud800"},
        {"admit": -0.1},
        {"admit": 1.1},
        {"admit": float("nan")},
        {"mode": "pause"},
        {"source": "limit"},
        {"selectors": ()},
        {"selectors": [{"planet": "mars"}]},
        {"selectors": [{"site": "s1\n"}]},
        {"selectors": [{"site": " s1"}]},
        {"selectors": [{"site": 7}]},
        {"selectors": [7]},
        {"selectors": [[["site", "s1"]]]},
        {"expires_at": "2026-03-01T12:00:00"},
        {"create": "false"},
        {"because": "no such field"},
    ],
)
def test_a_malformed_hold_is_rejected_never_mended(fields: dict[str, object]) -> None:
    document = {"kind": "place-hold", "selectors": [{"site": "s1"}], **fields}
    envelope = {"command_id": "c1", "actor": {"name": "ana"}, "door": "test", "command": document}

    with pytest.raises(ValidationError):
        Envelope.model_validate(envelope)


def test_a_reason_is_kept_as_it_was_typed(engine: Engine) -> None:
    receipt = engine.pause(on(site="s1"), reason="\x1b[31mé\x00" + "x" * 293)

    assert engine.hold(receipt.hold_ids[0]).reason == "\x1b[31mé\x00" + "x" * 293


# ---------------------------------------------------------------------------------------------------- the same again

NONE, SOON, LATE = None, 60.0, 120.0


@pytest.mark.parametrize(
    ("first", "again", "result", "changed", "word"),
    [
        (("drain", NONE, 0.0), ("drain", NONE, 0.0), ("drain", NONE, 0.0), False, "already"),
        (("drain", SOON, 0.5), ("halt", SOON, 0.5), ("halt", SOON, 0.5), True, ""),
        (("drain", SOON, 0.5), ("drain", LATE, 0.5), ("drain", LATE, 0.5), True, ""),
        (("drain", SOON, 0.5), ("drain", NONE, 0.5), ("drain", NONE, 0.5), True, ""),
        (("drain", SOON, 0.5), ("drain", SOON, 0.1), ("drain", SOON, 0.1), True, ""),
        (("halt", SOON, 0.5), ("drain", SOON, 0.5), ("halt", SOON, 0.5), False, "stronger"),
        (("drain", LATE, 0.5), ("drain", SOON, 0.5), ("drain", LATE, 0.5), False, "stronger"),
        (("drain", NONE, 0.5), ("drain", LATE, 0.5), ("drain", NONE, 0.5), False, "stronger"),
        (("drain", SOON, 0.1), ("drain", SOON, 0.5), ("drain", SOON, 0.1), False, "stronger"),
        (("drain", LATE, 0.0), ("halt", SOON, 0.9), ("halt", LATE, 0.0), True, "stronger"),
        (("halt", SOON, 0.2), ("drain", LATE, 0.1), ("halt", LATE, 0.1), True, "stronger"),
    ],
)
def test_the_same_hold_again_keeps_its_id_and_is_only_ever_strengthened(
    engine: Engine,
    first: tuple[Mode, float | None, float],
    again: tuple[Mode, float | None, float],
    result: tuple[Mode, float | None, float],
    changed: bool,
    word: str,
) -> None:
    def place(mode: Mode, for_s: float | None, admit: float) -> tuple[str, bool, str]:
        receipt = engine.pause(on(site="s1"), mode=mode, for_s=for_s, admit=admit)
        return receipt.hold_ids[0], receipt.changed, said(receipt)

    hold_id, _, _ = place(*first)
    same_id, was_changed, notes = place(*again)

    hold = engine.hold(same_id)
    left_s = None if hold.expires_at is None else (hold.expires_at - engine.now).total_seconds()
    assert same_id == hold_id
    assert (hold.mode, left_s, hold.admit) == result
    assert was_changed is changed
    assert word in notes


def test_a_stronger_hold_brings_its_reason_and_a_silent_one_keeps_the_old(engine: Engine) -> None:
    hold_id = engine.pause(on(site="s1"), reason="slow", for_s=60).hold_ids[0]

    engine.pause(on(site="s1"), for_s=120)
    assert engine.hold(hold_id).reason == "slow"
    engine.pause(on(site="s1"), mode="halt", reason="on fire")
    assert engine.hold(hold_id).reason == "on fire"


def test_two_people_who_pause_the_same_site_have_a_hold_each(engine: Engine) -> None:
    engine.pause(on(site="s1"), by="ana")
    engine.pause(on(site="s1"), by="ben")

    assert {owner for _, _, owner, _ in engine.holds()} == {"ana", "ben"}


# ---------------------------------------------------------------------------------------------------------- releasing


def test_an_operator_releases_what_any_operator_placed_and_is_told_whose_it_was(engine: Engine) -> None:
    engine.pause(on(site="s1"), by="ana")
    engine.pause(on(site="s1"), by="ben")

    receipt = engine.resume(on(site="s1"), by="cleo")

    assert not engine.state.holds
    assert "operator ana" in said(receipt)
    assert "operator ben" in said(receipt)


def test_a_release_takes_exactly_the_selector_named(engine: Engine) -> None:
    engine.pause(on(site="s1"))
    engine.pause(on(site="s1", operation="ab_testing"))
    engine.pause(EVERYTHING)

    engine.resume(on(site="s1"))

    assert {selector for selector, *_ in engine.holds()} == {"all", "site=s1,operation=ab_testing"}


def test_nothing_to_release_changes_nothing_and_says_so(engine: Engine) -> None:
    receipt = engine.resume(on(site="s1"))

    assert not receipt.changed
    assert said(receipt) == "nothing to release on site=s1"


def test_a_release_without_a_reason_is_refused(engine: Engine) -> None:
    engine.pause(on(site="s1"))

    assert engine.refused(ReleaseHolds(selectors=(on(site="s1"),), reason=" ")) == "reason-needed"


def test_a_release_is_refused_when_holds_changed_since_they_were_looked_at(engine: Engine) -> None:
    engine.pause(on(site="s1"))
    looked_at = engine.state.revision
    engine.pause(on(site="s2"), by="ben")

    with pytest.raises(RevisionConflict, match=f"looked at revision {looked_at}, holds changed at {looked_at + 1}"):
        engine.resume(on(site="s1"), looked_at=looked_at)
    assert engine.resume(on(site="s1"), looked_at=engine.state.revision).changed


def test_a_release_is_refused_when_the_journal_is_older_than_what_was_looked_at(engine: Engine) -> None:
    engine.pause(on(site="s1"))

    with pytest.raises(RevisionConflict, match="this journal ends at"):
        engine.resume(on(site="s1"), looked_at=engine.state.revision + 1)


def test_what_changed_but_holds_nothing_does_not_stand_in_the_way_of_a_release(engine: Engine) -> None:
    engine.pause(on(site="s1"))
    looked_at = engine.state.revision
    engine.wait(1)
    engine.do(SetSwitch(dimension="workflow", names=("brand-new",), on=True, create=True))  # registers a name, no more

    assert engine.state.revision > looked_at
    assert engine.resume(on(site="s1"), looked_at=looked_at).changed


def test_one_hold_is_released_by_its_id(engine: Engine) -> None:
    first = engine.pause(on(site="s1"), by="ana").hold_ids[0]
    second = engine.pause(on(site="s1"), by="ben").hold_ids[0]

    engine.resume(on(site="s1"), hold_id=first)

    assert set(engine.state.holds) == {second}


def test_an_id_that_is_not_on_this_selector_is_said_to_be_absent(engine: Engine) -> None:
    hold_id = engine.pause(on(site="s1")).hold_ids[0]

    receipt = engine.resume(on(site="s2"), hold_id=hold_id)

    assert not receipt.changed
    assert said(receipt) == f"{hold_id} is not in force on site=s2"


def test_what_other_sources_hold_stays_unless_it_is_forced_and_that_is_written_down(engine: Engine) -> None:
    engine.pause(on(site="s1"))
    theirs = by_automation(engine, "alert", "disk-full")

    receipt = engine.resume(on(site="s1"))
    assert set(engine.state.holds) == {theirs}
    assert [hold["hold_id"] for hold in receipt.remaining_holds] == [theirs]

    engine.pause(on(site="s1"))
    engine.resume(on(site="s1"), force=True)
    assert not engine.state.holds
    forced = {r.event.forced for r in engine.journal[-2:] if isinstance(r.event, HoldReleased)}
    assert forced == {False, True}


def test_naming_another_sources_hold_without_force_is_refused_with_whose_it_is(engine: Engine) -> None:
    theirs = by_automation(engine, "alert", "disk-full")
    wanted = ReleaseHolds(selectors=(on(site="s1"),), reason="x", hold_id=theirs)

    assert engine.refused(wanted) == "other-source"
    assert engine.do(wanted.model_copy(update={"force": True})).changed


def test_a_limit_of_zero_is_no_hold_and_the_refusal_says_what_ends_it(engine: Engine) -> None:
    wanted = ReleaseHolds(selectors=(on(operation="site_creation"),), reason="x", hold_id="limit:sites")

    with pytest.raises(Exception, match="opsconsole limits set sites"):
        engine.do(wanted)


def test_after_resuming_everything_the_answer_names_what_still_holds(engine: Engine) -> None:
    engine.pause(EVERYTHING)
    engine.do(SetSwitch(dimension="workflow", names=("xml-import",), on=False))
    engine.pause(on(site="s1"), by="ben")

    receipt = engine.resume(EVERYTHING)

    assert [str(hold["source"]) for hold in receipt.remaining_holds] == ["workflow", "operator"]


def test_an_answer_lists_two_hundred_remaining_holds_and_counts_the_rest(engine: Engine) -> None:
    engine.pause(*(on(site=f"x{number}") for number in range(REMAINING_SHOWN + 7)), create=True)

    receipt = engine.stop("S-1")

    assert len(receipt.remaining_holds) == REMAINING_SHOWN
    assert said(receipt) == "8 more holds remain than are listed"  # the stop's own among them


def test_a_bulk_command_on_thousands_of_names_stays_quick_to_answer(engine: Engine) -> None:
    sites = tuple(on(site=f"x{number}") for number in range(2_000))
    engine.pause(*sites, create=True)

    receipt = engine.resume(*sites)  # with a comparison of each with each, this would take minutes

    assert len(receipt.hold_ids) == 2_000
    assert receipt.remaining_holds == ()


# --------------------------------------------------------------------------------------------------------- automation


def test_automation_releases_only_its_own(engine: Engine) -> None:
    engine.pause(on(site="s1"))
    mine = by_automation(engine, "alert", "disk-full")
    other_cause = by_automation(engine, "alert", "cpu-hot")
    other_source = by_automation(engine, "signal", "disk-full")

    wanted = ReleaseHolds(selectors=(on(site="s1"),), reason="resolved", source="alert", owner="disk-full")
    receipt = engine.do(wanted, by="watcher", kind="automation")

    assert receipt.hold_ids == (mine,)
    assert {other_cause, other_source} < set(engine.state.holds)
    assert not engine.runs(site="s1")


@pytest.mark.parametrize("kind", ["automation", "system"])
def test_no_program_releases_what_a_person_paused_even_by_name_or_by_force(engine: Engine, kind: Kind) -> None:
    theirs = engine.pause(on(site="s1"), by="ana").hold_ids[0]
    wanted = ReleaseHolds(selectors=(on(site="s1"),), reason="x", source="operator", owner="ana", force=True)

    assert not engine.do(wanted, by="ana", kind=kind).changed
    assert engine.refused(wanted.model_copy(update={"hold_id": theirs}), kind=kind) == "not-its-own"
    assert not engine.runs(site="s1")


@pytest.mark.parametrize("source", SOURCES)
def test_a_person_places_operator_holds_and_automation_its_own(engine: Engine, source: Source) -> None:
    wanted = PlaceHold(selectors=(EVERYTHING,), source=source, owner="cause")

    if source != "operator":
        assert engine.refused(wanted, kind="person") == "source-not-yours"
    if source not in AUTOMATIC_SOURCES:
        assert engine.refused(wanted, kind="automation") == "source-not-yours"
    if source == "emergency":
        assert engine.refused(wanted, kind="system") == "source-not-yours"


def test_a_persons_hold_is_their_own_whatever_owner_the_command_names(engine: Engine) -> None:
    engine.do(PlaceHold(selectors=(on(site="s1"),), owner="somebody-else"), by="ana")

    assert engine.holds() == {("site=s1", "operator", "ana", "drain")}


# ------------------------------------------------------------------------------------------------------------- expiry


def test_a_hold_ends_by_the_keepers_clock_and_not_before(engine: Engine) -> None:
    engine.keeper_starts()
    engine.pause(on(site="s1"), for_s=60)

    engine.wait(59.9)
    assert not engine.sweep().changed
    engine.wait(0.1)
    assert engine.kinds(engine.sweep()) == ["hold.expired"]
    assert engine.runs(site="s1")


def test_a_clock_that_goes_back_releases_nothing_early(engine: Engine) -> None:
    engine.keeper_starts()
    engine.pause(on(site="s1"), for_s=60)

    engine.wait(-3600)

    assert not engine.sweep().changed
    assert not engine.runs(site="s1")


def test_an_end_that_fell_due_while_no_keeper_ran_is_shown_and_not_done(engine: Engine) -> None:
    hold_id = engine.pause(on(site="s1"), for_s=60).hold_ids[0]
    engine.wait(61)
    engine.keeper_starts()

    assert engine.kinds(engine.sweep()) == ["hold.expiry-missed"]
    assert engine.hold(hold_id).overdue
    assert not engine.runs(site="s1")
    assert not engine.sweep().changed  # it is said once

    engine.resume(on(site="s1"))
    assert engine.runs(site="s1")


def test_an_alert_of_which_nothing_was_heard_for_too_long_is_shown_and_keeps_its_hold(engine: Engine) -> None:
    engine.keeper_starts()
    hold_id = by_automation(engine, "alert", "disk-full", for_s=60)

    engine.wait(61)

    assert engine.kinds(engine.sweep()) == ["hold.expiry-missed"]
    assert engine.hold(hold_id).overdue
    assert not engine.runs(site="s1")


def test_without_a_known_start_of_the_keeper_nothing_counts_as_watched(engine: Engine) -> None:
    engine.pause(on(site="s1"), for_s=60)
    engine.wait(60.5)

    assert engine.kinds(engine.sweep()) == ["hold.expiry-missed"]


def test_a_missed_end_that_a_person_moves_is_watched_again(engine: Engine) -> None:
    hold_id = engine.pause(on(site="s1"), for_s=60).hold_ids[0]
    engine.wait(61)
    engine.keeper_starts()
    engine.sweep()

    engine.pause(on(site="s1"), for_s=60)
    assert not engine.hold(hold_id).overdue
    engine.wait(60)
    assert engine.kinds(engine.sweep()) == ["hold.expired"]


def test_holds_expire_in_the_order_in_which_they_fell_due(engine: Engine) -> None:
    engine.keeper_starts()
    late = engine.pause(on(site="s1"), for_s=120).hold_ids[0]
    soon = engine.pause(on(site="s2"), for_s=60).hold_ids[0]
    engine.wait(120)

    assert engine.sweep().hold_ids == (soon, late)


@pytest.mark.parametrize("kind", ["person", "automation"])
def test_nobody_but_the_keeper_decides_that_a_hold_has_expired(engine: Engine, kind: Kind) -> None:
    engine.pause(on(site="s1"), for_s=60)
    engine.wait(61)

    assert engine.refused(ExpireHolds(), kind=kind) == "system-only"


# -------------------------------------------------------------------------------------------------------------- ramps


def share(hold: Hold, keys: range = range(4_000)) -> set[int]:
    return {key for key in keys if admitted(hold, {}, f"job-{key}")}


def test_a_ramp_admits_about_its_share_and_raising_it_only_ever_adds_work() -> None:
    shares = [share(Hold("H-1", EVERYTHING, "operator", "ana", admit=admit)) for admit in (0.0, 0.05, 0.25, 0.9, 1.0)]

    assert shares[0] == set()
    assert len(shares[-1]) == 4_000
    for smaller, larger in pairwise(shares):
        assert smaller < larger
    assert 0.03 < len(shares[1]) / 4_000 < 0.07
    assert 0.22 < len(shares[2]) / 4_000 < 0.28


def test_every_gate_admits_the_same_work_for_ever() -> None:
    half = Hold("H-1", EVERYTHING, "operator", "ana", admit=0.5)

    assert sorted(share(half, range(12))) == [1, 2, 10]  # the hash of a key is part of the interface


def test_work_without_a_key_goes_by_its_dimensions_under_either_name_of_its_flag() -> None:
    half = Hold("H-1", EVERYTHING, "operator", "ana", admit=0.5)

    for number in range(200):
        work = {"site": f"s{number}", "operation": "site_creation"}
        turned = {"operation": "enableSiteCreation", "campaign": None, "site": f"s{number}"}
        assert admitted(half, work, None) is admitted(half, turned, None)


@given(st.floats(0, 1), st.floats(0, 1), st.text())
def test_whatever_a_lower_share_admits_a_higher_one_admits(one: float, other: float, key: str) -> None:
    low, high = sorted([one, other])

    if admitted(Hold("H-1", EVERYTHING, "operator", "ana", admit=low), {}, key):
        assert admitted(Hold("H-1", EVERYTHING, "operator", "ana", admit=high), {}, key)


@given(st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=365_000)))
def test_any_end_in_the_future_is_kept_to_the_microsecond(left: timedelta) -> None:
    engine = Engine()
    expires_at = engine.now + left

    receipt = engine.do(PlaceHold(selectors=(EVERYTHING,), expires_at=expires_at))

    assert engine.hold(receipt.hold_ids[0]).expires_at == expires_at
