"""The ways to a fleet: by a database file and the keeper's socket on this host, or by servers over HTTP.

A way gives the watcher a channel (messages come, beats and acknowledgements go), the reader a source (the whole state),
and `Gate.reserve` somebody who counts. The messages are the same on each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from opsgate.channel import Channel, KeeperChannel
from opsgate.courier import Courier
from opsgate.paths import fleet_of_url, keeper_socket, sqlite_path
from opsgate.sources import Source, SqliteSource

if TYPE_CHECKING:
    from opsgate.membership import Member
    from opsgate.permits import Reservation
    from opsgate.reader import Hearer


class Link(Protocol):
    """One way to one fleet, for one watcher."""

    channel: Channel

    @property
    def place(self) -> str:
        """What is at the other end, for people."""

    @property
    def shares_latches(self) -> bool:
        """Whether whoever hears the beats looks at the latches of this host too."""

    @property
    def tells_soon_s(self) -> float:
        """Seconds within which a change that nobody waits for is worth a beat of its own."""

    def start(self, hearer: Hearer) -> None:
        """Begin to hear. RuntimeError where the process has no thread left."""

    def source(self) -> Source:
        """What the reader reads; it is made and used on the reader's thread."""

    def quiet_s(self) -> float:
        """For how many seconds nobody need read unasked."""

    def reserve(self, fleet: str, limit: str, cost: int) -> Reservation:
        """Take ``cost`` units of a limit. From any thread; never raises."""

    def sample(self, fleet: str, said: dict[str, Any]) -> bool:
        """Tell a sample, and wait for nobody. From any thread; False where nobody takes it."""

    def end(self) -> None:
        """Say what has to be said still, and interrupt whoever waits."""

    def abandon(self) -> None:
        """Let go of the descriptors. In a forked child they belong to the parent too."""


class FileLink:
    """A database file and the keeper's socket."""

    shares_latches = True
    tells_soon_s = 1.0

    def __init__(self, member: Member) -> None:
        self.channel: Channel = KeeperChannel()
        self._url = member.urls[0]
        self._worker = member.worker
        self._courier = Courier(member.worker)

    @property
    def place(self) -> str:
        """The file."""
        return f"the database at {self._url}"

    def start(self, hearer: Hearer) -> None:
        """Nothing: the watcher listens itself."""

    def source(self) -> Source:
        """The gate's tables."""
        return SqliteSource(sqlite_path(self._url))

    def quiet_s(self) -> float:
        """Never: a keeper that is alive may be cut off from the file."""
        return 0.0

    def reserve(self, fleet: str, limit: str, cost: int) -> Reservation:
        """Ask the keeper."""
        from opsgate.permits import reserve

        return reserve(str(keeper_socket(fleet or fleet_of_url(self._url))), self._worker, limit, cost)

    def sample(self, fleet: str, said: dict[str, Any]) -> bool:
        """Send it to the keeper, which is there or is not."""
        return self._courier.tell(str(keeper_socket(fleet or fleet_of_url(self._url))), said)

    def end(self) -> None:
        """Send the samples that wait for room in the keeper's queue."""
        self._courier.end()

    def abandon(self) -> None:
        """The socket."""
        self.channel.close()


def link_of(member: Member) -> Link:
    """The way that a member's URLs name."""
    if member.is_remote:
        from opsgate.http_link import HttpLink

        return HttpLink(member)
    return FileLink(member)
