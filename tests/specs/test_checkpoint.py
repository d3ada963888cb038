"""A checkpoint is the state as text: equal states are equal text, and a damaged one is never taken for a state."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from core import checkpoint
from core.ack_times import AckTimes
from core.capabilities.emergencies import ConcludeStop
from core.engine import fold
from core.state import Emergency, State, flag_name
from tests.specs.engine import BEGINNING, Engine, on
from tests.specs.test_journal import STORY


def test_at_every_point_of_a_story_the_checkpoint_is_the_state() -> None:
    state = State()
    for recorded in STORY.journal:
        state = fold(state, [recorded])
        assert checkpoint.load(checkpoint.dump(state)) == state


def test_a_fold_that_goes_on_from_a_checkpoint_ends_where_the_whole_fold_ends() -> None:
    for middle in range(0, len(STORY.journal), 7):
        stored = checkpoint.load(checkpoint.dump(fold(State(), STORY.journal[:middle])))
        assert stored is not None
        assert fold(stored, STORY.journal[middle:]) == STORY.state


def test_equal_states_are_equal_text_however_they_came_about() -> None:
    one, other = Engine(), Engine()
    one.pause(on(site="s1"), on(site="s2"))
    other.pause(on(site="s1"), on(site="s2"))

    assert checkpoint.dump(one.state) == checkpoint.dump(other.state)
    assert checkpoint.digest(checkpoint.dump(one.state)) == checkpoint.digest(checkpoint.dump(other.state))


def test_holds_of_one_selector_keep_their_order_though_the_clock_went_back_between_them() -> None:
    engine = Engine()
    for person in ("ana", "ben", "cleo"):
        engine.pause(on(site="s1"), by=person)
        engine.wait(-60)

    loaded = checkpoint.load(checkpoint.dump(engine.state))

    assert loaded is not None
    assert [hold.owner for hold in loaded.holds_on(on(site="s1"))] == ["ana", "ben", "cleo"]


@pytest.mark.parametrize(("written_in", "fields_of_a_stop"), [(1, 12), (2, 12), (3, 13)])
def test_a_checkpoint_of_an_older_format_is_read(written_in: int, fields_of_a_stop: int) -> None:
    """What it lacks is taken for what it was before there was such a thing."""
    engine = Engine()
    engine.workers("w1")
    engine.stop("S-1")
    document = json.loads(checkpoint.dump(engine.state)) | {"format": written_in}
    document["stops"] = [row[:fields_of_a_stop] for row in document["stops"]]
    document["emergencies"] = [row[:11] for row in document["emergencies"]]
    for since in ("services", "procedures", "triggers", "trigger_share", *(["tokens"] if written_in == 1 else [])):
        del document[since]

    assert document["stops"]
    assert checkpoint.load(json.dumps(document)) == engine.state


def test_a_damaged_row_of_an_older_format_is_refused() -> None:
    document = json.loads(TEXT) | {"format": 3}
    document["stops"] = [row[:5] for row in document["stops"]]

    with pytest.raises(ValueError, match="not a row of a Stop"):
        checkpoint.load(json.dumps(document))


def test_a_checkpoint_carries_how_long_the_workers_of_a_stop_took() -> None:
    engine = Engine()
    engine.workers("w1", "w2", "w3")
    engine.stop("S-1")
    engine.do(
        ConcludeStop(stop_id="S-1", acked=("w1", "w2", "w3"), times=AckTimes(3, 0.25, 1.5, 1.5, "w3")),
        by="keeper",
        kind="system",
    )

    loaded = checkpoint.load(checkpoint.dump(engine.state))

    assert loaded == engine.state
    assert loaded is not None
    assert loaded.stops["S-1"].ack_times == AckTimes(3, 0.25, 1.5, 1.5, "w3")


def test_a_checkpoint_of_another_format_is_passed_over() -> None:
    document = json.loads(checkpoint.dump(STORY.state)) | {"format": checkpoint.FORMAT + 1}

    assert checkpoint.load(json.dumps(document)) is None


TEXT = checkpoint.dump(STORY.state)


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
def test_any_changed_character_changes_the_digest(at: int, other: str) -> None:
    changed = TEXT[:at] + other + TEXT[at + 1 :]

    assert (checkpoint.digest(changed) == checkpoint.digest(TEXT)) is (changed == TEXT)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format":1}', TEXT[:-5]], ids=range(5))
def test_what_is_no_checkpoint_is_refused_by_one_of_three_errors(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        checkpoint.load(text)


@pytest.mark.parametrize(
    ("whole", "damaged"),
    [
        ('"holds":[', '"holds":[{},'),
        ('"names":[', '"names":[["too","few"],'),
        ('"names":[', '"names":["textxx",'),
        ('"limits":[', '"limits":["text",'),
        ('"workers":[', '"workers":[5,'),
        ('"stops":[', '"stops":null,"more":['),
        ("T12:", " noon"),
    ],
)
def test_a_damaged_checkpoint_is_refused_by_one_of_three_errors(whole: str, damaged: str) -> None:
    assert whole in TEXT

    with pytest.raises((ValueError, KeyError, TypeError)):
        checkpoint.load(TEXT.replace(whole, damaged, 1))


def test_an_ended_emergency_is_kept_with_who_ended_it() -> None:
    ended = Emergency(
        emergency_id="E-1",
        level="immediate",
        selectors=(on(), on(site="s1")),
        stop_ids=(),
        opened_at=BEGINNING,
        opened_by="ana",
        reason="é ☃",
        correlation_id="c1",
        status="ended",
        ended_at=BEGINNING + timedelta(microseconds=1),
        ended_by="ben",
    )
    state = State(emergencies=Map({"E-1": ended}))

    assert checkpoint.load(checkpoint.dump(state)) == state


def test_a_flag_is_shown_under_the_name_that_people_know() -> None:
    assert flag_name("site_creation") == "enableSiteCreation"
    assert flag_name("payout") == "payout"
