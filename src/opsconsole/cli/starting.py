"""How a console starts where the configuration is broken: it does, for it may be needed to stop something at once.

What only changes how things look is left out. Where it cannot be known which fleet is meant, or what may be changed
there, the console goes on with the defaults, read-only, and says so in place of a profile: a stop works, a release does
not until somebody has looked.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import NamedTuple

from opsconsole.cli.invocation import Invocation
from opsconsole.config import Settings, resolve
from opsconsole.settings import ENVIRONMENT_PREFIX, ConfigError
from opsgate.paths import without_password

NO_CONFIGURATION = "NO CONFIG"


class Start(NamedTuple):
    """The settings of a console, the word that stands in row 2, and what its operator should know."""

    settings: Settings
    profile: str
    remarks: tuple[str, ...] = ()


def start(invocation: Invocation) -> Start:
    """What to start with. `ConfigError` only for what is wrong in the options themselves."""
    forgiven: list[str] = []
    try:
        settings = resolve(invocation.flags, forgiven=forgiven)
    except ConfigError as error:
        settings = _without_configuration(invocation)
        said = (
            f"{error}. Going on without the configuration, read-only, with {without_password(settings.backend)}: "
            "a stop works and goes there; nothing can be released from here"
        )
        return Start(settings, NO_CONFIGURATION, (said,))
    return Start(settings, (settings.profile or "").upper(), tuple(forgiven))


def _without_configuration(invocation: Invocation) -> Settings:
    """What the options say, and the environment if it is sound."""
    flags = invocation.flags | {"profile": None}
    environ = {name: value for name, value in os.environ.items() if name != f"{ENVIRONMENT_PREFIX}PROFILE"}
    try:
        settings = resolve(flags, environ, ())
    except ConfigError:
        bare = {name: value for name, value in environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
        settings = resolve(flags, bare, ())
    return replace(settings, read_only=invocation.flags.get("read_only") is not False)
