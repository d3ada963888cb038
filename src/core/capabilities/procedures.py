"""A fleet's own procedures of recovery, beside the built-in ones or instead of one of them."""

from __future__ import annotations

from typing import Literal

from core.engine import Draft, decides, evolves
from core.errors import CommandRejected, UnknownName
from core.messages import Command, Event, Header, Identifier, command, event
from core.procedures import BUILT_IN, DIRECT, Procedure, procedures
from core.state import State


@command
class SetProcedure(Command):
    """Have recoveries that begin from now on go by this procedure where they name it."""

    kind: Literal["set-procedure"] = "set-procedure"
    procedure: Procedure


@command
class RemoveProcedure(Command):
    """Take a fleet's own procedure away; a built-in one of that name is in force again."""

    kind: Literal["remove-procedure"] = "remove-procedure"
    name: Identifier


@event
class ProcedureDefined(Event):
    """A fleet has a procedure of its own, or another one under that name."""

    kind: Literal["procedure.defined"] = "procedure.defined"
    procedure: Procedure


@event
class ProcedureRemoved(Event):
    """A fleet's own procedure is gone."""

    kind: Literal["procedure.removed"] = "procedure.removed"
    name: str


@decides(SetProcedure)
def set_procedure(draft: Draft, wanted: SetProcedure) -> None:
    """Set it; one that is so already changes nothing. A recovery under way has its steps and keeps them."""
    name = wanted.procedure.name
    if procedures(draft.state.procedures).get(name) == wanted.procedure:
        draft.notes.append(f"procedure {name} is so already")
    else:
        draft.emit(ProcedureDefined(procedure=wanted.procedure))


@decides(RemoveProcedure)
def remove_procedure(draft: Draft, wanted: RemoveProcedure) -> None:
    """Remove one of the fleet's own."""
    if wanted.name in draft.state.procedures:
        draft.emit(ProcedureRemoved(name=wanted.name))
    elif wanted.name in {*BUILT_IN, DIRECT}:
        raise CommandRejected("procedure-built-in", f"{wanted.name} is built in", "define another one in its place")
    else:
        raise unknown_procedure(draft.state, wanted.name)


@evolves(ProcedureDefined)
def procedure_defined(state: State, happened: ProcedureDefined, _header: Header) -> State:
    """Fold."""
    return state._replace(procedures=state.procedures.set(happened.procedure.name, happened.procedure))


@evolves(ProcedureRemoved)
def procedure_removed(state: State, happened: ProcedureRemoved, _header: Header) -> State:
    """Fold."""
    return state._replace(procedures=state.procedures.delete(happened.name))


def procedure_named(state: State, name: str) -> Procedure:
    """The procedure of this name; raises `UnknownName` with those there are."""
    known = procedures(state.procedures)
    if name not in known:
        raise unknown_procedure(state, name)
    return known[name]


def unknown_procedure(state: State, name: str) -> UnknownName:
    """The refusal for a procedure that there is none of."""
    there = ", ".join((*procedures(state.procedures), DIRECT))
    return UnknownName("unknown-procedure", f"no procedure is called {name}", f"there are {there}")
