"""Who asks is said by the credential and by nothing else, and a credential is taken in few ways only."""

from datetime import timedelta
from os import geteuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.server.access import Access
from backends.server.asked import Asked
from backends.server.identity import DEVELOPER, Doorkeeper, developer, networks
from backends.server.problems import Problem
from core.authority import Identity, identity_of
from core.capabilities.tokens import CreateToken, RevokeToken, digest_of, secret_of
from core.scope import Scope
from opsconsole.cli.invocation import login_name
from tests.specs.engine import Engine

SECRETS = {number: secret_of(f"t-{number:012x}", bytes([number]) * 32) for number in range(1, 5)}
GOOD, OTHER, REVOKED, EXPIRED = SECRETS.values()


@pytest.fixture(scope="module")
def fleet() -> Engine:
    """A fleet with a token of ben, one of cleo, one that was revoked and one that has expired."""
    engine = Engine()
    people: dict[str, dict[str, Any]] = {
        "ben": {"sites": ("s1",), "envs": ("prod",)},
        "cleo": {},
        "dan": {},
        "eve": {"expires_at": engine.now + timedelta(hours=1)},
    }
    for number, (name, fields) in enumerate(people.items(), start=1):
        digest, token_id = digest_of(SECRETS[number]), f"t-{number:012x}"
        said: dict[str, Any] = {"token_id": token_id, "name": name, "digest": digest, "role": "operator", **fields}
        engine.do(CreateToken(**said))
    engine.do(RevokeToken(token_id="t-000000000003"))
    engine.wait(3600)
    return engine


@pytest.fixture(scope="module")
def knows(fleet: Engine) -> Doorkeeper:
    return Doorkeeper(lambda: fleet.state, now=lambda: fleet.now)


def asked(path: str = "/v1/state", *, client: str = "192.0.2.7", **headers: str) -> Asked:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asked("GET", path, {"host": "ops.internal:3001", **named}, client=client)


def name_of(identity: Identity | None) -> str | None:
    return None if identity is None else identity.name


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {GOOD}"},
        {"authorization": f"bearer  {GOOD} "},
        {"x_api_key": GOOD},
        {"authorization": f"Bearer {GOOD}", "x_api_key": GOOD},
    ],
)
def test_a_secret_is_taken_as_a_bearer_or_as_an_api_key(knows: Doorkeeper, headers: dict[str, str]) -> None:
    assert knows(asked(**headers)) == Identity(
        "ben", "operator", Scope(frozenset({"s1"}), frozenset({"prod"})), None, "t-000000000001"
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": GOOD},
        {"authorization": f"Basic {GOOD}"},
        {"authorization": f"Token {GOOD}"},
        {"authorization": f"Bearer {GOOD}, Bearer {GOOD}"},
        {"authorization": f"Bearer {GOOD}", "x_api_key": OTHER},
        {"authorization": "Basic YTpi", "x_api_key": GOOD},
        {"x_api_key": f"Bearer {GOOD}"},
        {"x_api_key": GOOD[:-1]},
        {"x_api_key": REVOKED},
        {"x_api_key": EXPIRED},
        {"cookie": f"token={GOOD}"},
        {"proxy_authorization": f"Bearer {GOOD}"},
        {"x_forwarded_user": "ben"},
        {"x_remote_user": "root"},
    ],
)
def test_in_any_other_way_nobody_is_known(knows: Doorkeeper, headers: dict[str, str]) -> None:
    assert knows(asked(**headers)) is None


def test_a_secret_in_a_path_or_a_query_is_not_looked_at(knows: Doorkeeper) -> None:
    assert knows(asked(f"/v1/state?token={GOOD}")) is None
    assert knows(asked(f"/{GOOD}/v1/state")) is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/client/features", "ben"),
        ("/api/client/", "ben"),
        ("/api/client", None),
        ("/api/clients/features", None),
        ("/v1/api/client/features", None),
        ("/API/client/features", None),
        ("//api/client/features", None),
    ],
)
def test_a_bare_secret_is_taken_under_one_path_alone(knows: Doorkeeper, path: str, name: str | None) -> None:
    assert name_of(knows(asked(path, authorization=GOOD))) == name


@given(
    st.dictionaries(st.sampled_from(["authorization", "x-api-key", "cookie"]), st.text(max_size=80)),
    st.sampled_from(["/v1/state", "/api/client/features"]),
)
def test_whatever_else_is_shown_nobody_is_known_and_nothing_breaks(
    knows: Doorkeeper, headers: dict[str, str], path: str
) -> None:
    assert knows(Asked("GET", path, headers)) is None


