"""Telling: when people are told the notices that there are, and how many messages that makes.

What is urgent is said at once, and of an emergency that nobody acknowledges again and again. Of a burst about one thing
the notices are said together, and what is said again within a while is held back and counted. What a channel was told
before is a *ledger*, so all of this is a function of notices, ledger and time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from core.notices import LINES, Notice, Severity, plain, scope_of, text_of, time_of
from core.state import Emergency, State

BURST: Final = 5
"""Messages that are said one by one at most; of more that are not urgent, one says it all."""

_RANK: Final[Mapping[Severity, int]] = {"info": 0, "success": 1, "warning": 2, "critical": 3}


@dataclass(frozen=True, slots=True)
class Patience:
    """``escalate_s``: seconds for which an emergency may go without anybody acknowledging it; ``repeat_s``: between two
    tellings of what still is so; ``quiet_s``: for which what is not urgent is not said again."""

    escalate_s: float = 300.0
    repeat_s: float = 3600.0
    quiet_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Said:
    """When something was said last, how much of it has been held back since, and the last event of that."""

    at: datetime
    held: int = 0
    revision: int = 0


Ledger = Mapping[str, Said]
"""Key → what a channel was told of it."""


# ----------------------------------------------------------------------------------------------------- escalation
def unheard(state: State, ledger: Ledger, now: datetime, patience: Patience) -> list[Notice]:
    """The emergencies that nobody has acknowledged for too long, each again after a while."""
    found = []
    for each in state.active_emergencies():
        said = ledger.get(f"attention/{each.emergency_id}/unheard")
        waited_s = (now - each.opened_at).total_seconds()
        again = said is None or (now - said.at).total_seconds() >= patience.repeat_s
        if _is_unheard(each) and waited_s >= patience.escalate_s and again:
            title = f"NOBODY has acknowledged {each.emergency_id} for {round(waited_s / 60)} min"
            body = (
                f"{each.level} stop of {scope_of(each.selectors)}, opened {time_of(each.opened_at)} by {each.opened_by}"
            )
            about = f"{each.emergency_id}/unheard"
            found.append(Notice("attention", about, plain(title), text_of(body), "critical", now, state.revision))
    return found


def next_unheard_s(state: State, now: datetime, patience: Patience) -> float:
    """Seconds until an emergency that nobody has acknowledged may be due; infinity where there is none."""
    waits = (
        each.opened_at + timedelta(seconds=patience.escalate_s) - now
        for each in state.active_emergencies()
        if _is_unheard(each)
    )
    return max(1.0, min((wait.total_seconds() for wait in waits), default=float("inf")))


def _is_unheard(emergency: Emergency) -> bool:
    return emergency.acked_at is None


# ------------------------------------------------------------------------------------------------------- grouping
def settle(
    notices: Sequence[Notice], ledger: Ledger, now: datetime, patience: Patience
) -> tuple[list[Notice], dict[str, Said]]:
    """What is said now of these, oldest first, and the ledger after that.

    Notices of one key become one. What is not urgent and was said less than ``quiet_s`` ago is held back and counted;
    `overdue` says when that is to be said. Of more than a few that are not urgent, one digest says it all.
    """
    after = dict(ledger)
    told: list[Notice] = []
    for group in _by_key(notices):
        said, last = after.get(group[-1].key), group[-1]
        if said is not None and not last.urgent and (now - said.at).total_seconds() < patience.quiet_s:
            after[last.key] = replace(said, held=said.held + len(group), revision=last.revision)
        else:
            after[last.key] = Said(now)
            told.append(_together(group))
    urgent, others = [each for each in told if each.urgent], [each for each in told if not each.urgent]
    if len(others) > BURST:
        others = [digest(others)]
    return sorted([*urgent, *others], key=lambda notice: notice.revision), _kept(after, now, patience)


def overdue(ledger: Ledger, now: datetime, patience: Patience) -> dict[str, Said]:
    """What was held back and can be said now, by key."""
    return {
        key: said for key, said in ledger.items() if said.held and (now - said.at).total_seconds() >= patience.quiet_s
    }


def again(notice: Notice, said: Said) -> Notice:
    """The last notice of what was held back, with how much that was."""
    changes = f"{said.held} {'change' if said.held == 1 else 'changes'} since {time_of(said.at)}"
    return replace(notice, body=f"{notice.body}\n{changes}")


def digest(notices: Sequence[Notice]) -> Notice:
    """Many as one."""
    last = notices[-1]
    lines = [each.title for each in notices[:LINES]]
    if len(notices) > LINES:
        lines.append(f"and {len(notices) - LINES} more")
    severity = max((each.severity for each in notices), key=_RANK.__getitem__)
    return replace(last, title=f"{len(notices)} changes", body="\n".join(lines), severity=severity)


def _by_key(notices: Iterable[Notice]) -> list[list[Notice]]:
    groups: dict[str, list[Notice]] = {}
    for notice in notices:
        groups.setdefault(notice.key, []).append(notice)
    return list(groups.values())


def _together(group: Sequence[Notice]) -> Notice:
    """What happened to one thing: the last of it is the title, behind the worst where that was critical."""
    last = group[-1]
    if len(group) == 1:
        return last
    worst = max(group, key=lambda each: _RANK[each.severity])
    before = [f"{time_of(each.at)} {each.title}" for each in group[:-1]]
    left_out = [f"({len(before) - LINES} more)"] if len(before) > LINES else []
    body = "\n".join([last.body, "before that:", *left_out, *before[-LINES:]])
    hides = worst.severity == "critical" and last.severity != "critical"
    title = plain(f"{worst.title}; now: {last.title}") if hides else last.title
    return replace(last, title=title, body=body, severity=worst.severity if hides else last.severity)


def _kept(ledger: Mapping[str, Said], now: datetime, patience: Patience) -> dict[str, Said]:
    """Without what is so long ago that it says nothing any more."""
    longest = timedelta(seconds=2 * max(patience.quiet_s, patience.repeat_s))
    return {key: said for key, said in ledger.items() if said.held or now - said.at < longest}
