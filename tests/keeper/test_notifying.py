"""Channels are told what happens: at least once, in order, whoever leads, and none of them delays anybody."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from backends.clients.signed import fault
from backends.keeper.calls import Answer
from backends.keeper.teller import Leadership, Teller, Terms
from backends.notifiers.base import Message, NotDelivered, Notifier, Refused, Takes
from backends.notifiers.channels import Channel
from backends.notifiers.settings import ChannelSettings, NotifySettings
from backends.notifiers.webhook import WebhookNotifier
from core.audit import Row, event_of
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import AddName
from core.capabilities.rate_limits import SetLimit
from core.messages import Recorded
from core.notices import Notice
from core.telling import Patience
from opsgate.selector import EVERYTHING
from tests.keeper.parts import Parts
from tests.support.fleets import say
from tests.support.serving import serving
from tests.support.sinks import Sink, sink
from tests.support.waiting import eventually

SECRET = "k" * 40
PAUSE = PlaceHold(selectors=(EVERYTHING,), reason="wrong prices")
RESUME = ReleaseHolds(selectors=(EVERYTHING,), reason="repaired")


class Written:
    """A notifier that writes down what it is told, or fails as it is told to."""

    takes: ClassVar[Takes] = "notices"
    where = "memory"

    def __init__(self) -> None:
        self.told: list[Notice] = []
        self.fails: Exception | None = None
        self.hangs: threading.Event | None = None

    def send(self, message: Message, *, timeout_s: float) -> None:
        if self.hangs is not None:
            self.hangs.wait(30)
            return
        if self.fails is not None:
            raise self.fails
        assert isinstance(message.content, Notice)
        self.told.append(message.content)

    @property
    def titles(self) -> list[str]:
        return [notice.title for notice in self.told]


class World:
    """A fleet in memory, one channel, and the turns of the thread that tells it."""

    def __init__(self, notifier: Notifier, *, send_s: float = 20.0) -> None:
        self.parts = Parts()
        self.send_s = send_s
        self.notifier = notifier
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.leads = True
        self.teller = self.another()
        self.turn()  # it begins: what happened before is told to nobody

    def another(self) -> Teller:
        """The thread of another keeper, which has not begun."""
        self.parts.leader.renew(self.parts.elapsed_s)
        leadership = Leadership(lambda: self.leads, lambda: self.parts.leader.lease)
        terms = Terms(Patience(escalate_s=300, repeat_s=3600, quiet_s=600), send_s=self.send_s)
        return Teller(
            self.parts.runtime, _Given("mail", self.notifier), terms, leadership, self.parts.now, self.outcomes
        )

    def do(self, *commands: Any) -> None:
        for command in commands:
            self.parts.runtime.submit(say(command))

    def turn(self, after_s: float = 0.0) -> float:
        self.parts.pass_(after_s)
        self.parts.leader.renew(self.parts.elapsed_s)
        return self.teller.turn()

    @property
    def cursor(self) -> dict[str, Any]:
        (cursor,) = self.parts.runtime.store.cursors()
        return {"revision": cursor.revision, **json.loads(cursor.detail)}


class _Given(Channel):
    """A channel whose notifier is there already."""

    given: Notifier

    def __init__(self, name: str, notifier: Notifier) -> None:
        super().__init__(name, ChannelSettings(), usual=True)
        object.__setattr__(self, "given", notifier)

    def open(self) -> Notifier:
        return self.given


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def world(written: Written) -> Iterator[World]:
    made = World(written)
    yield made
    made.parts.close()


# ---------------------------------------------------------------------------------------------- at least once, in order
def test_what_happens_is_told_in_order_and_once(world: World, written: Written) -> None:
    world.do(PAUSE)
    world.turn()
    world.do(RESUME)
    world.turn()
    world.turn(after_s=1)

    assert written.titles == ["everything is PAUSED (drain)", "everything is not paused any more"]
    assert world.outcomes == {("mail", "sent"): 2}


def test_what_was_not_taken_is_told_again_later_and_later_and_then_no_more(world: World, written: Written) -> None:
    written.fails = NotDelivered("it answered 500")
    world.do(PAUSE)
    waits = []
    for _ in range(4):
        waits.append(world.turn())
        assert world.turn() == pytest.approx(waits[-1])  # until then it is left alone
        world.parts.pass_(waits[-1])

    assert [0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(waits)] == [True] * 4
    assert (world.cursor["state"], world.cursor["why"], world.cursor["tries"]) == ("failing", "it answered 500", 4)
    written.fails = None
    world.turn()
    assert written.titles == ["everything is PAUSED (drain)"]
    assert (world.cursor["state"], world.cursor["revision"]) == ("ok", world.parts.state.revision)


def test_the_next_keeper_goes_on_where_the_last_one_ended(world: World, written: Written) -> None:
    world.do(PAUSE)
    world.turn()
    world.do(RESUME)

    world.teller = world.another()
    world.turn()

    assert written.titles == ["everything is PAUSED (drain)", "everything is not paused any more"]


def test_who_does_not_lead_tells_nobody(world: World, written: Written) -> None:
    world.leads = False
    world.do(PAUSE)
    world.turn()

    assert written.told == []


def test_a_message_that_is_refused_for_good_holds_up_none_behind_it(world: World, written: Written) -> None:
    written.fails = Refused("it refuses this one")
    world.do(PAUSE)
    world.turn()
    written.fails = None
    world.do(RESUME)
    world.turn()

    assert written.titles == ["everything is not paused any more"]
    assert world.outcomes["mail", "refused"] == 1


def test_what_concerns_nobody_is_written_down_now_and_then_only(world: World, written: Written) -> None:
    began = world.cursor["revision"]
    world.do(AddName(dimension="site", name="s1"))
    world.turn(after_s=1)
    assert world.cursor["revision"] == began

    world.turn(after_s=10)
    assert world.cursor["revision"] == world.parts.state.revision
    assert written.told == []


# ------------------------------------------------------------------------------------------------- bursts and repeats
def test_of_what_nobody_is_told_not_even_the_body_is_read(
    world: World, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def reading(row: Row) -> Recorded:
        read.append(row.kind)
        return event_of(row)

    monkeypatch.setattr("backends.keeper.teller.event_of", reading)
    world.do(AddName(dimension="site", name="s1"), PAUSE)
    world.turn()

    assert read == ["hold.placed"]
    assert len(written.told) == 1


def test_a_burst_that_is_not_urgent_comes_together_and_is_one_message(world: World, written: Written) -> None:
    for number in range(1, 8):
        world.do(SetLimit(name="sites", limit=number), SetLimit(name="content_pages", limit=number))
        world.turn()
    assert written.told == []
    world.turn(after_s=2)

    assert written.titles == ["limit sites is 7 in 3600 s now", "limit content_pages is 7 in 3600 s now"]


def test_while_a_burst_is_gathered_each_event_of_it_is_read_once_and_once_more_to_be_told(
    world: World, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred commands a second must not have each read again, ten times a second."""
    read: list[int] = []

    def reading(row: Row) -> Recorded:
        read.append(row.revision)
        return event_of(row)

    monkeypatch.setattr("backends.keeper.teller.event_of", reading)
    for number in range(1, 20):
        world.do(SetLimit(name="sites", limit=number))
        world.turn()
    world.turn(after_s=2)

    assert written.titles == ["limit sites is 19 in 3600 s now"]
    assert max(map(read.count, read)) == 2


