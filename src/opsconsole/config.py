"""Settings: flag > environment > profile > user file > system file, each value with where it came from.

Two settings only ever tighten: ``read_only`` from any layer holds unless the flag ``--no-read-only`` says
otherwise, and ``production`` from any layer holds.

A command refuses to run on a configuration that is wrong. A console does not, for it may be needed at night: it leaves
out what only changes how things look, and goes on (`resolve` with `forgiven`).
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from backends.configuration import TABLES, config_files
from opsconsole.dress import is_simple
from opsconsole.settings import BY_KEY, SETTINGS, ConfigError, Setting
from opsgate.paths import canonical_url, default_database, without_password

CONSOLE: Final = ("theme", "ascii", "color")
"""What may also stand in the table ``[console]`` of a file, where people look for it."""

_TABLES: Final = ("profiles", "console", "keys")
_NOT_OURS: Final = frozenset(TABLES)
"""Tables that the engine reads for itself; they may stand in a profile, too."""

_OF_LOOKS: Final = frozenset({*CONSOLE, "output", "timeout", "debug", "no_input"})
"""What a console can do without: none of it decides which fleet it is about, or what may be changed there."""


class Given(NamedTuple):
    """What a file says of one key, and where: ``/etc/opsconsole/config.toml line 7``."""

    value: object
    place: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for this command. ``origins`` says for each key where its value came from."""

    backend: str
    token_file: str | None
    profile: str | None
    production: bool
    read_only: bool
    output: str
    color: str
    ascii: bool
    theme: str | None
    no_input: bool
    timeout_s: float
    debug: bool
    origins: Mapping[str, str]
    keys: Mapping[str, Given] = field(default_factory=dict)
    """What ``[keys]`` wishes for; only a console, and ``config validate``, look what it means."""

    def rows(self) -> list[dict[str, Any]]:
        """Each setting with its value and origin, for ``config show``; passwords are left out."""
        values = {key: getattr(self, "timeout_s" if key == "timeout" else key) for key in BY_KEY}
        values["backend"] = without_password(self.backend)
        rows = [
            {"setting": key, "value": value, "origin": self.origins.get(key, "default")}
            for key, value in values.items()
        ]
        return rows + [
            {"setting": f"keys.{id_}", "value": given.value, "origin": given.place} for id_, given in self.keys.items()
        ]


@dataclass(frozen=True, slots=True)
class _Layer:
    origin: str
    values: Mapping[str, str | bool | float]


def resolve(
    flags: Mapping[str, str | bool | None],
    environ: Mapping[str, str] | None = None,
    files: Sequence[Path] | None = None,
    *,
    forgiven: list[str] | None = None,
) -> Settings:
    """The settings that hold, from the flags given and what stands in the environment and the files.

    Raises `ConfigError` when any layer is wrong, even where a stronger one decides: what is wrong today decides
    tomorrow. With a list in `forgiven`, what is wrong in a file and only changes how things look is left out, and the
    sentence about it is put there.
    """
    environ = os.environ if environ is None else environ
    documents = [_load(path, forgiven) for path in (config_files() if files is None else files)]
    layers = [_of_flags(flags), _of_environment(environ)]
    tops = [_Layer(str(document.path), document.settings) for document in documents]
    name = _first((*layers, *tops), "profile")[0]
    layers += _of_profile(documents, None if name is None else str(name))
    layers += tops
    keys = {id_: given for document in reversed(documents) for id_, given in document.keys.items()}
    return replace(_settled(layers, environ), keys=keys)


def _settled(layers: Sequence[_Layer], environ: Mapping[str, str]) -> Settings:
    origins: dict[str, str] = {}

    def value(key: str, default: Any) -> Any:
        found, origin = _first(layers, key)
        origins[key] = origin
        return default if found is None else found

    def tightened(key: str) -> bool:
        """The flag decides; without it, true in any layer."""
        if key in layers[0].values:
            return bool(value(key, False))
        origins[key] = next((layer.origin for layer in layers if layer.values.get(key)), "default")
        return origins[key] != "default"

    backend = str(value("backend", f"sqlite:///{default_database()}"))
    try:
        canonical = canonical_url(backend)
    except ValueError as error:
        raise ConfigError(f"{origins['backend']}: {error}") from None
    return Settings(
        backend=canonical if backend.startswith("sqlite:") else backend,
        token_file=value("token_file", None),
        profile=value("profile", None),
        production=tightened("production"),
        read_only=tightened("read_only"),
        output=value("output", "table"),
        color=value("color", "never" if environ.get("NO_COLOR") else "auto"),
        ascii=value("ascii", is_simple(environ)),
        theme=value("theme", None),
        no_input=value("no_input", False),
        timeout_s=value("timeout", 5.0),
        debug=value("debug", False),
        origins=origins,
    )


