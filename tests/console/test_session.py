"""The feed follows a backend that may be late, slow, wrong or gone, and the screen never has to ask it anything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from backends.keeper import alive
from core.capabilities.explaining import ExplainStop
from core.errors import BackendUnavailable, CommandRejected
from core.messages import Actor, Envelope, Receipt
from core.ports import Backend, Observations
from core.state import State
from opsconsole import routes
from opsconsole.beside import HIRE_AGAIN_S
from opsconsole.commander import Answer, Commander
from opsconsole.dialogs.base import Send
from opsconsole.dialogs.target import Target
from opsconsole.lines import plain
from opsconsole.session import Feed
from opsconsole.unrecorded import REFUSED_AGAIN_S, Unrecorded
from opsconsole.views.answers import refused
from opsconsole.views.header import row1, row2
from opsconsole.views.last_known import connection
from opsconsole.views.picture import Picture, Routes
from opsgate.latch import place, remove
from opsgate.order import Order
from opsgate.paths import fleet_of_url, keeper_socket
from opsgate.wire import encode
from tests.console.desk import WHO, Clock, small_fleet
from tests.console.fleet import START, Fleet
from tests.support.waiting import eventually


@contextmanager
def followed(open_backend: Callable[[], Backend], *, hire: Callable[[], object] | None = None) -> Iterator[Feed]:
    """A feed that runs."""
    feed = Feed(open_backend, WHO, monotonic=Clock(), utc_now=lambda: START, hire=hire)
    feed.start()
    try:
        yield feed
    finally:
        feed.stop()


def test_a_backend_that_cannot_be_opened_is_tried_again_and_said_in_words() -> None:
    fleet, tries = small_fleet(), 0

    def open_backend() -> Backend:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise BackendUnavailable("unavailable", f"no such file (try {tries})")
        return fleet

    with followed(open_backend) as feed:
        eventually(lambda: "no such file" in feed.picture().link.trouble)
        assert feed.picture().link.age_s is None
        feed.look_now()
        eventually(lambda: tries >= 2)
        feed.look_now()
        eventually(lambda: feed.picture().link.live)
        assert feed.picture().link.trouble == ""


def test_an_error_that_nobody_foresaw_does_not_end_the_feed() -> None:
    fleet = small_fleet()
    observe, broken = fleet.observe, True

    def observe_or_break(*, timeout_s: float = 5.0) -> Observations:
        if broken:
            raise RuntimeError("\x1b[31mboom")
        return observe(timeout_s=timeout_s)

    fleet.observe = observe_or_break  # type: ignore[method-assign] # the world breaks in a way of its own
    with followed(lambda: fleet) as feed:
        eventually(lambda: "RuntimeError: ␛[31mboom" in feed.picture().link.trouble)
        broken = False
        feed.look_now()
        eventually(lambda: feed.picture().facts.seen is not None)


def test_state_arrives_by_being_followed_without_asking() -> None:
    fleet = small_fleet()
    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live)
        woken = threading.Event()
        feed.wake = woken.set
        fleet.pause("", site="mail")
        assert woken.is_set()
        assert feed.picture().state.revision == fleet.latest().revision
        assert feed.recent[-1].event.kind == "hold.placed"


def test_books_of_names_and_holds_are_kept_until_a_name_or_a_hold_changes() -> None:
    fleet = small_fleet()
    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live)
        before = feed.picture().facts
        fleet.lose("w-01")
        after = feed.picture().facts
        assert after is not before
        assert after.names is before.names
        assert after.holds is before.holds
        fleet.pause("", site="mail")
        assert feed.picture().facts.holds is not before.holds
        assert feed.picture().facts.names is before.names
        fleet.add_sites("another")
        assert feed.picture().facts.names is not before.names


def test_the_same_observation_again_wakes_nobody() -> None:
    fleet = small_fleet()
    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live)
        woken = threading.Event()
        feed.wake = woken.set
        fleet.pass_time(1)  # heartbeats are newer, and nothing looks different
        seen = feed.picture().facts.seen
        feed.look_now()
        eventually(lambda: feed.picture().facts.seen is not seen)
        assert not woken.is_set()


def test_a_keeper_is_hired_where_none_is_alive_and_not_again_too_soon() -> None:
    fleet, hired = small_fleet(), threading.Event()
    fleet.keeper = False
    clock = Clock()
    feed = Feed(lambda: fleet, WHO, monotonic=clock, utc_now=lambda: START, hire=hired.set)
    feed.start()
    try:
        eventually(hired.is_set)
        hired.clear()
        for _ in range(3):
            seen = feed.picture().facts.seen
            feed.look_now()
            eventually(lambda before=seen: feed.picture().facts.seen is not before)  # type: ignore[misc] # bound per turn
        assert not hired.is_set()
        clock.now += HIRE_AGAIN_S
        feed.look_now()
        eventually(hired.is_set)
    finally:
        feed.stop()


def test_what_lies_latched_on_this_host_is_recorded_first_thing() -> None:
    fleet = small_fleet()
    place(Order("S-latched", START, actor="bo", door="cli"), fleet.latest().fleet)
    with followed(lambda: fleet) as feed:
        eventually(lambda: "S-latched" in feed.picture().state.stops)
        assert feed.picture().state.stops["S-latched"].ordered_by == "bo"


def test_a_latched_stop_that_is_refused_is_shown_and_said_and_holds_up_nothing() -> None:
    """Its latch holds the gates of this host, so row 1 must not say that they run. It is tried again now and then:
    each refusal is an event in the journal."""
    fleet, clock = small_fleet(), Clock()
    submit, tries = fleet.submit, 0

    def submit_or_refuse(envelope: Envelope, *, timeout_s: float = 5.0) -> Receipt:
        nonlocal tries
        if envelope.command_id == "S-bad":
            tries += 1
            raise CommandRejected("no-such-scope", "S-bad was used for another command")
        return submit(envelope, timeout_s=timeout_s)

    fleet.submit = submit_or_refuse  # type: ignore[method-assign] # somebody took the id
    for stop_id in ("S-bad", "S-good"):
        place(Order(stop_id, START, actor="bo", door="cli"), fleet.latest().fleet)
    feed = Feed(lambda: fleet, WHO, monotonic=clock, utc_now=lambda: START)
    feed.start()

    def look_again() -> None:
        seen = feed.picture().facts.seen
        feed.look_now()
        eventually(lambda: feed.picture().facts.seen is not seen and "S-bad was used" in feed.picture().link.trouble)

    try:
        eventually(lambda: "S-good" in feed.picture().state.stops)
        for _ in range(3):
            look_again()
        assert [order.stop_id for order in feed.picture().sent] == ["S-bad"]
        assert tries == 1
        clock.now += REFUSED_AGAIN_S
        feed.look_now()
        eventually(lambda: tries == 2)
        look_again()  # it is known by then when that was
        remove("S-bad", fleet.latest().fleet)
        clock.now += REFUSED_AGAIN_S
        feed.look_now()
        eventually(lambda: not feed.picture().sent and not feed.picture().link.trouble)
    finally:
        feed.stop()


def test_nothing_is_released_while_a_latched_stop_cannot_be_recorded() -> None:
    fleet = small_fleet()
    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live)
        place(Order("S-latched", START, actor="bo", door="cli"), fleet.latest().fleet)
        fleet.locked = "the database is locked"
        release = Envelope(
            command_id="c-release",
            actor=Actor(name="ana"),
            door="console",
            command=Target("site", "shop-eu").resume("mended"),
            expected_revision=fleet.latest().control_revision,
        )
        with pytest.raises(BackendUnavailable, match="latched"):
            feed.submit(release)
        assert fleet.submitted == []


def between_tries(feed: Feed, least: int) -> Picture:
    """What is shown while the feed waits, after so many tries or more: it tries by itself too."""
    shown = [feed.picture()]

    def waits() -> bool:
        shown.append(feed.picture())
        return shown[-1].link.tries >= least and shown[-1].link.retry_s is not None

    eventually(waits)
    return shown[-1]


def test_tries_are_counted_further_and_further_apart_and_forgotten_when_one_succeeds() -> None:
    fleet = small_fleet()
    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live)
        fleet.away, fleet.away_s = "the database is locked", 7.0
        for least in (1, 2, 3, 4):
            feed.look_now()
            waiting = between_tries(feed, least)
            wait_s = {1: 1, 2: 2}.get(waiting.link.tries, 4)
            assert waiting.link.retry_s == wait_s
            assert connection(waiting) == f"backend unreachable, retry {waiting.link.tries} in {wait_s}s"
        fleet.away = ""
        feed.look_now()
        eventually(lambda: feed.picture().link.tries == 0 and feed.picture().link.live)


def test_another_fleet_at_the_same_address_is_said_in_words_and_never_shown_as_this_one() -> None:
    fleet = small_fleet()
    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live)
        fleet.replaced = "f2"
        feed.look_now()
        eventually(lambda: feed.picture().link.replaced)
        assert feed.picture().word == "unknown"
        assert "ANOTHER FLEET is at this address now" in plain(row1(feed.picture(), 200))


def test_a_backend_that_hangs_is_stale_and_never_holds_up_a_picture() -> None:
    fleet, answer = small_fleet(), threading.Event()
    observe, hangs = fleet.observe, False

    def observe_or_hang(*, timeout_s: float = 5.0) -> Observations:
        if hangs:
            answer.wait()
        return observe(timeout_s=timeout_s)

    fleet.observe = observe_or_hang  # type: ignore[method-assign] # the world hangs in a way of its own
    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live and feed.picture().now == fleet.now)
        hangs = True
        feed.look_now()
        fleet.away, fleet.away_s = "no answer", 14.0
        assert "LAST KNOWN PARTLY HELD 13:57:46, 00:14 ago" in plain(row1(feed.picture(), 200))
        fleet.away, hangs = "", False
        answer.set()
        eventually(lambda: feed.picture().word == "partly")


def test_a_backend_that_answers_slowly_is_live_and_says_how_slow_until_it_is_quick_again() -> None:
    fleet, clock = small_fleet(), Clock()
    feed = Feed(lambda: fleet, WHO, monotonic=clock, utc_now=lambda: START)
    observe, took_s = fleet.observe, 1.3

    def observe_slowly(*, timeout_s: float = 5.0) -> Observations:
        clock.now += took_s
        return observe(timeout_s=timeout_s)

    fleet.observe = observe_slowly  # type: ignore[method-assign] # the world is slow in a way of its own
    feed._connect()
    assert "slow, 1.3s an answer" in plain(row2(feed.picture(), 120))
    assert plain(row1(feed.picture(), 120)).startswith(" [PART]")
    took_s = 0.1
    feed._look(fleet)
    assert "slow" not in plain(row2(feed.picture(), 120))


def test_a_clock_that_jumps_moves_no_age() -> None:
    """Ages are by the engine's clock and by one that only goes forward; the wall clock of this host is never asked."""
    fleet: Fleet = small_fleet()
    clock = Clock()
    feed = Feed(lambda: fleet, WHO, monotonic=clock, utc_now=lambda: START.replace(year=1970))
    feed.start()
    try:
        eventually(lambda: feed.picture().facts.seen is not None)
        before = feed.picture().now
        clock.now += 3
        assert (feed.picture().now - before).total_seconds() == pytest.approx(3)
    finally:
        feed.stop()


