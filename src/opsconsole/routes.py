"""Which ways a stop would find open from this host: looked at now and then, so that the prompt can say so at once."""

from __future__ import annotations

import os
from pathlib import Path

from backends.keeper import hears
from backends.stop_servers import servers_of
from opsconsole.views.picture import Routes
from opsgate.paths import latch_home


def look(url: str) -> Routes:
    """Look at the latch's directory and ask for the keeper of the fleet at `url`. Takes up to half a second.

    Behind a server, that one alone knows whether a keeper is there.
    """
    if servers_of(url):
        return Routes(latch=_can_be_written(latch_home()))
    try:
        keeper = hears(url)
    except (OSError, ValueError):  # no descriptor left, or a URL that no keeper can have
        keeper = False
    return Routes(latch=_can_be_written(latch_home()), keeper=keeper)


def _can_be_written(directory: Path) -> bool:
    """Whether a latch could be placed: the directory, or the nearest one above that exists, takes files."""
    try:
        there = next((each for each in (directory, *directory.parents) if each.exists()), None)
        return there is not None and os.access(there, os.W_OK | os.X_OK) and os.statvfs(there).f_bavail > 0
    except OSError:  # a name that is too long, a directory that may not be looked into
        return False
