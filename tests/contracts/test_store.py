"""What a database must do for the runtime: the same facts on memory, SQLite and PostgreSQL."""

import threading
import time
from datetime import timedelta

import pytest

from backends.commit import carry_out, founding
from core.audit import GENESIS, Row, verify
from core.capabilities.names import AddName
from core.errors import BackendUnavailable
from core.policy import gate_change
from core.ports import Cursor, Head, Known, Lease, Store, Transaction, iterate
from core.state import State
from core.triggers.sample import Sample
from tests.support.fleets import START, say, worker
from tests.support.places import FLEET, Place
from tests.support.waiting import eventually


def append_names(transaction: Transaction, state: State, count: int) -> State:
    """Append one event for each of ``count`` new sites."""
    for number in range(count):
        name = AddName(dimension="site", name=f"s{state.revision}-{number}")
        state = carry_out(transaction, state, [(say(name), None)], START).state
    return state


def begun(store: Store) -> State:
    """A fleet with its first events."""
    with store.write(timeout_s=60) as transaction:
        return carry_out(transaction, State(), [(founding(FLEET), None)], START).state


def test_a_new_database_has_a_fleet_and_no_event(place: Place) -> None:
    store = place.store()

    assert store.head() == Head(FLEET, 0, GENESIS, 0)
    assert (store.rows(0), store.anchor(), store.load_checkpoint()) == ([], (0, GENESIS), None)


def test_what_a_transaction_appends_is_there_after_its_commit_for_every_reader(place: Place) -> None:
    store, reader = place.store(), place.store()

    state = begun(store)

    assert reader.head().revision == state.revision == 17
    assert [row.revision for row in reader.rows(0)] == list(range(1, 18))
    assert verify(reader.rows(0)) == (None, 17, reader.head().chain)
    assert reader.head().names_revision == state.names_revision


def test_a_transaction_that_raises_leaves_nothing_behind(place: Place) -> None:
    store = place.store()

    def fails_in_the_middle() -> None:
        with store.write(timeout_s=60) as transaction:
            carry_out(transaction, State(), [(founding(FLEET), None)], START)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fails_in_the_middle()

    assert (store.head().revision, store.rows(0)) == (0, [])
    with store.write(timeout_s=60) as transaction:
        assert transaction.head().revision == 0


def test_rows_are_read_in_order_in_pieces_and_behind_a_revision(place: Place) -> None:
    store = place.store()
    with store.write(timeout_s=60) as transaction:
        state = carry_out(transaction, State(), [(founding(FLEET), None)], START).state
        append_names(transaction, state, 30)

    assert [row.revision for row in store.rows(40)] == list(range(41, 48))
    assert [row.revision for row in store.rows(3, 4)] == [4, 5, 6, 7]
    assert [row.revision for row in iterate(store, 0, chunk=10)] == list(range(1, 48))
    assert store.rows(47) == []


def test_rows_come_back_as_they_were_written(place: Place) -> None:
    store = place.store()
    strange = Row(
        1, "name.added", 1, "2026-11-22T14:00:00.000000Z", "c", "c", "aa", '{"x": "\\u0000\\ud800 é 漢"}', "d", "e"
    )
    change = gate_change(State(), State(revision=1), ())

    with store.write(timeout_s=60) as transaction:
        transaction.append([strange], change, 0)

    assert store.rows(0) == [strange]


def test_a_second_writer_waits_its_turn_and_gives_up_at_its_deadline_with_a_sentence(place: Place) -> None:
    first, second = place.store(), place.store()

    with first.write(timeout_s=60), pytest.raises(BackendUnavailable) as refused, second.write(timeout_s=0.2):
        raise AssertionError("two writers at once")

    assert refused.value.code == "database-locked"
    assert refused.value.hint.startswith("try again")
    with second.write(timeout_s=60) as transaction:
        assert transaction.head().revision == 0


def test_a_writer_that_waited_sees_what_the_other_committed(place: Place) -> None:
    first, second = place.store(), place.store()
    begun(first)
    seen: list[int] = []
    entered, finished = threading.Event(), threading.Event()

    def waits() -> None:
        entered.set()
        with second.write(timeout_s=10) as transaction:
            seen.append(transaction.head().revision)
        finished.set()

    with first.write(timeout_s=60) as transaction:
        thread = threading.Thread(target=waits)
        thread.start()
        assert entered.wait(60)
        append_names(transaction, State(fleet=FLEET, revision=17), 1)
    thread.join(60)

    assert finished.is_set()
    assert seen == [18]


