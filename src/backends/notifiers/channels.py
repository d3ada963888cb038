"""From the configuration to notifiers: built-in kinds, and those that others bring by the entry points of the group
``opsconsole.notifiers``, each of which is called with the `ChannelSettings` of a channel and gives a `Notifier`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final

from backends.configuration import ConfigurationFault
from backends.notifiers.base import Misconfigured, Notifier
from backends.notifiers.settings import SYSTEM, ChannelSettings, NotifySettings
from core.hooks import NAMES
from core.notices import Notice

GROUP: Final = "opsconsole.notifiers"

Factory = Callable[[ChannelSettings], Notifier]


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel before anybody has tried it. ``usual``: whether it is told what names no channels of its own."""

    name: str
    settings: ChannelSettings
    usual: bool

    @property
    def configured(self) -> bool:
        """Whether it is known where it leads."""
        return self.name == SYSTEM or bool(self.settings.url or self.settings.url_file or self.settings.kind)

    def wants(self, notice: Notice) -> bool:
        """Whether a notice is for it: one of its topics, or one that names it."""
        topics = self.settings.topics
        is_told = self.usual or bool(topics) or self.name in notice.channels
        return is_told and (not topics or notice.topic in topics)

    def wants_event(self, kind: str) -> bool:
        """The same of an event, for a channel that takes those: by its kind, or by the name that hooks know it by."""
        wanted = self.settings.events
        return not wanted or kind in wanted or NAMES.get(kind, kind) in wanted

    def is_told_of_unheard(self, chosen: tuple[str, ...]) -> bool:
        """Whether it is told of an emergency that nobody acknowledges: where it is ``chosen``, and where none is, as of
        whatever else needs attention."""
        topics = self.settings.topics
        if chosen:
            return self.name in chosen
        return (self.usual or bool(topics)) and (not topics or "attention" in topics)

    def open(self) -> Notifier:
        """Its notifier. Raises `Misconfigured`."""
        if self.name == SYSTEM and not self.settings.kind and not self.settings.url:
            from backends.notifiers.system import SystemNotifier

            return SystemNotifier()
        if not self.configured:
            raise Misconfigured(f"nothing says where it leads: add [notify.channels.{self.name}] with its url")
        try:
            return factory_of(self.settings.kind_of)(self.settings)
        except ConfigurationFault as error:
            raise Misconfigured(str(error)) from error


def channels_of(settings: NotifySettings, usual: tuple[str, ...]) -> tuple[Channel, ...]:
    """Every channel: those of the configuration, and those that are named as usual, configured or not."""
    names = dict.fromkeys((*usual, *settings.channels))
    return tuple(Channel(name, settings.channels.get(name, ChannelSettings()), name in usual) for name in names)


def factory_of(kind: str) -> Factory:
    """What makes notifiers of a kind. Raises `Misconfigured`."""
    if kind in _BUILT_IN:
        return _BUILT_IN[kind]()
    for found in entry_points(group=GROUP, name=kind):
        factory: Factory = found.load()
        return factory
    known = sorted({*_BUILT_IN, *(found.name for found in entry_points(group=GROUP))})
    raise Misconfigured(f"no kind of notifier is called {ascii(kind)[:60]}; known: {', '.join(known)}")


def _apprise() -> Factory:
    from backends.notifiers.by_apprise import AppriseNotifier

    return AppriseNotifier


def _webhook() -> Factory:
    from backends.notifiers.webhook import WebhookNotifier

    return WebhookNotifier


_BUILT_IN: Final[Mapping[str, Callable[[], Factory]]] = {"apprise": _apprise, "webhook": _webhook}
"""Loaded when they are first needed: apprise alone takes most of a second."""
