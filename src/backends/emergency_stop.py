"""S1's emergency stop system in Python: one object over a fleet, with S1's words, for a program that embeds it.

    system = EmergencyStopSystem(open_backend(url), actor="riskbot")
    system.on("emergencyStarted", lambda event: print(event["triggerType"]))
    event_id = system.manual_emergency_stop("account-123", "suspicious activity", level="immediate")
    system.wait(event_id)
    system.get_emergency_event(event_id).success

Every call is a command that anybody could give, or a look at the state. What drives services, watches samples and moves
recoveries on is the fleet's keeper, or its server: without one a stop holds, and is not verified.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any, Final

from pydantic import ValidationError

from backends.clients.monitors import SUSPENSION, MonitorEvent, samples_of, stop_of
from backends.notifiers.callbacks import Callback, Callbacks
from backends.stop_lane import fire, new_order
from core.capabilities.emergencies import OrderStop
from core.capabilities.recovery import Recover
from core.capabilities.triggers import AddTrigger, RemoveTrigger
from core.errors import BackendUnavailable, CommandRejected
from core.figures import Figures, figures
from core.hooks import trigger_type
from core.messages import Actor, Command, Envelope, Receipt
from core.ports import Backend
from core.state import Emergency, State
from core.triggers.definition import from_s1
from opsgate.clock import elapsed_s
from opsgate.order import Level
from opsgate.paths import keeper_socket
from opsgate.selector import EVERYTHING, Selector, scope_text
from opsgate.wire import tell

_TRY_S: Final = 5.0
_LOOK_S: Final = 0.05
_STOP_TAKES_S: Final = 120.0
_RECOVERY_TAKES_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class EmergencyEvent:
    """One emergency as S1 shows it. ``execution_duration`` is in milliseconds, from its first order to the last result;
    None while a stop of it is still counting. ``success`` is whether every stop of it is verified now."""

    event_id: str
    trigger_type: str
    account_id: str | None
    stop_level: Level
    reason: str
    started_at: datetime
    execution_duration: int | None
    success: bool
    is_active: bool
    correlation_id: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """``is_running`` is whether a keeper drives services and watches samples; without one triggers fire for nobody."""

    is_running: bool
    active_triggers: int
    active_emergencies: int
    metrics: Figures


class EmergencyStopSystem:
    """Triggers, stops and recoveries of one fleet. From any thread; raises `core.errors` only. Close it when done: the
    backend is closed with it."""

    def __init__(self, backend: Backend, *, actor: str) -> None:
        """``actor`` is in whose name commands are given; a server goes by the token instead."""
        self.backend = backend
        self._actor = Actor(name=actor)
        self._callbacks = Callbacks(backend)

    def close(self) -> None:
        """Call nobody any more, and leave the fleet as it is."""
        self._callbacks.close()
        self.backend.close()

    def on(self, name: str, callback: Callback) -> None:
        """Call ``callback`` at every ``emergencyStarted``, ``emergencyCompleted``, ``recoveryCompleted``,
        ``triggerEvaluated`` or ``serviceStopAttempted``, or event of another kind, from now on. ValueError for a name
        that no event has."""
        self._callbacks.on(name, callback)

    # ------------------------------------------------------------------------------------------------------ triggers
    def add_trigger(self, definition: Mapping[str, Any]) -> str:
        """Add a trigger, in S1's spelling or ours, and return its id. What has no name of an identifier's form gets one
        made from it. Raises `CommandRejected` where it is not a trigger."""
        try:
            wanted = AddTrigger.model_validate_json(json.dumps(from_s1(definition)))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "trigger"
            raise CommandRejected("bad-trigger", f"{where}: {first['msg']}") from None
        self._submit(wanted)
        return wanted.name

    def remove_trigger(self, trigger_id: str) -> None:
        """Remove a trigger. What it has stopped stays stopped."""
        self._submit(RemoveTrigger(trigger=trigger_id))

    # --------------------------------------------------------------------------------------------------------- stops
    def manual_emergency_stop(self, account_id: str | None, reason: str, level: Level = "immediate") -> str:
        """Stop what acts for an account, or everything for None; returns the id of the emergency. The hold is in force
        when this returns; what came of it says `wait`. While the database is away the stop is latched on this host, and
        in force there, before `BackendUnavailable` is raised."""
        order = new_order(
            [EVERYTHING if account_id is None else Selector.of(account=account_id)],
            level=level,
            reason=reason,
            actor=self._actor.name,
        )
        wanted = OrderStop(
            stop_id=order.stop_id, selectors=order.selectors, level=level, reason=reason, account=account_id
        )
        try:
            self._submit(wanted)
        except BackendUnavailable:
            fire(order, url=self.backend.url)
            raise
        return self.backend.state().stops[order.stop_id].emergency_id

    def hear(self, event: Mapping[str, Any]) -> bool:
        """Hear an event of S1's monitors: the scores of a ``healthAlert`` or a ``preventiveMeasureTriggered`` go to the
        triggers of this host's keeper, ``ACCOUNT_SUSPENSION`` stops the account. False where no keeper took the scores.
        ValueError for any other event; a fleet behind a server takes them by ``POST /v1/hooks/events``."""
        told = MonitorEvent.model_validate_json(json.dumps(event))
        if told.event == SUSPENSION:
            self._submit(stop_of(told))
            return True
        samples = [
            {"metric": sample.metric, "value": sample.value, "account": sample.account, "source": self._actor.name}
            for sample in samples_of(told, 0.0)
        ]
        keeper = str(keeper_socket(self.backend.latest().fleet))
        return tell(keeper, "sample", worker=self._actor.name, samples=samples)

    def wait(self, event_id: str, timeout_s: float = _STOP_TAKES_S) -> EmergencyEvent:
        """Wait until every stop of an emergency has a result, or the time is up; how it stands then."""
        self._until(
            lambda state: all(state.stops[each].result != "pending" for each in _case(state, event_id).stop_ids),
            timeout_s,
        )
        return self.get_emergency_event(event_id)

    def get_emergency_event(self, event_id: str) -> EmergencyEvent:
        """An emergency as it stands now. Raises `CommandRejected` where there is none of this id."""
        state = self.backend.state()
        return _shown(state, _case(state, event_id))

    def get_active_emergencies(self) -> tuple[EmergencyEvent, ...]:
        """Those that nobody has recovered."""
        state = self.backend.state()
        return tuple(_shown(state, each) for each in state.active_emergencies())

    # ---------------------------------------------------------------------------------------------------- recoveries
    def start_recovery(
        self, event_id: str, procedure: str | None = None, *, reason: str = "", timeout_s: float = _RECOVERY_TAKES_S
    ) -> bool:
        """Recover an emergency and wait for its end: by the procedure named, or the one that suits it. True where it
        ended the emergency; else everything that it started is stopped again, and a person is needed. Raises
        `CommandRejected` where it may not begin."""
        emergency = _case(self.backend.state(), event_id)
        confirm = scope_text(emergency.selectors)
        wanted = Recover(emergency_id=event_id, reason=reason or "recovery", confirm=confirm, procedure=procedure)
        self._submit(wanted)

        def is_over(state: State) -> bool:
            case = _case(state, event_id)
            return case.status == "ended" or case.recovery is None or not case.recovery.is_active

        self._until(is_over, timeout_s)
        return _case(self.backend.state(), event_id).status == "ended"

    # ---------------------------------------------------------------------------------------------------------- looks
    def get_system_status(self) -> SystemStatus:
        """How the system stands, with S1's metrics."""
        found = figures(self.backend.state())
        keeper = self.backend.observe().keeper
        return SystemStatus(keeper, found.active_triggers, found.active_emergencies, found)

    # --------------------------------------------------------------------------------------------------------- inside
    def _submit(self, command: Command) -> Receipt:
        envelope = Envelope(command_id=uuid.uuid4().hex, actor=self._actor, door="hook", command=command)
        return self.backend.submit(envelope, timeout_s=_TRY_S)

    def _until(self, fact: Callable[[State], bool], timeout_s: float) -> None:
        deadline_s, rest = elapsed_s() + timeout_s, Event()
        while not fact(self.backend.state()) and elapsed_s() < deadline_s:
            rest.wait(_LOOK_S)


def _case(state: State, event_id: str) -> Emergency:
    try:
        return state.emergencies[event_id]
    except KeyError:
        raise CommandRejected("unknown-emergency", f"there is no emergency {event_id}") from None


def _shown(state: State, emergency: Emergency) -> EmergencyEvent:
    stops = [state.stops[stop_id] for stop_id in emergency.stop_ids]
    ends = [stop.concluded_at for stop in stops if stop.concluded_at is not None]
    took_s = None if len(ends) < len(stops) else (max(ends) - emergency.opened_at).total_seconds()
    return EmergencyEvent(
        event_id=emergency.emergency_id,
        trigger_type=trigger_type(emergency, state),
        account_id=emergency.account,
        stop_level=emergency.level,
        reason=emergency.reason,
        started_at=emergency.opened_at,
        execution_duration=None if took_s is None else round(took_s * 1000),
        success=all(stop.result == "verified" for stop in stops),
        is_active=emergency.status == "active",
        correlation_id=emergency.correlation_id,
        missing=tuple(dict.fromkeys(name for stop in stops for name in stop.missing)),
    )
