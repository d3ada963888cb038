"""Authority: default deny, nobody beyond their role, nobody beyond their scope, and no worker ever releases."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.authority import (
    ENGINE_ONLY,
    PERMISSIONS,
    ROLES,
    Identity,
    Permission,
    authorise,
    commands_of,
    identity_of,
    may,
    permissions_of,
    reaches,
    speaks_for,
    still_valid,
)
from core.capabilities.configuration import ApplyConfiguration, Configuration
from core.capabilities.emergencies import ConcludeStop, OrderStop
from core.capabilities.erasure import RecordErasure
from core.capabilities.explaining import ExplainStop
from core.capabilities.firing import ClearTrigger, FireTrigger
from core.capabilities.fleet import CreateFleet
from core.capabilities.holds import ExpireHolds, PlaceHold, ReleaseHolds
from core.capabilities.names import AddName, RemoveName
from core.capabilities.ownership import AcknowledgeEmergency, OwnEmergency
from core.capabilities.procedures import RemoveProcedure, SetProcedure
from core.capabilities.rate_limits import AddLimit, ResetLimit, SetLimit
from core.capabilities.recovery import (
    AbortRecovery,
    ContinueRecovery,
    HoldRecovery,
    Recover,
    RollBackRecovery,
)
from core.capabilities.restoring import AdvanceRecovery
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.capabilities.services import AddService, RemoveService
from core.capabilities.switches import SetSwitch
from core.capabilities.tokens import CreateToken, RevokeToken
from core.capabilities.triggers import AddTrigger, BoundTriggers, RemoveTrigger, SetTrigger
from core.capabilities.workers import ForgetWorkers, ReportWorkers
from core.messages import COMMANDS, Command, Role
from core.procedures import Procedure
from core.scope import EVERYWHERE, Scope
from core.state import State
from opsgate.selector import EVERYTHING, Selector
from tests.specs.engine import BEGINNING, Engine, on
from tests.strategies import selectors

EVERY_ROLE: tuple[Role, ...] = get_args(Role)
TOKEN = CreateToken(token_id="t-0123456789ab", name="ben", digest="ab" * 32, role="operator")

ONE_OF_EACH: dict[str, Command] = {
    command.kind: command
    for command in (
        AbortRecovery(emergency_id="E-1"),
        AcknowledgeEmergency(emergency_id="E-1"),
        AddService(name="db", driver="process"),
        AdvanceRecovery(recovery_id="R-1", step=0),
        ContinueRecovery(emergency_id="E-1"),
        HoldRecovery(emergency_id="E-1"),
        OwnEmergency(emergency_id="E-1"),
        RemoveProcedure(name="quick"),
        RemoveService(name="db"),
        ReportServices(reports=(ServiceReport(service="db"),)),
        RollBackRecovery(emergency_id="E-1"),
        SetProcedure(procedure=Procedure(name="quick")),
        AddLimit(name="tests", limit=5),
        AddName(dimension="site", name="s9"),
        AddTrigger(name="button", trigger_type="manual_trigger"),
        ApplyConfiguration(configuration=Configuration()),
        BoundTriggers(share=0.5),
        ClearTrigger(trigger="health"),
        ConcludeStop(stop_id="S-1"),
        CreateFleet(fleet="f1"),
        TOKEN,
        ExpireHolds(),
        ExplainStop(stop_id="S-1", reason="smoke"),
        FireTrigger(trigger="button", stop_id="S-3"),
        ForgetWorkers(workers=("w1",)),
        OrderStop(stop_id="S-2", selectors=(EVERYTHING,)),
        PlaceHold(selectors=(EVERYTHING,)),
        Recover(emergency_id="E-1", reason="mended"),
        ReleaseHolds(selectors=(EVERYTHING,), reason="done"),
        RemoveName(dimension="site", name="s1"),
        RemoveTrigger(trigger="button"),
        ReportWorkers(),
        ResetLimit(name="sites"),
        RevokeToken(token_id="t-0123456789ab"),
        SetLimit(name="sites", limit=5),
        SetSwitch(dimension="operation", names=("ab_testing",), on=True),
        SetTrigger(trigger="button", active=False),
        RecordErasure(events=1),
    )
}

FORCED = ReleaseHolds(selectors=(on(site="s1"),), reason="done", force=True)


def identity(role: Role, **fields: Any) -> Identity:
    return Identity("ben", role, **fields)


def code(who: Identity, command: Command, state: State | None = None) -> str | None:
    """Why not, or None."""
    denial = authorise(who, command, State() if state is None else state, BEGINNING)
    return None if denial is None else denial.code


scopes = st.builds(
    Scope,
    st.frozensets(st.sampled_from(["s1", "s2"])),
    st.frozensets(st.sampled_from(["dev", "prod"])),
)
roles = st.sampled_from(EVERY_ROLE)


# --------------------------------------------------------------------------------------------------------------- roles


def test_every_command_there_is_was_decided_upon() -> None:
    """A new kind is denied to everybody until it is listed; whoever adds it decides here."""
    assert set(ONE_OF_EACH) == set(COMMANDS)
    assert {kind for role in EVERY_ROLE for kind in commands_of(role)} | ENGINE_ONLY == set(COMMANDS)
    assert not ENGINE_ONLY & commands_of("admin")


def test_every_role_and_every_permission_is_described() -> None:
    assert set(ROLES) == set(EVERY_ROLE)
    assert set(PERMISSIONS) == set(get_args(Permission))


@pytest.mark.parametrize("role", EVERY_ROLE)
@pytest.mark.parametrize("kind", sorted(ONE_OF_EACH))
def test_a_command_that_a_role_does_not_list_is_denied_and_one_that_it_lists_is_not(role: Role, kind: str) -> None:
    expected = None if kind in commands_of(role) else "role-forbids"

    assert code(identity(role), ONE_OF_EACH[kind]) == expected


def test_a_role_that_lists_nothing_can_nothing() -> None:
    stranger = Identity("eve", "janitor")  # type: ignore[arg-type] # as a token of a later version would say

    assert not any(may(stranger, permission) for permission in get_args(Permission))
    assert {code(stranger, command) for command in ONE_OF_EACH.values()} == {"role-forbids"}


def test_each_role_of_people_may_whatever_the_one_before_it_may() -> None:
    ladder: tuple[Role, ...] = ("viewer", "operator", "responder", "admin")
    for weaker, stronger in pairwise(ladder):
        assert permissions_of(weaker) <= permissions_of(stronger)
        assert commands_of(weaker) <= commands_of(stronger)


def test_who_may_give_commands_is_exactly_who_may_use_their_route() -> None:
    for role in EVERY_ROLE:
        assert bool(commands_of(role)) is ("command" in permissions_of(role))


@given(st.sampled_from(sorted(ONE_OF_EACH)), scopes, st.text(max_size=5))
def test_a_worker_never_releases_whatever_it_sends(kind: str, scope: Scope, worker_id: str) -> None:
    worker = identity("worker", scope=scope, worker_id=worker_id)

    assert code(worker, ONE_OF_EACH[kind]) == "role-forbids"
    assert permissions_of("worker") == {"know", "ask", "work"}


def test_a_stop_only_token_stops_and_nothing_else() -> None:
    assert commands_of("stop") == {"order-stop", "explain-stop"}
    assert not any(ONE_OF_EACH[kind].lets_run for kind in commands_of("stop"))


def test_only_an_admin_releases_by_force() -> None:
    allowed = [role for role in EVERY_ROLE if code(identity(role), FORCED) is None]

    assert allowed == ["admin"]


def test_an_operator_does_not_recover_and_a_responder_does() -> None:
    assert code(identity("operator"), ONE_OF_EACH["recover"]) == "role-forbids"
    assert code(identity("responder"), ONE_OF_EACH["recover"]) is None


def test_a_denial_says_who_could() -> None:
    denial = authorise(identity("viewer"), ONE_OF_EACH["recover"], State(), BEGINNING)

    assert str(denial) == "the role viewer may not recover; it takes one of the roles responder, admin"


# --------------------------------------------------------------------------------------------------------------- scope


@given(scopes, scopes, selectors())
def test_a_narrower_scope_covers_nothing_that_the_wider_one_does_not(
    inner: Scope, outer: Scope, selector: Selector
) -> None:
    if outer.contains(inner) and inner.covers(selector):
        assert outer.covers(selector)


@given(scopes, selectors(), selectors())
def test_what_lies_within_a_covered_selector_is_covered_too(scope: Scope, wide: Selector, narrow: Selector) -> None:
    if wide.contains(narrow) and scope.covers(wide):
        assert scope.covers(narrow)


@given(scopes, scopes)
def test_two_scopes_that_contain_each_other_are_one(one: Scope, other: Scope) -> None:
    assert one.contains(one)
    assert EVERYWHERE.contains(one)
    assert (one.contains(other) and other.contains(one)) is (one == other)


@given(roles, scopes, st.lists(selectors(), min_size=1, max_size=4), st.sampled_from(["place", "release", "stop"]))
def test_a_scope_never_widens_what_a_role_may_and_bounds_it_to_what_lies_within(
    role: Role, scope: Scope, chosen: list[Selector], what: str
) -> None:
    named = tuple(chosen)
    command: Command = {
        "place": PlaceHold(selectors=named),
        "release": ReleaseHolds(selectors=named, reason="done"),
        "stop": OrderStop(stop_id="S-1", selectors=named),
    }[what]
    unbounded, bounded = code(identity(role), command), code(identity(role, scope=scope), command)

    if unbounded is not None:
        assert bounded == unbounded
    else:
        assert bounded == (None if all(map(scope.covers, named)) else "outside-scope")


@given(st.sampled_from(sorted(ONE_OF_EACH)), scopes.filter(lambda scope: scope != EVERYWHERE))
def test_what_concerns_the_whole_fleet_is_outside_of_every_scope(kind: str, scope: Scope) -> None:
    assert code(identity("admin", scope=scope), ONE_OF_EACH[kind]) in {"outside-scope", "role-forbids", None}
    if kind not in {"create-token", "revoke-token"} | ENGINE_ONLY:
        assert code(identity("admin", scope=scope), ONE_OF_EACH[kind]) == "outside-scope"


@given(roles, scopes, st.lists(selectors(), min_size=1, max_size=4), st.sampled_from(["stop", "alert"]))
def test_what_a_permission_opens_it_opens_within_the_scope_only(
    role: Role, scope: Scope, chosen: list[Selector], permission: Permission
) -> None:
    denial = reaches(identity(role, scope=scope), permission, chosen)

    assert (denial is None) is (may(identity(role), permission) and all(map(scope.covers, chosen)))


def test_an_emergency_that_reaches_beyond_a_scope_is_not_recovered_from_within_it() -> None:
    engine = Engine()
    here, there = identity("responder", scope=Scope(frozenset({"s1"}))), identity("responder")
    narrow = str(engine.stop("S-1", on(site="s1")).emergency_id)
    recover, explain = Recover(emergency_id=narrow, reason="mended"), ExplainStop(stop_id="S-1", reason="smoke")
    assert (code(here, recover, engine.state), code(here, explain, engine.state)) == (None, None)

    engine.stop("S-2", EVERYTHING)  # joins it

    assert engine.state.stops["S-2"].emergency_id == narrow
    assert code(here, recover, engine.state) == "outside-scope"
    assert code(here, explain, engine.state) is None
    assert code(here, ExplainStop(stop_id="S-2", reason="smoke"), engine.state) == "outside-scope"
    assert code(there, recover, engine.state) is None


@given(scopes, scopes, roles)
def test_nobody_gives_or_takes_away_more_than_they_have(mine: Scope, given_: Scope, role: Role) -> None:
    engine = Engine()
    fields = {"sites": tuple(sorted(given_.sites)), "envs": tuple(sorted(given_.envs))}
    made = TOKEN.model_copy(update=fields)
    engine.do(made)
    expected = "role-forbids" if role != "admin" else None if mine.contains(given_) else "outside-scope"

    assert code(identity(role, scope=mine), made, engine.state) == expected
    assert code(identity(role, scope=mine), RevokeToken(token_id=made.token_id), engine.state) == expected


# ----------------------------------------------------------------------------------------------------------- identities


def test_the_identity_of_a_token_is_what_the_token_says() -> None:
    engine = Engine()
    engine.do(TOKEN.model_copy(update={"sites": ("s1",), "envs": ("prod",)}))

    found = identity_of(engine.state.tokens[TOKEN.token_id])

    assert found == Identity("ben", "operator", Scope(frozenset({"s1"}), frozenset({"prod"})), None, TOKEN.token_id)
    assert (found.actor().name, found.actor().kind) == ("ben", "person")
    assert identity("worker", worker_id="w1").actor().kind == "automation"


def test_a_token_that_was_revoked_meanwhile_is_seen_where_the_command_is_decided() -> None:
    engine = Engine()
    engine.do(TOKEN)
    ben = identity_of(engine.state.tokens[TOKEN.token_id])
    pause = PlaceHold(selectors=(EVERYTHING,))
    assert code(ben, pause, engine.state) is None

    engine.do(RevokeToken(token_id=TOKEN.token_id))

    assert code(ben, pause, engine.state) == "token-ended"
    assert not still_valid(ben, engine.state, BEGINNING)


def test_an_identity_ends_with_its_token_and_one_without_a_token_does_not() -> None:
    engine = Engine()
    engine.do(TOKEN.model_copy(update={"expires_at": BEGINNING + timedelta(hours=1)}))
    ben = identity_of(engine.state.tokens[TOKEN.token_id])

    assert still_valid(ben, engine.state, BEGINNING)
    assert not still_valid(ben, engine.state, BEGINNING + timedelta(hours=1))
    assert not still_valid(replace(ben, token_id="t-ffffffffffff"), engine.state, BEGINNING)
    assert still_valid(identity("admin"), engine.state, BEGINNING + timedelta(days=999))


def test_a_worker_speaks_for_itself_and_for_nobody_else() -> None:
    worker = identity("worker", worker_id="w1")

    assert speaks_for(worker, "w1") is None
    assert speaks_for(worker, "w1.4711") is None, "a process that it forked"
    assert speaks_for(worker, "w1.4711.2") is not None
    assert speaks_for(worker, "w1.eu") is not None, "another worker, which may have a token of its own"
    for who in (worker, identity("viewer"), identity("operator"), identity("admin", scope=Scope(frozenset({"s1"})))):
        denial = speaks_for(who, "w2")
        assert denial is not None
        assert denial.code == "not-this-worker"
    assert speaks_for(identity("admin"), "w2") is None
