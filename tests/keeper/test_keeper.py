"""The keeper as a process: real datagrams, real signals, a real database."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backends import keeper, open_backend, open_runtime, stop_lane
from backends.keeper import peers
from backends.keeper.log import log_path
from backends.spool import envelope_of
from core.capabilities.holds import PlaceHold
from core.capabilities.recovery import Recover
from opsgate import Gate, latch, permits, wire
from opsgate.clock import elapsed_s
from opsgate.known import Known
from opsgate.lastknown import LastKnown
from opsgate.order import Order
from opsgate.paths import fleet_of_url, runtime_home, sqlite_path
from opsgate.selector import EVERYTHING, Selector
from opsgate.snapshot import Delta
from opsgate.sources import SqliteSource
from tests.keeper.fleet import KeptFleet, SaidWorker, kept_fleet, measured
from tests.support.fleets import say
from tests.support.waiting import PATIENCE_S, eventually

ACCEPTED_S = 60.0


def order_on(site: str) -> Order:
    return stop_lane.new_order((Selector.of(site=site),), reason=f"smoke in {site}", actor="ada")


def told(fleet: KeptFleet) -> list[str]:
    """What the keeper wrote in its log."""
    return log_path(fleet.backend.latest().fleet).read_text().splitlines()


def test_a_stop_is_verified_when_everybody_has_acknowledged_and_at_once(fleet: KeptFleet) -> None:
    workers = [fleet.worker(f"w{number}") for number in range(3)]
    order = stop_lane.new_order(level="graceful", reason="smoke")

    began = time.monotonic()
    fired = fleet.stop(order)
    for worker in workers:
        eventually(lambda worker=worker: worker.heard("order"))  # type: ignore[misc]  # mypy knows no default
        worker.beat(order.stop_id)
    eventually(lambda: fleet.result(order) == "verified")
    took_s = time.monotonic() - began

    assert (fired.durable, fired.of, fired.latched) == ("database", 3, True)
    stop = fleet.find(order)
    assert stop is not None
    assert stop.deadline_at - stop.ordered_at > timedelta(seconds=PATIENCE_S), "nobody waited for its budget to end"
    assert stop.acked == stop.of == ("w0", "w1", "w2")
    measured(f"verified 3 workers in {took_s * 1000:.1f} ms")


def test_gates_are_told_of_the_order_before_it_is_recorded(fleet: KeptFleet) -> None:
    worker = fleet.worker("w1")
    order = stop_lane.new_order()

    fleet.stop(order)
    eventually(lambda: order.stop_id in str(worker.heard("delta")))

    about_it = [message for message in worker._heard if order.stop_id in str(message)]
    assert [message["t"] for message in about_it] == ["order", "delta"]


def test_when_time_is_up_the_missing_are_named_and_whoever_stops_late_still_counts(fleet: KeptFleet) -> None:
    """Three stops of different sites run side by side and come to three different ends."""
    fleet.backend.submit(envelope_of(order_on("s0")))  # an emergency that is over must not disturb the others
    on_time = fleet.worker("on-time", site="s1")
    busy = fleet.worker("busy", site="s2")
    deaf = fleet.worker("deaf", site="s2")
    silent = fleet.worker("silent", site="s3")
    one, two, three = order_on("s1"), order_on("s2"), order_on("s3")

    for order in (one, two, three):
        assert fleet.stop(order).durable == "database"
    began = time.monotonic()
    on_time.beat(one.stop_id)
    busy.beat(two.stop_id, draining={two.stop_id: 1})
    eventually(lambda: fleet.result(one) == "verified")
    assert [fleet.result(two), fleet.result(three)] == ["pending", "pending"]

    busy.beat(two.stop_id)
    eventually(lambda: (fleet.result(two), fleet.result(three)) == ("partial", "unverified"))
    took_s = time.monotonic() - began
    stops = [fleet.find(order) for order in (two, three)]
    assert [stop.missing for stop in stops if stop] == [("deaf",), ("silent",)]
    early_s = [(s.deadline_at - s.concluded_at).total_seconds() for s in stops if s and s.concluded_at]
    assert len(early_s) == 2
    assert max(early_s) < 0.1, "not before its time was up"

    silent.beat(three.stop_id)
    deaf.leave()
    eventually(lambda: (fleet.result(two), fleet.result(three)) == ("verified", "verified"))
    measured(f"concluded {took_s:.3f} s after the stop; its budget is 5 s")


def test_nobody_acknowledges_for_another_process(fleet: KeptFleet) -> None:
    worker = fleet.worker("w1")
    order = stop_lane.new_order()
    fleet.stop(order)

    forged = f"""
