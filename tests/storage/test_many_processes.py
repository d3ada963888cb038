"""Several processes write to one database at once: nothing is lost, nothing is out of order, and all see it soon."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from statistics import median

from core.audit import event_of
from core.capabilities.names import NameAdded
from core.engine import fold
from core.ports import Arrival
from tests.support.places import Place
from tests.support.waiting import eventually
from tests.support.writer import Writer

WRITERS = 4
EACH = 40
ROUNDS = 25
SEEN_WITHIN_S = {"sqlite": 0.2, "postgres": 0.05}
"""The promise; the figures are printed. The quickest has to keep it: each is written as soon as the one before it was
seen, so where nothing wakes the reader every one of them takes a whole pause between two looks."""


def test_concurrent_writers_lose_and_reorder_nothing_and_whoever_tails_misses_nothing(place: Place) -> None:
    reader = place.runtime()
    before, arrivals = reader.latest(), list[Arrival]()
    reader.follow(arrivals.append)
    last = 17 + WRITERS * EACH

    with ExitStack() as stack:
        writers = [stack.enter_context(Writer(place.url, f"w{number}")) for number in range(WRITERS)]
        for writer in writers:
            writer.begin(EACH)
        assert max(writer.done().revision for writer in writers) == last
        eventually(lambda: reader.latest().revision == last)
        eventually(lambda: arrivals[-1].state.revision == last)

    heard = [recorded for arrival in arrivals for recorded in arrival.events]
    assert [recorded.revision for recorded in heard] == list(range(18, last + 1))
    assert fold(before, heard) == reader.state() == place.runtime().state()
    report = reader.verify()
    assert (report.revision, report.fault) == (last, None)
    assert _sites_by_writer(place) == {
        f"w{number}": [f"w{number}-{count}" for count in range(EACH)] for number in range(WRITERS)
    }


def _sites_by_writer(place: Place) -> dict[str, list[str]]:
    """The sites in the order of the journal, each under whoever added it."""
    sites: dict[str, list[str]] = {}
    for row in place.runtime().journal(after=17):
        recorded = event_of(row)
        assert isinstance(recorded.event, NameAdded)
        sites.setdefault(recorded.header.actor.name, []).append(recorded.event.name)
    return sites


def test_another_process_sees_a_commit_soon(place: Place) -> None:
    """From the writer's receipt to the reader's listener, in another process, on the clock that both share."""
    reader = place.runtime()
    seen_at_s: dict[int, float] = {}

    def listener(arrival: Arrival) -> None:
        seen_at_s[arrival.state.revision] = time.monotonic()

    reader.follow(listener)
    delays_s: list[float] = []
    with Writer(place.url, "w") as writer:
        for _ in range(ROUNDS):
            writer.begin(1)
            written = writer.done()
            eventually(partial(seen_at_s.__contains__, written.revision))
            delays_s.append(max(0.0, seen_at_s[written.revision] - written.at_s))

    shown = f"{place.kind}: seen after {median(delays_s) * 1e3:.1f} ms (median), {max(delays_s) * 1e3:.1f} ms (most)"
    sys.stdout.write(f"{shown}\n")
    assert min(delays_s) < SEEN_WITHIN_S[place.kind]


def test_reservations_of_concurrent_threads_and_processes_never_exceed_the_limit(place: Place) -> None:
    runtimes = [place.runtime() for _ in range(3)]

    with ThreadPoolExecutor(6) as pool:
        grants = list(pool.map(lambda number: runtimes[number % 3].reserve("sites", 1, timeout_s=30).grant, range(30)))

    assert sum(grant.granted for grant in grants) == 10
    assert runtimes[0].observe().usage[-1].used == 10
