"""The gate in a worker: it hears by every channel, decides in memory, and says what it has seen."""

import asyncio
import inspect
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opsgate import Gate, GateClosed, beats, latch, reader, wire
from opsgate.channel import is_ours
from opsgate.known import Known
from opsgate.lookout import Lookout
from opsgate.names import DIMENSIONS, REGISTERED
from opsgate.order import Order
from opsgate.paths import fleet_of_url, keeper_socket
from opsgate.snapshot import Delta
from opsgate.work import Dimensions
from tests.gate.world import AT, Fleet, Keeper, emergency, hold
from tests.support.waiting import eventually

STOPPED, NOTICE = emergency("S-1")
ORDER = Order("S-1", AT)


# ------------------------------------------------------------------------------------------------------- decisions
def test_it_reads_the_fleet_and_decides_by_it(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(site="s1")])

    with Gate.open(fleet.url) as gate:
        assert gate.check(site="s1").outcome == "blocked"
        assert gate.check(site="s2").allowed
        assert gate.check(site="s2").decided_by == "live"


def test_a_decision_is_the_documents_json(fleet: Fleet) -> None:
    fleet.commit(placed=[replace(hold(7, site="s1"), expires_at=datetime(2027, 1, 1, tzinfo=UTC))])

    with Gate.open(fleet.url) as gate:
        decision = gate.check(site="s1", operation="enableSiteCreation")
    document = decision.as_dict()

    assert document.pop("age_s") == pytest.approx(decision.age_s, abs=0.001)
    assert document == {
        "outcome": "blocked",
        "allowed": False,
        "headline": "site=s1 is paused by ana: because",
        "blockers": [
            {
                "hold_id": "H-7",
                "source": "operator",
                "owner": "ana",
                "selector": {"site": "s1"},
                "mode": "drain",
                "reason": "because",
                "placed_at": "2026-11-22T14:00:00.000000Z",
                "expires_at": "2027-01-01T00:00:00.000000Z",
                "admit": 0.0,
            }
        ],
        "unknown_names": [],
        "decided_by": "live",
        "revision": 2,
    }


def test_a_refusal_is_a_result_with_its_reason(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(site="s1")])

    with Gate.open(fleet.url) as gate:
        decision = gate.check(site="s1")

    assert decision.skipped() == {"skipped": True, "reason": "site=s1 is paused by ana: because"}
    assert (bool(decision), decision.allowed, gate.allowed(site="s1")) == (False, False, False)
    assert decision.source == decision.decided_by
    assert repr(decision) == "<Decision blocked: site=s1 is paused by ana: because (revision 2, live)>"


def test_the_gates_own_environment_is_part_of_all_work(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(env="dev")])

    with Gate.open(fleet.url, env="dev") as dev, Gate.open(fleet.url, env="prod") as prod:
        assert not dev.check(site="s1")
        assert prod.check(site="s1")
        assert not prod.check(site="s1", env="dev")


