"""The gate driver: a service that is a group of workers, each of which asks the gate. They stop at the hold, which was
in force before any driver began; that they have stopped, their acknowledgements say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field

from backends.drivers.base import (
    Action,
    DriverConfig,
    DriverConfigError,
    DriverOrder,
    Host,
    Member,
    Observation,
    Outcome,
    example,
)
from backends.drivers.base import cut as cut_to_line


class GateConfig(DriverConfig):
    """A group of workers, by their scope or by their names. One of the two there must be: it is never every worker."""

    model_config = example(scope={"env": "prod", "site": "shop-eu"})

    scope: dict[str, str] = Field(default_factory=dict, description="the workers whose scope has all of these")
    workers: tuple[str, ...] = Field(default=(), description="or the workers of these names")


class GateDriver:
    """The workers of one group."""

    kind: ClassVar[str] = "gate"

    def __init__(self, config: GateConfig, host: Host) -> None:
        """`DriverConfigError` where no group is named."""
        if not config.scope and not config.workers:
            raise DriverConfigError("a gate driver names the scope of its workers, or the workers themselves")
        self._config, self._host = config, host
        self._told: tuple[str, bool] = ("", False)
        """The stop whose acknowledgement counts, and whether they may work all the same."""
        self.can: frozenset[Action] = frozenset({"stop", "drain", "start"})
        self.settle_s = 0.0

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """As `Driver.build`."""
        return cls(GateConfig.read(config), host)

    def observe(self, timeout_s: float) -> Observation:
        """Whether each of the group has acknowledged the stop and runs nothing that it covers. A worker that is not
        heard of any more counts as running: nobody knows."""
        group = [member for member in self._host.members() if self._is_of_group(member) and not member.has_left]
        lost = [member.worker_id for member in group if not member.is_live]
        running = [member.worker_id for member in group if not self._has_stopped(member)]
        if not group:
            return Observation("unknown", "no worker of this group was ever heard of here")
        if running:
            return Observation("running", cut_to_line(f"{len(running)} of {len(group)} run: {', '.join(running)}"))
        if lost:
            return Observation("unknown", cut_to_line(f"not heard of any more: {', '.join(lost)}"))
        return Observation("stopped", f"{len(group)} of {len(group)} acknowledged")

    def _is_of_group(self, member: Member) -> bool:
        if self._config.workers and member.worker_id not in self._config.workers:
            return False
        return all(value in member.scope.get(name, ()) for name, value in self._config.scope.items())

    def _has_stopped(self, member: Member) -> bool:
        stop_id, may_work = self._told
        if may_work:
            return False
        return stop_id in member.stops if stop_id else bool(member.stops) and not member.in_flight

    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Nothing is left to say: the stop's hold is in force. From now on its acknowledgement is what counts."""
        self.resume(order)
        return Outcome("done", "the hold is in force")

    def resume(self, order: DriverOrder) -> None:
        """As `Resumes.resume`: the acknowledgement of this stop is what counts."""
        self._told = (order.stop_id, False)

    def drain(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """As `stop`: the hold says whether running work may finish."""
        return self.stop(order, timeout_s)

    def start(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Nothing is to be started: the workers live, and take up work as soon as the hold admits any. From now on
        each that is heard of counts as running."""
        self._told = (self._told[0], True)
        return Outcome("done", "its workers go on when the hold admits work")
