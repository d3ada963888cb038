"""``keys``: the keys by which what the journal says is encrypted at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.errors import CommandRejected
from opsconsole.cli.engine import Engine, opened
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.render import Document, Listing

if TYPE_CHECKING:
    from backends.keys import Keys
    from backends.runtime import Runtime


@click.group(short_help="Encryption at rest: create, list, rotate, prune.")
def keys() -> None:
    """The keys by which bodies of events, stored folds, answers and readings are encrypted at rest."""


@keys.command("create")
@click.pass_obj
def create(invocation: Invocation) -> int:
    """Make the first key, and encrypt from now on. 'keys rotate' then encrypts what is there already."""
    from backends.keys import key_id, key_path, new_key, read_keys, write_keys

    with opened(invocation, create=True) as engine:
        runtime = _runtime(engine)
        path = key_path(runtime.latest().fleet)
        if read_keys(path):
            raise CommandRejected("keys-exist", f"{path} has keys already", "make another one: opsconsole keys rotate")
        key = new_key()
        try:
            write_keys(path, [key])
        except OSError as error:
            raise CommandRejected("not-written", f"{path} cannot be written: {error.strerror}") from error
    said = (
        f"key {key_id(key)} is in {path}: keep a copy where the database is not; without it nothing can be read again"
    )
    invocation.show(Document({"key": key_id(key), "file": str(path)}, [said]))
    return Exit.OK


@keys.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each key by its id: whether it seals, and whether anything stored needs it. No key is shown."""
    from backends.resealing import ids_in_use

    with opened(invocation) as engine:
        runtime = _runtime(engine)
        known, used = _keys_of(runtime).ids, ids_in_use(runtime)
        rows = [{"key": id_, "seals": at == 0, "used": id_ in used} for at, id_ in enumerate(known)]
        if "" in used:
            rows.append({"key": "none", "seals": False, "used": True})
    invocation.show(Listing(("key", "seals", "used"), rows))
    return Exit.OK


@keys.command("rotate")
@click.option("--no-new-key", is_flag=True, help="Only encrypt what is not encrypted by the present key.")
@click.pass_obj
def rotate(invocation: Invocation, no_new_key: bool) -> int:
    """Make a new key, and encrypt everything by it, a few rows at a time. What is ended early is gone on with by
    --no-new-key. Old keys stay, for backups need them, until 'keys prune'."""
    from backends.keys import key_path, new_key, read_keys, write_keys
    from backends.resealing import reseal

    with opened(invocation) as engine:
        runtime = _runtime(engine)
        path = key_path(runtime.latest().fleet)
        known = read_keys(path)
        if not known:
            raise CommandRejected("no-keys", "there is no key by which anything is sealed", "opsconsole keys create")
        if not no_new_key:
            try:
                write_keys(path, [new_key(), *known])
            except OSError as error:
                raise CommandRejected("not-written", f"{path} cannot be written: {error.strerror}") from error
        _keys_of(runtime).read_again()
        done = reseal(runtime, timeout_s=engine.timeout_s)
        first = _keys_of(runtime).first
    invocation.show(Document({"key": first, "rows": done}, [f"key {first} seals now; {done} rows were stored anew"]))
    return Exit.OK


@keys.command("prune")
@click.pass_obj
def prune(invocation: Invocation) -> int:
    """Drop the keys that nothing stored needs any more. Backups made before that can then not be read."""
    from backends.keys import key_id, key_path, read_keys, write_keys
    from backends.resealing import ids_in_use

    with opened(invocation) as engine:
        runtime = _runtime(engine)
        path = key_path(runtime.latest().fleet)
        known, used = read_keys(path), ids_in_use(runtime)
        kept = [key for at, key in enumerate(known) if at == 0 or key_id(key) in used]
        try:
            write_keys(path, kept)
        except OSError as error:
            raise CommandRejected("not-written", f"{path} cannot be written: {error.strerror}") from error
    gone = [key_id(key) for key in known if key not in kept]
    invocation.show(Document({"dropped": gone}, [f"dropped: {', '.join(gone) or 'none, all of them are needed'}"]))
    return Exit.OK


def _runtime(engine: Engine) -> Runtime:
    from backends.runtime import Runtime

    if not isinstance(engine.backend, Runtime):
        raise CommandRejected("not-here", "keys lie where the database is, not behind a server", "run it on that host")
    return engine.backend


def _keys_of(runtime: Runtime) -> Keys:
    from backends.local.store import SqlStore

    assert isinstance(runtime.store, SqlStore), "a command has no other"
    return runtime.store.vault.keys
