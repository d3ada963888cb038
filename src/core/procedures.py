"""Procedures say how to recover: what is looked at first, how services and work come back, what is watched meanwhile.

They are data. Three are built in; an administrator may replace one of them or add another under a name of its own.
`steps_of` makes the steps of one recovery from it, which are frozen when that begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Annotated, Any, Final, Literal

from immutables import Map
from pydantic import Field, field_validator

from core.emergency_rules import Rules
from core.gates import LOOKED_AT_MAX, MISSING_MAX_S, Comparison, Measured, MetricGate, Missing
from core.messages import FreeText, Identifier, Message
from core.recoveries import RecoveryStep
from core.services import Service, in_stop_order, tiers
from core.triggers.sample import METRIC_NAME
from opsgate.order import Level

DIRECT: Final = "direct_recovery"
"""The procedure without steps: everything that the emergency holds is released at once, and no service is started."""

Checked = Literal["verified", "dependencies", "saved-state"]
"""``verified``: all its stops are. ``dependencies``: what its services depend on and it does not restore runs and is
well. ``saved-state``: every service has one."""

Gate = Literal["running", "health"]
"""``running``: every service that was started is seen to run. ``health``: its health check says so too."""

Seconds = Annotated[float, Field(ge=0.0, le=86_400.0)]
Patience = Annotated[float, Field(gt=0.0, le=86_400.0, exclude_if=lambda said_s: said_s == MISSING_MAX_S)]
"""Seconds without enough samples. Unsaid where it is as long as usual: the version before does not know the field."""

Share = Annotated[float, Field(gt=0.0, le=1.0)]


class GateOn(Message):
    """What has to be true of something that is measured: ``must`` is ``err_rate < 0.01``.

    Fewer than ``min_samples`` samples since the step began, or of the last ``window_s`` seconds, prove nothing: the
    step waits for more, or, where ``missing`` is ``pass``, goes on without. After ``timeout_s`` of waiting the recovery
    is held, until a person continues it or turns it back.
    """

    must: FreeText
    measure: Measured = "mean"
    window_s: Annotated[float, Field(gt=0.0, le=86_400.0)] = 60.0
    min_samples: Annotated[int, Field(ge=1, le=LOOKED_AT_MAX)] = 1
    missing: Missing = "wait"
    account: Identifier | None = None
    timeout_s: Patience = MISSING_MAX_S

    @field_validator("must")
    @classmethod
    def _compares(cls, must: str) -> str:
        _compared(must)
        return must

    def gate(self) -> MetricGate:
        """The gate that it is."""
        metric, comparison, bound = _compared(self.must)
        rest = self.measure, self.window_s, self.min_samples, self.missing, self.account, self.timeout_s
        return MetricGate(metric, comparison, bound, *rest)


Metrics = Annotated[tuple[GateOn, ...], Field(max_length=20)]


class RampStep(Message):
    """Let this share of the work through, and watch it for so long before the next step. ``metrics`` are the gates of
    this step beside those of the procedure."""

    admit: Share
    wait_s: Seconds
    metrics: Metrics = ()


class ProcedureFields(Message):
    """What a document says of a procedure below its name. Services come back tier by tier, in the reverse of the order
    in which they stop."""

    title: FreeText = ""
    checks: tuple[Checked, ...] = ("dependencies",)
    gates: tuple[Gate, ...] = ("running", "health")
    metrics: Metrics = ()
    """What is measured has to be so in every step of the ramp and while it is monitored, there with those of the last
    step of the ramp too."""
    tiers: Literal["reverse"] = "reverse"
    settle_s: Seconds = 2.0
    """How long the services of a tier must be seen to be well before the next tier starts."""
    ramp: Annotated[tuple[RampStep, ...], Field(min_length=1, max_length=20)] = (
        RampStep(admit=0.05, wait_s=30.0),
        RampStep(admit=0.25, wait_s=30.0),
        RampStep(admit=1.0, wait_s=0.0),
    )
    monitor_s: Seconds | None = None
    """For how long all of it is watched before the emergency ends; None: as is set for the fleet's keeper."""
    validation_timeout_s: Seconds | None = None
    start_timeout_s: Seconds = 60.0
    rollback_timeout_s: Seconds = 60.0
    restore_state: bool = False
    max_tries: Annotated[int, Field(ge=1, le=3)] = 3
    """How often it is tried automatically; after that it waits for a person."""

    @field_validator("ramp")
    @classmethod
    def _rises_to_all(cls, ramp: tuple[RampStep, ...]) -> tuple[RampStep, ...]:
        shares = [step.admit for step in ramp]
        if shares != sorted(set(shares)) or shares[-1] != 1.0:
            raise ValueError("a ramp rises with every step and ends at 1.0")
        return ramp


class Procedure(ProcedureFields):
    """How to recover."""

    name: Identifier

    @field_validator("name")
    @classmethod
    def _is_not_direct(cls, name: str) -> str:
        if name == DIRECT:
            raise ValueError(f"{DIRECT} has no steps and cannot be another")
        return name