def test_what_is_urgent_waits_for_no_burst_that_is_gathered(world: World, written: Written) -> None:
    world.do(SetLimit(name="sites", limit=7))
    world.turn()
    world.turn()
    world.do(OrderStop(stop_id="S-1", selectors=(EVERYTHING,)))
    world.turn()

    assert len(written.titles) == 2, "the burst goes with it"


def test_what_changes_again_soon_is_told_when_it_is_due_by_whoever_leads_then(world: World, written: Written) -> None:
    world.do(SetLimit(name="sites", limit=1))
    world.turn()
    world.turn(after_s=2)
    for limit in (2, 3):
        world.do(SetLimit(name="sites", limit=limit))
        world.turn(after_s=2)
        world.turn(after_s=2)
    assert written.titles == ["limit sites is 1 in 3600 s now"]

    world.teller = world.another()
    world.turn(after_s=600)

    assert written.titles[1:] == ["limit sites is 3 in 3600 s now"]
    assert "2 changes since" in written.told[-1].body


# ---------------------------------------------------------------------------------------------- sinks that misbehave
def test_a_sink_that_never_comes_back_is_left_behind_and_called_no_more(written: Written) -> None:
    world = World(written, send_s=0.05)
    written.hangs = threading.Event()
    world.do(PAUSE)
    for _ in range(5):
        world.turn(after_s=600)
    left_behind = [thread for thread in threading.enumerate() if thread.name == "notify-mail-call"]
    assert len(left_behind) == 3
    assert (world.cursor["state"], world.outcomes["mail", "hung"]) == ("failing", 5)

    written.hangs.set()
    for thread in left_behind:
        thread.join(60)
    written.hangs = None
    world.turn(after_s=600)
    assert written.titles == ["everything is PAUSED (drain)"]
    world.parts.close()