def test_a_stop_fired_while_another_is_being_recorded_is_recorded_too() -> None:
    fleet = small_fleet()
    latest, second = fleet.latest, threading.Event()
    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live)

        def latest_while_somebody_fires() -> State:
            state = latest()
            if "S-a" in state.stops and not second.is_set():
                second.set()
                feed.sent(Order("S-b", START))
            return state

        fleet.latest = latest_while_somebody_fires  # type: ignore[method-assign] # the operator fires just then
        feed.sent(Order("S-a", START))
        eventually(lambda: "S-b" in latest().stops)


def test_a_stop_is_recorded_behind_one_that_is_refused_and_while_nothing_can_be_observed() -> None:
    fleet = small_fleet()
    submit = fleet.submit

    def submit_or_refuse(envelope: Envelope, *, timeout_s: float = 5.0) -> Receipt:
        if envelope.command_id == "S-refused":
            raise CommandRejected("refused", "not this one")
        return submit(envelope, timeout_s=timeout_s)

    def observe_nothing(*, timeout_s: float = 5.0) -> Observations:
        raise RuntimeError("nothing to be seen")

    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().facts.seen is not None)
        fleet.submit, fleet.observe = submit_or_refuse, observe_nothing  # type: ignore[method-assign] # it goes wrong
        feed.sent(Order("S-refused", START))
        feed.sent(Order("S-behind", START))
        eventually(lambda: "S-behind" in fleet.latest().stops)
        assert [order.stop_id for order in feed.picture().sent] == ["S-refused"]
        assert feed.picture().refusal == "not this one"


