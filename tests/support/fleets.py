"""Small pieces of a fleet: who speaks, what is said, and a clock that a test sets."""

import itertools
from datetime import UTC, datetime, timedelta

from core.messages import Actor, Command, Envelope
from core.ports import WorkerRow

ANA = Actor(name="ana")
BEN = Actor(name="ben")
KEEPER = Actor(name="keeper", kind="system")
START = datetime(2026, 11, 22, 14, 0, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def say(
    command: Command, *, by: Actor = ANA, command_id: str | None = None, expected_revision: int | None = None
) -> Envelope:
    """An envelope around a command, with an id of its own unless one is given."""
    return Envelope(
        command_id=command_id or f"c-{next(_numbers)}",
        actor=by,
        door="test",
        command=command,
        expected_revision=expected_revision,
    )


class Clock:
    """A clock that only the test moves."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


def worker(worker_id: str, heartbeat_at: datetime, *, state: str = "live", stops: tuple[str, ...] = ()) -> WorkerRow:
    """A worker that was heard of at ``heartbeat_at``."""
    return WorkerRow(
        worker_id=worker_id,
        env="prod",
        scope={"site": ["s1", "s2"]},
        pid=4711,
        started="812",
        registered_at=START,
        heartbeat_at=heartbeat_at,
        revision=0,
        stops=stops,
        draining={},
        in_flight=1,
        state=state,
    )
