"""The journal: whatever is changed, cut out or slipped in is found, and every event is read back as it happened."""

import itertools
import json
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audit import GENESIS, Row, event_of, row_of, seal, verify
from core.capabilities.configuration import ApplyConfiguration, Configuration
from core.capabilities.emergencies import OrderStop
from core.capabilities.erasure import RecordErasure
from core.capabilities.explaining import ExplainStop
from core.capabilities.firing import ClearTrigger, FireTrigger
from core.capabilities.holds import PlaceHold
from core.capabilities.names import AddName, RemoveName
from core.capabilities.ownership import OwnEmergency
from core.capabilities.procedures import RemoveProcedure, SetProcedure
from core.capabilities.rate_limits import AddLimit, ResetLimit, SetLimit
from core.capabilities.recovery import AbortRecovery, ContinueRecovery, HoldRecovery, RollBackRecovery
from core.capabilities.restoring import Seen
from core.capabilities.services import RemoveService
from core.capabilities.switches import SetSwitch
from core.capabilities.tokens import CreateToken, RevokeToken
from core.capabilities.triggers import AddTrigger, BoundTriggers, RemoveTrigger, SetTrigger
from core.capabilities.workers import ForgetWorkers, ReportWorkers
from core.engine import fold, refusal, step
from core.errors import CommandRejected, UnknownName
from core.messages import COMMANDS, EVENTS, Actor, Envelope, Recorded
from core.procedures import Procedure
from core.services import Standing
from core.state import State
from core.triggers.sample import Input
from core.upcast import ADDED, downcast, upcast
from tests.specs.engine import BEGINNING, Engine, on


def incident() -> Engine:
    """A story in which everything that can happen happens."""
    engine = Engine()
    engine.keeper_starts()
    engine.do(ReportWorkers(heard=("w1", "w2", "w3")), by="keeper", kind="system")
    engine.workers("w1", "w2")
    engine.do(AddName(dimension="site", name="s3"))
    engine.do(AddName(dimension="site", name="s3", title="Drei ☃ 😀"))
    engine.do(RemoveName(dimension="site", name="s3"))
    engine.pause(on(site="s1"), for_s=60, reason="\x00 \x1b[2J 'quoted' \"twice\" é")
    engine.pause(on(site="s1"), mode="halt")
    engine.resume(on(site="s1"))
    engine.pause(on(site="s2"), for_s=60)
    engine.wait(61)
    engine.sweep()
    engine.pause(on(site="s2"), for_s=60)
    engine.wait(61)
    engine.keeper_starts()
    engine.sweep()
    engine.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False))
    engine.do(AddLimit(name="tests", limit=5, operation="ab_testing"))
    engine.do(SetLimit(name="tests", limit=0))
    engine.do(ResetLimit(name="tests"))
    engine.do(ApplyConfiguration(configuration=Configuration.model_validate({"sites": {"s4": {}}})))
    engine.do(PlaceHold(selectors=(on(dependency="stripe"),), source="breaker", create=True), kind="automation")
    engine.stop("S-1", on(site="s1"), level="graceful")
    engine.do(ExplainStop(stop_id="S-1", reason="because"))
    engine.wait(60)
    engine.count("S-1", "w1")
    joined = engine.stop("S-2", reason="all of it")
    engine.wait(5)
    engine.count("S-1", "w1")
    engine.count("S-2", "w1")
    engine.do(ReportWorkers(lost=("w1", "w2")), by="keeper", kind="system")
    engine.do(ReportWorkers(heard=("w1",), left=("w3",)), by="keeper", kind="system")
    engine.live = ()
    engine.do(ForgetWorkers(workers=("w2",)))
    engine.recover(str(joined.emergency_id))
    engine.no(AddLimit(name="tests", limit=6))
    made = CreateToken(token_id="t-0123456789ab", name="ben", digest="ab" * 32, role="operator", sites=("s1",))
    engine.do(made)
    engine.do(RevokeToken(token_id=made.token_id, reason="lost with the laptop"))
    _services_stop_and_come_back(engine)
    _triggers_at_work(engine)
    return engine


