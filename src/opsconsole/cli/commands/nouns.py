"""What the nouns share: how lists are shown, how one of them is shown, and how a change is answered."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from core.errors import UnknownName
from core.messages import Command, Receipt
from opsconsole.cli.engine import Engine
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.params import NameOf
from opsconsole.cli.receipts import placed, released
from opsconsole.render import Document, Listing, Row, cell

F = TypeVar("F", bound=Callable[..., Any])


def names_argument(dimension: str, *, required: bool = True) -> Callable[[F], F]:
    """One or more names of a dimension."""
    return click.argument("names", nargs=-1, required=required, type=NameOf(dimension), metavar="NAME...")


def name_argument(dimension: str) -> Callable[[F], F]:
    """One name of a dimension."""
    return click.argument("name", type=NameOf(dimension), metavar="NAME")


def show_list(engine: Engine, columns: Sequence[str], rows: Iterable[Row], empty: str) -> None:
    """Show rows as a list."""
    engine.invocation.show(Listing(tuple(columns), list(rows), empty))


def show_one(engine: Engine, facts: Row) -> None:
    """Show one row, a line for each fact."""
    show_facts(engine.invocation, facts)


def show_facts(invocation: Invocation, facts: Row) -> None:
    """The same, where no engine is needed."""
    invocation.show(Document(facts, lines_of(facts)))


def lines_of(facts: Row) -> list[str]:
    """One row for people: a line for each fact."""
    room = max(map(len, facts))
    return [f"{key.replace('_', ' '):<{room}}  {_shown(value)}" for key, value in facts.items()]


def one_of(rows: Iterable[Row], key: str, name: str, noun: str) -> Row:
    """The row whose ``key`` is ``name``; `UnknownName` (exit 1) when there is none. ``noun`` as it is typed: sites."""
    names = []
    for row in rows:
        if row[key] == name:
            return row
        names.append(str(row[key]))
    near = difflib.get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"see 'opsconsole {noun} list'"
    one = f"{noun.removesuffix('ies')}y" if noun.endswith("ies") else noun.removesuffix("s")
    raise UnknownName("unknown-name", f"no {one} is called {name}", hint)


def change(engine: Engine, command: Command, done: str) -> Receipt:
    """Carry a command out and show the receipt."""
    receipt = engine.submit(command)
    for note in receipt.notes:
        engine.invocation.say(note)
    told = released if command.lets_run else placed
    engine.invocation.show(told(receipt, f"{done} at revision {receipt.revision}"))
    return receipt


def _shown(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "; ".join(" ".join(f"{key}={cell(each)}" for key, each in item.items()) for item in value)
    return cell(value)
