"""Everything that touches the world: storage, the runtime over it, the keeper, the stop lane.

`open_backend` is the door: a URL in, a fleet out. Nothing heavy is imported before it is called.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from core.errors import BackendUnavailable, NotOurDatabase

if TYPE_CHECKING:
    from backends.remote.transport import HttpTransport
    from backends.runtime import Runtime
    from core.authority import Identity
    from core.ports import Backend, ChainReport, Store


class _Closeable(Protocol):
    def close(self) -> None: ...


_Closes = TypeVar("_Closes", bound=_Closeable)


def open_backend(
    url: str,
    *,
    create: bool = True,
    expect_fleet: str | None = None,
    timeout_s: float = 5.0,
    token: str = "",
    begun: Callable[[str], None] | None = None,
) -> Backend:
    """Open the fleet at ``url``: ``sqlite:///FILE``, ``postgresql://…``, ``http(s)://HOST``, several of these with a
    comma between them where servers stand for each other, or ``memory://`` for one that ends with us.

    A missing SQLite file is made, with a new fleet in it, unless ``create`` is False. ``expect_fleet`` refuses another
    fleet's database. ``token`` is the credential for a server; ``begun`` is told where a new fleet was begun. Raises
    `BackendUnavailable` (try again when it is mended), `NotOurDatabase` (a configuration fault) or `NotPermitted`, each
    a sentence with the next step.
    """
    if url.startswith(("http:", "https:")):
        return _open_remote(url, token=token, expect_fleet=expect_fleet, timeout_s=timeout_s)
    return open_runtime(url, create=create, expect_fleet=expect_fleet, timeout_s=timeout_s, begun=begun)


def known_as(url: str, *, token: str, timeout_s: float = 5.0) -> Identity:
    """Who the server at ``url`` takes the bearer of ``token`` for, whatever else that token is good for. Raises as
    `open_backend` does."""
    from backends.contact import ContactLog
    from backends.documents import identity_from
    from backends.remote.client import Client

    transport = _transport(url, token)
    client = Client(transport, ContactLog())
    try:
        return client.read(identity_from, client.ask("/v1/whoami", timeout_s=timeout_s))
    finally:
        transport.close()


def _transport(url: str, token: str) -> HttpTransport:
    from backends.remote.transport import HttpTransport

    return HttpTransport([_server(each.strip()) for each in url.split(",") if each.strip()], token=token)


def _server(url: str) -> str:
    """The one spelling of a server's URL. A slip of the pen is no server that is away, so nobody tries it again."""
    from urllib.parse import urlsplit

    from opsgate.paths import canonical_url

    try:
        server = canonical_url(url)
        parts = urlsplit(server)
        named = bool(parts.hostname) and parts.port != 0  # a port that is none raises
    except ValueError:
        named = False
    if not named:  # and what is wrong is not quoted: it may be a password
        raise NotOurDatabase(
            "bad-url", "the backend's URL names no server", "write http(s)://HOST or http(s)://HOST:PORT"
        )
    return server


def _open_remote(url: str, *, token: str, expect_fleet: str | None, timeout_s: float) -> Backend:
    from backends.remote.backend import RemoteBackend

    with _closed_on_failure(_transport(url, token)) as transport:
        return RemoteBackend(transport, expect_fleet=expect_fleet, timeout_s=timeout_s)


def open_runtime(
    url: str,
    *,
    create: bool = True,
    expect_fleet: str | None = None,
    checkpoints: bool = False,
    timeout_s: float = 5.0,
    begun: Callable[[str], None] | None = None,
) -> Runtime:
    """`open_backend` for the process that runs the loops: the runtime itself, and ``checkpoints`` for SQLite's log."""
    from backends.floor import Floor
    from backends.runtime import Runtime

    opened = _open_store(url, create=create, checkpoints=checkpoints, timeout_s=timeout_s, begun=begun or _silently)
    with _closed_on_failure(opened) as store:
        fleet = store.head().fleet
        if expect_fleet is not None and fleet != expect_fleet:
            raise NotOurDatabase(
                "another-fleet",
                f"{store.url} holds fleet {fleet}, not {expect_fleet}",
                "name the right database with --backend",
            )
        if url.startswith("memory:"):
            return Runtime(store)
        _give_keys(store, fleet)
        return Runtime(store, floor=Floor(fleet))