from opsgate import wire
assert wire.tell({str(fleet.address)!r}, "beat", worker="w1", pid={os.getpid()}, stops=[{order.stop_id!r}])
assert wire.tell({str(fleet.address)!r}, "bye", worker="w1")
"""
    subprocess.run(
        [sys.executable, "-c", forged], env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, check=True
    )

    eventually(lambda: any("a heartbeat was refused" in line for line in told(fleet)))
    assert fleet.result(order) == "pending"
    worker.beat(order.stop_id)
    eventually(lambda: fleet.result(order) == "verified")


def test_a_keeper_killed_in_the_middle_of_a_stop_is_followed_by_one_that_concludes_it(fleet: KeptFleet) -> None:
    prompt, slow = fleet.worker("prompt"), fleet.worker("slow")
    order = stop_lane.new_order()
    fleet.stop(order)
    prompt.beat(order.stop_id)
    eventually(lambda: [row.worker_id for row in fleet.rows().values() if row.stops] == ["prompt"])

    fleet.kill()
    assert fleet.result(order) == "pending"
    assert latch.latched(order.stop_id, [fleet.backend.latest().fleet])
    fleet.start()

    slow.beat(order.stop_id)
    eventually(lambda: fleet.result(order) == "verified")


def test_a_stop_fired_while_no_keeper_lives_is_recorded_by_the_next_one_with_nobody_left_out(fleet: KeptFleet) -> None:
    """The rows are old by then, and the workers are not."""
    worker = fleet.worker("w1")
    fleet.kill()
    order = stop_lane.new_order()
    fired = fleet.fire(order)
    assert (fired.durable, fired.keeper) == ("spool", "absent")
    put_back(fleet, fleet.rows()["w1"].heartbeat_at - timedelta(hours=1))

    fleet.start()
    eventually(lambda: fleet.find(order) is not None)

    stop = fleet.find(order)
    assert stop is not None
    assert stop.of == ("w1",)
    assert stop.result == "pending"
    worker.beat(order.stop_id)
    eventually(lambda: fleet.result(order) == "verified")


def put_back(fleet: KeptFleet, heartbeat_at: datetime) -> None:
    """Make the rows say that everybody was last heard of at this time."""
    runtime = open_runtime(fleet.url)
    runtime.put_workers([replace(row, heartbeat_at=heartbeat_at) for row in runtime.store.workers()])
    runtime.close()


def test_a_latch_put_there_by_hand_is_a_stop_of_everything_and_is_recorded(fleet: KeptFleet) -> None:
    worker = fleet.worker("w1")
    directory = latch.place(order_on("s1"), "another-fleet").parent.parent / fleet.backend.latest().fleet
    directory.mkdir(exist_ok=True)
    (directory / "STOP please!").write_text("")

    eventually(lambda: worker.heard("order"))
    eventually(lambda: fleet.backend.state().active_stops())

    (stop,) = fleet.backend.state().active_stops()
    assert stop.selectors == (EVERYTHING,)
    assert stop.ordered_by == "unknown"


def test_recovery_takes_the_latch_away(fleet: KeptFleet) -> None:
    order = stop_lane.new_order(reason="drill")
    fleet.stop(order)
    state = fleet.backend.state()
    (emergency,) = state.active_emergencies()

    fleet.backend.submit(say(Recover(emergency_id=emergency.emergency_id, reason="over", confirm="all")))

    assert latch.in_force([state.fleet, fleet_of_url(fleet.url)]) == ()


def test_a_stop_of_the_whole_host_is_recorded_by_each_fleet_and_ended_by_each_for_itself(
    fleet: KeptFleet, tmp_path: Path
) -> None:
    with kept_fleet(f"sqlite:///{tmp_path / 'other.db'}") as other:
        order = stop_lane.new_order(reason="fire alarm")
        assert stop_lane.fire(order, url=None).keeper == "answered"
        eventually(lambda: all(one.find(order) for one in (fleet, other)))
        (emergency,) = fleet.backend.state().active_emergencies()
        fleet.backend.submit(say(Recover(emergency_id=emergency.emergency_id, reason="over", confirm="all")))

        ids = [one.backend.latest().fleet for one in (fleet, other)]
        assert [len(latch.in_force([name])) for name in ids] == [0, 1]
        assert [len(one.backend.state().active_stops()) for one in (fleet, other)] == [0, 1]
        late = other.worker("late")
        eventually(lambda: late.heard("moved"))

        (emergency,) = other.backend.state().active_emergencies()
        other.backend.submit(say(Recover(emergency_id=emergency.emergency_id, reason="over", confirm="all")))
        assert latch.in_force([]) == ()


def test_an_order_that_comes_again_after_its_end_stops_nothing(fleet: KeptFleet) -> None:
    """A datagram may be late, and a copy of a latch may come back from a backup."""
    order = stop_lane.new_order(reason="drill")
    fleet.stop(order)
    (emergency,) = fleet.backend.state().active_emergencies()
    fleet.backend.submit(say(Recover(emergency_id=emergency.emergency_id, reason="over", confirm="all")))
    worker = fleet.worker("w1")

    fired = fleet.stop(order)

    assert fired.durable == "database"
    eventually(lambda: not latch.in_force([fleet.backend.latest().fleet]))
    assert fleet.backend.state().active_stops() == ()
    assert worker.heard("order") == []


def test_a_worker_that_comes_back_with_an_order_whose_end_it_missed_is_told_of_the_end(fleet: KeptFleet) -> None:
    """The order was heard and kept on disk, the worker went down, and the stop was recorded and recovered meanwhile."""
    before = SqliteSource(sqlite_path(fleet.url)).read()
    order = stop_lane.new_order(reason="drill")
    LastKnown(fleet_of_url(fleet.url)).save(Known().read(before).ordered(order), elapsed_s())
    fleet.stop(order)
    (emergency,) = fleet.backend.state().active_emergencies()
    fleet.backend.submit(say(Recover(emergency_id=emergency.emergency_id, reason="over", confirm="all")))

    with Gate.open(fleet.url, worker="w1") as gate:
        eventually(lambda: gate.check().allowed)
    with Gate.open(fleet.url, worker="w1") as gate:
        assert gate.check().allowed  # it is off the disk as well


def test_only_a_stop_that_the_journal_knows_as_ended_is_ended_at_a_worker_that_obeys_it(fleet: KeptFleet) -> None:
    """Of one that was never recorded nobody can know that it is over."""
    over, active = stop_lane.new_order(reason="drill"), order_on("s1")
    fleet.stop(over)
    (emergency,) = fleet.backend.state().active_emergencies()
    fleet.backend.submit(say(Recover(emergency_id=emergency.emergency_id, reason="over", confirm="all")))
    fleet.stop(active)
    worker = fleet.worker("w1")

    worker.beat("S-never-recorded", over.stop_id, active.stop_id, revision=7)

    eventually(lambda: any(message["delta"]["ended"] for message in worker.heard("delta")))
    told_of = Delta(since=7, revision=7, ended=(over.stop_id,))
    assert [message["delta"] for message in worker.heard("delta")][-1] == told_of.as_dict()


def test_a_gate_that_joins_late_is_told_what_the_tables_do_not_know_yet(fleet: KeptFleet) -> None:
    with locked_database(fleet):
        order = stop_lane.new_order()
        assert fleet.fire(order).durable == "spool"

        late = SaidWorker(fleet.address, "late")
        late.beat()

        eventually(lambda: late.heard("order"))
    eventually(lambda: fleet.find(order) is not None)
    late.close()


def locked_database(fleet: KeptFleet) -> Lock:
    return Lock(fleet.url.removeprefix("sqlite:///"))


class Lock:
    """Another process holds the write lock of a database for as long as this lasts."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        hold = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1],isolation_level=None); c.execute('BEGIN EXCLUSIVE')"
        wait = "print('held', flush=True); sys.stdin.read()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{hold}; {wait}", self._path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"held\n"

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def test_changes_of_others_reach_gates_as_one_datagram_and_watchers_as_a_word(fleet: KeptFleet) -> None:
    worker, watcher = fleet.worker("w1"), wire.endpoint()
    watcher.settimeout(30.0)
    watcher.sendto(wire.encode("watch"), str(fleet.address))
    assert (wire.decode(watcher.recv(60_000)) or {})["t"] == "pong"

    began = time.monotonic()
    receipt = fleet.backend.submit(say(PlaceHold(selectors=(Selector.of(operation="ab_testing"),), reason="x")))
    eventually(lambda: any(message["delta"]["placed"] for message in worker.heard("delta")))
    took_s = time.monotonic() - began

    moved = wire.decode(watcher.recv(60_000)) or {}
    watcher.close()
    assert (moved["t"], moved["revision"]) == ("moved", receipt.revision)
    assert len([message for message in worker.heard("delta") if message["delta"]["placed"]]) == 1
    measured(f"a change of another process was at the gate {took_s * 1000:.1f} ms after its sender began")


