"""The tables of the configuration files that the engine itself reads: settings of emergencies, channels, the key.

The faces read the files for themselves (`opsconsole.config`); a keeper that was started by one of them, or by a service
manager, finds the same files in the same order: profile > user file > system file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from opsgate.paths import config_home

SYSTEM_FILE: Final = Path("/etc/opsconsole/config.toml")

TABLES: Final = ("emergency", "notify", "storage")
"""The tables that are read here; each may also stand below ``[profiles.NAME]``."""

PROFILE: Final = "OPSCONSOLE_PROFILE"
"""The variable that names the profile."""


class ConfigurationFault(ValueError):
    """The configuration is wrong; the text says where, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says: ``origin`` is the file, with the table in it."""

    origin: str
    values: Mapping[str, Any]


def config_files() -> tuple[Path, ...]:
    """The configuration files that are looked for, the stronger first."""
    return config_home() / "opsconsole" / "config.toml", SYSTEM_FILE


def layers(
    table: str,
    *,
    environ: Mapping[str, str] | None = None,
    files: Sequence[Path] | None = None,
    profile: str | None = None,
) -> tuple[Layer, ...]:
    """What the files say under ``[table]``, the strongest first: the profile that was named, the user's file, the
    system's. Raises `ConfigurationFault` for a file that cannot be read, or a table that is none."""
    documents = [(path, _load(path)) for path in (config_files() if files is None else files)]
    environ = os.environ if environ is None else environ
    named = profile or environ.get(PROFILE) or next((str(d["profile"]) for _, d in documents if "profile" in d), None)
    found = []
    if named is not None:
        below = [(path, _table(path, document, "profiles").get(named, {})) for path, document in documents]
        found += [Layer(f"{path} [profiles.{named}.{table}]", _table(path, values, table)) for path, values in below]
    found += [Layer(f"{path} [{table}]", _table(path, document, table)) for path, document in documents]
    return tuple(layer for layer in found if layer.values)


def _load(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationFault(f"{path} cannot be read: {reason}") from None


def _table(path: Path, document: Any, name: str) -> Mapping[str, Any]:
    found = document.get(name, {}) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise ConfigurationFault(f"{path}: {name} is a table: write [{name}] and its keys below it")
    return found