def _open_store(url: str, *, create: bool, checkpoints: bool, timeout_s: float, begun: Callable[[str], None]) -> Store:
    scheme = url.partition(":")[0]
    if scheme == "memory":
        from backends.local.memory import MemoryStore

        return MemoryStore()
    if scheme == "sqlite":
        return _open_sqlite(url, create=create, checkpoints=checkpoints, timeout_s=timeout_s, begun=begun)
    if scheme in ("postgresql", "postgres"):
        return _open_postgres(url, create=create, timeout_s=timeout_s, begun=begun)
    raise NotOurDatabase(
        "unknown-backend",
        f"{scheme}: is no backend of this version",
        "write sqlite:///FILE, postgresql://HOST/DATABASE or http(s)://HOST",
    )


def _open_sqlite(url: str, *, create: bool, checkpoints: bool, timeout_s: float, begun: Callable[[str], None]) -> Store:
    from backends.local.sqlite import SqliteStore, make_file
    from opsgate.paths import sqlite_path

    try:
        path = sqlite_path(url)
    except ValueError as error:
        raise NotOurDatabase("bad-url", str(error)) from error
    try:
        is_there, is_folder = path.exists(), path.is_dir()
    except OSError as error:
        raise BackendUnavailable(
            "cannot-open", f"{path} cannot be reached: {error.strerror}", "look at the permissions of its folders"
        ) from error
    if is_folder:
        raise NotOurDatabase("not-a-file", f"{path} is a directory", "name a file with --backend sqlite:///FILE")
    if not is_there:
        if not create:
            raise BackendUnavailable(
                "no-database", f"there is no database at {path}", "the console makes it, or 'opsconsole sites add NAME'"
            )
        make_file(path)
    with _closed_on_failure(SqliteStore(path, checkpoints=checkpoints, timeout_s=timeout_s)) as store:
        store.prepare(new_fleet=_new_fleet() if create else None)
    if store.begun:
        begun(str(path))
    return store


def _open_postgres(url: str, *, create: bool, timeout_s: float, begun: Callable[[str], None]) -> Store:
    from backends.local.postgres import PostgresStore

    with _closed_on_failure(PostgresStore(url, timeout_s=timeout_s)) as store:
        store.prepare(new_fleet=_new_fleet() if create else None)
    if store.begun:
        begun(store.url)
    return store


@contextmanager
def _closed_on_failure(opened: _Closes) -> Iterator[_Closes]:
    """What was opened, closed again where the rest of opening fails, whatever it fails by."""
    with ExitStack() as closing:
        closing.callback(opened.close)
        yield opened
        closing.pop_all()


def _give_keys(store: Store, fleet: str) -> None:
    """Let a store seal and open bodies, where this host has keys for its fleet."""
    from backends.keys import Keys, key_path
    from backends.local.store import SqlStore
    from backends.local.vault import Vault

    assert isinstance(store, SqlStore), "all others end with their process"
    store.vault = Vault(Keys(key_path(fleet)), store.url)


def chain_of(url: str, *, timeout_s: float = 60.0) -> ChainReport:
    """Verify the chain of the database at ``url`` without reading what its events say: it takes no key. Raises as
    `open_backend` does."""
    from time import monotonic

    from backends.past import chain_report

    with _closed_on_failure(_open_store(url, create=False, checkpoints=False, timeout_s=5.0, begun=_silently)) as store:
        report = chain_report(store, monotonic() + timeout_s)
    store.close()
    return report


def _silently(_place: str) -> None:
    pass


def _new_fleet() -> str:
    return f"f-{uuid.uuid4().hex[:12]}"