def test_limits_are_counted_for_all_workers_together(fleet: KeptFleet) -> None:
    address = str(fleet.address)
    granted = [permits.reserve(address, f"w{number}", "sites", 4) for number in range(3)]

    assert [bool(reservation) for reservation in granted] == [True, True, False]
    assert granted[2].retry_after_s is not None
    assert granted[0].refund()
    eventually(lambda: bool(permits.reserve(address, "w9", "maxSitesPerHour", 4)))
    unknown = permits.reserve(address, "w9", "no-such-limit", 1)
    assert (bool(unknown), unknown.retry_after_s) == (False, None)
    assert "no-such-limit" in unknown.reason


def test_workers_come_go_and_are_lost_as_events(fleet: KeptFleet) -> None:
    leaver = fleet.worker("leaver")
    fleet.worker("stayer")

    leaver.leave()

    eventually(lambda: set(fleet.backend.state().workers) == {"stayer"})
    leaver.beat()
    eventually(lambda: set(fleet.backend.state().workers) == {"leaver", "stayer"})
    kinds = [row.kind for row in fleet.backend.journal(after=17) if row.kind.startswith("worker.")]
    assert kinds == ["worker.registered", "worker.registered", "worker.left", "worker.registered"]


def test_a_thousand_workers_that_join_at_once_are_registered_in_a_few_commits(fleet: KeptFleet) -> None:
    began = time.monotonic()
    with wire.endpoint() as channel:
        for number in range(1000):
            channel.sendto(wire.encode("beat", worker=f"w{number}", pid=os.getpid()), str(fleet.address))

    eventually(lambda: len(fleet.backend.state().workers) == 1000)
    took_s = time.monotonic() - began

    commands = {row.command_id for row in fleet.backend.journal(after=17, limit=2000)}
    assert len(commands) <= 10 * took_s + 2
    measured(f"1,000 registrations took {len(commands)} commands and {took_s:.2f} s")