def test_on_the_socket_of_this_host_the_kernel_says_who_calls(knows: Doorkeeper) -> None:
    def calling(uid: int, **headers: str) -> Asked:
        return Asked("GET", "/v1/state", headers, door="unix", peer=(1, uid))

    assert knows(calling(geteuid())) == Identity(login_name(), "admin")
    assert name_of(knows(calling(0))) == "root"
    assert knows(calling(geteuid() + 4711)) is None
    assert name_of(knows(calling(geteuid(), **{"x-api-key": OTHER}))) == "cleo"
    assert knows(calling(geteuid(), **{"x-api-key": REVOKED})) is None


@pytest.mark.parametrize(
    ("client", "allowed", "answered"),
    [
        ("192.0.2.7", ("192.0.2.0/24",), True),
        ("192.0.3.7", ("192.0.2.0/24",), False),
        ("192.0.3.7", ("192.0.2.0/24", "192.0.3.7"), True),
        ("::ffff:192.0.2.7", ("192.0.2.0/24",), True),
        ("2001:db8::1", ("2001:db8::/32",), True),
        ("2001:db8::1", ("192.0.2.0/24",), False),
        ("fe80::1%eth0", ("fe80::/10",), True),
        ("", ("0.0.0.0/0",), False),
        ("nonsense", ("0.0.0.0/0", "::/0"), False),
    ],
)
def test_where_networks_are_named_nobody_is_answered_from_elsewhere(
    fleet: Engine, client: str, allowed: tuple[str, ...], answered: bool
) -> None:
    knows = Doorkeeper(lambda: fleet.state, allowed=networks(allowed), now=lambda: fleet.now)
    request = asked(client=client, x_api_key=OTHER, x_forwarded_for="192.0.2.7")

    if answered:
        assert name_of(knows(request)) == "cleo"
    else:
        with pytest.raises(Problem) as refused:
            knows(request)
        assert (refused.value.status, refused.value.code) == (403, "address-not-allowed")


def test_the_socket_of_this_host_has_no_address_that_could_be_on_a_list(fleet: Engine) -> None:
    knows = Doorkeeper(lambda: fleet.state, allowed=networks(("192.0.2.0/24",)))

    assert knows(Asked("GET", "/", {}, door="unix", peer=(1, geteuid()))) is not None


def test_whoever_listens_does_so_until_their_token_has_ended() -> None:
    engine = Engine()
    token_id, end = "t-00000000000a", engine.now + timedelta(hours=1)
    engine.do(CreateToken(token_id=token_id, name="ben", digest=digest_of(GOOD), role="viewer", expires_at=end))
    access = Access(lambda _asked: None, lambda: engine.state, now=lambda: engine.now)
    ben = identity_of(engine.state.tokens[token_id])

    assert access.still(ben)
    engine.wait(3600)
    assert not access.still(ben)
    assert access.still(DEVELOPER)


# ----------------------------------------------------------------------------------------------------------------- dev


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3001", "127.0.0.1", "127.0.0.1:3001", "[::1]", "[::1]:3001"])
def test_a_developer_is_whoever_asks_at_this_host(host: str) -> None:
    assert developer(asked(host=host, sec_fetch_site="none")) == DEVELOPER
    assert (DEVELOPER.name, DEVELOPER.role) == ("dev", "admin")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "ops.internal",
        "localhost.evil.example",
        "evil.example:3001",
        "127.0.0.1.evil.example",
        "127.0.0.2",
        "[::2]",
        "[::1",
        "::1",
        "localhost, evil.example",
        "localhost@evil.example",
        " localhost",
    ],
)
def test_a_name_that_was_bent_to_point_here_is_not_this_host(host: str) -> None:
    with pytest.raises(Problem) as refused:
        developer(asked(host=host))

    assert (refused.value.status, refused.value.code) == (400, "wrong-host")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:3001"},
        {"origin": "null"},
        {"origin": ""},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "Cross-Site"},
    ],
)
def test_no_web_page_is_a_developer(headers: dict[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        developer(asked(host="localhost:3001", **headers))

    assert (refused.value.status, refused.value.code) == (403, "from-a-page")


def test_a_developer_on_the_socket_of_this_host_needs_no_host(knows: Doorkeeper) -> None:
    assert developer(Asked("GET", "/", {"host": "fleet"}, door="unix", peer=(1, geteuid()))) == DEVELOPER
