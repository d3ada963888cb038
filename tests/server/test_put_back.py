"""An older copy of the database is put back and comes as far again: whoever goes by revisions alone misses it."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from backends import open_backend
from opsgate import Gate, http_intake
from tests.support.proxy import Proxy
from tests.support.serving import serving
from tests.support.waiting import eventually


def copy_of(path: Path) -> Path:
    """A backup of a database that is in use."""
    copy = path.with_name("copy.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def put_back(copy: Path, path: Path) -> None:
    """Replace the database by the copy, and leave nothing of it beside that."""
    copy.replace(path)
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)


def test_gates_and_consoles_notice_an_older_copy_whose_first_event_has_the_number_of_the_one_that_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release was lost, and the hold that says so bears its revision: what was released is held again."""
    monkeypatch.setattr(http_intake, "_BEHIND_S", 0.0)
    path = tmp_path / "fleet.db"
    with (
        serving(f"sqlite:///{path}", heartbeat_s=0.2) as served,
        Gate.open(served.url, worker="w1") as gate,
        Gate.open(f"sqlite:///{path}", worker="w2") as beside,
        closing(open_backend(served.url)) as console,
    ):
        console.follow(lambda _: None)
        eventually(lambda: {"w1", "w2"} <= set(console.latest().workers))
        served.command("place-hold", selectors=[{"site": "s1"}], create=True).raise_for_status()
        copy = copy_of(path)
        released = served.command("release-holds", selectors=[{"site": "s1"}], reason="over").json()["revision"]
        eventually(lambda: gate.allowed(site="s1") and beside.allowed(site="s1"))
        eventually(lambda: console.latest().revision == released)
        tag = {"If-None-Match": served.get("/v1/gate").headers["etag"]}

        put_back(copy, path)

        eventually(lambda: not (gate.allowed(site="s1") or beside.allowed(site="s1")))
        eventually(lambda: console.latest() == served.room.runtime.latest())
        safety = next(hold for hold in console.latest().holds.values() if hold.source == "safety")
        assert safety.revision == released
        assert served.get("/v1/gate", headers=tag).status_code == 200


def test_a_console_notices_what_was_put_back_while_its_server_was_down(tmp_path: Path) -> None:
    """The event that says so has the number of the one that was lost: behind what the console knows there is none."""
    path = tmp_path / "fleet.db"
    with ExitStack() as opened:
        with serving(f"sqlite:///{path}") as before:
            line = opened.enter_context(Proxy.before(before.url))
            console = opened.enter_context(closing(open_backend(line.url)))
            console.follow(lambda _: None)
            before.command("place-hold", selectors=[{"site": "s1"}], create=True).raise_for_status()
            copy = copy_of(path)
            released = before.command("release-holds", selectors=[{"site": "s1"}], reason="over").json()["revision"]
            eventually(lambda: console.latest().revision == released)
            line.stall()
        put_back(copy, path)

        with serving(f"sqlite:///{path}", port=urlsplit(before.url).port, heartbeat_s=0.2) as after:
            eventually(lambda: after.room.runtime.latest().revision == released)
            line.heal()

            eventually(lambda: console.latest() == after.room.runtime.latest())