def test_unknown_names_are_counted_and_said_once_and_refused_when_strict(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    with Gate.open(fleet.url) as relaxed, Gate.open(fleet.url, strict=True) as strict:
        assert [relaxed.check(site="s9").allowed for _ in range(3)] == [True] * 3
        assert relaxed.check(site="s9").unknown_names == ("site=s9",)
        assert relaxed.unknown_names == {"site=s9": 4}
        assert strict.check(site="s9").outcome == "blocked"
        assert strict.check(site="s1").allowed

    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == [
        "nobody registered site=s9, so only wider holds stop it",
        "nobody registered site=s9, so it is refused",
    ]


def test_no_value_of_a_worker_raises_into_it_or_forges_a_line_of_its_log(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    strange: list[Any] = [5, 5.0, True, ["s1"], {"a": 1}, object(), "", "s1\0", "\ud800", "x" * 100_000]
    for value in strange:
        assert gate.check(site=value).allowed
        assert gate.check(operation=value, campaign=value, key=value).allowed
        with gate.work(site=value) as work:
            assert work.checkpoint()
    lines = [record.getMessage() for record in caplog.records]
    assert "nobody registered site=s1\\x00, so only wider holds stop it" in lines
    assert all(line.isprintable() and len(line) < 500 for line in lines)


def test_work_named_by_the_number_of_a_row_is_covered_by_a_hold_on_that_text(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(site="5")])

    with Gate.open(fleet.url) as gate:
        assert not gate.check(site=5)  # type: ignore[arg-type]  # an untyped worker


def test_a_checks_parameters_are_the_dimensions() -> None:
    for question in (Gate.check, Gate.allowed):
        assert list(inspect.signature(question).parameters) == ["self", *DIMENSIONS_OF_A_CHECK]
    assert set(Dimensions.__annotations__) == {*DIMENSIONS, "key"} == set(DIMENSIONS_OF_A_CHECK)


DIMENSIONS_OF_A_CHECK = (
    "site",
    "operation",
    "workflow",
    "service",
    "dependency",
    "campaign",
    "account",
    "agent",
    "env",
    "key",
)


@pytest.mark.parametrize("dimension", DIMENSIONS_OF_A_CHECK[:-1])
def test_a_hold_on_any_dimension_is_seen_by_the_quick_way_too(fleet: Fleet, dimension: str) -> None:
    if dimension in REGISTERED:
        fleet.name(dimension, "held")
        fleet.name(dimension, "other")
    fleet.commit(placed=[hold(**{dimension: "held"})])

    with Gate.open(fleet.url) as gate:
        for _ in range(2):  # the first one may have waited for the first reading
            assert not gate.check(**{dimension: "held"})
            assert gate.check(**{dimension: "other"})


# -------------------------------------------------------------------------------------------------------- channels
@pytest.fixture
def never_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a gate then reads in the tables, somebody has told it to."""
    monkeypatch.setattr(reader, "POLL_S", 3600.0)


def test_a_datagram_from_the_keeper_acts_before_the_tables_are_read(keeper: Keeper, gate: Gate) -> None:
    """The tables say nothing of it yet, so nobody can have read it there."""
    keeper.hear("beat")

    keeper.say("delta", delta=Delta(1, 2, placed=(hold(site="s1"),)).as_dict())

    eventually(lambda: not gate.check(site="s1"))
    assert gate.revision == 2


@pytest.mark.usefixtures("never_looks_by_itself")
def test_a_gap_between_datagrams_has_the_tables_read(keeper: Keeper, gate: Gate, fleet: Fleet) -> None:
    keeper.hear("beat")
    fleet.commit(placed=[hold(site="s1")])
    late = fleet.commit(placed=[hold(site="s2")])

    keeper.say("delta", delta=late.as_dict())

    eventually(lambda: gate.revision == 3)
    assert not gate.check(site="s1")
    assert not gate.check(site="s2")


@pytest.mark.usefixtures("never_looks_by_itself")
def test_word_that_something_moved_has_the_tables_read(keeper: Keeper, gate: Gate, fleet: Fleet) -> None:
    keeper.hear("beat")
    fleet.commit(placed=[hold(site="s1")])

    keeper.say("moved", revision=2)

    eventually(lambda: not gate.check(site="s1"))


def test_without_a_keeper_a_change_is_seen_by_the_next_look_at_the_tables(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reader.POLL_S == 5.0
    monkeypatch.setattr(reader, "POLL_S", 0.1)
    with Gate.open(fleet.url) as gate:
        assert gate.check(site="s1")
        fleet.commit(placed=[hold(site="s1")])

        eventually(lambda: not gate.check(site="s1"))


def test_a_stop_order_acts_at_once_and_is_acknowledged_at_once(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")

    keeper.say("order", order=ORDER.as_dict())

    assert keeper.hear("beat", stops=["S-1"])["draining"] == {}
    decision = gate.check(site="s1")
    assert (decision.outcome, decision.blockers[0].source) == ("blocked", "emergency")


@pytest.mark.parametrize("fault", [KeyError, SystemExit])
def test_a_subscriber_that_fails_harms_neither_the_acknowledgement_nor_other_subscribers(
    keeper: Keeper, gate: Gate, caplog: pytest.LogCaptureFixture, fault: type[BaseException]
) -> None:
    keeper.hear("beat")
    woken: list[int] = []

    def fail() -> None:
        raise fault("of the worker's own code")

    gate.subscribe(fail)
    gate.subscribe(lambda: woken.append(gate.revision))
    keeper.say("order", order=ORDER.as_dict())

    assert keeper.hear("beat", stops=["S-1"])["draining"] == {}
    keeper.say("delta", delta=Delta(1, 2, ended=("S-1",)).as_dict())
    keeper.hear("beat", stops=[])
    eventually(lambda: 2 in woken)
    assert caplog.text.count("a subscriber of the gate raised") == 1


def test_a_latch_acts_with_nothing_else_alive(gate: Gate) -> None:
    latch.place(Order("S-9", AT), "f-one")

    eventually(lambda: not gate.check(site="s1"))

    latch.remove("S-9", "f-one")
    eventually(lambda: gate.check(site="s1"))


def test_a_stop_outlives_the_folder_that_its_latch_lay_in(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    folder = latch.place(Order("S-9", AT), "f-one").parent
    eventually(lambda: not gate.check(site="s1"))

    folder.parent.rename(folder.parent.with_name("unmounted"))

    eventually(lambda: "is gone with the stop S-9 in it" in caplog.text)
    eventually(lambda: gate._watcher is not None and not gate._watcher.known.latched)
    assert not gate.check(site="s1")
    folder.parent.with_name("unmounted").rename(folder.parent)
    eventually(lambda: gate._watcher is not None and gate._watcher.known.latched)
    latch.remove("S-9", "f-one")
    eventually(lambda: gate.check(site="s1"))


def test_a_stop_that_the_gate_learns_of_while_its_folder_goes_is_told_of_too(caplog: pytest.LogCaptureFixture) -> None:
    """What one look found, another thread takes in, while the next look may be under way."""
    folder = latch.place(Order("S-9", AT), "f-one").parent
    learnt = Known().found(latch.look(["f-one"], {}))
    folder.rename(folder.with_name("unmounted"))
    at_first = iter([Known()])
    lookout = Lookout(
        lambda: ("f-one",), lambda: next(at_first, learnt), lambda _stop_id: True, lambda: False, lambda _lying: None
    )

    lookout.look()

    lookout.close()
    assert "is gone with the stop S-9 in it" in caplog.text


def test_the_keeper_ends_a_stop_whose_folder_is_gone(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    folder = latch.place(Order("S-9", AT), "f-one").parent
    keeper.hear("beat", stops=["S-9"])
    folder.parent.rename(folder.parent.with_name("unmounted"))
    eventually(lambda: gate._watcher is not None and not gate._watcher.known.latched)
    assert not gate.check(site="s1")

    keeper.say("delta", delta=Delta(gate.revision, gate.revision, ended=("S-9",)).as_dict())

    keeper.hear("beat", stops=[])
    assert gate.check(site="s1")


def test_a_folder_for_latches_that_is_made_later_is_obeyed_by_who_runs_already(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = tmp_path / "host" / "latch"
    for module in ("opsgate.paths", "opsgate.latch"):
        monkeypatch.setattr(f"{module}.latch_homes", lambda: (host, tmp_path / "user"))
    with Gate.open(fleet.url) as gate:
        eventually(lambda: gate.check(site="s1").decided_by == "live")
        host.mkdir(parents=True)
        latch.place(Order("S-9", AT), "f-one")

        assert host / "f-one" / "S-9" in host.rglob("*")
        eventually(lambda: not gate.check(site="s1"))


def test_a_disk_that_hangs_under_the_latches_holds_up_no_stop(
    keeper: Keeper, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, stuck = threading.Event(), threading.Event()
    read = latch._read

    def hang(path: Path) -> Order | None:
        stuck.set()
        hanging.wait(30)
        return read(path)

    keeper.hear("beat", revision=1)
    monkeypatch.setattr(latch, "_read", hang)
    latch.place(Order("S-9", AT), "f-one")
    assert stuck.wait(30)

    keeper.say("order", order=ORDER.as_dict())
    keeper.hear("beat", stops=["S-1"])
    assert not gate.check(site="s1")
    hanging.set()


@pytest.mark.parametrize("under", ["the fleet's id", "the hash of its URL", "all"])
def test_a_latch_from_before_the_worker_is_obeyed_by_its_first_check(fleet: Fleet, under: str) -> None:
    name = {"the fleet's id": "f-one", "the hash of its URL": fleet_of_url(fleet.url)}.get(under, under)
    latch.place(Order("S-9", AT), name)

    with Gate.open(fleet.url) as gate:
        assert not gate.check(site="s1")


def test_garbage_on_the_wire_harms_nothing(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    for datagram in (b"", b"\xff", b"[]", b'{"t":"delta"}', b'{"t":"order","order":{}}', b'{"t":"moved"}', b"{" * 5000):
        keeper.socket.sendto(datagram, keeper.gate_at)

    keeper.say("order", order=ORDER.as_dict())

    keeper.hear("beat", stops=["S-1"])
    assert not gate.check(site="s1")


def test_an_order_too_large_for_the_post_is_found_in_its_latch(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    latch.place(ORDER, "f-one")

    keeper.say("order", stop_id="S-1")

    keeper.hear("beat", stops=["S-1"])


# ------------------------------------------------------------------------------------------------ acknowledgements
def test_the_first_beat_says_who_it_is(fleet: Fleet, keeper: Keeper) -> None:
    with Gate.open(fleet.url, worker="w7", env="prod", scope={"site": ["s1", "s2"]}):
        beat = keeper.hear("beat", revision=1)

    assert (beat["worker"], beat["env"], beat["scope"]) == ("w7", "prod", {"site": ["s1", "s2"]})
    assert (beat["stops"], beat["draining"], beat["in_flight"]) == ([], {}, 0)
    assert beat["started"].isdigit()
    assert keeper.hear("bye")["worker"] == "w7"


def test_a_worker_that_cannot_read_its_tables_is_heard_all_the_same(fleet: Fleet) -> None:
    """Under the name of its URL, which is all that it knows."""
    fleet.path.rename(fleet.path.with_suffix(".away"))
    keeper = Keeper(fleet_of_url(fleet.url))
    with Gate.open(fleet.url) as gate:
        keeper.hear("beat")
        keeper.say("order", order=ORDER.as_dict())

        keeper.hear("beat", stops=["S-1"])
        assert not gate.check(site="s1")
    keeper.close()


def test_a_stop_waits_for_the_work_that_it_covers_and_for_no_other(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    scoped, notice = emergency("S-2", site="s1")
    with ExitStack() as pieces:
        for _ in range(2):
            assert pieces.enter_context(gate.work(site="s1"))
        other = pieces.enter_context(gate.work(site="s2"))

        keeper.say("delta", delta=Delta(1, 2, placed=(scoped,), ordered=(notice,)).as_dict())

        assert keeper.hear("beat", stops=["S-2"])["draining"] == {"S-2": 2}
        with gate.work(site="s1") as refused:
            assert not refused
        with gate.work(site="s2") as another:
            assert another
        assert other.checkpoint()
        pieces.close()

    beat = keeper.hear("beat", stops=["S-2"], draining={})
    assert beat["in_flight"] == 0


def test_work_whose_check_fails_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_dimensions: object) -> None:
        raise KeyboardInterrupt

    gate = Gate()
    monkeypatch.setattr(gate, "check", interrupted)

    with pytest.raises(KeyboardInterrupt), gate.work(site="s1"):
        pass

    assert len(gate.in_flight) == 0


def test_the_last_covered_piece_that_ends_is_told_without_a_regular_beat(
    keeper: Keeper, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.hear("beat")
    monkeypatch.setattr(beats, "HEARTBEAT_S", 3600.0)
    with gate.work(site="s1"):
        keeper.say("order", order=ORDER.as_dict())
        keeper.hear("beat", stops=["S-1"], draining={"S-1": 1})

    keeper.hear("beat", stops=["S-1"], draining={})


def test_work_let_through_by_a_recovery_is_not_waited_for(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    ramp = replace(STOPPED, admit=1.0)
    keeper.say("delta", delta=Delta(1, 2, placed=(ramp,), ordered=(NOTICE,)).as_dict())
    keeper.hear("beat", stops=["S-1"])

    with gate.work(site="s1") as work:
        assert work
        keeper.say("delta", delta=Delta(2, 3, ordered=(emergency("S-2", site="s2")[1],)).as_dict())
        assert keeper.hear("beat", stops=["S-1", "S-2"])["draining"] == {}


def test_a_release_is_told_too(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    keeper.say("delta", delta=Delta(1, 2, placed=(STOPPED,), ordered=(NOTICE,)).as_dict())
    keeper.hear("beat", stops=["S-1"])

    keeper.say("delta", delta=Delta(2, 3, released=(STOPPED.hold_id,), ended=("S-1",)).as_dict())

    keeper.hear("beat", stops=[], revision=3)
    assert gate.check(site="s1")


def test_a_keeper_that_comes_back_hears_of_its_workers_by_itself(
    monkeypatch: pytest.MonkeyPatch, keeper: Keeper, gate: Gate
) -> None:
    monkeypatch.setattr(beats, "HEARTBEAT_S", 0.2)
    keeper.hear("beat")
    keeper.say("order", order=ORDER.as_dict())
    keeper.hear("beat", stops=["S-1"])
    keeper.close()
    keeper.address.unlink()

    back = Keeper()

    assert back.hear("beat")["worker"] == "w1"
    back.close()


def test_a_stranger_of_another_user_is_not_listened_to(keeper: Keeper, gate: Gate) -> None:
    """Any program on the host can write to the gate's socket; what it says must not release anything."""
    credentials = [(1, 2, (4711).to_bytes(4, "little") + (12345).to_bytes(4, "little") + b"\0" * 4)]

    assert not is_ours(credentials)
    assert not is_ours([])


# ------------------------------------------------------------------------------------------------------------ work
def test_running_work_finishes_in_a_drain_and_ends_at_its_next_checkpoint_in_a_halt(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    drain = hold(1, site="s1")
    with gate.work(site="s1") as work:
        keeper.say("delta", delta=Delta(1, 2, placed=(drain,)).as_dict())
        eventually(lambda: gate.revision == 2)
        assert work.checkpoint()
        assert not gate.check(site="s1")

        keeper.say("delta", delta=Delta(2, 3, placed=(replace(drain, mode="halt"),)).as_dict())
        eventually(lambda: gate.revision == 3)
        assert not work.checkpoint()
        with pytest.raises(GateClosed, match="site=s1 is paused by ana") as refused:
            work.checkpoint(raises=True)
        assert refused.value.decision.outcome == "blocked"
        assert work.skipped()["skipped"]


def test_refused_work_is_falsy_and_counts_for_nothing(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    keeper.say("order", order=ORDER.as_dict())
    keeper.hear("beat", stops=["S-1"])

    with gate.work(site="s1") as work:
        assert not work
        assert work.skipped() == {"skipped": True, "reason": "everything is stopped by emergency S-1"}
        assert not work.checkpoint()
        assert len(gate.in_flight) == 0


def test_work_that_fails_is_not_in_flight_any_more(gate: Gate) -> None:
    def fail() -> None:
        with gate.work(site="s1"):
            assert len(gate.in_flight) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(gate.in_flight) == 0


def test_a_guard_lets_through_or_raises(keeper: Keeper, gate: Gate) -> None:
    @gate.guard(site="s1")
    def build(name: str) -> str:
        assert len(gate.in_flight) == 1
        return f"built {name}"

    @gate.guard(site="s1")
    async def build_async(name: str) -> str:
        assert len(gate.in_flight) == 1
        return f"built {name}"

    assert (build("it"), asyncio.run(build_async("it")), build.__name__) == ("built it", "built it", "build")
    keeper.hear("beat")
    keeper.say("order", order=ORDER.as_dict())
    keeper.hear("beat", stops=["S-1"])
    with pytest.raises(GateClosed):
        build("it")
    with pytest.raises(GateClosed):
        asyncio.run(build_async("it"))


def test_a_guard_refuses_a_generator_function_whose_body_it_could_not_guard(gate: Gate) -> None:
    def pages() -> Iterator[int]:
        yield 1

    async def pages_async() -> AsyncIterator[int]:
        yield 1

    for function in (pages, pages_async):
        with pytest.raises(TypeError, match=r"pages.* is a generator function.*with gate\.work"):
            gate.guard(site="s1")(function)


# --------------------------------------------------------------------------------------------------------- waiting
def test_a_waiter_goes_on_as_soon_as_it_may(keeper: Keeper, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "opsgate")
    keeper.hear("beat")
    disabled = hold(1, source="workflow", workflow="xml-import")
    keeper.say("delta", delta=Delta(1, 2, placed=(disabled,)).as_dict())
    eventually(lambda: gate.revision == 2)
    came: list[bool] = []
    waiter = threading.Thread(target=lambda: came.append(bool(gate.wait_until_allowed(workflow="xml-import"))))
    waiter.start()
    eventually(lambda: "Workflow 'xml-import' is DISABLED - sleeping" in caplog.text)
    assert came == []

    keeper.say("delta", delta=Delta(2, 3, released=(disabled.hold_id,)).as_dict())

    waiter.join(30)
    assert came == [True]


def test_a_waiter_in_an_event_loop_leaves_the_loop_free(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    held = hold(1, site="s1")
    keeper.say("delta", delta=Delta(1, 2, placed=(held,)).as_dict())
    eventually(lambda: gate.revision == 2)

    async def wait_and_release() -> bool:
        waiting = asyncio.create_task(gate.wait_until_allowed_async(site="s1", timeout_s=10))
        await asyncio.sleep(0)  # it begins to wait
        keeper.say("delta", delta=Delta(2, 3, released=(held.hold_id,)).as_dict())
        return bool(await waiting)

    assert asyncio.run(wait_and_release())


def test_a_waiter_whose_time_is_up_gets_the_refusal(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    keeper.say("order", order=ORDER.as_dict())
    keeper.hear("beat", stops=["S-1"])

    assert gate.wait_until_allowed(site="s1", timeout_s=0.01).outcome == "blocked"
    assert asyncio.run(gate.wait_until_allowed_async(site="s1", timeout_s=0.01)).outcome == "blocked"


# ---------------------------------------------------------------------------------------------------- reservations
def test_a_reservation_is_the_keepers_answer(keeper: Keeper, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "opsgate")
    yes = {"granted": True, "used": 7, "limit": 10, "retry_after_s": None, "reservation": "R-1"}
    no = {"granted": False, "used": 10, "limit": 10, "retry_after_s": 12.5}
    answers: list[dict[str, Any]] = [yes, no, no]

    def answer() -> None:
        for fields in answers:
            question = keeper.hear("reserve")
            keeper.say("reserved", id=question["id"], **fields)

    counter = threading.Thread(target=answer)
    counter.start()
    granted = gate.reserve("sites", cost=3)
    refused, again = gate.reserve("sites"), gate.reserve("sites")
    counter.join(30)

    assert (bool(granted), granted.remaining, granted.retry_after_s) == (True, 3, None)
    assert (bool(refused), refused.remaining, refused.retry_after_s) == (False, 0, 12.5)
    assert not again
    lines = [record.getMessage() for record in caplog.records if "Rate Limit" in record.getMessage()]
    assert lines == ["[Rate Limit] ❌ Max sites per hour reached (10/10)"]

    assert granted.refund()
    assert keeper.hear("refund")["reservation"] == "R-1"
    assert not granted.refund()
    assert not refused.refund()


def test_without_a_keeper_nothing_is_reserved_because_nobody_counts(gate: Gate) -> None:
    refused = gate.reserve("sites")

    assert (refused.granted, refused.retry_after_s) == (False, wire.HEARTBEAT_S)
    assert refused.reason == "no keeper answers, so nobody counts this limit"


def test_a_cost_of_nothing_is_refused_without_asking(gate: Gate) -> None:
    assert gate.reserve("sites", cost=0).retry_after_s is None


# --------------------------------------------------------------------------------------------------------- joining
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://u:secret@db/ops", "a worker joins through a sqlite:/// file"),
        ("fleet.db", "is not a backend URL"),
        ("sqlite://", "names no file"),
    ],
)
def test_a_url_that_it_cannot_join_is_a_clear_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        Gate.open(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"worker": "two words"},
        {"env": "a/b"},
        {"scope": {"galaxy": ["x"]}},
        {"scope": {"site": ["a b"]}},
        {"policy": {"payout": "harmless"}},
        {"token": "t"},
    ],
)
def test_an_argument_that_is_none_is_the_callers_fault(fleet: Fleet, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Gate.open(fleet.url, **wrong)


def test_url_worker_and_environment_may_come_from_the_environment(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.commit(placed=[hold(env="dev")])
    for name, value in {"URL": fleet.url, "WORKER": "w-env", "ENV": "dev"}.items():
        monkeypatch.setenv(f"OPSGATE_{name}", value)

    with Gate.open() as gate:
        assert gate.worker == "w-env"
        assert not gate.check(site="s1")


def test_a_closed_gate_says_so_and_goes_on_with_what_it_knew(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(site="s1")])
    with Gate.open(fleet.url) as gate:
        assert not gate.check(site="s1")

    assert gate.freshness == "off"
    assert not gate.check(site="s1")
    assert gate.check(site="s2")
    gate.close()


def test_two_gates_of_one_process_do_not_disturb_each_other(fleet: Fleet, keeper: Keeper) -> None:
    with Gate.open(fleet.url, worker="w1") as one:
        keeper.hear("beat", worker="w1", revision=1)
        with Gate.open(fleet.url, worker="w2") as two:
            keeper.hear("beat", worker="w2", revision=1)
            keeper.say("order", order=ORDER.as_dict())
            keeper.hear("beat", worker="w2", stops=["S-1"])
            assert not two.check(site="s1")
            assert one.check(site="s1")
        keeper.hear("bye", worker="w2")


def test_the_keepers_address_is_the_one_that_everybody_knows(keeper: Keeper) -> None:
    assert keeper.address == keeper_socket("f-one")
