"""The keys by which bodies are sealed at rest: a file outside the database, one Fernet key a line, the first one seals.

Which file: ``$OPSCONSOLE_KEY_FILE``, else ``key_file`` under ``[storage]`` of the configuration, else the file that
`default_path` names, if it is there. Without one nothing is sealed, and what is sealed cannot be read.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from backends.configuration import ConfigurationFault, layers
from core.audit import SEALED
from core.errors import NotOurDatabase
from opsgate.paths import config_home

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

VARIABLE: Final = "OPSCONSOLE_KEY_FILE"

_LOOK_S: Final = 1.0
"""Seconds between two looks whether the file has changed."""

_BYTES_MAX: Final = 65_536


def default_path(fleet: str) -> Path:
    """Where the keys of a fleet lie where nothing else is said."""
    return config_home() / "opsconsole" / "keys" / f"{fleet}.keys"


def key_path(fleet: str) -> Path:
    """The key file of a fleet, there or not. Raises `NotOurDatabase` where one is named that is not there: then nothing
    may be written in the open. A configuration that cannot be read names none, and a fleet that is encrypted is not
    opened without its key."""
    named = os.environ.get(VARIABLE) or _configured()
    if not named:
        return default_path(fleet)
    path = Path(named).expanduser()
    if not path.exists():
        raise NotOurDatabase("no-key-file", f"the key file {path} is not there", "put it back, or name another one")
    return path


def _configured() -> str:
    try:
        return next((str(layer.values["key_file"]) for layer in layers("storage") if "key_file" in layer.values), "")
    except ConfigurationFault:
        return ""


def key_id(key: str) -> str:
    """What a key is called: it says nothing of the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def read_keys(path: Path) -> tuple[str, ...]:
    """The keys of a file, the one that seals first; none where there is no file. Raises `NotOurDatabase` for a file
    that others may read, or that holds no keys."""
    try:
        with path.open("rb") as opened:
            found = os.fstat(opened.fileno())
            content = opened.read(_BYTES_MAX)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise NotOurDatabase(
            "no-key-file", f"the key file {path} cannot be read: {error.strerror}", "see its owner and its mode"
        ) from error
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise NotOurDatabase("key-file-open", f"the key file {path} can be read by others", f"chmod 600 {path}")
    lines = [line.strip() for line in content.decode("ascii", "replace").splitlines()]
    keys = tuple(line for line in lines if line and not line.startswith("#"))
    if not keys or not all(map(_is_key, keys)):
        raise NotOurDatabase(
            "no-key-file", f"the key file {path} holds something else than keys", "'opsconsole keys create' makes one"
        )
    return keys


def write_keys(path: Path, keys: Sequence[str]) -> None:
    """Put these keys into a file that nobody else may read, in one step. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write("".join(f"{key}\n" for key in keys))
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(path)


def new_key() -> str:
    """A fresh key."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _is_key(line: str) -> bool:
    from cryptography.fernet import Fernet

    try:
        Fernet(line)
    except ValueError:
        return False
    return True


class Keys:
    """The keys of one file, read again when it has changed. Thread-safe: they are replaced, never changed.

    A file that goes away takes no key from whoever has it: what is being written stays readable.
    """

    def __init__(self, path: Path | None) -> None:
        """Without a ``path`` nothing is ever sealed. Raises as `read_keys` does."""
        self._path = path
        self._lock = threading.Lock()
        self._looked_s = float("-inf")
        self._sign: tuple[int, int, int] | None = None
        self._by_id: dict[str, Fernet] = {}
        self._first = ""
        self._look(strictly=True)

    @property
    def first(self) -> str:
        """The id of the key that seals; empty where nothing is sealed."""
        self._look()
        return self._first

    @property
    def ids(self) -> tuple[str, ...]:
        """All of them, the one that seals first."""
        self._look()
        return tuple(self._by_id)

    def read_again(self) -> None:
        """Look at the file now, whenever that was done last."""
        self._looked_s = float("-inf")
        self._look()

    def seal(self, text: str) -> str:
        """A text as it is stored: sealed, where there is a key."""
        first = self.first
        if not first:
            return text
        return f"{SEALED}{first}:{self._by_id[first].encrypt(text.encode()).decode()}"

    def opened(self, stored: str) -> str | None:
        """The text that was stored; None where it is sealed by a key that is not here."""
        if not stored.startswith(SEALED):
            return stored
        from cryptography.fernet import InvalidToken

        id_, _, token = stored[len(SEALED) :].partition(":")
        key = self._by_id.get(id_)
        if key is None:
            self.read_again()
            key = self._by_id.get(id_)
        try:
            return None if key is None else key.decrypt(token.encode()).decode()
        except (InvalidToken, UnicodeError):
            return None

    def _look(self, *, strictly: bool = False) -> None:
        if self._path is None or monotonic() - self._looked_s < _LOOK_S:
            return
        with self._lock:
            self._looked_s = monotonic()
            try:
                found = self._path.stat()
            except OSError:
                return
            sign = (found.st_ino, found.st_size, found.st_mtime_ns)
            if sign == self._sign:
                return
            try:
                keys = read_keys(self._path)
            except NotOurDatabase:
                if strictly:
                    raise
                return  # somebody is at it; what is known goes on
            self._take(keys)
            self._sign = sign

    def _take(self, keys: Sequence[str]) -> None:
        from cryptography.fernet import Fernet

        # Those that are gone from the file stay known here: what they sealed may still be on its way to the disk.
        by_id = {key_id(key): Fernet(key) for key in keys} | self._by_id
        self._by_id = {id_: by_id[id_] for id_ in (*map(key_id, keys), *self._by_id)}
        self._first = key_id(keys[0]) if keys else ""


def no_key(url: str, stored: str) -> NotOurDatabase:
    """The refusal of whoever meets what no key here opens."""
    id_ = stored.removeprefix(SEALED).partition(":")[0][:8]
    return NotOurDatabase(
        "no-key",
        f"{url} is encrypted, and no key here opens what key {ascii(id_)[1:-1]} has sealed",
        f"name the key file by {VARIABLE}; stops still work: opsconsole stop --local",
    )