def _services_stop_and_come_back(engine: Engine) -> None:
    engine.do(SetProcedure(procedure=Procedure(name="quick", settle_s=0.0)))
    engine.service("db", title="Rows", account="a1", labels={"site": "s1"}, config={"argv": ["db", 1]}, criticality=4)
    engine.service("web", "db", health={"kind": "tcp", "port": 1})
    engine.service("web", "db", host="h1")
    engine.service("old")
    engine.do(RemoveService(name="old"))
    opened = str(engine.stop("S-3", on(service="web"), on(service="db"), level="graceful").emergency_id)
    fired = OrderStop(
        stop_id="S-3", selectors=(on(service="web"),), trigger="T-1", cause="12 < 30", account="a1", auto_recover=True
    )
    engine.do(fired, by="trigger:T-1", kind="automation")
    engine.do(OwnEmergency(emergency_id=opened))
    for name in ("web", "db"):
        engine.report(name, None, action="save-state", stop_id="S-3", saved=f"/saved/{name}", took_s=0.5)
        engine.report(name, "stopped", action="stop", stop_id="S-3", took_s=1.25)
    confirm = "service=web or service=db"
    for turned in (AbortRecovery(emergency_id=opened, reason="wait"), RollBackRecovery(emergency_id=opened)):
        engine.recover(opened, confirm, procedure="quick")
        engine.do(turned)
    engine.recover(opened, confirm, procedure="quick")
    engine.advance(opened, Seen(name="dependencies", verdict="waiting", detail="db is away"), step_s=2.0)
    engine.do(HoldRecovery(emergency_id=opened))
    engine.do(ContinueRecovery(emergency_id=opened))
    engine.advance(opened, GOOD)
    _seen(engine, opened, "stopped")
    engine.report("db", "failed", action="start", outcome="failed", recovery_id=engine.recovery(opened).recovery_id)
    engine.advance(opened, Seen(name="start", verdict="bad", detail="db exited with 1"))
    engine.advance(opened, given_up=True)
    _seen(engine, opened, "stopped")
    engine.recover(opened, confirm, procedure="quick")
    engine.advance(opened, GOOD)
    _seen(engine, opened, "stopped")
    engine.report("db", "running", action="start", recovery_id=engine.recovery(opened).recovery_id)
    while engine.state.emergencies[opened].status == "active":
        _seen(engine, opened, "running")
    engine.do(RemoveProcedure(name="quick"))


GOOD = Seen(name="dependencies", verdict="good")


def _seen(engine: Engine, emergency_id: str, standing: Standing) -> None:
    recovery = engine.recovery(emergency_id)
    for name in ("db", "web"):
        engine.report(name, standing, recovery_id=recovery.recovery_id)
    if recovery.is_active:
        engine.advance(emergency_id)


def _triggers_at_work(engine: Engine) -> None:
    """One that is configured, crosses, stops, crosses again for nothing, and comes back."""
    health = AddTrigger(
        name="health",
        trigger_type="health_score_critical",
        thresholds={"healthScore": 30},
        scope=(on(site="s1"),),
        description="\x00 \x1b[2J é",
    )
    engine.do(health)
    engine.do(health.model_copy(update={"priority": 3}))
    engine.do(BoundTriggers(share=0.5))
    read = Input(metric="healthScore", value=12.5, at=engine.now, account="a1", source="monitor")
    for stop_id in ("S-8", "S-9"):
        seen = FireTrigger(trigger="health", stop_id=stop_id, value="healthScore 12.5", samples=1, inputs=(read,))
        engine.do(seen, by="trigger:health", kind="system")
    engine.do(ClearTrigger(trigger="health", value="healthScore 40"), by="trigger:health", kind="system")
    engine.do(SetTrigger(trigger="health", active=False))
    engine.do(AddTrigger(name="button", trigger_type="manual_trigger"))
    engine.do(RemoveTrigger(trigger="button"))
    engine.do(RecordErasure(events=4, reason="was asked to"))


