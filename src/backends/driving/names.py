"""How this host is called where a service says whose it is."""

from __future__ import annotations

import os


def this_host() -> str:
    """The name of this host."""
    return os.uname().nodename