def test_a_keeper_outlives_whoever_started_it_and_has_no_password_in_its_arguments(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    open_backend(url).close()
    starter = f"""
import os, signal
from backends import keeper
keeper.ensure({url!r})
os.killpg(os.getpgid(0), signal.SIGKILL)
"""
    ended = subprocess.run(
        [sys.executable, "-c", starter],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
        check=False,
    )
    address = keeper.alive(url)

    assert ended.returncode == -signal.SIGKILL
    assert address is not None
    pong = wire.ask(str(address), "ping", timeout_s=20.0)
    assert pong is not None
    arguments = Path(f"/proc/{pong['pid']}/cmdline").read_bytes()
    assert b"backends.keeper" in arguments
    assert url.encode() not in arguments
    os.kill(int(pong["pid"]), signal.SIGTERM)
    eventually(lambda: keeper.alive(url) is None)


def test_many_who_need_a_keeper_at_once_get_the_same_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    open_backend(url).close()
    probe = f"""
from backends import keeper
from opsgate import wire
print(wire.ask(str(keeper.ensure({url!r})), "ping", timeout_s=20)["pid"])
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    callers = [
        subprocess.Popen([sys.executable, "-c", probe], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]

    pids = {caller.communicate(timeout=60)[0].strip() for caller in callers}

    assert len(pids) == 1
    os.kill(int(pids.pop()), signal.SIGTERM)
    eventually(lambda: keeper.alive(url) is None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_keeper_that_is_told_to_end_leaves_nothing_behind_but_the_word_where_it_lived(
    fleet: KeptFleet, number: int
) -> None:
    fleet.worker("w1").beat("S-last-word")
    fleet.kill(number)

    assert [path.name for path in runtime_home().glob("*.sock") if not path.is_symlink()] == []
    assert stop_lane.known_fleet(fleet.url) == fleet.backend.latest().fleet
    assert fleet.rows()["w1"].stops == ("S-last-word",)
    assert json.loads(told(fleet)[-1])["event"] == "the keeper leaves"
    fleet.start()
    eventually(lambda: fleet.ping()["leader"])


def test_a_keeper_stays_while_it_has_a_worker_and_leaves_when_nobody_needs_it(fleet: KeptFleet) -> None:
    worker = fleet.worker("w1")  # before: on a busy machine two seconds are soon over
    fleet.kill()
    fleet.start(linger_s=2.0)
    pid = int(fleet.ping()["pid"])
    worker.beat()
    began = time.monotonic()
    eventually(lambda: time.monotonic() - began > 3.0)
    assert peers.started(pid)

    worker.leave()

    eventually(lambda: not peers.started(pid))
    assert json.loads(told(fleet)[-1])["why"] == "nobody needs it"


def test_a_console_that_looks_now_and_then_keeps_its_keeper(fleet: KeptFleet) -> None:
    fleet.kill()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            fleet.backend.observe()

    console = threading.Thread(target=look)
    console.start()  # before: on a busy machine a second is soon over
    try:
        fleet.start(linger_s=1.0)
        pid = int(fleet.ping()["pid"])
        over.wait(2.5)
        assert peers.started(pid)
    finally:
        over.set()
        console.join()


def test_a_keeper_leaves_a_database_that_another_has_replaced(fleet: KeptFleet, tmp_path: Path) -> None:
    pid = int(fleet.ping()["pid"])
    other = tmp_path / "other.db"
    open_backend(f"sqlite:///{other}").close()

    other.replace(tmp_path / "fleet.db")

    eventually(lambda: not peers.started(pid))
    assert json.loads(told(fleet)[-1])["why"] == "another database lies where its own was"


def test_a_message_from_another_user_is_not_heard(fleet: KeptFleet) -> None:
    """The kernel says who sent it. Only root can even pretend, and is root anyway."""
    nobody = struct.pack("3i", os.getpid(), 65534, 65534)
    forged = wire.encode("beat", worker="forged", pid=os.getpid())
    with wire.endpoint() as channel:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, nobody)]
        try:
            channel.sendmsg([forged], ancillary, 0, str(fleet.address))
        except PermissionError:
            assert os.geteuid() != 0
    fleet.worker("honest")

    assert set(fleet.backend.state().workers) == {"honest"}


GARBAGE = (b"", b"\xff", b"[]", b'{"t": "beat"}', b'{"t": 3}', b"{" * 5000, b"x" * 100_000)


def test_garbage_neither_ends_nor_changes_anything(fleet: KeptFleet) -> None:
    stops = fleet.address.with_suffix(".stop.sock")
    for number, garbage in enumerate(GARBAGE):
        with wire.endpoint() as channel:
            for address in (fleet.address, stops):
                channel.sendto(garbage, str(address))

        fleet.worker(f"w{number}")
        assert fleet.stop(stop_lane.new_order()).durable == "database", garbage
        assert fleet.ping()["database"] == "here", garbage


def test_a_directory_that_others_can_enter_is_not_a_house(home: Path, tmp_path: Path) -> None:
    runtime_home().mkdir(parents=True)
    runtime_home().chmod(0o755)

    with pytest.raises(keeper.KeeperError, match="chmod 700"):
        keeper.ensure(f"sqlite:///{tmp_path / 'fleet.db'}")


def test_without_a_database_no_keeper_starts_and_the_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(keeper.KeeperError, match=r"fleet\.db"):
        keeper.ensure(f"sqlite:///{tmp_path / 'fleet.db'}")

    assert not (tmp_path / "fleet.db").exists()


def test_holds_expire_by_the_keeper(fleet: KeptFleet) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.4)
    fleet.backend.submit(say(PlaceHold(selectors=(EVERYTHING,), reason="a moment", expires_at=soon)))

    eventually(lambda: not fleet.backend.state().holds, within_s=ACCEPTED_S)

    assert [row.kind for row in fleet.backend.journal(after=18)] == ["hold.expired"]


def test_what_fell_due_while_no_keeper_ran_stays_in_force(fleet: KeptFleet) -> None:
    fleet.kill()
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    fleet.backend.submit(say(PlaceHold(selectors=(EVERYTHING,), reason="a moment", expires_at=soon)))
    eventually(lambda: datetime.now(UTC) > soon)

    fleet.start()

    eventually(lambda: any(hold.overdue for hold in fleet.backend.state().holds.values()))
