"""Workers: who is new, lost, back or gone is an event, and a lost one is not a stopped one."""

import pytest

from core.capabilities.workers import ForgetWorkers, ReportWorkers
from core.engine import WorkerFact
from core.messages import Receipt
from core.policy import run_state
from tests.specs.engine import Engine, on


@pytest.fixture
def engine() -> Engine:
    return Engine()


Some = tuple[str, ...]


def report(engine: Engine, *, heard: Some = (), lost: Some = (), left: Some = ()) -> Receipt:
    return engine.do(ReportWorkers(heard=heard, lost=lost, left=left), by="keeper", kind="system")


def forget(engine: Engine, *workers: str) -> Receipt:
    return engine.do(ForgetWorkers(workers=workers))


def test_a_worker_is_registered_when_it_is_first_heard_of_and_not_again(engine: Engine) -> None:
    assert engine.kinds(report(engine, heard=("w1", "w2"))) == ["worker.registered", "worker.registered"]
    assert not report(engine, heard=("w1", "w2")).changed
    assert engine.state.workers["w1"].registered_at == engine.now


def test_a_silent_worker_is_lost_once_and_comes_back(engine: Engine) -> None:
    report(engine, heard=("w1",))
    engine.wait(20)

    assert engine.kinds(report(engine, lost=("w1", "never-heard"))) == ["worker.lost"]
    assert not report(engine, lost=("w1",)).changed
    assert engine.state.workers["w1"].lost_at == engine.now

    assert engine.kinds(report(engine, heard=("w1",))) == ["worker.returned"]
    assert engine.state.workers["w1"].lost_at is None


def test_a_worker_that_ended_on_purpose_is_off_the_register(engine: Engine) -> None:
    report(engine, heard=("w1",))

    assert engine.kinds(report(engine, left=("w1", "w1", "never-heard"))) == ["worker.left"]
    assert "w1" not in engine.state.workers


def test_only_the_keeper_reports(engine: Engine) -> None:
    assert engine.refused(ReportWorkers(heard=("w1",))) == "system-only"


def test_a_lost_worker_still_counts_as_not_stopped(engine: Engine) -> None:
    report(engine, heard=("w1", "w2"))
    engine.workers("w1", "w2")
    engine.stop("S-1")
    report(engine, lost=("w2",))
    engine.wait(6)

    engine.count("S-1", "w1")

    assert (engine.stopped("S-1").result, engine.stopped("S-1").missing) == ("partial", ("w2",))
    assert run_state(engine.state) == "partly"


def test_a_worker_that_is_forgotten_is_off_the_register_and_off_every_list_of_a_stop_in_force(engine: Engine) -> None:
    report(engine, heard=("w1", "w2"))
    engine.workers("w1", "w2")
    engine.stop("S-1")
    engine.stop("S-2", on(site="s1"))
    engine.wait(6)
    engine.count("S-1", "w1")
    engine.count("S-2", "w1", "w2")
    engine.live = ()

    receipt = forget(engine, "w2", "w2")

    assert engine.kinds(receipt) == ["worker.forgotten", "stop.concluded"]
    assert "w2" not in engine.state.workers
    first, second = engine.stopped("S-1"), engine.stopped("S-2")
    assert (first.of, first.acked, first.result) == (("w1",), ("w1",), "verified")
    assert (second.of, second.acked, second.result) == (("w1",), ("w1",), "verified")
    assert run_state(engine.state) == "stopped"


def test_forgetting_one_of_two_that_are_missing_leaves_the_other_missing(engine: Engine) -> None:
    engine.workers("w1", "w2", "w3")
    engine.stop("S-1")
    engine.wait(6)
    engine.count("S-1", "w1")
    engine.live = ()

    assert engine.kinds(forget(engine, "w2")) == ["worker.forgotten"]
    assert engine.stopped("S-1").missing == ("w3",)


def test_a_stop_that_did_not_wait_for_the_forgotten_one_stays_as_it_was(engine: Engine) -> None:
    engine.workers("w1", site="s1")
    engine.stop("S-1", on(site="s1"))
    engine.live = ()
    engine.workers("w2", site="s2")
    engine.stop("S-2", on(site="s2"))
    engine.live = ()

    forget(engine, "w2")

    assert (engine.stopped("S-1").of, engine.stopped("S-2").of) == (("w1",), ())


def test_forgetting_does_not_conclude_a_stop_that_is_still_counting(engine: Engine) -> None:
    engine.workers("w1")
    engine.stop("S-1")
    engine.live = ()

    forget(engine, "w1")

    assert engine.stopped("S-1").result == "pending"
    assert engine.kinds(engine.count("S-1")) == ["stop.concluded"]
    assert engine.stopped("S-1").result == "verified"


def test_a_worker_that_lives_is_not_forgotten_for_that_would_make_a_stop_look_verified(engine: Engine) -> None:
    engine.workers("deaf")
    engine.stop("S-1")

    assert engine.refused(ForgetWorkers(workers=("deaf",))) == "worker-alive"


def test_a_worker_of_an_ended_stop_need_not_be_forgotten(engine: Engine) -> None:
    engine.workers("w1")
    receipt = engine.stop("S-1")
    engine.count("S-1", "w1")
    engine.recover(str(receipt.emergency_id))
    engine.live = ()

    assert engine.refused(ForgetWorkers(workers=("w1",))) == "unknown-worker"


def test_an_unknown_worker_is_refused_by_name(engine: Engine) -> None:
    with pytest.raises(Exception, match="no worker is called w9"):
        forget(engine, "w9")


@pytest.mark.parametrize(
    ("worker", "serves", "not_serves"),
    [
        (WorkerFact("w"), {"site": "s1"}, None),
        (WorkerFact("w", env="dev"), {"env": "dev"}, {"env": "prod"}),
        (WorkerFact("w", env="dev"), {"site": "s1"}, {"env": "prod", "site": "s1"}),
        (WorkerFact("w", scope=(("site", ("s1", "s2")),)), {"site": "s2"}, {"site": "s3"}),
        (WorkerFact("w", scope=(("site", ("s1",)),)), {"operation": "ab_testing"}, {"site": "s2"}),
    ],
)
def test_a_worker_serves_whatever_its_declaration_leaves_open(
    worker: WorkerFact, serves: dict[str, str], not_serves: dict[str, str] | None
) -> None:
    assert worker.serves(on(**serves))
    assert worker.serves(on())
    if not_serves is not None:
        assert not worker.serves(on(**not_serves))
