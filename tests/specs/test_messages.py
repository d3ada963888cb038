"""What crosses a border is strict, closed and complete; nothing is coerced, nothing is guessed."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

import core.capabilities  # noqa: F401 - registers commands and events
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.switches import SetSwitch
from core.errors import CommandRejected
from core.messages import COMMANDS, Actor, Envelope, Receipt, command_from
from core.ports import WorkerRow
from tests.specs.engine import BEGINNING, on

ANA = {"name": "ana"}


def envelope(command: Any, **fields: Any) -> dict[str, Any]:
    return {"command_id": "c1", "actor": ANA, "door": "http", "command": command, **fields}


def test_a_command_travels_as_json_and_comes_back_as_it_was() -> None:
    sent = Envelope(
        command_id="c1",
        actor=Actor(name="ana"),
        door="cli",
        command=PlaceHold(selectors=(on(site="s1"),), expires_at=BEGINNING, reason="é"),
        expected_revision=7,
    )

    assert Envelope.model_validate_json(sent.model_dump_json()) == sent
    assert json.loads(sent.model_dump_json())["command"]["selectors"] == [{"site": "s1"}]


def test_a_receipt_travels_as_json_and_comes_back_as_it_was() -> None:
    receipt = Receipt(revision=3, changed=True, hold_ids=("H-3",), remaining_holds=({"hold_id": "H-1"},), notes=("x",))

    assert Receipt.model_validate_json(receipt.model_dump_json()) == receipt


@pytest.mark.parametrize("on_", ["false", "true", 0, 1, None, "off"])
def test_a_word_for_a_boolean_is_no_boolean(on_: object) -> None:
    document = {"kind": "set-switch", "dimension": "workflow", "names": ["xml-import"], "on": on_}

    with pytest.raises(ValueError, match="on"):
        command_from(document)


def test_a_command_is_found_by_its_kind() -> None:
    document = {"kind": "set-switch", "dimension": "workflow", "names": ["xml-import"], "on": False}

    assert command_from(document) == SetSwitch(dimension="workflow", names=("xml-import",), on=False)


@pytest.mark.parametrize(
    "document",
    [
        None,
        "pause",
        ["place-hold"],
        {},
        {"kind": None},
        {"kind": ["place-hold"]},
        {"kind": "hold.placed"},
        {"kind": "\x1b[2J" * 100},
        {"kind": "place-hold", "selectors": [{}], "reason": {1, 2}},
    ],
)
def test_what_is_no_command_of_ours_is_a_value_error_that_shows_it_harmlessly(document: Any) -> None:
    with pytest.raises(ValueError, match=r"unknown command kind|names its \"kind\"|not a JSON document") as refusal:
        command_from(document)
    assert len(str(refusal.value)) < 120
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    "damage",
    [
        {"command_id": ""},
        {"command_id": "no spaces"},
        {"actor": {"name": ""}},
        {"actor": {"name": "x" * 129}},
        {"actor": {"name": "ana", "kind": "admin"}},
        {"door": "window"},
        {"expected_revision": -1},
        {"correlation_id": "../x"},
        {"paused_by": "somebody else"},
    ],
)
def test_an_envelope_is_as_strict_as_what_it_carries(damage: dict[str, Any]) -> None:
    command = {"kind": "release-holds", "selectors": [{}], "reason": "x"}
    assert Envelope.model_validate(envelope(command)).command == ReleaseHolds(selectors=(on(),), reason="x")

    with pytest.raises(ValidationError):
        Envelope.model_validate(envelope(command, **damage))


def test_messages_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Actor(name="ana").name = "ben"  # type: ignore[misc] # that is the point


def test_every_command_has_a_schema_for_the_wire() -> None:
    for kind, cls in COMMANDS.items():
        schema = cls.model_json_schema()
        assert schema["properties"]["kind"]["const"] == kind
        assert schema["additionalProperties"] is False


def test_an_error_says_what_is_wrong_and_what_to_do_next() -> None:
    assert str(CommandRejected("code", "it is so", "do that")) == "it is so; do that"
    assert str(CommandRejected("code", "it is so")) == "it is so"


def test_a_worker_has_stopped_when_it_said_so_and_drains_nothing_or_has_left() -> None:
    def row(**fields: Any) -> WorkerRow:
        said: dict[str, Any] = {"stops": ("S-1", "S-2"), "draining": {"S-2": 1}, "state": "live"} | fields
        return WorkerRow("w1", "", {}, 1, "0", BEGINNING, BEGINNING, revision=7, in_flight=0, **said)

    assert row().has_stopped("S-1")
    assert not row().has_stopped("S-2")
    assert not row().has_stopped("S-3")
    assert row(draining={"S-2": 0}).has_stopped("S-2")
    assert row(state="left").has_stopped("S-3")
    assert row().has_stopped("S-1", since=7)
    assert not row().has_stopped("S-1", since=8), "it had not seen yet that nothing is let through any more"
