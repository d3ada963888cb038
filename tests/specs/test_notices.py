"""What people are told of what happens: which events, in which words, together and not again and again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.capabilities.emergencies import ConcludeStop, OrderStop
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import AddName
from core.capabilities.ownership import AcknowledgeEmergency
from core.capabilities.rate_limits import SetLimit
from core.capabilities.switches import SetSwitch
from core.capabilities.triggers import AddTrigger
from core.messages import Command, Recorded
from core.notices import MAY_WAIT, TOPICS, Notice, kinds_under, notice_of
from core.telling import BURST, Ledger, Patience, Said, again, overdue, settle, unheard
from opsgate.selector import EVERYTHING
from tests.specs.engine import BEGINNING, Engine, Kind, on

PATIENCE = Patience(escalate_s=300, repeat_s=3600, quiet_s=600)


class Told:
    """A fleet, and the notices of what is done to it."""

    def __init__(self) -> None:
        self.engine = Engine()
        self._seen = len(self.engine.journal)

    def do(self, command: Command, *, by: str = "ana", kind: Kind = "person") -> list[Notice]:
        self.engine.do(command, by=by, kind=kind)
        return self.news()

    def news(self) -> list[Notice]:
        events, self._seen = self.engine.journal[self._seen :], len(self.engine.journal)
        made = [notice_of(each, self.engine.state, self.find) for each in events]
        return [notice for notice in made if notice is not None]

    def again(self) -> list[Notice]:
        """All of it anew, as whoever was away for long is told."""
        self._seen = 0
        return self.news()

    def find(self, revision: int) -> Recorded | None:
        return next((each for each in self.engine.journal if each.revision == revision), None)


@pytest.fixture
def told() -> Told:
    return Told()


def titles(notices: list[Notice]) -> list[str]:
    return [notice.title for notice in notices]


# --------------------------------------------------------------------------------------------- which events, in words
def test_a_global_pause_is_told_and_so_is_its_end(told: Told) -> None:
    (paused,) = told.do(PlaceHold(selectors=(EVERYTHING,), reason="wrong prices"))
    (resumed,) = told.do(ReleaseHolds(selectors=(EVERYTHING,), reason="repaired"))

    assert (paused.title, paused.severity, paused.key) == ("everything is PAUSED (drain)", "warning", "pause/all")
    assert paused.body == "wrong prices\nby ana (test) at 2026-03-01T12:00:00Z"
    assert (resumed.title, resumed.severity, resumed.key) == ("everything is not paused any more", "info", "pause/all")


def test_a_flag_is_told_by_its_own_name(told: Told) -> None:
    (off,) = told.do(SetSwitch(dimension="operation", names=("enableABTesting",), on=False, reason="odd results"))
    (back,) = told.do(SetSwitch(dimension="operation", names=("ab_testing",), on=True))

    assert (off.title, off.key) == ("flag enableABTesting is off", "flag/enableABTesting")
    assert (back.title, back.key) == ("flag enableABTesting is on again", "flag/enableABTesting")


def test_a_limit_that_changes_is_told_and_one_that_is_used_up_is_not(told: Told) -> None:
    (changed,) = told.do(SetLimit(name="sites", limit=3))

    assert changed.title == "limit sites is 3 in 3600 s now"


def test_what_concerns_one_site_alone_is_told_to_nobody(told: Told) -> None:
    assert told.do(PlaceHold(selectors=(on(site="s1"),))) == []
    assert told.do(AddName(dimension="site", name="s9")) == []


def test_an_emergency_is_told_from_its_beginning_to_its_end(told: Told) -> None:
    told.engine.workers("w1", "w2")
    told.engine.stop("S-1", reason="it deletes everything")
    (opened,) = told.news()
    told.engine.now += timedelta(seconds=10)
    (partial,) = told.do(ConcludeStop(stop_id="S-1", acked=("w1",)), by="keeper", kind="system")
    (late,) = told.do(ConcludeStop(stop_id="S-1", acked=("w1", "w2")), by="keeper", kind="system")
    told.engine.recover(told.engine.state.stops["S-1"].emergency_id)
    (ended,) = told.news()

    assert opened.title.endswith(": immediate stop of everything")
    assert (opened.severity, opened.body.split("\n")[0]) == ("critical", "it deletes everything")
    assert (partial.title, partial.severity) == ("stop S-1 is PARTIAL: look at what is missing", "critical")
    assert "1 of 2 have stopped; MISSING: w2" in partial.body
    assert (late.title, late.severity) == ("stop S-1 is verified", "success")
    assert (ended.topic, ended.severity) == ("recovery", "success")
    assert len({opened.about, partial.about, late.about, ended.about}) == 1
    assert all(notice.urgent for notice in (opened, partial, late, ended))


def test_a_reason_forges_no_line_and_moves_no_cursor(told: Told) -> None:
    (paused,) = told.do(PlaceHold(selectors=(EVERYTHING,), reason="x\x1b[2J\r\u202egnp {0.__class__} %s"))

    assert paused.body.startswith("x [2J  gnp {0.__class__} %s\n")


def test_what_a_trigger_fired_is_also_told_to_the_channels_that_it_names(told: Told) -> None:
    told.do(AddTrigger(name="button", trigger_type="manual_trigger", notification_channels=("pager",)))

    told.do(OrderStop(stop_id="S-1", selectors=(EVERYTHING,), trigger="button", cause="pressed"), kind="automation")
    told.engine.stop("S-2")
    opened = [notice for notice in told.again() if notice.title.startswith("EMERGENCY")]

    assert [notice.channels for notice in opened] == [("pager",)]
    assert opened[0].body.startswith("fired by trigger button: pressed")


# --------------------------------------------------------------------------------------------- together and quietly
def notice(about: str, *, revision: int = 1, urgent: bool = False, after_s: float = 0) -> Notice:
    at = BEGINNING + timedelta(seconds=after_s)
    return Notice("emergency" if urgent else "flag", about, f"{about} {revision}", "body", "warning", at, revision)


def said(notices: list[Notice], ledger: Ledger, after_s: float = 0.0) -> tuple[list[Notice], dict[str, Said]]:
    return settle(notices, ledger, BEGINNING + timedelta(seconds=after_s), PATIENCE)


def test_what_happens_to_one_thing_in_a_burst_is_one_message(told: Told) -> None:
    (message,), _ = said([notice("E-1", revision=n, urgent=True) for n in (1, 2, 3)], {})

    assert message.title == "E-1 3"
    assert message.body.split("\n") == ["body", "before that:", *[f"2026-03-01T12:00:00Z E-1 {n}" for n in (1, 2)]]


def test_what_is_over_by_now_does_not_hide_how_it_began(told: Told) -> None:
    told.engine.stop("S-1")  # with nobody to wait for it is verified at once
    ((opened, verified), later) = told.news(), replace(notice("f1", revision=9), severity="info")

    (emergency,), _ = said([opened, verified], {})
    (flag,), _ = said([notice("f1"), later], {})

    assert emergency.severity == "critical"
    assert emergency.title == f"{opened.title}; now: stop S-1 is verified"
    assert (flag.title, flag.severity) == ("f1 9", "info")


def test_of_many_changes_at_once_one_message_tells_all_and_emergencies_stay_apart() -> None:
    flags = [notice(f"f{n}", revision=n) for n in range(1, BURST + 2)]

    messages, ledger = said([notice("E-1", revision=0, urgent=True), *flags], {})

    assert titles(messages) == ["E-1 0", f"{BURST + 1} changes"]
    assert messages[1].body.split("\n")[0] == "f1 1"
    assert len(ledger) == BURST + 2


def test_what_was_just_told_is_held_back_and_counted_until_it_is_due() -> None:
    _, ledger = said([notice("f1", revision=1)], {})
    none, ledger = said([notice("f1", revision=2)], ledger, 10)
    still_none, ledger = said([notice("f1", revision=3)], ledger, 20)

    assert (none, still_none) == ([], [])
    assert overdue(ledger, BEGINNING + timedelta(seconds=599), PATIENCE) == {}
    ((key, held),) = overdue(ledger, BEGINNING + timedelta(seconds=600), PATIENCE).items()
    assert (key, held.revision) == ("flag/f1", 3)
    assert again(notice("f1", revision=3), held).body.endswith("2 changes since 2026-03-01T12:00:00Z")


def test_an_emergency_is_never_held_back() -> None:
    _, ledger = said([notice("E-1", revision=1, urgent=True)], {})

    assert titles(said([notice("E-1", revision=2, urgent=True)], ledger, 1)[0]) == ["E-1 2"]


# ------------------------------------------------------------------------------------------------------- escalation
def test_an_emergency_that_nobody_acknowledges_is_told_again_and_again_until_somebody_does(told: Told) -> None:
    told.engine.stop("S-1")
    ledger: Ledger = {}

    def escalated(after_s: float) -> list[Notice]:
        nonlocal ledger
        at = BEGINNING + timedelta(seconds=after_s)
        found = unheard(told.engine.state, ledger, at, PATIENCE)
        ledger = settle(found, ledger, at, PATIENCE)[1]
        return found

    assert escalated(299) == []
    (first,) = escalated(300)
    assert first.title.startswith("NOBODY has acknowledged E-")
    assert (first.severity, first.topic) == ("critical", "attention")
    assert escalated(3899) == []
    assert len(escalated(3900)) == 1
    told.do(AcknowledgeEmergency(emergency_id=told.engine.state.stops["S-1"].emergency_id))
    assert escalated(9000) == []


def test_what_a_channel_wants_to_know_names_the_events_to_read_for_it() -> None:
    assert kinds_under(["limit"]) == {"limit.defined", "limit.changed", "limit.reset"}
    assert "stop.concluded" in kinds_under(["attention"]) & kinds_under(["emergency"])
    assert "name.added" not in kinds_under(TOPICS)


def test_what_is_said_under_no_topic_but_those_that_may_wait_is_never_urgent(told: Told) -> None:
    (stopped,) = told.do(SetLimit(name="sites", limit=0))

    assert kinds_under(MAY_WAIT) - kinds_under(set(TOPICS) - MAY_WAIT) == kinds_under(["limit"])
    assert not stopped.urgent
