"""What the engine can do, one capability a module: its commands, its events, its deciders and its evolvers.

Importing this package registers them all.
"""

from core.capabilities import (
    configuration,
    emergencies,
    fleet,
    holds,
    names,
    rate_limits,
    recovery,
    switches,
    tokens,
    workers,
)

__all__ = [
    "configuration",
    "emergencies",
    "fleet",
    "holds",
    "names",
    "rate_limits",
    "recovery",
    "switches",
    "tokens",
    "workers",
]
