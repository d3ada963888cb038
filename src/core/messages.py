"""What crosses a border: commands, events, receipts and who sent them. Frozen, strict, closed, discriminated by kind.

The wire is made of these very models; there is no second set. Commands are imperative, events past tense. A command
and its events live in one capability module and register themselves by `command` and `event` when it is imported.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer, PlainValidator, StringConstraints
from pydantic import SerializeAsAny, WithJsonSchema, field_validator

from opsgate.hold import timestamp
from opsgate.selector import IDENTIFIER, Selector

Identifier = Annotated[str, StringConstraints(pattern=f"^{IDENTIFIER.pattern}$")]
"""A name or an id: rejected when malformed, never stripped."""

FreeText = Annotated[str, StringConstraints(max_length=300)]
"""A reason, a title, a note: kept as it was typed, made harmless where it is shown."""


def _selector(value: Any) -> Selector:
    return value if isinstance(value, Selector) else Selector.from_mapping(dict(value))


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


SelectorField = Annotated[
    Selector,
    PlainValidator(_selector),
    PlainSerializer(Selector.as_dict),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}, "examples": [{"site": "s1"}]}),
]
"""A selector, as an object of dimension → value on the wire."""

Moment = Annotated[AwareDatetime, PlainSerializer(timestamp)]
"""An aware time, RFC 3339 in UTC on the wire."""

Mode = Literal["drain", "halt"]
Level = Literal["immediate", "graceful", "service_specific", "cascading", "maintenance"]
StopResult = Literal["pending", "verified", "partial", "unverified"]
Durable = Literal["database", "spool", "memory"]
Door = Literal["console", "cli", "http", "keeper", "latch", "schedule", "trigger", "script", "test"]


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, ser_json_inf_nan="constants")


class Actor(Message):
    """Who acts, as the credential says and never as a body claims."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    kind: Literal["person", "automation", "system"] = "person"


class Command(Message):
    """Says which state is wanted (set, never toggle)."""

    kind: str


class Event(Message):
    """Says what happened. ``version`` rises with the shape; `core.upcast` reads the older ones."""

    version: ClassVar[int] = 1
    kind: str


COMMANDS: dict[str, type[Command]] = {}
EVENTS: dict[str, type[Event]] = {}

C = TypeVar("C", bound=type[Command])
E = TypeVar("E", bound=type[Event])


def command(cls: C) -> C:
    """Register a command class under its kind."""
    COMMANDS[cls.model_fields["kind"].default] = cls
    return cls


def event(cls: E) -> E:
    """Register an event class under its kind."""
    EVENTS[cls.model_fields["kind"].default] = cls
    return cls


class Envelope(Message):
    """A command with all that is said about it. The same ``command_id`` always gets the same receipt.

    ``expected_revision`` is the control revision at which the sender looked: a release of what has changed since is
    refused (`core.errors.RevisionConflict`). Stops never look at it.
    """

    command_id: Identifier
    actor: Actor
    door: Door
    command: SerializeAsAny[Command]
    correlation_id: Identifier | None = None
    expected_revision: int | None = None

    @field_validator("command", mode="wrap")
    @classmethod
    def _of_any_kind(cls, value: Any, _handler: Any) -> Command:
        if isinstance(value, Command):
            return value
        kind = value.get("kind") if isinstance(value, dict) else None
        if kind not in COMMANDS:
            raise ValueError(f"unknown command kind {kind!r}")
        return COMMANDS[kind].model_validate(value, strict=False)


class Header(Message):
    """What is said of every event beside what happened."""

    revision: int
    at: Moment
    actor: Actor
    door: Door
    correlation_id: str
    command_id: str


class Recorded(Message):
    """An event in its place in the journal."""

    header: Header
    event: SerializeAsAny[Event]

    @property
    def revision(self) -> int:
        """Its number; the first event of a fleet is 1."""
        return self.header.revision


class EventNote(Message):
    """One event of a receipt: its number and kind."""

    revision: int
    kind: str


class Receipt(Message):
    """The answer to a command. ``durable`` other than database means: in force, not yet recorded."""

    revision: int
    changed: bool
    events: tuple[EventNote, ...] = ()
    hold_ids: tuple[str, ...] = ()
    stop_id: str | None = None
    emergency_id: str | None = None
    durable: Durable = "database"
    remaining_holds: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
