"""What can be done: one class is the key, the word in the key row, the line in the help, and the condition.

Nothing is shown before its function exists, and a key that does not apply says why. Only the stop is not carried out
here: the chord hears it in the thread that reads the keys, long before any action could.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsconsole.actions.arranging import Filter, NextMatch, PreviousMatch, Sort, Wide
from opsconsole.actions.asking import Acks, Enter, Log, Why
from opsconsole.actions.base import Action, Desk
from opsconsole.actions.copying import Copy, CopyRow
from opsconsole.actions.general import Cancel, CommandMode, Help, LookAgain, Palette, Quit
from opsconsole.actions.holding import Pause, Resume
from opsconsole.actions.marking import Mark, Range, Unmark, UnmarkAll
from opsconsole.actions.moving import Back, NextPane, PreviousPane, Zoom
from opsconsole.actions.recovering import AbortRecovery, Acknowledge, HoldRecovery, Own, RollBackRecovery
from opsconsole.actions.stopping import Explain, Recover, StopAll
from opsconsole.actions.triggering import EditTrigger, NewTrigger

ACTIONS: tuple[Action, ...] = (
    StopAll(),
    Recover(),
    Explain(),
    Acknowledge(),
    Own(),
    HoldRecovery(),
    AbortRecovery(),
    RollBackRecovery(),
    NewTrigger(),
    EditTrigger(),
    Pause(),
    Resume(),
    Why(),
    Acks(),
    Filter(),
    Enter(),
    Log(),
    CommandMode(),
    Help(),
    Palette(),
    NextPane(),
    PreviousPane(),
    Zoom(),
    Mark(),
    Unmark(),
    UnmarkAll(),
    Range(),
    Copy(),
    CopyRow(),
    Sort(),
    Wide(),
    NextMatch(),
    PreviousMatch(),
    Back(),
    LookAgain(),
    Cancel(),
    Quit(),
)
"""All of them, in the order of the key row and of the help."""


def find(action_id: str, actions: Sequence[Action] = ACTIONS) -> Action:
    """The action of an id."""
    return next(action for action in actions if action.id == action_id)


__all__ = ["ACTIONS", "Action", "Desk", "find"]
