"""The feed lives on: through a database that is away, through faults of its own, and news are read in the end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from backends import feed as module
from backends.feed import Feed
from backends.local.memory import MemoryStore
from core.capabilities.service_reports import ServiceStateSaved
from core.errors import BackendUnavailable
from core.messages import Actor, Header, Recorded
from core.ports import Arrival
from core.state import State
from tests.support.waiting import eventually


class Looks:
    """What the feed does to look for news: the test says how it goes."""

    def __init__(self) -> None:
        self.count = 0
        self.fault: Exception | None = None

    def __call__(self) -> None:
        self.count += 1
        if self.fault is not None:
            raise self.fault

    def more(self) -> bool:
        """Whether it has looked again since."""
        known = self.count
        eventually(lambda: self.count > known)
        return True


class Gathering(threading.Event):
    """What the feed gathers by: ``meanwhile`` happens while it does so for the first time."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def wait(self, timeout: float | None = None) -> bool:
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()
        return super().wait(timeout)


@pytest.fixture
def looks() -> Looks:
    """Looks that go well."""
    return Looks()


@pytest.fixture
def feed(looks: Looks) -> Iterator[Feed]:
    """A feed over a store in memory."""
    with closing(Feed(MemoryStore(), looks)) as feed:
        yield feed


@pytest.mark.parametrize("fault", [BackendUnavailable("away", "it is away"), ZeroDivisionError()])
def test_a_look_that_fails_is_followed_by_another(feed: Feed, looks: Looks, fault: Exception) -> None:
    feed.follow(lambda arrival: None)
    looks.fault = fault
    looks.more()

    looks.fault = None

    looks.more()


def test_what_arrived_is_delivered_after_looks_have_failed(feed: Feed, looks: Looks) -> None:
    arrivals = list[Arrival]()
    looks.fault = BackendUnavailable("away", "it is away")
    feed.follow(arrivals.append)
    looks.more()

    feed.publish(State(revision=1), "", ())

    eventually(lambda: [arrival.state.revision for arrival in arrivals] == [1])


SAVED = Recorded(
    Header(4, datetime.now(UTC), Actor(name="keeper", kind="system"), "keeper", "c", "c"),
    ServiceStateSaved(service="api", stop_id="S1", saved="a"),
)


@pytest.mark.parametrize(
    ("state", "events"),
    [(State(revision=4, control_revision=4), ()), (State(revision=4), (SAVED,))],
    ids=["it changes what may run", "a stop goes on by it"],
)
def test_what_nothing_waits_for_is_gathered_behind_a_delivery_until_something_is_waited_for(
    feed: Feed, monkeypatch: pytest.MonkeyPatch, state: State, events: tuple[Recorded, ...]
) -> None:
    def meanwhile() -> None:
        for revision in (2, 3):
            feed.publish(State(revision=revision), "", ())
        feed.publish(state, "", events)

    monkeypatch.setattr(module, "GATHER_S", 3600.0)
    feed._hurries = Gathering(meanwhile)
    arrivals = list[Arrival]()
    feed.follow(arrivals.append)

    feed.publish(State(revision=1), "", ())

    eventually(lambda: [arrival.state.revision for arrival in arrivals] == [1, 4])


def test_no_thread_is_started_before_somebody_follows(feed: Feed) -> None:
    before = set(threading.enumerate())  # another test's may be ending

    feed.publish(State(revision=1), "", ())

    assert set(threading.enumerate()) <= before


def test_a_feed_that_is_closed_has_ended(looks: Looks) -> None:
    before = set(threading.enumerate())  # another test's may be ending
    feed = Feed(MemoryStore(), looks)
    feed.follow(lambda arrival: None)

    feed.close()

    assert "opsconsole-feed" not in {thread.name for thread in set(threading.enumerate()) - before}


def test_whoever_could_not_be_followed_for_want_of_a_thread_may_try_again(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def none_left(thread: threading.Thread) -> None:
        if thread.name == "opsconsole-feed":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", none_left)
        with pytest.raises(RuntimeError):
            feed.follow(lambda _arrival: None)
    told: list[Arrival] = []
    feed.follow(told.append)

    feed.publish(State(), "", ())

    eventually(lambda: told)
    feed.close()
