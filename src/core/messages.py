"""What crosses a border: commands, events, receipts and who sent them. Frozen, strict, closed, discriminated by kind.

The wire is made of these very models; there is no second set. Commands are imperative, events past tense. A command
and its events live in one capability module and register themselves by `command` and `event` when it is imported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SerializeAsAny,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticSerializationError

from opsgate.hold import timestamp
from opsgate.selector import IDENTIFIER, Selector

Identifier = Annotated[str, StringConstraints(pattern=f"^{IDENTIFIER.pattern}$")]
"""A name or an id: rejected when malformed, never stripped."""

FreeText = Annotated[str, StringConstraints(max_length=300)]
"""A reason, a title, a note: kept as it was typed, made harmless where it is shown."""


def _selector(value: Any) -> Selector:
    return value if isinstance(value, Selector) else Selector.from_mapping(value)


SelectorField = Annotated[
    Selector,
    PlainValidator(_selector),
    PlainSerializer(Selector.as_dict),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}, "examples": [{"site": "s1"}]}),
]
"""A selector, as an object of dimension → value on the wire."""


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time that lies outside the calendar") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc), PlainSerializer(timestamp)]
"""A time in UTC, RFC 3339 on the wire."""

StopResult = Literal["pending", "verified", "partial", "unverified"]
Durable = Literal["database", "spool", "memory"]
Door = Literal["console", "cli", "http", "keeper", "latch", "schedule", "trigger", "alert", "hook", "script", "test"]
Role = Literal["viewer", "worker", "stop", "operator", "responder", "admin"]
"""What a token is for; `core.authority` says what each may do."""


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, ser_json_inf_nan="constants")


def as_json(message: Message) -> str:
    """The JSON text of a message. Half a letter, which an argument that is no UTF-8 leaves, is escaped."""
    try:
        return message.model_dump_json()
    except PydanticSerializationError:
        return json.dumps(message.model_dump(mode="json"), separators=(",", ":"))


class Actor(Message):
    """Who acts, as the credential says and never as a body claims."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    kind: Literal["person", "automation", "system"] = "person"


class Command(Message):
    """Says which state is wanted (set, never toggle)."""

    kind: str

    @classmethod
    def spelt(cls, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """A document as this command's fields are called, where others have names of their own for them."""
        return document

    @property
    def lets_run(self) -> bool:
        """Whether something may run because of it that did not: a release, whatever it is called. Those are carried
        out once every stop is recorded, at the revision that their sender looked at, and confirmed in production."""
        return False


class Event(Message):
    """Says what happened. ``version`` rises with the shape; `core.upcast` reads and writes the older ones.

    An event about something that has a name derives from one of the classes below, which say what that is.
    """

    version: ClassVar[int] = 1
    kind: str


class HoldEvent(Event):
    """Something about one hold."""

    hold_id: str


class NameEvent(Event):
    """Something about one registered name."""

    dimension: str
    name: str


class LimitEvent(Event):
    """Something about one rate limit."""

    name: str


class WorkerEvent(Event):
    """Something about one worker."""

    worker_id: str


class StopEvent(Event):
    """Something about one stop."""

    stop_id: str


class EmergencyEvent(Event):
    """Something about one emergency, and so perhaps about each of its stops."""

    emergency_id: str


class RecoveryEvent(EmergencyEvent):
    """Something about one recovery of an emergency."""

    recovery_id: str


class ServiceEvent(Event):
    """Something about one service, and so perhaps about each stop that lists it."""

    service: str


class TokenEvent(Event):
    """Something about one token. Gates know nothing of tokens."""

    token_id: str


class TriggerEvent(Event):
    """Something about one trigger. What it stopped has events of its own."""

    trigger: str


COMMANDS: dict[str, type[Command]] = {}
EVENTS: dict[str, type[Event]] = {}

CommandT = TypeVar("CommandT", bound=Command)
EventT = TypeVar("EventT", bound=Event)


def command(cls: type[CommandT]) -> type[CommandT]:
    """Register a command class under its kind."""
    COMMANDS[cls.model_fields["kind"].default] = cls
    return cls


def event(cls: type[EventT]) -> type[EventT]:
    """Register an event class under its kind."""
    EVENTS[cls.model_fields["kind"].default] = cls
    return cls


def command_from(document: Any, text: str | bytes | None = None) -> Command:
    """The command of a JSON object that names its ``kind``, read as strictly as from JSON text: ``"false"`` is no
    boolean and a number no name. ``text`` is that object's own, where it came as one. Raises ValueError (pydantic's
    own, where a field is at fault)."""
    kind = document.get("kind") if isinstance(document, Mapping) else None
    if kind is None:
        raise ValueError('a command is an object that names its "kind"')
    if not isinstance(kind, str) or kind not in COMMANDS:
        raise ValueError(f"unknown command kind {ascii(kind)[:60]}")
    spelt = COMMANDS[kind].spelt(document)
    if text is None or spelt is not document:
        try:
            text = json.dumps(dict(spelt))
        except TypeError as error:
            raise ValueError(f"not a JSON document: {error}") from None
    return COMMANDS[kind].model_validate_json(text)


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
    expected_revision: Annotated[int, Field(ge=0)] | None = None

    @field_validator("command", mode="plain")
    @classmethod
    def _of_any_kind(cls, value: Any) -> Command:
        return value if isinstance(value, Command) else command_from(value)


@dataclass(frozen=True, slots=True)
class Header:
    """What is said of every event beside what happened."""

    revision: int
    at: datetime
    actor: Actor
    door: Door
    correlation_id: str
    command_id: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in its place in the journal. On the wire and on disk it is a `core.audit.Row`."""

    header: Header
    event: Event

    @property
    def revision(self) -> int:
        """Its number; the first event of a fleet is 1."""
        return self.header.revision


class EventNote(Message):
    """One event of a receipt: its number and kind."""

    revision: int
    kind: str


class Receipt(Message):
    """The answer to a command. ``durable`` other than database means: in force, not yet recorded. One that a later
    version has made may say more."""

    model_config = ConfigDict(extra="ignore")

    revision: int
    changed: bool
    events: tuple[EventNote, ...] = ()
    hold_ids: tuple[str, ...] = ()
    stop_id: str | None = None
    emergency_id: str | None = None
    durable: Durable = "database"
    remaining_holds: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
