"""Channels as the configuration files have them: ``[notify.channels.NAME]``, and how patient all of them are.

An address may let in whoever knows it (a Slack hook, a password of mail), so it is written to no log and shown by
nothing; it may stand in a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backends.configuration import ConfigurationFault, Layer, layers
from backends.private_file import private_text
from core.faults import sentence
from core.notices import Topic
from core.telling import Patience

SYSTEM: Final = "system"
"""The channel that is always there: the log of the keeper, or of the server."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$")]
Seconds = Annotated[float, Field(gt=0, le=31 * 86_400)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChannelSettings(_Table):
    """One channel. ``kind`` is that of its notifier: without one, http and https are webhooks and all else is
    apprise's. ``topics`` are what it is told of, ``events`` which events a webhook is told; () for all."""

    url: str = ""
    url_file: Path | None = None
    kind: str = ""
    secret_file: Path | None = None
    topics: tuple[Topic, ...] = ()
    events: tuple[str, ...] = ()
    options: Mapping[str, Any] = {}

    @property
    def kind_of(self) -> str:
        """The kind of its notifier."""
        if self.kind:
            return self.kind
        return "webhook" if self.address().startswith(("http://", "https://")) else "apprise"

    def address(self) -> str:
        """Where it leads, with all that lets anybody in. Raises `ConfigurationFault`."""
        return self.url or ("" if self.url_file is None else private_text(self.url_file))


class NotifySettings(_Table):
    """All channels, and how patient they are (`core.telling.Patience`). ``escalate_to`` are the channels that are told
    where nobody acknowledges an emergency, () for all that are told of emergencies."""

    channels: Mapping[Name, ChannelSettings] = {}
    escalate_after_s: Seconds = 300.0
    escalate_to: tuple[Name, ...] = ()
    repeat_s: Seconds = 3600.0
    quiet_s: Seconds = 300.0

    @property
    def patience(self) -> Patience:
        """How long what may wait."""
        return Patience(self.escalate_after_s, self.repeat_s, self.quiet_s)


def resolve_channels(
    *, files: Iterable[Path] | None = None, environ: Mapping[str, str] | None = None, profile: str | None = None
) -> NotifySettings:
    """The channels that hold here: a channel that two files have is that of the stronger one. Raises
    `ConfigurationFault`."""
    found = layers("notify", files=None if files is None else tuple(files), environ=environ, profile=profile)
    merged: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    for layer in reversed(found):
        read = _read(layer)
        merged |= read.model_dump(exclude_unset=True, exclude={"channels"})
        channels |= dict(read.channels)
    settings = NotifySettings(**merged, channels=channels)
    unknown = sorted(set(settings.escalate_to) - channels.keys() - {SYSTEM})
    if unknown:
        raise ConfigurationFault(f"escalate_to: no channel is called {unknown[0]}; add [notify.channels.{unknown[0]}]")
    return settings


def _read(layer: Layer) -> NotifySettings:
    try:
        return NotifySettings.model_validate(layer.values)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        secret = "url" in fault["loc"]
        said = f"{where}: {fault['msg']}" if secret else sentence(error)
        raise ConfigurationFault(f"{layer.origin}: {said}") from None
