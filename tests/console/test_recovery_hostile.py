"""Whatever services, triggers, recoveries and samples say: columns stay aligned and nothing is obeyed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from immutables import Map

from core.state import State, active_of
from opsconsole.dialogs.recover import ContinuePrompt, RecoverPrompt
from opsconsole.drawing import Frame, Place, draw
from opsconsole.lines import Span, plain, wrapped
from opsconsole.views import header
from opsconsole.views.audit import Read
from opsconsole.views.emergencies import emergencies
from opsconsole.views.inside import inside
from opsconsole.views.overview import overview
from opsconsole.views.picture import Facts, Picture
from opsconsole.views.rehearsed import rehearsed
from opsconsole.views.services import service_case, services
from opsconsole.views.stop_reach import stop_reach
from opsconsole.views.subject import Subject
from opsconsole.views.ticker import ticker
from opsconsole.views.triggers import trigger_case, triggers
from opsgate.selector import EVERYTHING
from tests.console.fleet import Fleet
from tests.console.hostile import HOSTILE
from tests.console.recovering import PHASES
from tests.console.test_hostile import is_harmless
from tests.console.test_recovery_views import PANES, seen

WIDTHS = (40, 120)


@cache
def fleet_at(phase: str) -> Fleet:
    return PHASES[phase]()


def said_by(state: State, text: str) -> State:
    """The same state where everything that may be any text is this one."""
    known = state.services.items()
    service: dict[str, Any] = {
        "title": text,
        "driver": text,
        "detail": text,
        "host": text,
        "account": text,
        "saved": text,
    }
    labels = ((text, text),)
    emergency: dict[str, Any] = {
        "trigger": text,
        "cause": text,
        "owner": text,
        "acked_by": text,
        "attention": text,
        "reason": text,
    }
    cases = {}
    for name, each in state.emergencies.items():
        recovery = each.recovery
        if recovery is not None:
            said: dict[str, Any] = {"procedure": text, "why": text, "by": text, "reason": text, "recovery_id": text}
            recovery = replace(recovery, **said, checks=(f"[XX] {text}", text))
        cases[name] = replace(each, **emergency, recovery=recovery)
    stops = {}
    for name, stop in state.stops.items():
        steps = [
            replace(step, actions=tuple(replace(taken, detail=text) for taken in step.actions))
            for step in stop.services
        ]
        stops[name] = replace(stop, services=tuple(steps), ordered_by=text, reason=text)
    watching = {
        name: replace(each, value=text, why=text, changed_by=text, suppressed=1, suppressed_at=each.added_at)
        for name, each in state.triggers.items()
    }
    return state._replace(
        services=Map({name: replace(each, **service, labels=labels, changed_by=text) for name, each in known}),
        emergencies=Map(cases),
        active=active_of(cases),
        stops=Map(stops),
        triggers=Map(watching),
    )


def hostile_picture(phase: str, text: str) -> Picture:
    fleet = fleet_at(phase)
    picture = seen(fleet)
    samples = tuple(each.model_copy(update={"source": text, "account": text}) for each in picture.samples)
    return picture._replace(facts=Facts.of(said_by(picture.state, text), fleet.observe()), samples=samples)


@pytest.mark.parametrize("phase", ["stopping", "held", "failed"])
@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_nothing_of_an_emergency_with_services_is_obeyed(name: str, phase: str) -> None:
    picture = hostile_picture(phase, HOSTILE[name])
    case = next(iter(picture.state.emergencies))
    tables = [view(picture) for view in PANES.values()]
    tables += [services(picture, wide=True), triggers(picture, wide=True), overview(picture)]
    about = (("emergency", case), ("service", "cache"), ("trigger", "health"))
    tables += [inside(picture, Subject(*each), Read()) for each in about]
    texts: list[tuple[Span, ...]] = [*service_case(picture, "api"), *trigger_case(picture, "health")]
    texts += stop_reach(picture, "cascading", (EVERYTHING,))
    texts += rehearsed(picture, picture.state.triggers["health"].definition)
    if picture.state.active_emergencies():
        prompt = ContinuePrompt if phase == "held" else RecoverPrompt
        texts += prompt(picture, case).body(picture)
    for width in WIDTHS:
        assert all(is_harmless(bar(picture, width), width) for bar in (header.row1, header.one_line, ticker))
        for table in tables:
            lines = draw(table, Frame("Pane", focused=True), Place(), width, 24)
            assert all(is_harmless(each, width) for each in lines), plain(lines[1])
        for text in texts:
            assert all(is_harmless(row, width) for row in wrapped(text, width, indent=2)), plain(text)


def test_an_emergency_is_never_without_a_row() -> None:
    assert len(emergencies(hostile_picture("failed", "")).rows) == 1
