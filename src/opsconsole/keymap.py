"""Which key does what: the keys of the actions, changed by a configuration as far as that can be done safely.

Whoever rebinds keys at a desk at noon must not find at night that the stop, the way out or Esc is gone. So what is
wrong in a keymap is left out with a sentence, and the default holds there.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from opsconsole.actions import ACTIONS, Action
from opsconsole.config import Given
from opsconsole.keynames import read_key, show_key, show_keys
from opsconsole.layout import NAMES
from opsconsole.movement import MOVES

RESERVED: Final = {
    "exclamation_mark": "arms the stop",
    "S": "fires the stop",
    "escape": "goes back",
    "ctrl+c": "cancels",
    "enter": "confirms nothing",
}
"""Keys that mean one thing in every console, and what."""

BY_THE_CHORD: Final = frozenset({"stop"})
"""What is heard before any key is looked up, and has no other."""

NEVER_WITHOUT: Final = frozenset({"quit"})
"""What may have another key, but not none."""


class Keymap(NamedTuple):
    """The keys of each id, as the terminal library calls them, and what was wrong with those that were wished for."""

    keys: Mapping[str, tuple[str, ...]]
    changed: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()

    def shown(self, action: Action) -> str:
        """The keys of an action as people read them; ``-`` for none."""
        return action.shown if action.shown and action.id not in self.changed else self.label(action.id)

    def label(self, id_: str) -> str:
        """The keys of an id as people read them."""
        return show_keys(self.keys[id_]) or "-"


def default_keys(actions: Sequence[Action] = ACTIONS) -> dict[str, tuple[str, ...]]:
    """The keys of each id where no configuration says otherwise."""
    keys = {action.id: tuple(action.keys.split(",")) if action.keys else () for action in actions}
    panes = {f"pane.{name}": (str(number % 10),) if number <= 10 else () for number, name in enumerate(NAMES, 1)}
    return keys | panes | {move.id: tuple(move.keys.split(",")) for move in MOVES}


def keymap(given: Mapping[str, Given] | None = None, actions: Sequence[Action] = ACTIONS) -> Keymap:
    """The keys that hold when `given` is wished for."""
    defaults, faults = default_keys(actions), list[str]()
    wished: dict[str, tuple[str, ...]] = {}
    for id_, wish in (given or {}).items():
        keys = _read(id_, wish.value, defaults)
        if isinstance(keys, str):
            faults.append(f"{wish.place}: {keys}")
        else:
            wished[id_] = keys
    while clash := _clash(defaults | wished):
        key, ids = clash
        back = [id_ for id_ in ids if id_ in wished]
        for id_ in back:
            del wished[id_]
        place = (given or {})[back[-1]].place
        faults.append(f"{place}: {show_key(key)} would be {' and '.join(ids)}: {_kept(back)}")
    changed = {id_ for id_, keys in wished.items() if keys != defaults[id_]}
    return Keymap(defaults | wished, frozenset(changed), tuple(faults))


def _read(id_: str, value: object, defaults: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | str:
    """The keys that are wished for, or what is wrong with that."""
    if id_ not in defaults:
        near = difflib.get_close_matches(id_, defaults, n=1, cutoff=0.5)
        meant = f"did you mean {near[0]}?" if near else "the help (?) names the actions"
        return f"{ascii(id_)[:40]} is no action; {meant}"
    if id_ in BY_THE_CHORD or RESERVED.keys() & set(defaults[id_]):
        return f"{id_} keeps its key"
    wished = [value] if isinstance(value, str) else value
    if not isinstance(wished, list) or not all(isinstance(each, str) for each in wished):
        return f'{id_} is {ascii(value)[:40]}, write a key such as "ctrl+x", or a list of keys: {_kept([id_])}'
    keys: list[str] = []
    for each in wished:
        key = read_key(each)
        if key is None:
            return f"{ascii(each)[:40]} is no key that {id_} could have: {_kept([id_])}"
        if key in RESERVED:
            return f"{show_key(key)} {RESERVED[key]} and nothing else: {_kept([id_])}"
        keys.append(key)
    if not keys and (id_ in NEVER_WITHOUT or id_.startswith("grid.")):
        return f"{id_} cannot be without a key: {_kept([id_])}"
    return tuple(dict.fromkeys(keys))


def _clash(keys: Mapping[str, tuple[str, ...]]) -> tuple[str, list[str]] | None:
    """A key that two ids have, and these."""
    owners: dict[str, list[str]] = {}
    for id_, its in keys.items():
        for key in its:
            owners.setdefault(key, []).append(id_)
    return next(((key, ids) for key, ids in owners.items() if len(ids) > 1), None)


def _kept(ids: Sequence[str]) -> str:
    return f"{' and '.join(ids)} {'keeps its' if len(ids) == 1 else 'keep their'} default"


DEFAULT: Final = keymap()
"""Where nobody changed anything."""