def sealed(events: list[Recorded]) -> tuple[Row, ...]:
    return seal(events, GENESIS, (secrets.token_hex(16) for _ in events))


STORY = incident()
ROWS = sealed(STORY.journal)
FIELDS = list(Row.__dataclass_fields__)


def test_the_story_tells_every_kind_of_event_there_is() -> None:
    assert {row.kind for row in ROWS} == set(EVENTS)


# ---------------------------------------------------------------------------------------------------------- reading


def test_every_event_is_read_back_as_it_happened() -> None:
    assert [event_of(row) for row in ROWS] == STORY.journal


def test_the_fold_of_what_was_read_back_is_the_state() -> None:
    assert fold(State(), map(event_of, ROWS)) == STORY.state


def test_the_state_at_any_time_is_the_fold_up_to_there() -> None:
    for end in range(0, len(ROWS), 5):
        state = fold(State(), map(event_of, ROWS[:end]))
        assert state.revision == end


def test_events_are_folded_in_order_and_none_twice() -> None:
    with pytest.raises(AssertionError, match="in order"):
        fold(State(), STORY.journal[1:])
    with pytest.raises(AssertionError, match="in order"):
        fold(fold(State(), STORY.journal[:3]), STORY.journal[2:])


def test_who_did_it_by_which_door_and_in_which_cause_is_said_of_every_event() -> None:
    for recorded in STORY.journal:
        header = recorded.header
        assert header.actor.name
        assert header.door == "test"
        assert header.command_id
        assert header.correlation_id
        assert recorded.revision == header.revision


def test_events_of_one_cause_carry_its_id_or_else_that_of_the_command() -> None:
    for correlation_id, expected in (("incident-7", "incident-7"), (None, "c1")):
        envelope = Envelope(
            command_id="c1",
            actor=Actor(name="ana"),
            door="cli",
            command=PlaceHold(selectors=(on(site="s1"), on(site="s2"))),
            correlation_id=correlation_id,
        )
        outcome = step(Engine().state, envelope, BEGINNING)

        assert {recorded.header.correlation_id for recorded in outcome.events} == {expected}
        assert {hold.correlation_id for hold in outcome.state.holds.values()} == {expected}


