"""The settings of emergencies as a command takes them: ``--set NAME=VALUE``, before what the other layers say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from opsconsole.cli.invocation import Invocation
from opsconsole.settings import ConfigError

if TYPE_CHECKING:
    from backends.emergency_settings import Resolved
    from backends.notifiers.settings import NotifySettings

emergency_flags: Final[Callable[[Any], Any]] = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of emergencies, such as IMMEDIATE_STOP_TIMEOUT=5000.",
)


def emergency_settings(invocation: Invocation, flags: tuple[str, ...] = ()) -> Resolved:
    """What holds here; ``--debug`` is their debug mode, too. Raises `ConfigError`."""
    from backends.configuration import ConfigurationFault
    from backends.emergency_settings import resolve

    settings = invocation.settings
    try:
        return resolve(flags, profile=settings.profile, debug=settings.debug)
    except ConfigurationFault as error:
        raise ConfigError(str(error)) from None


def notify_settings(invocation: Invocation) -> NotifySettings:
    """The channels of notifications that hold here. Raises `ConfigError`."""
    from backends.configuration import ConfigurationFault
    from backends.notifiers.settings import resolve_channels

    try:
        return resolve_channels(profile=invocation.settings.profile)
    except ConfigurationFault as error:
        raise ConfigError(str(error)) from None
