"""What the guides print is done as it is printed, against a real server: each line of a shell and each piece of Python.

Only what belongs to whoever follows them is put in its place: where the server is, and where secrets lie. The commands
that serve are looked at and not left running.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest
import yaml
from openfeature import api
from UnleashClient import UnleashClient  # type: ignore[attr-defined]  # as its own documentation says

from backends.server.identity import Doorkeeper
from core.capabilities.names import AddName
from core.capabilities.tokens import CreateToken, digest_of, secret_of
from opsgate import Gate
from tests.hygiene.tree import ROOT
from tests.support.fleets import say
from tests.support.serving import Served, serving

HOWTO = ROOT / "docs/howto"
PAGES = ("serve", "tokens", "workers-over-http", "openfeature", "unleash", "alertmanager")
HOOK_SECRET = "c0ffee" * 11
TOKEN_ID = "t-0123456789ab"
PATIENCE_S = 240

SHELL = r"""
set -eu
opsconsole() { case " $* " in
  *" serve "*) command opsconsole "$@" --help >/dev/null ;;  # its options are read, and nothing is served
  *) command opsconsole "$@" ;;
esac; }
curl() { case " $* " in
  *" -N "*) ask --max-time 2 "$@" || [ $? = 28 ] ;;  # a stream goes on: it is left after a while
  *) ask "$@" ;;
esac; echo; }
ask() { if [ -n "$CURL" ]; then "$CURL" -sS --fail-with-body "$@"; else "$PYTHON" -m tests.support.curl "$@"; fi; }
openssl() { case "$*" in "rand -hex 32") echo "$HOOK_SECRET" ;; *) command openssl "$@" ;; esac; }
"""
"""A shell in which only the server that is served already keeps its secret, and streams end."""


class Place(NamedTuple):
    """Where a guide is followed."""

    served: Served
    home: Path
    secrets: Mapping[str, str]
    """Of an administrator and of the worker, by their names."""

    def put(self, text: str) -> str:
        """What is printed, with this place's own addresses and files."""
        database = f"sqlite:///{self.home / 'fleet.db'}"
        for printed, here in {
            "https://ops.internal:3001": self.served.url,
            "https://ops.internal:3002": self.served.stop_url,
            "sqlite:////srv/fleet/fleet.db": database,
            "/run/secrets/": f"{self.home}/",
            "/etc/opsconsole/hook.secret": str(self.home / "hook.secret"),
        }.items():
            text = text.replace(printed, here)
        return text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server that wants tokens, with the site and the worker that the guides speak of."""
    home = tmp_path_factory.mktemp("guides")
    secrets = {
        name: secret_of(TOKEN_ID.replace("9", str(n)), os.urandom(32)) for n, name in enumerate(("ana", "importer-1"))
    }
    for kept in (home / "opsconsole", home / ".config/opsconsole/token"):  # where each guide expects what another made
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(secrets["ana"] + "\n", "utf-8")
        kept.chmod(0o600)
    backend = f"sqlite:///{home / 'fleet.db'}"
    (hook_secret := home / "hook.secret").touch(mode=0o600)
    hook_secret.write_text(HOOK_SECRET)
    with serving(backend, lambda room: Doorkeeper(room.runtime.latest), hook_secrets=hook_secret) as one:
        for n, (name, secret) in enumerate(secrets.items()):
            role: Any = {"role": "admin"} if name == "ana" else {"role": "worker", "worker_id": name}
            token = TOKEN_ID.replace("9", str(n))
            one.room.runtime.submit(say(CreateToken(token_id=token, name=name, digest=digest_of(secret), **role)))
        one.room.runtime.submit(
            say(CreateToken(token_id=TOKEN_ID, name="laptop", digest=digest_of("x"), role="viewer"))
        )
        for site in ("s1", "shop-eu"):
            one.room.runtime.submit(say(AddName(dimension="site", name=site)))
        yield Place(one, home, secrets)


def printed(page: str) -> list[str]:
    """The pieces of code of a guide, as they stand there."""
    text = (HOWTO / f"{page}.md").read_text("utf-8")
    return [
        dedent(found).strip("\n") + "\n" for found in re.findall(r"(?:^(?: {4}.*)?\n)*^ {4}.*\n", text, re.MULTILINE)
    ]


def kind_of(code: str) -> str:
    """Which language a piece of code is in."""
    first = code.lstrip().split("\n", 1)[0]
    if first.startswith(("from ", "import ")):
        return "python"
    return "yaml" if first.startswith(("# ", "- ")) and "://" not in first else "shell"


@pytest.mark.parametrize("page", PAGES)
def test_what_a_guide_prints_works_as_it_is_printed(page: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSGATE_TOKEN", place.secrets["importer-1"])
    pieces = [(kind_of(code), place.put(code)) for code in printed(page)]

    for code in (code for kind, code in pieces if kind == "python"):
        python(code)
    for code in (code for kind, code in pieces if kind == "yaml"):
        assert yaml.safe_load(code)
    done = shell(place, "".join(code for kind, code in pieces if kind == "shell"))

    assert done.returncode == 0, done.stdout + done.stderr


def shell(place: Place, lines: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of these lines."""
    return subprocess.run(
        ["bash", "-c", SHELL + lines],
        cwd=ROOT,
        env={
            **os.environ,
            "HOME": str(place.home),
            "XDG_CONFIG_HOME": str(place.home / ".config"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "CURL": shutil.which("curl") or "",
            "PYTHON": sys.executable,
            "OPSCONSOLE_BACKEND": f"sqlite:///{place.home / 'fleet.db'}",
            "TOKEN": place.secrets["ana"],
            "HOOK_SECRET": HOOK_SECRET,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def python(code: str) -> None:
    """Do it, and end what it began."""
    names: dict[str, Any] = {}
    try:
        exec(compile(code, "guide", "exec"), names)
    finally:
        for value in names.values():
            if isinstance(value, Gate):
                value.close()
            elif isinstance(value, UnleashClient):
                value.destroy()
        api.shutdown()
