"""``config``: the settings that hold here, and whether the files that make them are sound."""

from __future__ import annotations

import difflib
import os

import click

from backends.configuration import config_files
from opsconsole.cli.emergency_flags import emergency_flags, emergency_settings, notify_settings
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.render import Document, Listing
from opsconsole.settings import ENVIRONMENT_PREFIX, SETTINGS, ConfigError


@click.group(short_help="The settings that hold here: show, validate.")
def config() -> None:
    """Settings: flag > environment > profile > user file > system file."""


@config.command("show")
@emergency_flags
@click.pass_obj
def show(invocation: Invocation, settings: tuple[str, ...]) -> int:
    """Each setting, its value and where that comes from; those of emergencies with their unit."""
    rows = [row | {"unit": ""} for row in invocation.settings.rows()]
    rows += [
        {"setting": row.name, "value": _shown(row.value), "unit": row.unit, "origin": row.origin}
        for row in emergency_settings(invocation, settings).rows()
    ]
    invocation.show(Listing(("setting", "value", "unit", "origin"), rows))
    return Exit.OK


@config.command("validate")
@emergency_flags
@click.pass_obj
def validate(invocation: Invocation, settings: tuple[str, ...]) -> int:
    """Read every layer; exit 2 with one sentence where one is wrong."""
    emergency_settings(invocation, settings)
    notify_settings(invocation)
    keys = invocation.settings.keys
    if stray := sorted(name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX) and name not in _KNOWN):
        near = difflib.get_close_matches(stray[0], _KNOWN, n=1)
        meant = f"did you mean {near[0]}?" if near else f"it is none of {', '.join(sorted(_KNOWN))}"
        raise ConfigError(f"environment: {stray[0]} sets nothing; {meant}")
    if keys:
        from opsconsole.keymap import keymap

        if faults := keymap(keys).faults:
            raise ConfigError("; ".join(faults))
    found = [str(file) for file in config_files() if file.exists()]
    invocation.show(
        Document({"valid": True, "files": found}, [f"valid: {', '.join(found) or 'no file, defaults only'}"])
    )
    return Exit.OK


def _shown(value: object) -> object:
    return ",".join(value) if isinstance(value, tuple) else value


_KNOWN = frozenset(setting.variable for setting in SETTINGS)