def test_what_a_server_says_to_have_recorded_stays_among_the_sent_until_it_is_seen() -> None:
    sent, other = Order("S-1", START), Order("S-2", START)
    unrecorded = Unrecorded(Clock())
    unrecorded.add(sent)
    assert not unrecorded.taken(unrecorded.unknown_to(State()))
    unrecorded.take(sent)
    assert unrecorded.unknown_to(State()) == (sent,)
    assert unrecorded.taken((sent,))
    assert not unrecorded.taken((sent, other)), "the newest one was not"


def test_routes_that_cannot_be_looked_at_are_unknown_and_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsconsole.beside.ROUTES_S", 0.01)
    open_ways, broken = Routes(latch=True, keeper=True), False

    def look() -> Routes:
        if broken:
            raise PermissionError(13, "Permission denied")
        return open_ways

    feed = Feed(small_fleet, WHO, monotonic=Clock(), utc_now=lambda: START, look_at_routes=look)
    feed.start()
    try:
        eventually(lambda: feed.picture().routes == open_ways)
        broken = True
        eventually(lambda: feed.picture().routes == Routes())
        broken = False
        eventually(lambda: feed.picture().routes == open_ways)
    finally:
        feed.stop()


def test_a_latch_whose_directory_cannot_even_be_looked_for_is_no_open_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSGATE_LATCH_DIR", "/" + "x" * 300 + "/latch")
    assert routes.look("sqlite:////nowhere/ops.db").latch is False