def test_all_that_is_personal_is_in_the_body_and_none_of_it_beside() -> None:
    engine = Engine()
    engine.pause(on(site="s1"), by="person-of-interest", reason="a private reason")
    row = sealed(engine.journal)[-1]

    assert "person-of-interest" in row.body
    assert "a private reason" in row.body
    beside = replace(row, body="")
    assert "person-of-interest" not in str(beside)
    assert "private" not in str(beside)


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "hold.invented"},
        {"version": 99},
        {"body": "{}"},
        {"body": "not json"},
        {"body": "[]"},
        {"body": ""},
        {"at": "noon"},
        {"body": '{"actor":{"name":"","kind":"person"},"door":"test","data":{}}'},
    ],
)
def test_a_row_that_is_no_event_of_ours_is_a_value_error(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        event_of(replace(ROWS[-1], **damage))  # type: ignore[arg-type] # any field, any value


# -------------------------------------------------------------------------------------------------------- the chain


def test_an_untouched_journal_verifies_up_to_its_end() -> None:
    assert verify(ROWS) == (None, len(ROWS), ROWS[-1].chain)


def test_a_part_verifies_from_the_anchor_that_was_left_where_the_rest_was_dropped() -> None:
    assert verify(ROWS[10:], after_revision=10, chain=ROWS[9].chain) == (None, len(ROWS), ROWS[-1].chain)
    fault, _, _ = verify(ROWS[10:], after_revision=10, chain=ROWS[8].chain)
    assert fault is not None


@given(st.integers(0, len(ROWS) - 1), st.sampled_from(FIELDS), st.data())
def test_whichever_character_of_whichever_field_is_changed_the_fault_is_found_there(
    at: int, name: str, data: st.DataObject
) -> None:
    row = ROWS[at]
    value = getattr(row, name)
    if isinstance(value, int):
        changed: object = value + data.draw(st.integers(-3, 3).filter(bool))
    else:
        place = data.draw(st.integers(0, len(value) - 1))
        other = data.draw(st.characters(exclude_categories=()).filter(lambda c: c != value[place]))
        changed = value[:place] + other + value[place + 1 :]
    forged = [*ROWS[:at], replace(row, **{name: changed}), *ROWS[at + 1 :]]  # type: ignore[arg-type] # any field

    fault, verified, _ = verify(forged)

    assert fault is not None
    assert verified in {at - 1, at, at + 1}  # a changed number or chain may first show in the next row


@given(st.integers(0, len(ROWS) - 2))
def test_an_event_that_was_cut_out_is_missed(at: int) -> None:
    fault, verified, _ = verify([*ROWS[:at], *ROWS[at + 1 :]])

    assert fault is not None
    assert (fault.revision, verified) == (at + 1, at)
    assert fault.what == f"event {at + 1} is missing"


def test_an_end_that_was_cut_off_shows_in_how_far_it_verifies() -> None:
    assert verify(ROWS[:-3]) == (None, len(ROWS) - 3, ROWS[-4].chain)


@given(st.integers(0, len(ROWS) - 1), st.integers(0, len(ROWS) - 1))
def test_two_events_that_were_swapped_are_found(one: int, other: int) -> None:
    rows = list(ROWS)
    rows[one], rows[other] = rows[other], rows[one]

    assert (verify(rows)[0] is None) is (one == other)


@given(st.integers(0, len(ROWS) - 2), st.integers(0, len(ROWS) - 2))
def test_two_bodies_that_were_swapped_under_their_headers_are_found(one: int, other: int) -> None:
    rows = list(ROWS)
    rows[one] = replace(ROWS[one], salt=ROWS[other].salt, body=ROWS[other].body)

    assert (verify(rows)[0] is None) is (one == other)


def test_an_event_that_was_slipped_in_and_sealed_by_our_own_rules_is_found() -> None:
    forged = row_of(replace(STORY.journal[5], header=replace(STORY.journal[5].header)), ROWS[4].chain, "00" * 16)

    assert verify([*ROWS[:5], forged, *ROWS[6:]])[0] is not None


def test_nothing_can_be_moved_between_the_salt_and_the_body() -> None:
    row = ROWS[7]
    moved = replace(row, salt=row.salt[:-2], body=bytes.fromhex(row.salt[-2:]).decode("latin-1") + row.body)

    assert verify([*ROWS[:7], moved, *ROWS[8:]])[0] is not None


def test_an_erased_body_leaves_the_chain_whole_and_a_half_erased_one_does_not() -> None:
    rows = list(ROWS)
    rows[7] = replace(ROWS[7], salt="", body="")
    assert verify(rows) == (None, len(ROWS), ROWS[-1].chain)

    for half in (replace(ROWS[7], salt=""), replace(ROWS[7], body="")):
        rows[7] = half
        fault, verified, _ = verify(rows)
        assert fault is not None
        assert (fault.what, verified) == ("the body of event 8 was changed", 7)


def test_equal_events_are_sealed_differently_so_that_nobody_guesses_a_body_from_its_digest() -> None:
    one, other = (row_of(STORY.journal[0], GENESIS, salt) for salt in ("00" * 16, "01" * 16))

    assert one.body == other.body
    assert one.digest != other.digest


@pytest.mark.parametrize("salt", ["", "00", "00" * 15, "AB" * 16])
def test_a_salt_of_another_shape_is_not_used(salt: str) -> None:
    with pytest.raises(AssertionError, match="salt"):
        row_of(STORY.journal[0], GENESIS, salt)


# --------------------------------------------------------------------------------------------------------- refusals


def test_a_refusal_is_an_event_with_its_code_and_changes_nothing_else() -> None:
    engine = Engine()
    envelope = Envelope(
        command_id="c1", actor=Actor(name="ana"), door="cli", command=PlaceHold(selectors=(on(site="s9"),))
    )
    with pytest.raises(UnknownName) as refused:
        step(engine.state, envelope, BEGINNING)

    outcome = refusal(engine.state, envelope, BEGINNING, refused.value)

    assert [recorded.event.kind for recorded in outcome.events] == ["command.refused"]
    assert outcome.state == engine.state._replace(revision=engine.state.revision + 1)
    assert outcome.events[0].event.model_dump(exclude={"kind", "message"}) == {
        "command": "place-hold",
        "code": "unknown-name",
    }


def test_a_refusal_with_a_long_message_is_recorded_cut() -> None:
    engine = Engine()
    envelope = Envelope(command_id="c1", actor=Actor(name="ana"), door="cli", command=ResetLimit(name="sites"))

    outcome = refusal(engine.state, envelope, BEGINNING, CommandRejected("code", "x" * 5000))

    assert len(outcome.events[0].event.model_dump()["message"]) == 1000


# -------------------------------------------------------------------------------------------------- older versions


def test_an_event_is_read_from_and_written_in_the_oldest_shape_that_says_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EVENTS["hold.placed"], "version", 3)
    monkeypatch.setitem(ADDED, ("hold.placed", 1), {"why": ""})
    monkeypatch.setitem(ADDED, ("hold.placed", 2), {"also": [], "who": None})
    for version, data, present in (
        (1, {"id": 1}, {"id": 1, "why": "", "also": [], "who": None}),
        (2, {"id": 1, "why": "x"}, {"id": 1, "why": "x", "also": [], "who": None}),
        (3, {"id": 1, "why": "", "also": [1], "who": None}, {"id": 1, "why": "", "also": [1], "who": None}),
    ):
        assert upcast("hold.placed", version, data) == present
        assert downcast("hold.placed", 3, present) == (version, data)