def test_the_answer_to_a_command_is_remembered_until_retention_drops_it(place: Place) -> None:
    store = place.store()
    with store.write(timeout_s=60) as transaction:
        transaction.remember("c1", Known("fingerprint", '{"revision": 3}', "T-1"), START)
        transaction.remember("c2", Known("other", "{}"), START + timedelta(days=2))

    with store.write(timeout_s=60) as transaction:
        assert transaction.receipt("c1") == Known("fingerprint", '{"revision": 3}', "T-1")
        assert transaction.receipt("c3") is None
        transaction.drop_receipts(START + timedelta(days=1))
    with store.write(timeout_s=60) as transaction:
        assert transaction.receipt("c1") is None
        assert transaction.receipt("c2") == Known("other", "{}")


def test_workers_are_kept_with_what_they_last_said(place: Place) -> None:
    store = place.store()
    old, fresh = worker("w1", START), worker("w2", START + timedelta(seconds=20), stops=("s1",))
    left = worker("w3", START + timedelta(seconds=20), state="left")
    with store.write(timeout_s=60) as transaction:
        transaction.put_workers([old, fresh, left])
        transaction.put_workers([worker("w1", START + timedelta(seconds=1))])

    with store.write(timeout_s=60) as transaction:
        assert transaction.live_workers(START + timedelta(seconds=15)) == [fresh.fact()]
        assert {row.worker_id for row in transaction.live_workers(START)} == {"w1", "w2"}
    assert {row.worker_id: row for row in store.workers()} == {
        "w1": worker("w1", START + timedelta(seconds=1)),
        "w2": fresh,
        "w3": left,
    }
    with store.write(timeout_s=60) as transaction:
        transaction.drop_workers(["w1", "nobody"])
    assert {row.worker_id for row in store.workers()} == {"w2", "w3"}


def test_usage_is_kept_by_limit_and_time_and_goes_by_id_by_age_or_all_at_once(place: Place) -> None:
    store = place.store()
    with store.write(timeout_s=60) as transaction:
        for reservation, at_s in (("r1", 10.0), ("r2", 20.5), ("r3", 30.25)):
            transaction.put_usage("sites", reservation, at_s, 2)
        transaction.put_usage("pages", "r4", 15.0, 7)

    with store.write(timeout_s=60) as transaction:
        assert transaction.usage("sites", 10.0) == [("r2", 20.5, 2), ("r3", 30.25, 2)]
        assert [transaction.keep_usage("r2", units) for units in (2, 1, 2)] == [0, 1, 0]
        assert transaction.usage("sites", 20.0) == [("r2", 20.5, 1), ("r3", 30.25, 2)]
        assert transaction.drop_usage(reservation_id="r3") == 1
        assert transaction.drop_usage(reservation_id="r3") == 0
        assert transaction.drop_usage(limit="sites", before_s=20.5) == 1
    assert store.usage("sites", 0.0) == [(20.5, 1)]
    with store.write(timeout_s=60) as transaction:
        assert transaction.drop_usage(limit="sites") == 1
    assert (store.usage("sites", 0.0), store.usage("pages", 0.0)) == ([], [(15.0, 7)])


def test_the_last_checkpoints_stay_and_the_one_at_the_anchor(place: Place) -> None:
    store = place.store()
    with store.write(timeout_s=60) as transaction:
        state = carry_out(transaction, State(), [(founding(FLEET), None)], START).state
        append_names(transaction, state, 60)
        transaction.drop_journal(20)
        for revision in (20, 30, 40, 50, 60, 70, 70):
            transaction.put_checkpoint(revision, f"chain{revision}", "{}", "digest")

    assert store.load_checkpoint() == (70, "chain70", "{}", "digest")
    assert store.load_checkpoint(at_most=69) == (60, "chain60", "{}", "digest")
    assert store.load_checkpoint(at_most=49) == (20, "chain20", "{}", "digest")
    assert store.load_checkpoint(at_most=19) is None


def test_what_retention_leaves_begins_behind_an_anchor_and_still_verifies(place: Place) -> None:
    store = place.store()
    begun(store)
    chain = store.rows(9, 1)[0].chain

    with store.write(timeout_s=60) as transaction:
        transaction.drop_journal(10)

    assert store.anchor() == (10, chain)
    assert [row.revision for row in store.rows(0)] == list(range(11, 18))
    assert verify(store.rows(0), *store.anchor())[0] is None


