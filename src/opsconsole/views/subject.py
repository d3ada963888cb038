"""What of the fleet is looked into, or asked for its events: one site, one emergency, one limit, and so on."""

from __future__ import annotations

from typing import NamedTuple

from opsconsole.text import clean


class Subject(NamedTuple):
    """What was entered. `kind` is ``site``, ``operation``, ``workflow``, ``worker``, ``limit``, ``emergency``,
    ``hold``, ``service``, ``trigger``, or ``acks`` for all workers without acknowledgement; `log` asks for its events
    instead."""

    kind: str
    key: str
    log: bool = False

    @property
    def title(self) -> str:
        """What stands in the frame."""
        named = "Without acknowledgement" if self.kind == "acks" else f"{self.kind.title()} {clean(self.key, 60)}"
        return f"Log of {named[0].lower()}{named[1:]}" if self.log else named
