"""Workers: what they say is observed beside the journal; that one is new, lost, back or forgotten is an event.

A lost worker has not been heard of for too long. It is shown apart from stopped ones and counts as not stopped, until
it comes back or somebody forgets it by name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from core.capabilities.conclusion import conclude
from core.engine import Draft, decides, evolves, only_system
from core.errors import CommandRejected, UnknownName
from core.messages import Command, Header, Identifier, WorkerEvent, command, event
from core.state import State, Worker

Ids = Annotated[tuple[Identifier, ...], Field(max_length=100_000)]


@command
class ReportWorkers(Command):
    """What the keeper observed: workers heard of for the first time or again, gone silent, or ended on purpose."""

    kind: Literal["report-workers"] = "report-workers"
    heard: Ids = ()
    lost: Ids = ()
    left: Ids = ()


@command
class ForgetWorkers(Command):
    """Take workers off the lists of who must acknowledge: they are known to be gone.

    One that was heard of lately is not: forgetting it would make a stop look verified while it runs.
    """

    kind: Literal["forget-workers"] = "forget-workers"
    workers: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=100_000)]


@event
class WorkerRegistered(WorkerEvent):
    """A worker was heard of for the first time."""

    kind: Literal["worker.registered"] = "worker.registered"


@event
class WorkerLost(WorkerEvent):
    """A worker missed its heartbeats."""

    kind: Literal["worker.lost"] = "worker.lost"


@event
class WorkerReturned(WorkerEvent):
    """A lost worker was heard of again."""

    kind: Literal["worker.returned"] = "worker.returned"


@event
class WorkerLeft(WorkerEvent):
    """A worker ended on purpose."""

    kind: Literal["worker.left"] = "worker.left"


@event
class WorkerForgotten(WorkerEvent):
    """A person said that a worker is gone; no stop waits for it any more."""

    kind: Literal["worker.forgotten"] = "worker.forgotten"


@decides(ReportWorkers)
def report_workers(draft: Draft, seen: ReportWorkers) -> None:
    """Only transitions become events; what is known already does not."""
    only_system(draft, "reporting workers")
    for worker_id in seen.heard:
        known = draft.state.workers.get(worker_id)
        if known is None:
            draft.emit(WorkerRegistered(worker_id=worker_id))
        elif known.lost_at is not None:
            draft.emit(WorkerReturned(worker_id=worker_id))
    for worker_id in seen.lost:
        known = draft.state.workers.get(worker_id)
        if known is not None and known.lost_at is None:
            draft.emit(WorkerLost(worker_id=worker_id))
    for worker_id in seen.left:
        if worker_id in draft.state.workers:
            draft.emit(WorkerLeft(worker_id=worker_id))


@decides(ForgetWorkers)
def forget_workers(draft: Draft, wanted: ForgetWorkers) -> None:
    """Forget workers that are known, here or on the list of a stop in force, which may miss nobody then."""
    awaited = {worker_id for stop in draft.state.active_stops() for worker_id in stop.of}
    alive = {worker.worker_id for worker in draft.facts.live}
    for worker_id in dict.fromkeys(wanted.workers):
        if worker_id not in draft.state.workers and worker_id not in awaited:
            raise UnknownName("unknown-worker", f"no worker is called {worker_id}", "see 'opsconsole workers list'")
        if worker_id in alive:
            raise CommandRejected("worker-alive", f"worker {worker_id} was heard of just now", "end its process first")
        draft.emit(WorkerForgotten(worker_id=worker_id))
    for stop in draft.state.active_stops():
        if stop.result not in {"pending", "verified"} and not stop.missing:
            conclude(draft, stop, stop.acked)


@evolves(WorkerRegistered)
def worker_registered(state: State, happened: WorkerRegistered, header: Header) -> State:
    """Fold."""
    return _with(state, Worker(happened.worker_id, registered_at=header.at))


@evolves(WorkerLost)
def worker_lost(state: State, happened: WorkerLost, header: Header) -> State:
    """Fold."""
    return _with(state, replace(state.workers[happened.worker_id], lost_at=header.at))


@evolves(WorkerReturned)
def worker_returned(state: State, happened: WorkerReturned, _header: Header) -> State:
    """Fold."""
    return _with(state, replace(state.workers[happened.worker_id], lost_at=None))


@evolves(WorkerLeft)
def worker_left(state: State, happened: WorkerLeft, _header: Header) -> State:
    """Fold."""
    return state.but(workers=state.workers.delete(happened.worker_id))


@evolves(WorkerForgotten)
def worker_forgotten(state: State, happened: WorkerForgotten, _header: Header) -> State:
    """Fold: it is off the registry and off every frozen list."""
    stops = state.stops
    for stop in state.active_stops():
        if happened.worker_id in stop.of:
            of = tuple(worker for worker in stop.of if worker != happened.worker_id)
            acked = tuple(worker for worker in stop.acked if worker != happened.worker_id)
            stops = stops.set(stop.stop_id, replace(stop, of=of, acked=acked))
    workers = state.workers
    if happened.worker_id in workers:
        workers = workers.delete(happened.worker_id)
    return state.but(workers=workers, stops=stops)


def _with(state: State, worker: Worker) -> State:
    return state.but(workers=state.workers.set(worker.worker_id, worker))
