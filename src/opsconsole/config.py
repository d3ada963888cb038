"""Settings: flag > environment > profile > user file > system file, each value with where it came from.

Two settings only ever tighten: ``read_only`` from any layer holds unless the flag ``--no-read-only`` says
otherwise, and ``production`` from any layer holds.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from opsconsole.dress import is_simple
from opsconsole.settings import BY_KEY, SETTINGS, ConfigError
from opsgate.paths import canonical_url, config_home, default_database

SYSTEM_FILE: Final = Path("/etc/opsconsole/config.toml")


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for this command. ``origins`` says for each key where its value came from."""

    backend: str
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

    def rows(self) -> list[dict[str, Any]]:
        """Each setting with its value and origin, for ``config show``; passwords are left out."""
        values = {key: getattr(self, "timeout_s" if key == "timeout" else key) for key in BY_KEY}
        values["backend"] = without_password(self.backend)
        return [
            {"setting": key, "value": value, "origin": self.origins.get(key, "default")}
            for key, value in values.items()
        ]


@dataclass(frozen=True, slots=True)
class _Layer:
    origin: str
    values: Mapping[str, str | bool | float]


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    shown = re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", shown)


def config_files() -> tuple[Path, ...]:
    """The configuration files that are looked for, the stronger first."""
    return config_home() / "opsconsole" / "config.toml", SYSTEM_FILE


def resolve(
    flags: Mapping[str, str | bool | None],
    environ: Mapping[str, str] | None = None,
    files: Sequence[Path] | None = None,
) -> Settings:
    """The settings that hold, from the flags given and what stands in the environment and the files.

    Raises `ConfigError` when any layer is wrong, even where a stronger one decides: what is wrong today decides
    tomorrow.
    """
    environ = os.environ if environ is None else environ
    documents = [(path, _load(path)) for path in (config_files() if files is None else files)]
    layers = [_of_flags(flags), _of_environment(environ)]
    tops = [_Layer(str(path), _checked(document, str(path))) for path, document in documents]
    name = _first((*layers, *tops), "profile")[0]
    layers += _of_profile(documents, None if name is None else str(name))
    layers += tops
    return _settled(layers, environ)


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


def _of_profile(documents: Sequence[tuple[Path, Mapping[str, Any]]], name: str | None) -> list[_Layer]:
    if name is None:
        return []
    found: list[_Layer] = []
    known: list[str] = []
    for path, document in documents:
        profiles = document.get("profiles", {})
        known += profiles
        if name in profiles:
            origin = f"{path} [profiles.{name}]"
            found.append(_Layer(origin, _checked(profiles[name], origin, top=False)))
    if not found:
        near = difflib.get_close_matches(name, known, n=3)
        meant = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(set(known))) or 'none'}"
        raise ConfigError(f"no profile is called {ascii(name)[:60]}; {meant}")
    return found


def _load(path: Path) -> Mapping[str, Any]:
    """The document of one file; empty where there is no file."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {reason}") from None
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    profiles = document.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(profile, dict) for profile in profiles.values()):
        raise ConfigError(f"{path}: profiles are tables: write [profiles.NAME] and the settings below it")
    for name, profile in profiles.items():
        _checked(profile, f"{path} [profiles.{name}]", top=False)
    return document


def _checked(document: Mapping[str, Any], origin: str, *, top: bool = True) -> dict[str, str | bool | float]:
    """The known settings of one table; `ConfigError` names the first key that is none."""
    checked: dict[str, str | bool | float] = {}
    for key, value in document.items():
        if top and key == "profiles":
            continue
        if key not in BY_KEY or (key == "profile" and not top):
            near = difflib.get_close_matches(key, BY_KEY, n=1)
            meant = f"did you mean {near[0]}?" if near else f"use one of {', '.join(BY_KEY)}"
            raise ConfigError(f"{origin}: {ascii(key)[:60]} is no setting; {meant}")
        checked[key] = BY_KEY[key].read(value, origin)
    return checked
