"""The engine as a command sees it: open the backend, send one command in the name of whoever typed it, close.

Importing this loads the engine; commands that must start fast import it only when they turn out to need it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from core.engine import Facts, WorkerFact, step
from core.errors import NotPermitted
from core.faults import sentence
from core.messages import Actor, Command, Envelope, Receipt
from opsconsole.cli.invocation import Invocation
from opsconsole.credential import read_token
from opsgate.selector import SelectorError

if TYPE_CHECKING:
    from core.ports import Backend, WorkerRow

C = TypeVar("C", bound=Command)


@contextmanager
def opened(invocation: Invocation, *, create: bool = False) -> Iterator[Engine]:
    """The engine of the backend that the settings name, closed at the end of the block.

    With ``create`` a database that is not there is begun. Reading and releasing begin only the embedded one that
    nobody named: a typing error in a URL must not be answered by an empty fleet.
    """
    from backends import open_backend

    settings = invocation.settings
    unnamed = settings.origins["backend"] == "default"
    token = read_token(settings.token_file)
    told = None if unnamed else lambda place: invocation.say(f"a new fleet was begun at {place}")
    wanted = create or unnamed
    backend = open_backend(settings.backend, create=wanted, timeout_s=settings.timeout_s, token=token, begun=told)
    try:
        yield Engine(invocation, backend)
    finally:
        backend.close()


class Engine:
    """One backend, in the name of one person."""

    def __init__(self, invocation: Invocation, backend: Backend) -> None:
        self.invocation = invocation
        self.backend = backend

    @property
    def timeout_s(self) -> float:
        """How long the person is willing to wait for one answer."""
        return self.invocation.settings.timeout_s

    def names(self, dimension: str) -> list[str]:
        """The registered names of a dimension."""
        return [name.name for name in self.backend.state(timeout_s=self.timeout_s).names_of(dimension)]

    def submit(self, command: Command, *, expected_revision: int | None = None) -> Receipt:
        """Carry a command out; one that lets something run, only once every stop latched here is recorded. Raises
        `core.errors` only; read-only settings refuse it before anybody is asked."""
        self._require_writable()
        if command.lets_run:
            self.require_recorded()
        return self.backend.submit(self._envelope(command, expected_revision), timeout_s=self.timeout_s)

    def require_recorded(self) -> None:
        """Record every stop that is latched here and not in the journal yet; refuse to go on where one cannot be."""
        from backends.spool import require_recorded

        self._require_writable()
        require_recorded(self.backend, timeout_s=self.timeout_s)

    def rehearse(self, command: Command) -> Receipt:
        """What the engine would answer now, without doing it. Raises what `submit` would."""
        return self.foresee(command)[0]

    def foresee(self, command: Command) -> tuple[Receipt, Any]:
        """The answer and the state that a command would lead to, without doing it."""
        seen = self.backend.observe(timeout_s=self.timeout_s)
        facts = Facts(live=tuple(map(fact_of, seen.workers)))
        outcome = step(self.backend.state(timeout_s=self.timeout_s), self._envelope(command, None), seen.at, facts)
        return outcome.receipt, outcome.state

    def now(self) -> datetime:
        """The engine's time, by which every end of a pause is decided."""
        return self.backend.observe(timeout_s=self.timeout_s).at

    def _require_writable(self) -> None:
        if self.invocation.settings.read_only:
            raise NotPermitted(
                "read-only", "these settings are read-only", "say --no-read-only if you mean this change"
            )

    def _envelope(self, command: Command, expected_revision: int | None) -> Envelope:
        return Envelope(
            command_id=f"c-{os.urandom(10).hex()}",
            actor=Actor(name=self.invocation.actor),
            door="cli",
            command=command,
            expected_revision=expected_revision,
        )


def fact_of(row: WorkerRow) -> WorkerFact:
    """A worker's row as the engine's rules look at it."""
    scope = tuple((dimension, tuple(values)) for dimension, values in row.scope.items())
    return WorkerFact(row.worker_id, row.env, scope)


def built(kind: type[C], **fields: Any) -> C:
    """A command of these fields; `SelectorError` in one sentence where the engine would not even read it."""
    try:
        return kind(**fields)
    except ValidationError as error:
        raise SelectorError(sentence(error)) from None
