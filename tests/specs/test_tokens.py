"""Tokens: made once, shown once, ended for good; the journal never learns a secret."""

import re
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from core import checkpoint
from core.capabilities.tokens import (
    ENDED_KEPT,
    SECRET,
    CreateToken,
    RevokeToken,
    digest_of,
    token_of,
    without_secrets,
)
from core.policy import gate_change
from tests.specs.engine import BEGINNING, Engine, said

ID = "t-0123456789ab"
SECRET_TEXT = f"ops_{ID}_{'Aa0-_' * 8}abc"


def token(**fields: Any) -> CreateToken:
    """An operator's token for ben, unless said otherwise."""
    said: dict[str, Any] = {"token_id": ID, "name": "ben", "digest": digest_of(SECRET_TEXT), "role": "operator"}
    return CreateToken(**(said | fields))


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_a_token_lets_in_whoever_shows_its_secret_until_it_is_revoked(engine: Engine) -> None:
    engine.do(token())
    found = token_of(SECRET_TEXT, engine.state.tokens)
    assert found is not None
    assert (found.name, found.role, found.created_by) == ("ben", "operator", "ana")
    assert found.is_valid(engine.now)

    engine.do(RevokeToken(token_id=ID), by="cleo")

    found = token_of(SECRET_TEXT, engine.state.tokens)
    assert found is not None
    assert (found.is_valid(engine.now), found.revoked_by) == (False, "cleo")


def test_a_token_is_good_up_to_its_end_and_no_moment_longer(engine: Engine) -> None:
    engine.do(token(expires_at=BEGINNING + timedelta(hours=1)))

    assert engine.state.tokens[ID].is_valid(BEGINNING + timedelta(seconds=3599))
    assert not engine.state.tokens[ID].is_valid(BEGINNING + timedelta(hours=1))


def test_a_clock_that_goes_back_revives_no_revoked_token(engine: Engine) -> None:
    engine.do(token())
    engine.do(RevokeToken(token_id=ID))

    assert not engine.state.tokens[ID].is_valid(BEGINNING - timedelta(days=1))


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "ops_",
        ID,
        SECRET_TEXT[:-1],
        SECRET_TEXT + "A",
        SECRET_TEXT + "\n",
        SECRET_TEXT[:-1] + "d",
        SECRET_TEXT.replace(ID, "t-0123456789ac"),
        SECRET_TEXT.upper(),
        f" {SECRET_TEXT}",
        digest_of(SECRET_TEXT),
        "ops_t-0123456789ab_" + "é" * 43,
    ],
)
def test_anything_but_the_secret_itself_is_nobodys(engine: Engine, shown: str) -> None:
    engine.do(token())

    assert token_of(shown, engine.state.tokens) is None


def test_the_digests_are_compared_in_constant_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.do(token())
    compared: list[tuple[str, str]] = []

    def equal(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("hmac.compare_digest", equal)

    assert token_of(SECRET_TEXT, engine.state.tokens) is not None
    assert compared == [(digest_of(SECRET_TEXT), digest_of(SECRET_TEXT))]


def test_the_same_token_again_changes_nothing_and_another_under_its_id_is_refused(engine: Engine) -> None:
    engine.do(token())

    again = engine.do(token())

    assert (again.changed, said(again)) == (False, f"token {ID} is there already")
    assert engine.refused(token(role="admin")) == "token-exists"
    assert engine.refused(token(digest="0" * 64)) == "token-exists"


def test_what_was_revoked_is_not_made_again(engine: Engine) -> None:
    engine.do(token())
    engine.do(RevokeToken(token_id=ID))

    assert engine.refused(token()) == "token-exists"


def test_revoking_twice_changes_nothing_and_revoking_what_is_not_there_is_refused(engine: Engine) -> None:
    engine.do(token())
    engine.do(RevokeToken(token_id=ID, reason="left the company"), by="cleo")

    again = engine.do(RevokeToken(token_id=ID))

    assert (again.changed, said(again)) == (False, f"token {ID} was revoked already")
    assert engine.state.tokens[ID].revoked_by == "cleo"
    assert engine.refused(RevokeToken(token_id="t-ffffffffffff")) == "unknown-token"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"role": "worker"}, "bad-token"),
        ({"role": "operator", "worker_id": "w1"}, "bad-token"),
        ({"sites": ("s1", "nowhere")}, "unknown-name"),
        ({"expires_at": BEGINNING}, "time-in-the-past"),
    ],
)
def test_a_token_that_would_not_be_what_it_is_taken_for_is_refused(
    engine: Engine, fields: dict[str, Any], code: str
) -> None:
    assert engine.refused(token(**fields)) == code


