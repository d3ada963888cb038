"""Encryption at rest: nothing that people said lies in the open, the chain needs no key, and stops need none either."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends import chain_of, open_runtime
from backends.keys import VARIABLE, new_key, read_keys, write_keys
from backends.resealing import ids_in_use, reseal
from backends.runtime import Runtime
from core.capabilities.holds import PlaceHold
from core.errors import NotOurDatabase
from core.triggers.sample import Sample
from opsgate.selector import EVERYTHING, Selector
from tests.cli.shell import Shell
from tests.support.fleets import say
from tests.support.incident import INCIDENT
from tests.support.places import Place, place_of
from tests.support.postgres import postgres_server

__all__ = ["postgres_server"]

SECRET = "smoke in the hall"


class Sealed:
    """A fleet with a key file."""

    def __init__(self, place: Place, keys: Path) -> None:
        self.place = place
        self.keys = keys
        self._opened: list[Runtime] = []

    def open(self) -> Runtime:
        """Another process's way to it."""
        self._opened.append(open_runtime(self.place.url, create=False))
        return self._opened[-1]

    def close(self) -> None:
        for runtime in self._opened:
            runtime.close()

    def stored(self) -> str:
        """All text that lies in the database."""
        found = self.place.store()
        with found._asked() as line:  # type: ignore[attr-defined] # what lies there, and not what is read of it
            from backends.local import schema

            tables = [table for table in schema.metadata.sorted_tables if table.name != "worker"]
            return "\n".join(str(row) for table in tables for row in line.ask(table.select()))


@pytest.fixture(params=["sqlite", "postgres"])
def sealed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sealed]:
    keys = tmp_path / "fleet.keys"
    write_keys(keys, [new_key()])
    monkeypatch.setenv(VARIABLE, str(keys))
    for place in place_of(request.param, request, tmp_path):
        made = Sealed(place, keys)
        yield made
        made.close()


def incident(runtime: Runtime) -> None:
    for command in INCIDENT:
        runtime.submit(say(command))
    runtime.put_samples([Sample("risk", 1.0, 99.0, "account-7", {"why": SECRET}, SECRET)])


def test_what_people_said_lies_nowhere_in_the_open_and_is_read_back_whole(sealed: Sealed) -> None:
    runtime = sealed.open()
    incident(runtime)
    runtime._store_checkpoint(*runtime.sealed())
    other = sealed.open()

    lies = sealed.stored()
    assert SECRET not in lies
    assert "account-7" not in lies
    assert other.state() == runtime.state()
    assert [hold.reason for hold in other.state().holds.values() if hold.reason == SECRET]
    assert other.store.samples("risk", 0.0) == [Sample("risk", 1.0, 99.0, "account-7", {"why": SECRET}, SECRET)]
    assert (other.verify().fault, other.verify().sealed) == (None, 0)


def test_the_same_command_gets_the_same_answer_from_a_sealed_receipt(sealed: Sealed) -> None:
    runtime, other = sealed.open(), sealed.open()
    pause = say(PlaceHold(selectors=(EVERYTHING,), reason=SECRET), command_id="c-of-mine")

    assert other.submit(pause) == runtime.submit(pause)