def test_a_keeper_whose_database_is_gone_is_an_open_route_all_the_same() -> None:
    """It still tells every gate; to say that there is none would be wrong in the moment in which it is needed."""
    url = "sqlite:////nowhere/ops.db"
    address = keeper_socket(fleet_of_url(url))
    address.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(address))

        def answer_twice() -> None:
            for _ in range(2):
                _ping, sender = channel.recvfrom(65536)
                channel.sendto(encode("pong", fleet="f1", database="gone"), sender)

        asked = threading.Thread(target=answer_twice)
        asked.start()
        looked, may_serve = routes.look(url), alive(url)
        asked.join()

    assert looked.keeper is True
    assert may_serve is None, "another one has to be started for the database that is there now"


def test_each_of_two_reasons_that_wait_for_the_journal_is_sent_when_its_stop_is_there() -> None:
    fleet = small_fleet()
    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live)
        commander = Commander(feed, "ana", lambda _send, _answer: None)
        for stop_id in ("S-a", "S-b"):
            explain = ExplainStop(stop_id=stop_id, reason=f"why {stop_id}")
            commander.explain(stop_id, Send(explain, "reason"), feed.picture())
        fleet.stop("S-a")
        fleet.stop("S-b")
        commander.see(feed.picture())
        eventually(lambda: [fleet.latest().stops[stop].reason for stop in ("S-a", "S-b")] == ["why S-a", "why S-b"])


def test_a_command_that_breaks_in_a_way_nobody_foresaw_is_answered_all_the_same() -> None:
    fleet, answers = small_fleet(), list[Answer]()

    def breaks(envelope: Envelope, *, timeout_s: float = 5.0) -> Receipt:
        raise RuntimeError("boom")

    with followed(lambda: fleet) as feed:
        eventually(lambda: feed.picture().link.live)
        fleet.submit = breaks  # type: ignore[method-assign] # the world breaks in a way of its own
        commander = Commander(feed, "ana", lambda _send, answer: answers.append(answer))
        commander.send(Send(Target("site", "mail").pause(""), "pause mail"))
        eventually(lambda: bool(answers))
        (answer,) = answers
        assert isinstance(answer, Exception)
        said = plain(refused("pause mail", answer))
        assert said == "pause mail: FAILED, look whether it was done - RuntimeError: boom"