def test_the_last_event_before_a_time_is_found(place: Place) -> None:
    store = place.store()
    state = begun(store)
    with store.write(timeout_s=60) as transaction:
        late = START + timedelta(hours=1)
        carry_out(transaction, state, [(say(AddName(dimension="site", name="s1")), None)], late)

    assert store.revision_at(START - timedelta(microseconds=1)) == 0
    assert store.revision_at(START) == 17
    assert store.revision_at(late - timedelta(microseconds=1)) == 17
    assert store.revision_at(late + timedelta(days=900)) == 18


def test_a_lease_is_kept_with_its_token(place: Place) -> None:
    store = place.store()
    lease = Lease("keeper", "host-1", 7, START + timedelta(seconds=10))
    with store.write(timeout_s=60) as transaction:
        assert transaction.lease("keeper") is None
        transaction.put_lease(Lease("keeper", "host-0", 6, START))
        transaction.put_lease(lease)

    assert store.lease("keeper") == lease
    assert store.lease("other") is None


def test_a_cursor_moves_only_from_where_its_mover_saw_it(place: Place) -> None:
    store = place.store()
    first, second = Cursor("mail", 17, START, "begun here"), Cursor("mail", 40, START + timedelta(seconds=1))
    with store.write(timeout_s=60) as transaction:
        assert transaction.cursor("mail") is None
        assert not transaction.advance(first, 12), "it stands nowhere yet"
        assert transaction.advance(first, None)
        assert not transaction.advance(second, None), "it stands somewhere"
        assert transaction.advance(Cursor("hook:pager", 3, START), None)

    with store.write(timeout_s=60) as transaction:
        assert transaction.cursor("mail") == first
        assert not transaction.advance(second, 16)
        assert transaction.advance(second, 17)
    assert store.cursors() == [Cursor("hook:pager", 3, START), second]


def test_samples_are_kept_by_metric_and_time_and_go_by_age(place: Place) -> None:
    store = place.store()
    early, late = (
        Sample("error_rate", at_s, 0.25, account="a1", labels={"host": "h1"}, source="prometheus")
        for at_s in (10.5, 20.25)
    )
    bare = Sample("error_rate", 15.0, -1.0)
    with store.write(timeout_s=60) as transaction:
        transaction.put_samples([late, early, Sample("spend", 12.0, 3.5)])
        transaction.put_samples([bare, bare])
        transaction.put_samples([])

    assert store.samples("error_rate", 10.5) == [bare, bare, late]
    assert store.samples("error_rate", 10.4) == [early, bare, bare, late]
    assert store.samples("nothing", 0.0) == []
    assert store.samples("error_rate", 0.0, 2) == [bare, late]
    assert [store.samples_floor(most) for most in (0, 1, 4, 5)] == [20.25, 15.0, 10.5, 0.0]
    with store.write(timeout_s=60) as transaction:
        assert transaction.drop_samples(before_s=15.0) == 2
    assert (store.samples("error_rate", 0.0), store.samples("spend", 0.0)) == ([bare, bare, late], [])


def test_a_store_notices_that_another_one_committed(place: Place) -> None:
    writer, reader = place.store(), place.store()
    reader.moved()
    assert not reader.moved(), "nothing was committed"

    begun(writer)

    assert reader.moved()
    assert not reader.moved()


def test_the_version_is_another_after_each_commit_whoever_made_it_or_cannot_be_told(place: Place) -> None:
    ours, other = place.store(), place.store()
    versions = []
    for writer in (ours, other, ours):
        versions += [ours.version()]
        assert ours.version() == versions[-1], "nothing was committed"
        with writer.write(timeout_s=60) as transaction:
            transaction.put_workers([worker("w1", START)])
    versions += [ours.version()]

    assert versions == [None] * 4 if place.kind == "postgres" else len(set(versions)) == 4


def test_a_wait_ends_when_somebody_wakes_it(place: Place) -> None:
    store = place.store()
    turns: list[None] = []
    ended = threading.Event()

    def waits() -> None:
        while not ended.is_set():
            store.wait(60)
            turns.append(None)

    def woken_thrice() -> bool:
        store.wake()
        return len(turns) > 3

    thread = threading.Thread(target=waits)
    thread.start()
    eventually(woken_thrice)
    ended.set()
    store.wake()
    thread.join(60)
    assert not thread.is_alive()


def test_a_wait_ends_when_somebody_else_has_committed(place: Place) -> None:
    waits, writes = place.store(), place.store()
    for _ in range(3):
        waits.wait(0.3)
    waits.moved()
    began = time.monotonic()
    thread = threading.Timer(0.2, lambda: begun(writes))
    thread.start()
    while not waits.moved():
        waits.wait(120)
        assert time.monotonic() - began < 60
    thread.join()
