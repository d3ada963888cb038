"""What the engine can do, one capability a module: its commands, its events, its deciders and its evolvers.

Importing this package registers them all.
"""

from core.capabilities import (
    conclusion,
    configuration,
    course,
    emergencies,
    erasure,
    explaining,
    firing,
    fleet,
    holds,
    names,
    ownership,
    procedures,
    rate_limits,
    recovery,
    restoring,
    service_reports,
    services,
    switches,
    tokens,
    triggers,
    workers,
)

__all__ = [
    "conclusion",
    "configuration",
    "course",
    "emergencies",
    "erasure",
    "explaining",
    "firing",
    "fleet",
    "holds",
    "names",
    "ownership",
    "procedures",
    "rate_limits",
    "recovery",
    "restoring",
    "service_reports",
    "services",
    "switches",
    "tokens",
    "triggers",
    "workers",
]