def test_without_the_key_nothing_is_read_in_one_sentence_and_the_chain_verifies(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = sealed.open()
    incident(runtime)
    monkeypatch.delenv(VARIABLE)

    with pytest.raises(NotOurDatabase, match=r"no key here opens what key [0-9a-f]{8} has sealed; name the key file"):
        sealed.open()
    report = chain_of(sealed.place.url)
    assert (report.fault, report.revision) == (None, runtime.state().revision)
    assert report.sealed == report.revision


def test_a_key_file_that_others_may_read_or_that_is_gone_opens_nothing(sealed: Sealed) -> None:
    sealed.open()
    sealed.keys.chmod(0o640)
    with pytest.raises(NotOurDatabase, match="chmod 600"):
        sealed.open()

    sealed.keys.unlink()
    with pytest.raises(NotOurDatabase, match="is not there"):
        sealed.open()


def test_a_new_key_reseals_everything_in_batches_while_others_go_on(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.resealing.BATCH", 3)
    runtime, other = sealed.open(), sealed.open()
    incident(runtime)
    (old,) = ids_in_use(runtime)

    write_keys(sealed.keys, [new_key(), *read_keys(sealed.keys)])
    store: Any = runtime.store
    store.vault.keys.read_again()
    steps: list[int] = []

    def meanwhile(done: int) -> None:
        steps.append(done)
        other.submit(say(PlaceHold(selectors=(Selector.of(site="s1"),), owner=None, reason=f"{SECRET} {len(steps)}")))

    done = reseal(runtime, told=meanwhile)

    assert done >= runtime.state().revision - 2 * len(steps)
    assert len(steps) > 5
    reseal(runtime)
    assert ids_in_use(runtime) == {store.vault.keys.first} != {old}
    write_keys(sealed.keys, read_keys(sealed.keys)[:1])
    assert sealed.open().state() == runtime.state()
    assert sealed.open().verify().fault is None


def test_what_was_in_the_open_is_sealed_by_a_rotation(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    plain = sealed.open()
    incident(plain)
    assert SECRET in sealed.stored()
    plain.close()
    monkeypatch.setenv(VARIABLE, str(sealed.keys))

    runtime = sealed.open()
    assert "" in ids_in_use(runtime)
    reseal(runtime)

    assert SECRET not in sealed.stored()
    assert "" not in ids_in_use(runtime)
    assert sealed.open().state() == runtime.state()


def test_a_stop_needs_no_key(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ops, url = Shell(capsys), f"sqlite:///{tmp_path / 'fleet.db'}"
    ops.ok("-b", url, "sites", "add", "s1")
    ops.ok("-b", url, "keys", "create")
    ops.ok("-b", url, "pause", "--site", "s1", "--reason", SECRET)
    (keys,) = (home / "config" / "opsconsole" / "keys").iterdir()
    aside = keys.rename(tmp_path / "aside")

    refused = ops("-b", url, "holds", "list")
    stopped = ops("-b", url, "stop", "--reason", "no key needed", "-o", "json")
    verified = ops("-b", url, "audit", "verify")

    assert (refused.code, "no key here opens" in refused.err) == (2, True)
    assert (stopped.code, stopped.json["durable"]) == (5, "spool")
    assert verified.code == 0
    assert "encrypted and were not opened: the chain covers them and needs no key" in verified.out
    aside.rename(keys)
    ops.ok("-b", url, "resume", "--site", "s1", "--reason", "mended")  # which records the stop first
    assert "no key needed" in ops.ok("-b", url, "audit", "list").out
    assert SECRET not in _bytes_of(tmp_path / "fleet.db")


def test_keys_rotate_list_and_prune(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ops, url = Shell(capsys), f"sqlite:///{tmp_path / 'fleet.db'}"
    assert ops("-b", url, "keys", "rotate").code == 3  # there is no database yet
    ops.ok("-b", url, "pause", "--all", "--reason", SECRET)
    assert ops("-b", url, "keys", "rotate").code == 1  # and here no key
    created = ops.ok("-b", url, "keys", "create", "-o", "json").json
    assert ops("-b", url, "keys", "create").code == 1

    rotated = ops.ok("-b", url, "keys", "rotate", "-o", "json").json
    listed = ops.ok("-b", url, "keys", "list", "-o", "json").json
    pruned = ops.ok("-b", url, "keys", "prune", "-o", "json").json

    assert listed == [
        {"key": rotated["key"], "seals": True, "used": True},
        {"key": created["key"], "seals": False, "used": False},
    ]
    assert pruned == {"dropped": [created["key"]]}
    assert SECRET in ops.ok("-b", url, "holds", "list", "-o", "json").out


def _bytes_of(path: Path) -> str:
    """All bytes of a database, its log too, once the log has been written back."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes().decode("latin-1")
