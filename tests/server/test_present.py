"""Who else looks: a console is told of the others that follow through its server, and of nobody it may not see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from backends import open_backend
from backends.server.identity import Doorkeeper
from core.capabilities.names import AddName
from core.capabilities.tokens import CreateToken, RevokeToken, digest_of, secret_of
from core.ports import Backend
from tests.support.fleets import say
from tests.support.serving import Served, serving
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that lets in whoever shows a token."""
    url = f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}"
    with serving(url, lambda room: Doorkeeper(room.runtime.latest)) as one:
        one.room.runtime.submit(say(AddName(dimension="site", name="s1")))
        yield one


def token_of(served: Served, name: str, **fields: Any) -> tuple[str, str]:
    """The id and the secret of a new token."""
    token_id = f"t-{os.urandom(6).hex()}"
    secret = secret_of(token_id, os.urandom(32))
    token = CreateToken(token_id=token_id, name=name, digest=digest_of(secret), **{"role": "viewer", **fields})
    served.room.runtime.submit(say(token))
    return token_id, secret


def test_each_console_is_told_of_the_others_as_long_as_they_look(served: Served) -> None:
    with ExitStack() as opened:

        def console(secret: str) -> Backend:
            backend = opened.enter_context(closing(open_backend(served.url, token=secret)))
            backend.follow(lambda _arrival: None)
            return backend

        (ana_id, ana_secret), (_, ben_secret) = token_of(served, "ana"), token_of(served, "ben")
        ana = console(ana_secret)
        assert ana.observe().present == ()
        ben, again = console(ben_secret), console(ben_secret)

        eventually(lambda: ana.observe().present == ("ben", "ben"))
        eventually(lambda: ben.observe().present == ("ana", "ben"))
        mine = console(token_of(served, "cy", sites=("s1",))[1])
        eventually(lambda: ana.observe().present == ("ben", "ben", "cy"))
        assert mine.observe().present == (), "who sees one site is not told who sees more"

        again.close()
        mine.close()
        served.room.runtime.submit(say(AddName(dimension="site", name="s2")))  # whoever has gone is noticed when told
        eventually(lambda: ana.observe().present == ("ben",))
        served.room.runtime.submit(say(RevokeToken(token_id=ana_id)))
        eventually(lambda: ben.observe().present == ())