class Late(threading.Event):
    """Whoever waits for it has given up in the very moment in which it comes."""

    def wait(self, timeout: float | None = None) -> bool:
        super().wait(30)
        return False


def test_a_call_that_comes_back_just_as_it_is_given_up_is_not_left_behind(
    world: World, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.keeper.calls.Answer", lambda: Answer(came=Late()))
    for _ in range(5):
        world.do(PAUSE, RESUME)
        world.turn(after_s=3600)

    assert world.outcomes["mail", "hung"] == 0
    assert world.teller.trouble.failures == 0


@pytest.fixture
def hook() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    return path


def test_a_webhook_is_told_each_event_as_a_signed_cloud_event(hook: Sink, secret_file: Path) -> None:
    world = World(WebhookNotifier(ChannelSettings(url=hook.url, secret_file=secret_file)))
    world.parts.hear("w1")
    world.parts.write()
    world.do(PAUSE)
    world.turn()

    (headers, body) = hook.received[0]
    event = json.loads(body)
    signed = (headers["x-opsconsole-timestamp"], headers["x-opsconsole-nonce"], headers["x-opsconsole-signature"])
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert fault((SECRET,), *signed, body, float(signed[0])) == ""
    assert fault((SECRET,), *signed, body + b" ", float(signed[0])) != ""
    assert (event["specversion"], event["type"]) == ("1.0", "opsconsole.hold.placed")
    assert (event["source"], event["id"]) == (
        "/opsconsole/f-0123456789ab",
        f"f-0123456789ab-{world.parts.state.revision}",
    )
    assert event["data"]["data"]["reason"] == "wrong prices"
    world.parts.close()


@pytest.mark.parametrize(("status", "told_again"), [(500, True), (404, True), (302, True), (429, True), (422, False)])
def test_what_a_webhook_answers_decides_whether_it_is_told_again(hook: Sink, status: int, told_again: bool) -> None:
    world = World(WebhookNotifier(ChannelSettings(url=hook.url)))
    hook.status = status
    world.do(PAUSE, RESUME)
    world.turn()
    assert (world.cursor["state"] == "failing") is told_again

    hook.status = 204
    world.turn(after_s=600)
    expected = ["opsconsole.hold.placed", "opsconsole.hold.released"] if told_again else []
    assert hook.types == expected
    assert "s3cret" not in json.dumps(world.cursor)
    world.parts.close()


def test_no_sink_that_hangs_delays_a_stop_and_metrics_say_what_became_of_messages(tmp_path: Path, hook: Sink) -> None:
    hook.holds.set()
    notify = NotifySettings(channels={"webhook": ChannelSettings(url=hook.url)})
    with serving(f"sqlite:///{tmp_path / 'fleet.db'}", notify=notify) as one:
        eventually(one.room.runtime.store.cursors)
        one.command("place-hold", selectors=[{"site": "s1"}], create=True)
        eventually(lambda: hook.asked)

        one.stop(stop_id="S-1")
        eventually(lambda: "S-1" in one.room.runtime.latest().stops)
        eventually(lambda: one.room.runtime.latest().stops["S-1"].result == "verified")
        of_the_hook = [outcome for outcome in one.room.notifying.outcomes if outcome[0] == "webhook"]
        assert (hook.received, of_the_hook) == ([], [])  # it still holds the first message

        hook.holds.clear()
        hook.status = 500
        hook.lets_go.set()
        told = 'opsconsole_notifications_total{channel="webhook",outcome="failed"}'
        eventually(lambda: told in one.get("/metrics").text)
        assert "s3cret" not in one.get("/metrics").text


def test_a_thread_tells_of_what_arrives_and_ends_though_its_channel_hangs(written: Written) -> None:
    world = World(written)
    thread = world.another()
    thread.start()
    leave = world.parts.runtime.follow(lambda _arrival: thread.news())
    world.do(PAUSE)
    eventually(lambda: written.titles == ["everything is PAUSED (drain)"])

    written.hangs = threading.Event()
    world.do(RESUME)
    eventually(lambda: any(each.name == "notify-mail-call" for each in threading.enumerate()))
    leave()
    thread.close()
    written.hangs.set()
    world.parts.close()