BUILT_IN: Final[Mapping[str, Procedure]] = {
    procedure.name: procedure
    for procedure in (
        Procedure(name="standard_recovery", title="Bring back what was stopped, in steps"),
        Procedure(
            name="critical_recovery",
            title="Bring back what was stopped at once, in small steps with long looks",
            checks=("verified", "dependencies"),
            settle_s=10.0,
            ramp=(
                RampStep(admit=0.05, wait_s=60.0),
                RampStep(admit=0.25, wait_s=60.0),
                RampStep(admit=0.5, wait_s=60.0),
                RampStep(admit=1.0, wait_s=0.0),
            ),
        ),
        Procedure(
            name="maintenance_recovery",
            title="Bring back what was stopped for maintenance, with the state that it saved",
            checks=("dependencies", "saved-state"),
            ramp=(RampStep(admit=0.25, wait_s=10.0), RampStep(admit=1.0, wait_s=0.0)),
            restore_state=True,
        ),
    )
}


def procedures(own: Map[str, Procedure]) -> dict[str, Procedure]:
    """All procedures by name: the built-in ones, and a fleet's own, which go before them."""
    return dict(sorted({**BUILT_IN, **own}.items()))


def document_of(procedure: Procedure) -> dict[str, Any]:
    """A procedure as it is written down: what is left to the fleet's settings is left out."""
    fields = procedure.model_dump(mode="json", exclude_none=True)
    return {"name": fields.pop("name")} | fields


def chosen(level: Level) -> str:
    """Which procedure suits an emergency of this level."""
    if level == "immediate":
        return "critical_recovery"
    return "maintenance_recovery" if level == "maintenance" else "standard_recovery"


def steps_of(
    procedure: Procedure, services: Mapping[str, Service], stopped: Iterable[str], rules: Rules
) -> tuple[RecoveryStep, ...]:
    """The steps that bring back these services, and the work, by this procedure."""
    said_s, watched_s = procedure.validation_timeout_s, procedure.monitor_s
    validation_s = rules.validation_timeout_s if said_s is None else said_s
    monitor_s = rules.monitor_s if watched_s is None else watched_s
    order = tuple(reversed(in_stop_order(services, stopped)))
    tier_of = tiers(services, order)
    starts = [
        RecoveryStep(
            "gradual_restore",
            "start",
            tuple(names),
            wait_s=procedure.settle_s,
            timeout_s=procedure.start_timeout_s,
            checks=procedure.gates,
            restores=procedure.restore_state,
        )
        for _, names in groupby(order, key=tier_of.__getitem__)
    ]
    *first, last = procedure.ramp

    def gates(step: RampStep) -> tuple[MetricGate, ...]:
        return tuple(dict.fromkeys(one.gate() for one in (*procedure.metrics, *step.metrics)))

    ramp = [
        RecoveryStep(
            "gradual_restore", "admit", order, step.admit, step.wait_s, checks=procedure.gates, metrics=gates(step)
        )
        for step in first
    ]
    return (
        RecoveryStep("validation", "check", order, timeout_s=validation_s, checks=tuple(procedure.checks)),
        RecoveryStep("preparation", "prepare", order, timeout_s=validation_s),
        *starts,
        *ramp,
        RecoveryStep("full_restore", "admit", order, 1.0, last.wait_s, checks=procedure.gates, metrics=gates(last)),
        RecoveryStep("monitoring", "watch", order, 1.0, monitor_s, checks=procedure.gates, metrics=gates(last)),
    )


def described(step: RecoveryStep) -> str:
    """One step as a person reads it in a plan."""
    names = ", ".join(step.services[:5]) + (f" and {len(step.services) - 5} more" if len(step.services) > 5 else "")
    within = "" if step.timeout_s is None else f", within {step.timeout_s:g} s"
    match step.kind:
        case "check":
            return f"check {', '.join(step.checks) or 'nothing'}{within}"
        case "prepare":
            return f"see that {names or 'no service'} {'is' if len(step.services) < 2 else 'are'} stopped{within}"
        case "start":
            state = " with saved state" if step.restores else ""
            return f"start {names}{state}{within}{', then' if step.wait_s else ''}{_watched(step)}"
        case "admit":
            return f"admit {step.admit:.0%} of the work{',' if step.wait_s else ''}{_watched(step)}{_while(step)}"
        case "watch":
            return f"watch for {step.wait_s:g} s{_while(step)}, then release its holds"


def metrics_of(procedure: Procedure) -> frozenset[str]:
    """What its gates look at."""
    every = (*procedure.metrics, *(gate for step in procedure.ramp for gate in step.metrics))
    return frozenset(one.gate().metric for one in every)


def _watched(step: RecoveryStep) -> str:
    return f" watch for {step.wait_s:g} s" if step.wait_s else ""


def _while(step: RecoveryStep) -> str:
    return f" while {', '.join(gate.name for gate in step.metrics)}" if step.metrics else ""


def _compared(must: str) -> tuple[str, Comparison, float]:
    found = _MUST.fullmatch(must)
    if found is None:
        raise ValueError(f"{must!a} compares no metric with a number: write it as 'err_rate < 0.01'")
    comparison: Comparison = found["comparison"]  # type: ignore[assignment] # the pattern has no others
    return found["metric"], comparison, float(found["bound"])


_MUST: Final = re.compile(
    rf"(?P<metric>{METRIC_NAME}) *(?P<comparison><=?|>=?) *(?P<bound>-?[0-9]{{1,18}}(?:\.[0-9]{{1,18}})?)", re.ASCII
)
