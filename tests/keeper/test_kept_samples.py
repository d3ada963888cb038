"""Samples that are kept: by metric, in bounds, and there again for whoever comes after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from backends.keeper import kept_samples
from backends.keeper.kept_samples import KeptSamples
from backends.keeper.room import EngineRoom
from backends.keeper.room import now as clock
from backends.observing import SHOWN_MAX
from core.capabilities.firing import FireTrigger
from core.capabilities.procedures import SetProcedure
from core.capabilities.triggers import AddTrigger
from core.errors import BackendUnavailable
from core.messages import Actor, Command, Envelope
from core.procedures import GateOn, Procedure
from core.state import State
from core.triggers.evaluator import Evaluator, Moment
from core.triggers.sample import Sample
from tests.keeper.parts import Parts
from tests.support.waiting import eventually

HEALTH = AddTrigger(
    name="health", trigger_type="health_score_critical", thresholds={"healthScore": 30}, stop_level="immediate"
)
GATED = SetProcedure(procedure=Procedure(name="gated", metrics=(GateOn(must="err_rate < 0.01"),)))


def say(parts: Parts, *commands: Command) -> None:
    for number, command in enumerate(commands):
        envelope = Envelope(command_id=f"c-{number}", actor=Actor(name="ana"), door="test", command=command)
        parts.runtime.submit(envelope)


def keeping(parts: Parts, refilled: list[Sequence[Sample]] | None = None) -> KeptSamples:
    refill = (lambda _samples: None) if refilled is None else refilled.append
    return KeptSamples(parts.runtime, parts.now, lambda: True, refill)


def samples(parts: Parts, metric: str, count: int = 1, value: float = 1.0) -> list[Sample]:
    at_s = parts.now().at.timestamp()
    return [Sample(metric, at_s + number / 1000, value) for number in range(count)]


@pytest.fixture
def parts() -> Parts:
    made = Parts()
    say(made, HEALTH, GATED)
    return made


def test_what_a_trigger_or_a_gate_looks_at_is_kept_and_nothing_else(parts: Parts) -> None:
    kept = keeping(parts)
    kept.put([*samples(parts, "healthScore"), *samples(parts, "err_rate"), *samples(parts, "weather")])
    kept.write()

    store = parts.runtime.store
    assert [len(store.samples(metric, 0.0)) for metric in ("healthScore", "err_rate", "weather")] == [1, 1, 0]
    assert (kept.wants("err_rate"), kept.wants("weather")) == (True, False)


def test_of_a_flood_every_so_manieth_is_kept(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_samples, "BATCH_MAX", 10)
    kept = keeping(parts)
    flood = samples(parts, "err_rate", 25)
    kept.put(flood)
    kept.write()

    assert parts.runtime.store.samples("err_rate", 0.0) == flood[::3]
    assert kept.unkept == 16


def test_a_database_that_is_away_gets_them_later_and_no_more_than_so_many_wait(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_samples, "WAITING_MAX", 3)
    kept = keeping(parts)

    def away(*_: object, **__: object) -> None:
        raise BackendUnavailable("database-away", "it is away")

    with monkeypatch.context() as while_away:
        while_away.setattr(parts.runtime, "put_samples", away)
        kept.put(samples(parts, "err_rate", 3))
        with pytest.raises(BackendUnavailable):
            kept.write()
        kept.put(samples(parts, "err_rate", 2))
    kept.write()

    assert len(parts.runtime.store.samples("err_rate", 0.0)) == 3
    assert kept.unkept == 2


def test_none_stays_longer_than_a_day_and_no_more_than_so_many_stay(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_samples, "KEPT_MAX", 2)
    kept, store = keeping(parts), parts.runtime.store
    for _ in range(4):
        kept.put(samples(parts, "err_rate"))
        parts.pass_(1)
    kept.write()
    kept.tidy()
    assert len(store.samples("err_rate", 0.0)) == 3
    parts.pass_(2 * 86_400)
    kept.tidy()
    assert store.samples("err_rate", 0.0) == []


def test_windows_are_refilled_with_what_is_not_too_old(parts: Parts) -> None:
    kept = keeping(parts)
    kept.put(samples(parts, "healthScore", value=5.0))
    parts.pass_(50)
    kept.put(samples(parts, "healthScore", value=10.0))
    kept.write()
    parts.pass_(30)

    refilled: list[Sequence[Sample]] = []
    keeping(parts, refilled)._remember()

    assert [sample.value for batch in refilled for sample in batch] == [10.0]


def test_whoever_crossed_and_has_not_come_back_is_remembered_however_short_the_window(parts: Parts) -> None:
    kept = keeping(parts)
    kept.put(samples(parts, "healthScore", value=5.0))
    kept.write()
    fired = FireTrigger(trigger="health", stop_id="S-1", value="healthScore 5", samples=1)
    actor = Actor(name="trigger:health", kind="system")
    parts.runtime.submit(Envelope(command_id="f", actor=actor, door="trigger", command=fired))
    parts.pass_(3600)

    refilled: list[Sequence[Sample]] = []
    keeping(parts, refilled)._remember()

    assert [sample.value for batch in refilled for sample in batch] == [5.0]


def moment(parts: Parts) -> Moment:
    instant = parts.now()
    return Moment(instant.at, instant.elapsed_s)


def test_what_has_crossed_by_what_was_kept_fires_at_the_next_sweep_unless_it_is_known_to_have(parts: Parts) -> None:
    state, now = parts.runtime.latest(), moment(parts)
    past = [Sample("healthScore", now.at.timestamp() - 5, 10.0)]

    def fired(state: State) -> int:
        evaluator = Evaluator(state)
        evaluator.begin(now)
        evaluator.refill(past, now)
        return len(evaluator.sweep(now))

    assert fired(state) == 1
    trigger = state.triggers["health"]
    known = type(trigger)(**{name: getattr(trigger, name) for name in trigger.__slots__} | {"crossed_since": now.at})
    assert fired(state._replace(triggers=state.triggers.set("health", known))) == 0
    past.append(Sample("healthScore", now.at.timestamp() - 1, 90.0))
    assert fired(state) == 0


def test_the_latest_sixty_values_of_what_fired_are_seen_beside_the_journal(parts: Parts) -> None:
    kept = keeping(parts)
    kept.put([sample._replace(value=float(number)) for number, sample in enumerate(samples(parts, "healthScore", 80))])
    kept.write()
    assert parts.runtime.observe().watched == ()
    fired = FireTrigger(trigger="health", stop_id="S-1", value="healthScore 10", samples=1)
    actor = Actor(name="trigger:health", kind="system")
    parts.runtime.submit(Envelope(command_id="f", actor=actor, door="trigger", command=fired))

    (watched,) = parts.runtime.observe().watched

    assert watched.emergency_id in parts.runtime.latest().emergencies
    assert (watched.metric, len(watched.values)) == ("healthScore", SHOWN_MAX)
    assert watched.values[-1] == 79.0


def test_a_room_keeps_what_comes_to_its_triggers(tmp_path: Path) -> None:
    room = EngineRoom(f"sqlite:///{tmp_path / 'fleet.db'}", create=True)
    room.start()
    try:
        envelope = Envelope(command_id="c", actor=Actor(name="ana"), door="test", command=HEALTH)
        room.runtime.submit(envelope)
        eventually(lambda: room.triggers.listens("healthScore"))
        room.triggers.put([Sample("healthScore", clock().at.timestamp(), 90.0)])
        eventually(lambda: len(room.runtime.store.samples("healthScore", 0.0)) == 1)
    finally:
        room.close("the test is over")