def _first(layers: Sequence[_Layer], key: str) -> tuple[str | bool | float | None, str]:
    return next(((layer.values[key], layer.origin) for layer in layers if key in layer.values), (None, "default"))


def _of_flags(flags: Mapping[str, str | bool | None]) -> _Layer:
    given = {key: value for key, value in flags.items() if value is not None}
    return _Layer("flag", {key: BY_KEY[key].read(value, BY_KEY[key].flag) for key, value in given.items()})


def _of_environment(environ: Mapping[str, str]) -> _Layer:
    given = {s.key: s.read(environ[s.variable], s.variable) for s in SETTINGS if environ.get(s.variable)}
    return _Layer("environment", given)


def _of_profile(documents: Sequence[_Document], name: str | None) -> list[_Layer]:
    if name is None:
        return []
    found = [
        _Layer(f"{document.path} [profiles.{name}]", document.profiles[name])
        for document in documents
        if name in document.profiles
    ]
    if not found:
        known = sorted({profile for document in documents for profile in document.profiles})
        near = difflib.get_close_matches(name, known, n=3)
        meant = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known) or 'none'}"
        raise ConfigError(f"no profile is called {ascii(name)[:60]}; {meant}")
    return found


@dataclass(frozen=True, slots=True)
class _Document:
    """One file, read and checked."""

    path: Path
    settings: Mapping[str, str | bool | float] = field(default_factory=dict)
    profiles: Mapping[str, Mapping[str, str | bool | float]] = field(default_factory=dict)
    keys: Mapping[str, Given] = field(default_factory=dict)


def _load(path: Path, forgiven: list[str] | None) -> _Document:
    """The document of one file; empty where there is no file."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return _Document(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {reason}") from None
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    profiles, console, keys = (document.pop(name, {}) for name in _TABLES)
    if not isinstance(profiles, dict) or not all(isinstance(profile, dict) for profile in profiles.values()):
        raise ConfigError(f"{path}: profiles are tables: write [profiles.NAME] and the settings below it")
    engine = [
        (name, tables.pop(name)) for tables in (document, *profiles.values()) for name in _NOT_OURS & tables.keys()
    ]
    for name, table in (("console", console), ("keys", keys), *engine):
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: {name} is a table: write [{name}] and its keys below it")
    reader = _Reader(path, text, forgiven)
    settings = reader.read(document, BY_KEY, "") | reader.read(console, CONSOLE, "console")
    below = [key for key in BY_KEY if key != "profile"]
    return _Document(
        path,
        settings,
        {name: reader.read(profile, below, f"profiles.{name}") for name, profile in profiles.items()},
        {id_: Given(value, reader.place(id_, "keys")) for id_, value in keys.items()},
    )


class _Reader:
    """Reads the tables of one file, and says where in it something is wrong."""

    def __init__(self, path: Path, text: str, forgiven: list[str] | None) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._forgiven = forgiven

    def read(self, table: Mapping[str, Any], known: Collection[str], name: str) -> dict[str, str | bool | float]:
        """The settings of one table; `ConfigError` names the first key that is none, or whose value is wrong."""
        read: dict[str, str | bool | float] = {}
        for key, value in table.items():
            try:
                read[key] = self._setting(key, known, name).read(value, self._where(key, name))
            except ConfigError as error:
                if self._forgiven is None or not (key in _OF_LOOKS or name == "console"):
                    raise
                self._forgiven.append(str(error))
        return read

    def place(self, key: str, table: str) -> str:
        """The file, and the line in which `key` of `table` is set as far as that can be seen from outside of TOML."""
        here = ""
        for number, text in enumerate(self._lines, 1):
            if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", text):
                here = header[1].replace('"', "").replace("'", "")
            elif here == table and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", text):
                return f"{self._path} line {number}"
        return str(self._path)

    def _where(self, key: str, table: str) -> str:
        place = self.place(key, table)
        return f"{place} [{table}]" if table else place

    def _setting(self, key: str, known: Collection[str], table: str) -> Setting:
        if key in known:
            return BY_KEY[key]
        near = difflib.get_close_matches(key, known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
        raise ConfigError(f"{self._where(key, table)}: {ascii(key)[:60]} is no setting; {meant}")
