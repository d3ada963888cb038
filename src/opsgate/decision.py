"""The answer to one question of a worker, with everything needed to explain it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsgate.evaluate import Outcome, Verdict, headline

if TYPE_CHECKING:
    from opsgate.hold import Hold
    from opsgate.view import Basis, View

_PUBLIC = ("hold_id", "source", "owner", "selector", "mode", "reason", "placed_at", "expires_at", "admit")


class Decision:
    """Whether one piece of work may run, why not, and what that rests on. Its truth value is ``allowed``."""

    __slots__ = ("_at_s", "_note", "_verdict", "_view", "allowed")

    def __init__(self, verdict: Verdict, view: View, at_s: float, allowed: bool = True, note: str = "") -> None:
        self.allowed = allowed
        """Whether it may run. Where ``outcome`` is unknown, the class of the operation decided."""
        self._verdict = verdict
        self._view = view
        self._at_s = at_s
        self._note = note

    def __bool__(self) -> bool:
        return self.allowed

    def __repr__(self) -> str:
        return f"<Decision {self.outcome}: {self.headline} (revision {self.revision}, {self.decided_by})>"

    @property
    def outcome(self) -> Outcome:
        """allowed, blocked, or unknown where no state decides."""
        return self._verdict.outcome

    @property
    def blockers(self) -> tuple[Hold, ...]:
        """Every hold in the way, in documented order; empty when allowed."""
        return self._verdict.blockers

    @property
    def unknown_names(self) -> tuple[str, ...]:
        """``dimension=value`` of the names in the question that nobody registered."""
        return self._verdict.unknown_names

    @property
    def headline(self) -> str:
        """One line for a person: the first blocker, or why there is none."""
        return self._note or headline(self._verdict)

    @property
    def decided_by(self) -> Basis:
        """What the decision rests on."""
        return self._view.basis(self._at_s)

    @property
    def source(self) -> Basis:
        """The same as ``decided_by``."""
        return self.decided_by

    @property
    def age_s(self) -> float | None:
        """Seconds between the state that decided and the decision; None when there was no state."""
        return self._view.age_s(self._at_s)

    @property
    def revision(self) -> int:
        """The revision of the state that decided; 0 when there was none."""
        return self._view.revision

    def skipped(self) -> dict[str, Any]:
        """The result of work that was refused (S0): ``{"skipped": True, "reason": …}``."""
        return {"skipped": True, "reason": self.headline}

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of ``check``."""
        age_s = self.age_s
        blockers = [hold.as_dict() for hold in self.blockers]
        return {
            "outcome": self.outcome,
            "allowed": self.allowed,
            "headline": self.headline,
            "blockers": [{name: blocker[name] for name in _PUBLIC} for blocker in blockers],
            "unknown_names": list(self.unknown_names),
            "decided_by": self.decided_by,
            "age_s": None if age_s is None else round(age_s, 3),
            "revision": self.revision,
        }


class GateClosed(Exception):
    """Work was refused where the caller asked for an exception; nobody's fault. Carries the ``decision``."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.headline)
        self.decision = decision