@pytest.mark.parametrize("kind", ["automation", "system"])
def test_only_people_make_tokens(engine: Engine, kind: Any) -> None:
    assert engine.refused(token(), kind=kind) == "person-only"


@pytest.mark.parametrize(
    "damage",
    [
        {"token_id": "t-1"},
        {"token_id": "T-0123456789ab"},
        {"digest": "short"},
        {"digest": SECRET_TEXT},
        {"name": ""},
        {"name": "x" * 129},
        {"role": "root"},
        {"role": None},
        {"worker_id": "no spaces"},
        {"secret": SECRET_TEXT},
    ],
)
def test_a_malformed_token_is_not_even_read(damage: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        token(**damage)


def test_whoever_scans_texts_for_secrets_finds_ours_and_a_log_is_written_without_them() -> None:
    line = f"GET /v1/state Authorization: Bearer {SECRET_TEXT}, again {SECRET_TEXT}."

    assert [found[0] for found in re.finditer(SECRET, line)] == [SECRET_TEXT, SECRET_TEXT]
    assert without_secrets(line[: line.index(",") - 30]) == f"GET /v1/state Authorization: Bearer ops_{ID}_***"
    assert without_secrets(line) == f"GET /v1/state Authorization: Bearer ops_{ID}_***, again ops_{ID}_***."


def test_neither_journal_nor_state_holds_the_secret(engine: Engine) -> None:
    engine.do(token())
    engine.do(RevokeToken(token_id=ID))

    written = checkpoint.dump(engine.state) + "".join(each.event.model_dump_json() for each in engine.journal)

    assert digest_of(SECRET_TEXT) in written
    assert SECRET_TEXT not in written
    assert SECRET_TEXT.rpartition("_")[2] not in written


def test_gates_are_told_nothing_of_tokens(engine: Engine) -> None:
    before = engine.state
    engine.do(token())

    change = gate_change(before, engine.state, engine.journal[-1:])

    assert (change.delta.placed, change.delta.released, change.stops, change.names_added) == ((), (), (), ())
    assert engine.state.control_revision == before.control_revision


def test_what_ended_long_ago_leaves_the_state_and_what_is_good_stays(engine: Engine) -> None:
    engine.do(token(token_id="t-000000000001", expires_at=BEGINNING + timedelta(hours=1)))
    engine.do(token(token_id="t-000000000002"))
    engine.do(token(token_id="t-000000000003"))
    engine.do(RevokeToken(token_id="t-000000000002"))
    engine.wait((ENDED_KEPT + timedelta(minutes=30)).total_seconds())

    engine.do(token(token_id="t-000000000004"))

    assert set(engine.state.tokens) == {"t-000000000001", "t-000000000003", "t-000000000004"}


def test_a_checkpoint_from_before_there_were_tokens_is_read(engine: Engine) -> None:
    text = checkpoint.dump(engine.state)
    older = text.replace(f'"format":{checkpoint.FORMAT}', '"format":1').replace(',"tokens":[]', "")
    assert older != text

    assert checkpoint.load(older) == engine.state


def test_a_checkpoint_carries_tokens(engine: Engine) -> None:
    engine.do(token(sites=("s1", "s2"), envs=("prod",), expires_at=BEGINNING + timedelta(days=1)))
    engine.do(token(token_id="t-000000000001", role="worker", worker_id="w1"))
    engine.do(RevokeToken(token_id=ID))

    assert checkpoint.load(checkpoint.dump(engine.state)) == engine.state
