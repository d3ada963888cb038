"""The gate: what a worker asks before each piece of work. One for each process, shared by its threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar, Unpack

from opsgate import lifecycle, pauselog, waiting
from opsgate.clock import elapsed_s
from opsgate.decision import Decision
from opsgate.evaluate import ALLOWED, evaluate
from opsgate.failsafe import FRESH_S, ROUTINE, Policy, Rule, judge
from opsgate.names import operation_named
from opsgate.samples import FAILURES, REFUSALS, Tally, sample_of
from opsgate.subscribers import Subscribers
from opsgate.view import View
from opsgate.work import Dimensions, InFlight, Work, halts

if TYPE_CHECKING:
    from opsgate.alarms import Freshness
    from opsgate.evaluate import Table
    from opsgate.membership import Member
    from opsgate.permits import Reservation
    from opsgate.watcher import Watcher

_log = logging.getLogger("opsgate")

_P = ParamSpec("_P")
_R = TypeVar("_R")

_FIRST_READING_S = 2.0
"""Seconds after opening for which a check waits for the first reading to end, so that what is on disk is not believed
while the tables themselves are a few milliseconds away."""

_LISTEN_AGAIN_S = 5.0
_NAMES_COUNTED = 1000


class Gate:
    """Answers whether work may run, from a picture of the fleet that other threads keep true.

    A check takes no lock, asks no disk and raises nothing. Threads may share a gate; a forked child has threads of its
    own from its first question on, and is a worker of its own.
    """

    def __init__(
        self,
        member: Member | None = None,
        *,
        policy: Policy | None = None,
        env: str | None = None,
        strict: bool = False,
    ) -> None:
        """Not for callers: use `Gate.open`, or `opsgate.testing.FakeGate` in tests."""
        self._member = member
        self._policy = policy or Policy()
        self._env = env
        self._strict = strict
        self._view = View()
        self._watcher: Watcher | None = None
        self._inherited: Watcher | None = None
        self._opened_s = elapsed_s()
        self._listen_at_s = 0.0
        self._closed = member is None
        self._subscribers = Subscribers()
        self._lock = threading.Lock()
        self._used_up: set[str] = set()
        self._tally = Tally(self.sample)
        self.in_flight = InFlight()
        """The pieces of work that run in this process."""
        self.unknown_names: dict[str, int] = {}
        """How often each name that nobody registered was asked for."""

    @classmethod
    def open(
        cls,
        url: str | Iterable[str] | None = None,
        *,
        token: str | None = None,
        worker: str | None = None,
        env: str | None = None,
        scope: Mapping[str, Iterable[str]] | None = None,
        policy: Mapping[str, str] | None = None,
        max_stale: Mapping[str, float] | None = None,
        strict: bool = False,
    ) -> Self:
        """Join the fleet at ``url`` as ``worker``, and start to listen. Returns at once, whatever can be reached.

        ``url`` is ``sqlite:///relative`` or ``sqlite:////absolute`` (default ``$OPSGATE_URL``, else this user's
        embedded database), or ``http(s)://HOST:PORT`` of a server: several servers of one fleet, as a list or with
        commas between, are tried in turn. ``token`` (default ``$OPSGATE_TOKEN``) is what servers know the worker by;
        ``$OPSGATE_CA_FILE`` names the authority that signed their certificates, where the system does not know it.
        ``worker`` defaults to ``$OPSGATE_WORKER``, else host and process id. ``env`` (default
        ``$OPSGATE_ENV``) is part of every piece of work. ``scope``, dimension → values, says which work this worker
        does at all, so that a stop elsewhere need not wait for it. ``policy`` is operation → routine, guarded or
        hazardous; ``max_stale``, operation → seconds. With ``strict``, unknown names are refused.

        Raises ValueError for a URL, a name or a class that is none: the caller's fault.
        """
        from opsgate.membership import joining

        member = joining(url, token=token, worker=worker, env=env, scope=scope)
        gate = cls(member, policy=Policy(policy, max_stale), env=member.env, strict=strict)
        gate._listen()
        lifecycle.opened(gate)
        return gate

    # ------------------------------------------------------------------------------------------------- questions
    def check(  # noqa: PLR0913, PLR0917 (one parameter for each dimension: a dict of them would cost more than the decision)
        self,
        site: str | None = None,
        operation: str | None = None,
        workflow: str | None = None,
        service: str | None = None,
        dependency: str | None = None,
        campaign: str | None = None,
        account: str | None = None,
        agent: str | None = None,
        env: str | None = None,
        key: str | None = None,
    ) -> Decision:
        """Whether this work may run. Give the dimensions by keyword, each an identifier or None.

        ``key`` chooses which work a ramping hold lets through; by default the dimensions do. Never raises. Until the
        first state is known it may wait as long as the class of the operation says (2 s, guarded 30 s).
        """
        view = self._view
        now_s = elapsed_s()
        try:
            if (
                now_s < view.quick_until_s
                and env is None
                and (site is None or (site in view.known_site and site not in view.held_site))
                and (operation is None or (operation in view.known_operation and operation not in view.held_operation))
                and (workflow is None or (workflow in view.known_workflow and workflow not in view.held_workflow))
                and (campaign is None or (campaign in view.known_campaign and campaign not in view.held_campaign))
                and (account is None or account not in view.held_account)
                and (
                    dependency is None
                    or (dependency in view.known_dependency and dependency not in view.held_dependency)
                )
                and (service is None or (service in view.known_service and service not in view.held_service))
                and (agent is None or agent not in view.held_agent)
            ):
                return Decision(ALLOWED, view, now_s)
        except TypeError:
            pass  # a value that cannot be looked up is turned into text below
        return self._decide(
            {
                "site": site,
                "operation": operation,
                "workflow": workflow,
                "service": service,
                "dependency": dependency,
                "campaign": campaign,
                "account": account,
                "agent": agent,
                "env": env,
                "key": key,
            }
        )

    def allowed(  # noqa: PLR0913, PLR0917 (see check)
        self,
        site: str | None = None,
        operation: str | None = None,
        workflow: str | None = None,
        service: str | None = None,
        dependency: str | None = None,
        campaign: str | None = None,
        account: str | None = None,
        agent: str | None = None,
        env: str | None = None,
        key: str | None = None,
    ) -> bool:
        """``bool(check(…))``."""
        return self.check(site, operation, workflow, service, dependency, campaign, account, agent, env, key).allowed

    def work(self, **dimensions: Unpack[Dimensions]) -> Work:
        """A piece of work, counted as in flight while its ``with`` block runs: ``with gate.work(site="s1") as work``.

        Falsy in the block when it was refused.
        """
        return Work(self, dimensions)

    def guard(self, **dimensions: Unpack[Dimensions]) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Decorate a function, or a coroutine function, that is one piece of work. Refused, it raises `GateClosed`.

        Raises TypeError for a generator function: what it does happens after its call, when the piece of work would
        have ended.
        """
        from opsgate.guard import guard

        return guard(lambda: self.work(**dimensions))

    def wait_until_allowed(self, *, timeout_s: float | None = None, **dimensions: Unpack[Dimensions]) -> Decision:
        """Block until this work may run, or ``timeout_s`` have passed (None: for ever); the decision says which."""
        return waiting.wait(lambda: self.check(**dimensions), self.subscribe, timeout_s, dimensions)

    async def wait_until_allowed_async(
        self, *, timeout_s: float | None = None, **dimensions: Unpack[Dimensions]
    ) -> Decision:
        """The same in an event loop, which goes on meanwhile."""
        return await waiting.wait_async(lambda: self.check(**dimensions), self.subscribe, timeout_s, dimensions)

    def reserve(self, limit: str, cost: int = 1) -> Reservation:
        """Take ``cost`` units of a rate limit before the work that uses them; falsy when refused. Never raises.

        The keeper counts for all workers, or a server. Where none answers within a second it is refused, whatever the
        class of the operation, because a limit that nobody counts protects nothing.
        """
        fleet = self._settled(ROUTINE).fleet
        watcher = self._watcher
        if watcher is None:
            from opsgate.permits import nobody

            reservation = nobody(limit, cost, "the gate is closed, so nobody counts this limit")
        else:
            reservation = watcher.link.reserve(fleet, limit, cost)
        if reservation:
            self._used_up.discard(limit)
        else:
            _log.log(
                logging.DEBUG if limit in self._used_up else logging.INFO,
                "[Rate Limit] ❌ %s",
                pauselog.plain(reservation.reason),
            )
            if len(self._used_up) < _NAMES_COUNTED:
                self._used_up.add(limit)
        return reservation

    def sample(self, metric: str, value: float, *, account: str | None = None, source: str | None = None) -> bool:
        """Report a measurement to the triggers of the fleet; ``source`` defaults to this worker. Waits for nobody.

        False where nobody is known to take it. Raises ValueError for a name or a number that is none.
        """
        said = sample_of(metric, value, account, source or self.worker or None)
        watcher = self._watcher
        return watcher is not None and watcher.link.sample(self._view.fleet, said)

    # --------------------------------------------------------------------------------------------------- the gate
    @property
    def worker(self) -> str:
        """The name under which this process acknowledges stops."""
        return self._member.worker if self._member else ""

    @property
    def fleet(self) -> str:
        """The id of the fleet; empty until it is known."""
        return self._view.fleet

    @property
    def revision(self) -> int:
        """The revision of the state at hand."""
        return self._view.revision

    @property
    def table(self) -> Table:
        """The decision table at hand; another object whenever a hold or a name has changed."""
        return self._view.table

    @property
    def freshness(self) -> Freshness:
        """initialising, valid, interrupted (cut off, on the last known state) or off (closed)."""
        if self._closed:
            return "off"
        if self._watcher is None:
            return "initialising"
        said, age_s = self._watcher.freshness, self._view.age_s(elapsed_s())
        if said != "valid":
            return said
        if age_s is None:
            return "initialising"  # what was read is about to decide, and does not yet
        return "interrupted" if age_s > FRESH_S else "valid"

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake``, on another thread, whenever the state has changed; returns what ends that.

        What it raises is an error line, once, and goes no further.
        """
        return self._subscribers.add(wake)

    def close(self) -> None:
        """Leave the fleet. Checks go on with what was known, which grows old."""
        with self._lock:
            self._closed = True
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------ for Work and Watcher
    def describe(self, dimensions: Mapping[str, object]) -> dict[str, str]:
        """The work as holds and stops see it: what is None left out, flags as operations, the gate's own env in it."""
        work = {name: str(value) for name, value in dimensions.items() if value is not None and name != "key"}
        if "operation" in work:
            work["operation"] = operation_named(work["operation"])
        if self._env is not None:
            work.setdefault("env", self._env)
        return work

    def halts(self, decision: Decision, dimensions: Dimensions) -> bool:
        """Whether a refusal ends work that runs already: a halt that covers it does, a drain does not. An old state
        does for hazardous work, each step of which is the one that cannot be undone."""
        work = self.describe(dimensions)
        if halts(decision, work):
            return True
        return decision.outcome == "unknown" and self._policy.of(work.get("operation")).name == "hazardous"

    def failed(self) -> None:
        """A piece of work ended by an exception."""
        self._tally.count(FAILURES)

    def ended(self) -> None:
        """A piece of work has ended: a stop may have waited for it."""
        watcher = self._watcher
        if watcher is not None and self._view.stops:
            watcher.ring()

    def forked(self) -> None:
        """This is a child now: none of the threads is here, and the descriptors belong to the parent."""
        self._lock = threading.Lock()
        self._tally = Tally(self.sample)
        self._subscribers.forked()
        self.in_flight.keep_own_thread()
        parent, self._watcher = self._watcher, None
        if parent is None or self._member is None:
            return
        parent.abandon()
        self._inherited = parent
        self._member = replace(self._member, worker=self._member.name_of_child())
        self._view = self._view.inherited()

    def publish(self, view: View) -> None:
        """Every check from now on reads this view."""
        self._view = view

    def wake(self) -> None:
        """Tell the subscribers that the state has changed."""
        self._subscribers.wake()

    # ------------------------------------------------------------------------------------------------- the long way
    def _decide(self, dimensions: Mapping[str, object]) -> Decision:
        """Decide with all that the quick way leaves out: holds, unknown names, ramps, the age of the state."""
        work, key = self.describe(dimensions), dimensions.get("key")
        rule = self._policy.of(work.get("operation"))
        view = self._settled(rule)
        at_s = elapsed_s()
        age_s = view.age_s(at_s)
        verdict = evaluate(
            view.table, work, key=None if key is None else str(key), strict=self._strict and age_s is not None
        )
        if verdict.unknown_names and age_s is not None:
            self._count(verdict.unknown_names)
        old = age_s is not None and age_s > FRESH_S
        judged = judge(verdict, rule, age_s, view.emergencies if old else (), illegible=view.illegible)
        decision = Decision(judged.verdict, view, at_s, judged.allowed, judged.note)
        if not decision.allowed:
            self._tally.count(REFUSALS)
        if pauselog.log.isEnabledFor(logging.DEBUG):
            pauselog.checked(decision)
        return decision

    def _settled(self, rule: Rule) -> View:
        """The view, once it rests on something or its class has waited long enough for that."""
        if self._watcher is None and not self._closed:
            self._listen()
        if self._view.settled and self._view.confirmed_at_s is not None:
            return self._view
        changed = threading.Event()
        unsubscribe = self.subscribe(changed.set)
        try:
            while not self._closed:
                view = self._view
                patience_s = rule.cold_wait_s if view.confirmed_at_s is None else 0.0
                if not view.settled:
                    patience_s = max(patience_s, _FIRST_READING_S)
                left_s = self._opened_s + patience_s - elapsed_s()
                if left_s <= 0:
                    break
                changed.wait(left_s)
                changed.clear()
            return self._view
        finally:
            unsubscribe()

    def _count(self, names: tuple[str, ...]) -> None:
        for name in (pauselog.plain(name, 200) for name in names):
            if name not in self.unknown_names:
                if len(self.unknown_names) >= _NAMES_COUNTED:
                    return  # a worker that invents names must not fill the memory
                _log.warning(
                    "nobody registered %s, so %s", name, "it is refused" if self._strict else "only wider holds stop it"
                )
            self.unknown_names[name] = self.unknown_names.get(name, 0) + 1

    def _listen(self) -> None:
        """Start the threads of this process, once."""
        from opsgate.watcher import Watcher

        with self._lock:
            if self._watcher is not None or self._closed or self._member is None or elapsed_s() < self._listen_at_s:
                return
            if self._inherited is not None:
                self._opened_s = elapsed_s()  # a forked child opens it with its first question
            try:
                watcher = Watcher(self._member, self.in_flight, self._policy, self.publish, self.wake)
                watcher.begin(self._inherited)
            except (OSError, RuntimeError) as error:  # no descriptor or no thread left
                self._listen_at_s = elapsed_s() + _LISTEN_AGAIN_S
                _log.error("the gate cannot listen (%s): deciding by what is known", error)
                return
            self._watcher, self._inherited = watcher, None
