"""What a keeper has to say of the present step of a recovery, beside its reports of services: what does not stand as it
should, starts that failed, health, what comes back depends on, and what gates measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

from backends.keeper.deeds import Hands, Health, Look
from backends.keeper.recovery_round import Round
from core.capabilities.restoring import Seen
from core.gates import MetricGate, judged
from core.recovery_work import DEPENDENCIES, health_of, is_seen
from core.services import Service
from core.state import State

LOST_S: Final = 30.0
"""Seconds without a word of a service of another host, after which nobody is known to watch it."""

BAD_LOOKS: Final = 2
"""How many times, one after the other, something that was well must be seen unwell to be taken for it."""

Readings = Callable[[MetricGate, float], Sequence[float]]
"""The values that a gate looks at: those after so many seconds since the epoch, the latest last."""


class RecoveryChecks:
    """Asks what only somebody in the world can see. For use by one thread."""

    def __init__(self, hands: Hands, readings: Readings, ours: Callable[[State, Iterable[str]], list[Service]]) -> None:
        """``ours`` are those of the services of these names that are driven from here."""
        self._hands, self._readings, self._ours = hands, readings, ours

    def of(self, this: Round) -> Iterable[Seen]:
        """Everything that the present step wants to know, and is not told by the journal."""
        for name, why in this.memory.failed.items():
            yield Seen(name=f"start of {name}", verdict="bad", detail=why[:300])
        for name, look in this.looks.items():
            is_well = False if look.standing == "failed" else look.standing == this.wanted or None
            more = ", ".join(filter(None, (look.detail, this.memory.by_hand.get(name))))
            detail = f"{look.standing or 'not to be seen'}{f', {more}' if more else ''}"
            seen = self.said(this, f"standing of {name}", is_well=is_well, detail=detail)
            if not is_well:
                yield seen
        for name in this.work.observe:
            if self._is_lost(this, name):
                yield self.said(this, f"standing of {name}", is_well=False, detail=f"nothing heard for {LOST_S:g} s")
        found = self._hands.health(self._ours(this.state, this.work.health))
        for name in this.work.health:
            health = found.get(name) or self._as_its_host_says(this, name)
            starting = this.recovery.present.kind == "start"
            is_well = None if starting and health.is_up is False else health.is_up
            yield self.said(this, health_of(name), is_well=is_well, detail=health.detail)
        if DEPENDENCIES in this.recovery.present.checks:
            yield self._dependencies(this)
        for gate in this.recovery.present.metrics:
            yield self._gate(this, gate)

    def _gate(self, this: Round, gate: MetricGate) -> Seen:
        """What was measured since the step began."""
        since_s = gate.since_s(this.recovery.step_at.timestamp(), this.now.at.timestamp())
        found = judged(gate, self._readings(gate, since_s))
        seen = self.said(this, gate.name, is_well=found.is_well, detail=found.detail)
        missing_since_s = this.memory.missing_since_s
        if found.is_well is not None:
            missing_since_s.pop(gate.name, None)
            return seen.model_copy(update={"value": found.value})
        missing_s = this.now.elapsed_s - missing_since_s.setdefault(gate.name, this.now.elapsed_s)
        return seen.model_copy(update={"missing_s": missing_s})

    def _as_its_host_says(self, this: Round, name: str) -> Health:
        """The health of a service whose host's keeper alone can ask: that says that it runs where it is well."""
        known = this.state.services.get(name)
        if known is None or self._ours(this.state, [name]):
            return Health(None, "nobody could ask")
        if not is_seen(this.state, this.recovery, name, known.standing):
            return Health(None, f"nothing heard of it yet from {known.host}")
        said = f"{known.standing}, says {known.host}{f': {known.detail}' if known.detail else ''}"
        return Health({"running": True, "failed": False}.get(known.standing), said)

    def _dependencies(self, this: Round) -> Seen:
        """What comes back needs this to run, and does not bring it back."""
        services = self._ours(this.state, this.work.dependencies)
        looks, found = dict(self._hands.look(services)), dict(self._hands.health(services))
        for name in this.work.dependencies:
            if name not in looks and name in this.state.services:
                looks[name] = self._heard(this, name)
        faults = [
            f"{name} is {look.standing or 'seen by nobody'} {look.detail}".strip()
            for name, look in looks.items()
            if look.standing != "running"
        ]
        faults += [f"{name} is unwell {health.detail}".strip() for name, health in found.items() if not health.is_up]
        if not faults:
            return self.said(this, DEPENDENCIES, is_well=True, detail="")
        unseen = any(look.standing is None for look in looks.values()) or any(h.is_up is None for h in found.values())
        return self.said(this, DEPENDENCIES, is_well=None if unseen else False, detail="; ".join(faults))

    def _heard(self, this: Round, name: str) -> Look:
        """How a service of another host was seen to stand there since the step began."""
        known = this.state.services[name]
        seen = is_seen(this.state, this.recovery, name, known.standing)
        return Look(known.standing if seen else None, known.detail if seen else f"on {known.host} yet")

    def said(self, this: Round, name: str, *, is_well: bool | None, detail: str) -> Seen:
        """What is unwell once may be well a moment later; what is so twice is bad."""
        bad = this.memory.bad
        bad[name] = bad.get(name, 0) + 1 if is_well is False else 0
        verdict: Literal["good", "waiting", "bad"] = "good" if is_well else "waiting"
        return Seen(name=name, verdict="bad" if bad[name] >= BAD_LOOKS else verdict, detail=detail[:300])

    def _is_lost(self, this: Round, name: str) -> bool:
        """Whether whoever drives a service has said nothing of it for too long while it is watched."""
        known = this.state.services.get(name)
        if name in this.looks or known is None or this.recovery.present.kind not in {"admit", "watch"}:
            return False
        last = this.memory.heard.get(name)
        if last is None or last[0] != known.observed_revision:
            last = this.memory.heard[name] = (known.observed_revision, this.now.elapsed_s)
        return this.now.elapsed_s - last[1] >= LOST_S
