"""Driving: has drivers stop the services of a stop, sees whether they have, and goes on until they do.

In the keeper, with or without a database; and in ``stop --local``, where nothing else is alive.
"""

from pathlib import Path

from opsgate.paths import state_home


def inventory_home() -> Path:
    """The folder in which keepers of this host write down the services of their fleets, one file a fleet."""
    return state_home() / "opsconsole" / "inventory"
