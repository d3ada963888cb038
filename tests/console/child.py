"""A console in a process of its own, for tests that need a real terminal.

``python -m tests.console.child MODE``: ``real`` is what the command line runs, over an empty fleet in memory, and
``lossy`` the same with hardly anything kept for a terminal that does not read; ``fleet`` shows a small one, ``hostile``
one full of hostile text, ``sweep:SEED`` one in which every text is hostile, by chance; ``F12`` moves a single number,
``F11`` breaks the console, ``x`` blocks its event loop. All of them are dressed as the environment says.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from backends.stop_lane import fire, new_order
from core.capabilities.holds import PlaceHold
from core.capabilities.rate_limits import SetLimit
from core.ports import LimitUsage
from opsconsole import outlet
from opsconsole.app import own_environment, run_console, show
from opsconsole.cli.invocation import Invocation, dress_of
from opsconsole.credential import Address
from opsconsole.dress import Dress
from opsgate.selector import Selector

if TYPE_CHECKING:
    from opsconsole.console import Console
    from opsconsole.lane import Lane

URL = "memory://"
BLOCKED_S = 120.0
SWEPT = 40
"""Texts in the fleet of a sweep: as many as there are rows to look at."""


def main(mode: str) -> int:
    """Run one."""
    dress = dress_of(Invocation().settings)
    if mode == "lossy":
        outlet.BACKLOG_MAX = 1024
    if mode in ("real", "lossy"):
        return run_console(Address(URL), operator="ana", profile="TEST", dress=dress)
    own_environment(dress)
    from opsconsole.lane import Lane

    lane = Lane(lambda: new_order(actor="ana", door="console"), lambda order: fire(order, url=URL))
    _, _, seed = mode.partition("sweep:")
    return show(_console(lane, dress, hostile=mode == "hostile", seed=seed), lane)


def _console(lane: Lane, dress: Dress, *, hostile: bool, seed: str) -> Console:
    from opsconsole.console import Console
    from opsconsole.session import Feed
    from opsconsole.views.picture import Who
    from tests.console.desk import small_fleet
    from tests.console.hostile import HOSTILE, strings
    from tests.console.hostile_fleet import hostile_fleet

    fleet = hostile_fleet(strings(int(seed), SWEPT)) if seed else small_fleet()
    if not seed:
        fleet.do(SetLimit(name="content_pages", limit=9000))
    fleet.usage["content_pages"] = LimitUsage("content_pages", 1000)
    for number, text in enumerate(HOSTILE.values() if hostile else ()):
        fleet.add_sites(f"h{number:02}")
        hold = PlaceHold(selectors=(Selector.of(site=f"h{number:02}"),))
        fleet.do(hold.model_copy(update={"reason": text[:300]}))
    who = Who("\x1b]0;owned\x07\x9b31m" if hostile else "ana", URL)
    feed = Feed(lambda: fleet, who, monotonic=time.monotonic, utc_now=lambda: fleet.now)

    class Fragile(Console):
        """With keys that do what no key should."""

        def key_f12(self) -> None:
            """Change one number in one cell."""
            fleet.usage["content_pages"] = LimitUsage("content_pages", 1001)
            feed.look_now()

        def key_x(self) -> None:
            """Block the event loop."""
            time.sleep(BLOCKED_S)  # as a fault of ours might

        def key_f11(self) -> None:
            """Break, with something in a variable that nobody should read."""
            secret = "hunter2"
            raise RuntimeError(f"broken by {len(secret)} letters")

    return Fragile(feed, lane, monotonic=time.monotonic, dress=dress)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
