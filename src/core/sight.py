"""What a scope lets be seen of a state: the part that touches it.

A scope sees what concerns its work: holds, stops and emergencies that overlap it, its own sites, the workers and
services that may serve it, triggers that stop nothing outside it, and what belongs to the whole fleet (operations,
workflows, limits). It does not see what lies wholly outside, nor tokens, nor refusals, nor how a service is driven, nor
how an emergency is recovered that reaches beyond it. What is not named here is not seen, so a part of the state or a
field of a stop that is new is hidden until somebody decides otherwise. Which events are shown of it: `core.showing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from immutables import Map

from core.messages import Receipt
from core.reach import Reach, with_selector
from core.scope import EVERYWHERE, Scope
from core.services import Service, ServiceStep
from core.state import Emergency, State, Stop, Trigger
from opsgate.evaluate import Table, Within
from opsgate.hold import Hold
from opsgate.selector import Selector
from opsgate.snapshot import Snapshot


def elsewhere(number: int) -> str:
    """What stands for a worker that may not be seen, where it counts. No worker can be called so."""
    return f"(elsewhere {number})"


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see. ``workers`` are those known to serve the scope, which the journal does not say."""

    scope: Scope
    workers: frozenset[str] = frozenset()

    def state(self, state: State) -> State:
        """The part of a state that may be seen; the revisions are the fleet's own."""
        if self.scope == EVERYWHERE:
            return state
        emergencies, stops = self.cases(state)
        renamed = self.renamed(state)
        holds, reach = dict[str, Hold](), Reach()
        for hold in state.holds.values():
            if self.scope.touches(hold.selector):
                holds[hold.hold_id] = under(hold, renamed)
                reach = with_selector(reach, hold.selector, hold.hold_id)
        alike = {pairs: ids for pairs, ids in state.by_selector.items() if ids[0] in holds}
        return State(
            fleet=state.fleet,
            revision=state.revision,
            control_revision=state.control_revision,
            names_revision=state.names_revision,
            holds=Map(holds),
            by_selector=Map(alike),
            reach=reach,
            names=Map({key: name for key, name in state.names.items() if self.sees_name(state, *key)}),
            limits=state.limits,
            workers=Map({key: state.workers[key] for key in self.workers if key in state.workers}),
            stops=Map(stops),
            emergencies=Map(emergencies),
            active=tuple(filter(emergencies.__contains__, state.active)),
            services=Map(self.services(state)),
            triggers=Map(self.triggers(state)),
        )

    @property
    def within(self) -> Within:
        """The bounds of what is known of work: dimension → the names of it that may be asked about."""
        bounds = {"site": self.scope.sites, "env": self.scope.envs}
        return {dimension: names for dimension, names in bounds.items() if names}

    def snapshot(self, state: State) -> Snapshot:
        """What a gate decides by that does this scope's work and no other."""
        return replace(self.state(state).snapshot(), within=self.within)

    def table(self, table: Table, state: State) -> Table:
        """The same as the part of a table that is compiled already, of this state."""
        renamed = self.renamed(state)
        holds = (under(hold, renamed) for hold in table.holds if self.scope.touches(hold.selector))
        names = dict(table.names)
        if self.scope.sites:
            names["site"] = names.get("site", frozenset()) & self.scope.sites
        services = names.get("service", frozenset())
        names["service"] = frozenset(name for name in services if self.sees_name(state, "service", name))
        return Table(holds, names, within=self.within)

    def receipt(self, receipt: Receipt, state: State) -> Receipt:
        """The answer to a command within this scope, given in a state at or behind it."""
        renamed = self.renamed(state)
        remaining = tuple(
            {**hold, "correlation_id": renamed.get(hold["correlation_id"], hold["correlation_id"])}
            for hold in receipt.remaining_holds
        )
        return receipt.model_copy(update={"remaining_holds": remaining})

    def sees_name(self, state: State, dimension: str, name: str) -> bool:
        """Whether a registered name may be seen: of the sites only its own, of the services those that may be."""
        if dimension == "service":
            return name not in state.services or self.sees_service(state, name)
        return dimension != "site" or not self.scope.sites or name in self.scope.sites

    def sees_service(self, state: State, name: str) -> bool:
        """Whether a service may be seen: one that is labelled with no other site or environment."""
        service = state.services.get(name)
        if service is None:
            return False
        labels = {dimension: value for dimension, value in service.labels if dimension in ("site", "env")}
        return self.scope.touches(Selector(tuple(labels.items())))

    def sees_trigger(self, state: State, trigger: Trigger) -> bool:
        """Whether a trigger may be seen: one whose stops lie within, where a service is where its labels say."""
        return all(self._is_ours(selector, state) for selector in trigger.definition.selectors())

    def stop(self, stop: Stop, state: State) -> Stop | None:
        """What may be seen of a stop: its scopes that overlap, and who must stop. Workers and services that may not be
        seen are counted without their names, so that whatever is said to have stopped has."""
        seen = [
            (selector, hold_id)
            for selector, hold_id in zip(stop.selectors, stop.hold_ids, strict=False)
            if self.scope.touches(selector)
        ]
        if not seen:
            return None
        return Stop(
            stop_id=stop.stop_id,
            emergency_id=stop.emergency_id,
            level=stop.level,
            selectors=tuple(selector for selector, _ in seen),
            hold_ids=tuple(hold_id for _, hold_id in seen),
            of=self._counted(stop.of),
            ordered_at=stop.ordered_at,
            ordered_by=stop.ordered_by,
            deadline_at=stop.deadline_at,
            reason=stop.reason,
            result=stop.result,
            acked=self._counted(stop.acked),
            concluded_at=stop.concluded_at,
            ack_times=stop.ack_times,
            services=self._steps(stop.services, state),
            trigger=stop.trigger,
            auto_recover=stop.auto_recover,
        )

    def emergency(self, emergency: Emergency, state: State) -> Emergency | None:
        """What may be seen of an emergency. Where some of its stops, or of its scopes, may not be seen, who opened it
        and why is what the first one says that may. How it is recovered is for those who reach all of it."""
        selectors = tuple(filter(self.scope.touches, emergency.selectors))
        if not selectors:
            return None
        stops = [stop for stop_id in emergency.stop_ids if (stop := self.stop(state.stops[stop_id], state)) is not None]
        is_complete = len(selectors) == len(emergency.selectors) and len(stops) == len(emergency.stop_ids)
        is_begun = not emergency.stop_ids or emergency.stop_ids[0] in {stop.stop_id for stop in stops}
        seen = Emergency(
            emergency_id=emergency.emergency_id,
            level=emergency.level,
            selectors=selectors,
            stop_ids=tuple(stop.stop_id for stop in stops),
            opened_at=emergency.opened_at,
            opened_by=emergency.opened_by if is_begun else next((stop.ordered_by for stop in stops), ""),
            reason=emergency.reason if is_complete else next((stop.reason for stop in stops if stop.reason), ""),
            correlation_id=emergency.correlation_id if is_begun else emergency.emergency_id,
            status=emergency.status,
            ended_at=emergency.ended_at,
            ended_by=emergency.ended_by,
            owner=emergency.owner,
            owned_at=emergency.owned_at,
            acked_by=emergency.acked_by,
            acked_at=emergency.acked_at,
        )
        if not all(map(self.scope.covers, emergency.selectors)) or not self._sees_services(emergency, state):
            return seen
        return replace(
            seen,
            trigger=emergency.trigger,
            cause=emergency.cause,
            account=emergency.account,
            recovery=emergency.recovery,
            tries=emergency.tries,
            attention=emergency.attention,
            failed_recoveries=emergency.failed_recoveries,
        )

    def renamed(self, state: State) -> Mapping[str, str]:
        """Correlation ids of which nothing may be seen, and what stands for them: an emergency hands its own on to
        whatever joins it, and who opened it made it up."""
        shown = ((case, self.emergency(case, state)) for case in state.emergencies.values())
        return {
            case.correlation_id: seen.correlation_id
            for case, seen in shown
            if seen is not None and seen.correlation_id != case.correlation_id
        }

    def cases(self, state: State) -> tuple[dict[str, Emergency], dict[str, Stop]]:
        """The emergencies and the stops of which something may be seen, by their ids, as they are seen."""
        emergencies, stops = dict[str, Emergency](), dict[str, Stop]()
        for case in state.emergencies.values():
            seen = self.emergency(case, state)
            if seen is not None:
                emergencies[case.emergency_id] = seen
        for each in state.stops.values():
            stop = self.stop(each, state)
            if stop is not None:
                stops[each.stop_id] = stop
        return emergencies, stops

    def services(self, state: State) -> dict[str, Service]:
        """The services that may be seen, by their names, as they are seen."""
        return {
            name: self._service(each, state) for name, each in state.services.items() if self.sees_service(state, name)
        }

    def _service(self, service: Service, state: State) -> Service:
        """What may be seen of a service: not how it is driven, nor on what it depends that may not be seen."""
        return Service(
            name=service.name,
            title=service.title,
            account=service.account,
            labels=service.labels,
            depends_on=tuple(name for name in service.depends_on if self.sees_service(state, name)),
            driver=service.driver,
            config="{}",
            health="",
            criticality=service.criticality,
            host=None,
            added_at=service.added_at,
            changed_at=service.changed_at,
            changed_by=service.changed_by,
            standing=service.standing,
            observed_at=service.observed_at,
            observed_revision=service.observed_revision,
        )

    def triggers(self, state: State) -> dict[str, Trigger]:
        """The triggers that may be seen, by their names."""
        return {name: each for name, each in state.triggers.items() if self.sees_trigger(state, each)}

    def _is_ours(self, selector: Selector, state: State) -> bool:
        service = state.services.get(selector.get("service") or "")
        if service is None:
            return self.scope.covers(selector)
        labels = {dimension: value for dimension, value in service.labels if dimension in ("site", "env")}
        placed = Selector.from_mapping(labels | selector.as_dict())
        return self.scope.covers(placed) and self.sees_service(state, service.name)

    def _sees_services(self, emergency: Emergency, state: State) -> bool:
        stops = (state.stops[stop_id] for stop_id in emergency.stop_ids)
        return all(self.sees_service(state, step.service) for stop in stops for step in stop.services)

    def _steps(self, steps: tuple[ServiceStep, ...], state: State) -> tuple[ServiceStep, ...]:
        """Those that may be seen, and for each other one, those first that have stopped, something that counts."""
        seen = tuple(step for step in steps if self.sees_service(state, step.service))
        others = sorted((step for step in steps if step not in seen), key=lambda step: not step.has_stopped)
        stands = (
            ServiceStep(elsewhere(number), 0, "stopped" if step.has_stopped else "unknown", step.stopped_at)
            for number, step in enumerate(others, 1)
        )
        return (*seen, *stands)

    def _counted(self, workers: tuple[str, ...]) -> tuple[str, ...]:
        named = tuple(worker for worker in workers if worker in self.workers)
        return (*named, *map(elsewhere, range(1, len(workers) - len(named) + 1)))


def under(hold: Hold, renamed: Mapping[str, str]) -> Hold:
    """A hold as it is shown, with what stands for its correlation id."""
    shown = renamed.get(hold.correlation_id)
    return hold if shown is None else replace(hold, correlation_id=shown)
