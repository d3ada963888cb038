"""The two programs that ``console`` compares: the console, and the same screen made of Textual's own widgets.

``python -m bench.screens ours|peer SITES ORDERS``: each line that comes on the descriptor ORDERS changes the fleet,
``one N`` one cell of a pane, ``tick N`` a site and the line of news, ``news N`` what a second of work brings.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from immutables import Map

from core.capabilities.holds import PlaceHold
from core.capabilities.rate_limits import SetLimit
from core.ports import LimitUsage
from core.state import Name
from opsconsole.session import Feed
from opsconsole.views.picture import Facts, Link, Picture, Who
from opsgate.selector import Selector
from tests.console.fleet import START, Fleet

WHO = Who("ana", Fleet.url, "BENCH")
WORKERS = 12


class Crowd(Fleet):
    """A fleet in memory with as many sites as wanted, and the changes that are measured."""

    def __init__(self, sites: int) -> None:
        super().__init__()
        names = [f"s{number:06}" for number in range(sites)]
        entries = {("site", name): Name("site", name, "", START, START, "ana") for name in names}
        self._state = self._state._replace(names=Map(dict(self._state.names) | entries))
        for number in range(WORKERS):
            self.add_worker(f"w-{number:02}", names[number % sites], in_flight=1)
        self.do(SetLimit(name="content_pages", limit=9000))
        self.pass_time(600)
        self.one(1000)

    def one(self, number: int) -> None:
        """One number in one cell."""
        self.usage["content_pages"] = LimitUsage("content_pages", number, (0,) * 9 + (1,))

    def tick(self, number: int) -> None:
        """Somebody pauses a site: a new state, a row that moves to the top, a line of news."""
        self.do(PlaceHold(selectors=(Selector.of(site=f"s{number:06}"),), reason=f"tick-{number:04}"))

    def news(self, number: int) -> None:
        """A second of a fleet at work: numbers of the limits and of what is in flight move, heartbeats come."""
        for limit, units in (("content_pages", 3), ("sites", 1), ("gsc_requests", 5)):
            self.usage[limit] = LimitUsage(limit, number * units % 1000, (units,) * 10)
        for worker, row in self.workers.items():
            self.workers[worker] = replace(row, in_flight=number % 2, heartbeat_at=self.now)


def follow(descriptor: int, obey: Callable[[str, int], None]) -> None:
    """Carry out what comes on the pipe, on a thread of its own."""

    def run() -> None:
        with os.fdopen(descriptor) as lines:
            for line in lines:
                word, number = line.split()
                obey(word, int(number))

    threading.Thread(target=run, name="orders", daemon=True).start()


def ours(fleet: Crowd, orders: int) -> None:
    """The console."""
    from backends.stop_lane import fire, new_order
    from opsconsole.app import own_environment, show
    from opsconsole.dress import DARK
    from opsconsole.lane import Lane

    own_environment(DARK)
    from opsconsole.console import Console

    feed = Feed(lambda: fleet, WHO, monotonic=time.monotonic, utc_now=lambda: fleet.now)

    def obey(word: str, number: int) -> None:
        getattr(fleet, word)(number)
        feed.look_now()

    follow(orders, obey)
    lane = Lane(lambda: new_order(actor="ana", door="console"), lambda order: fire(order, url=fleet.url))
    show(Console(feed, lane, monotonic=time.monotonic), lane)


def peer(fleet: Crowd, orders: int) -> None:
    """A DataTable for each pane and a Static for each line, told exactly which cells changed."""
    from bench.peer import Peer

    app = Peer(Picture(Facts.of(fleet.latest(), fleet.observe()), fleet.now, Link(0.0), WHO))
    follow(orders, lambda word, number: app.call_from_thread(getattr(app, word), number))
    app.run(mouse=False)


if __name__ == "__main__":
    {"ours": ours, "peer": peer}[sys.argv[1]](Crowd(int(sys.argv[2])), int(sys.argv[3]))