def test_every_step_from_an_old_version_to_the_present_one_is_there() -> None:
    for kind, present in EVENTS.items():
        assert all((kind, version) in ADDED for version in range(1, present.version))


def test_what_a_newer_program_wrote_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"hold.placed is of version 2, this program reads up to 1"):
        upcast("hold.placed", 2, {})
    with pytest.raises(ValueError, match=r"unknown event kind 'hold.cloned': it was written by a newer version"):
        upcast("hold.cloned", 1, {})


SAMPLES = [json.loads(line) for line in (Path(__file__).parent / "samples" / "events.jsonl").read_text().splitlines()]
"""One event of each kind and version that was ever written, as it lay on disk. Lines are added and never edited."""


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample['kind']}-{sample['version']}")
def test_a_stored_event_of_any_version_is_read(sample: dict[str, Any]) -> None:
    happened = EVENTS[sample["kind"]].model_validate(
        upcast(sample["kind"], sample["version"], dict(sample["data"])), strict=False
    )

    if sample["version"] == happened.version:
        assert happened.model_dump(mode="json", exclude={"kind"}) == sample["data"]


def test_there_is_a_sample_of_every_kind_in_every_version() -> None:
    kept = {(sample["kind"], sample["version"]) for sample in SAMPLES}

    assert kept == {(kind, version) for kind, cls in EVENTS.items() for version in range(1, cls.version + 1)}


# --------------------------------------------------------------------------------------------------------- registry


def test_commands_are_imperative_events_past_and_each_kind_is_its_classs() -> None:
    assert all("." not in kind and cls.__doc__ for kind, cls in COMMANDS.items())
    assert all(kind.count(".") == 1 and cls.__doc__ for kind, cls in EVENTS.items())
    assert len(set(COMMANDS.values())) == len(COMMANDS)
    assert len(set(EVENTS.values())) == len(EVENTS)


@settings(max_examples=20)
@given(st.permutations(range(5)), st.booleans())
def test_events_of_one_command_share_its_id_and_its_moment(order: list[int], halt: bool) -> None:
    engine = Engine()
    sites = [on(site=f"x{number}") for number in order]
    engine.pause(*sites, create=True, mode="halt" if halt else "drain")

    headers = [recorded.header for recorded in engine.journal[-10:]]
    assert len({(header.command_id, header.at) for header in headers}) == 1
    assert [b.revision - a.revision for a, b in itertools.pairwise(headers)] == [1] * 9
