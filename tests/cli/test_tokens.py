"""``token`` and ``whoami``: a secret is shown once, to whoever made it, and is kept nowhere."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backends import open_backend
from core.capabilities.tokens import SECRET, token_of
from opsconsole.cli.invocation import login_name
from opsgate.hold import moment
from tests.cli.shell import Shell


def create(ops: Shell, *more: str) -> dict[str, str]:
    answer: dict[str, str] = ops.ok("token", "create", *more, "-o", "json").json
    return answer


def test_the_secret_is_all_that_stdout_gets_and_the_rest_is_said_beside_it(ops: Shell) -> None:
    answer = ops.ok("token", "create", "--role", "operator", "--name", "ben")

    assert SECRET.fullmatch(answer.out.removesuffix("\n"))
    assert "lets ben in as operator, until " in answer.err
    assert "shown this once" in answer.err
    assert not SECRET.search(answer.err)


def test_a_program_gets_the_same_as_one_document(ops: Shell) -> None:
    ops.ok("sites", "add", "s1")
    made = create(ops, "--role", "responder", "--name", "ana", "--site", "s1", "--env", "prod", "--for", "1h")

    assert SECRET.fullmatch(made["secret"])
    assert {key: made[key] for key in ("name", "role", "sites", "envs", "worker_id")} == {
        "name": "ana",
        "role": "responder",
        "sites": ["s1"],
        "envs": ["prod"],
        "worker_id": None,
    }
    assert timedelta(minutes=59) < moment(made["expires_at"]) - datetime.now(UTC) <= timedelta(hours=1)
    assert "digest" not in made


def test_the_secret_is_whose_the_fleet_says_and_lies_in_no_file(ops: Shell, home: Path) -> None:
    made = create(ops, "--role", "worker", "--worker", "w1", "--for", "never")
    url = ops.ok("info", "-o", "json").json["backend"]

    with closing(open_backend(url)) as backend:
        found = token_of(made["secret"], backend.state().tokens)

    assert found is not None
    assert (found.token_id, found.name, found.worker_id, found.expires_at) == (made["token_id"], "w1", "w1", None)
    hidden = made["secret"].split("_", 2)[2].encode()
    assert not [path for path in home.rglob("*") if path.is_file() and hidden in path.read_bytes()]


def test_a_token_without_a_name_is_called_by_its_id_and_lasts_ninety_days(ops: Shell) -> None:
    made = create(ops, "--role", "viewer")

    assert made["name"] == made["token_id"]
    assert timedelta(days=89) < moment(made["expires_at"]) - datetime.now(UTC) <= timedelta(days=90)


def test_tokens_are_listed_with_what_they_are_good_for_and_never_with_a_secret(ops: Shell) -> None:
    assert ops.ok("token", "list").out.startswith("no token: opsconsole token create")
    ops.ok("sites", "add", "s1")
    ben = create(ops, "--role", "operator", "--name", "ben", "--site", "s1")
    ana = create(ops, "--role", "admin", "--name", "ana")
    ops.ok("token", "revoke", ben["token_id"], "--reason", "lost")

    rows = ops.ok("token", "list", "-o", "json").json

    assert [(row["name"], row["role"], row["scope"], row["state"]) for row in rows] == [
        ("ana", "admin", "all", "valid"),
        ("ben", "operator", "site s1", "revoked"),
    ]
    assert rows[1]["revoked_by"] == rows[0]["created_by"] == login_name()
    assert ana["secret"] not in json.dumps(rows)


def test_revoking_again_changes_nothing_and_revoking_what_is_not_there_is_refused(ops: Shell) -> None:
    made = create(ops, "--role", "stop")

    assert ops.ok("token", "revoke", made["token_id"], "-o", "json").json["changed"] is True
    again = ops.ok("token", "revoke", made["token_id"], "-o", "json")
    assert (again.json["changed"], "was revoked already" in again.err) == (False, True)
    unknown = ops("token", "revoke", "t-ffffffffffff")
    assert (unknown.code, "no token is called t-ffffffffffff" in unknown.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("create",), 2, "Missing option '--role'"),
        (("create", "--role", "root"), 2, "'root' is not one of"),
        (("create", "--role", "worker"), 1, "--worker ID"),
        (("create", "--role", "admin", "--worker", "w1"), 1, "--worker ID"),
        (("create", "--role", "operator", "--site", "nowhere"), 1, "no site is called nowhere"),
        (("create", "--role", "operator", "--name", "x" * 129), 2, "at most 128 characters"),
        (("create", "--role", "operator", "--for", "0"), 2, "duration"),
        (("revoke", "everything"), 1, "no token is called everything"),
        (("create", "--role", "operator", "--read-only"), 8, "read-only"),
    ],
)
def test_what_makes_no_sense_is_refused_and_no_secret_is_shown(
    ops: Shell, arguments: tuple[str, ...], code: int, said: str
) -> None:
    answer = ops("token", *arguments)

    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


def test_whoever_has_the_database_is_its_administrator_by_the_name_of_the_login(ops: Shell) -> None:
    known = ops.ok("whoami", "-o", "json").json

    assert (known["name"], known["role"], known["scope"], known["known_by"]) == (
        login_name(),
        "admin",
        "all",
        "the database",
    )
    assert "role" in ops.ok("whoami").out
