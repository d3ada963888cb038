"""opsgate: what a worker imports to ask whether its next piece of work may run.

    from opsgate import Gate
    gate = Gate.open("sqlite:///fleet.db")
    decision = gate.check(site="s1", operation="site_creation")
    if not decision:
        return decision.skipped()

Nothing outside the standard library is needed, and nothing but the gate itself raises into the worker, and only
where it was asked to (`Gate.guard`, ``checkpoint(raises=True)``). A name is loaded when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # the name that type checkers know, without loading typing
if TYPE_CHECKING:
    from opsgate.decision import Decision, GateClosed
    from opsgate.defaults import default_gate, is_processing_allowed, is_workflow_enabled, set_default_gate
    from opsgate.gate import Gate
    from opsgate.permits import Reservation
    from opsgate.work import Work

__all__ = [
    "Decision",
    "Gate",
    "GateClosed",
    "Reservation",
    "Work",
    "default_gate",
    "is_processing_allowed",
    "is_workflow_enabled",
    "set_default_gate",
]

_HOME = {
    "Decision": "decision",
    "Gate": "gate",
    "GateClosed": "decision",
    "Reservation": "permits",
    "Work": "work",
    "default_gate": "defaults",
    "is_processing_allowed": "defaults",
    "is_workflow_enabled": "defaults",
    "set_default_gate": "defaults",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'opsgate' has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"opsgate.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
