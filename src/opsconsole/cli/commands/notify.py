"""``notify``: the channels of notifications, and whether they work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from opsconsole.cli.emergency_flags import emergency_settings, notify_settings
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.render import Listing
from opsconsole.settings import ConfigError

if TYPE_CHECKING:
    from backends.notifiers.channels import Channel

_TEST_S: Final = 10.0


@click.group(short_help="Channels of notifications: list, test.")
def notify() -> None:
    """Channels of notifications: where they lead, how they stand, and whether they work."""


@notify.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> int:
    """Each channel, what it is told, and how it stands. No address is shown that would let anybody in."""
    from opsconsole.cli.sinks import standings

    standing = standings(invocation)
    rows = [_row(each) | standing.get(each.name, {}) for each in _channels(invocation)]
    invocation.show(Listing(("channel", "where", "usual", "topics", "state", "behind", "why"), rows))
    return Exit.OK


@notify.command("test")
@click.argument("channel", required=False)
@click.pass_obj
def test(invocation: Invocation, channel: str | None) -> int:
    """Send a message to one channel, or to all that are configured, from here and now. Exit 1 where one fails."""
    channels = [each for each in _channels(invocation) if channel in (None, each.name)]
    if not channels:
        raise ConfigError(f"no channel is called {ascii(channel)[:60]}; see 'opsconsole notify list'")
    rows = list(_tested([each for each in channels if channel or each.configured]))
    invocation.show(Listing(("channel", "where", "result", "why"), rows))
    return Exit.OK if all(row["result"] == "sent" for row in rows) else Exit.REFUSED


def _channels(invocation: Invocation) -> tuple[Channel, ...]:
    from backends.notifiers.channels import channels_of

    usual = emergency_settings(invocation).settings.notification_channels
    return channels_of(notify_settings(invocation), usual)


def _row(channel: Channel) -> dict[str, Any]:
    from backends.notifiers.base import Misconfigured

    row: dict[str, Any] = {"channel": channel.name, "where": None, "usual": channel.usual, "behind": None, "why": None}
    row["topics"] = ",".join((*channel.settings.topics, *channel.settings.events)) or "all"
    try:
        return row | {"where": channel.open().where, "state": "not begun"}
    except Misconfigured as error:
        return row | {"state": "misconfigured" if channel.configured else "not configured", "why": str(error)}


def _tested(channels: list[Channel]) -> Iterator[dict[str, Any]]:
    from backends.notifiers.base import Misconfigured, NotDelivered

    for channel in channels:
        row: dict[str, Any] = {"channel": channel.name, "where": None, "result": "sent", "why": None}
        try:
            notifier = channel.open()
            row["where"] = notifier.where
            notifier.send(_message(notifier.takes), timeout_s=_TEST_S)
        except (Misconfigured, NotDelivered) as error:
            row |= {"result": "failed", "why": str(error)}
        yield row


def _message(takes: str) -> Any:
    """A message that nobody can take for a real one."""
    import core.capabilities  # noqa: F401 - registers the events
    from backends.notifiers.base import Message
    from core.engine import CommandRefused
    from core.hooks import Told
    from core.messages import Actor, Header, Recorded
    from core.notices import Notice

    now = datetime.now(UTC)
    if takes == "notices":
        said = "This is a test of this channel. Nothing has happened."
        return Message("test", now, Notice("test", "test", "test of this channel", said, "info", now, 0))
    happened = CommandRefused(command="test", code="test", message="a test of this channel")
    recorded = Recorded(Header(0, now, Actor(name="test"), "cli", "test", "test"), happened)
    return Message("test", now, Told("test", "test", {"test": True}, recorded))
