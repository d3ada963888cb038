"""The gate over HTTP: it decides by what it hears, acknowledges, and goes on by what it knew when it is cut off."""

import logging
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest

from opsgate import Gate, http_intake, http_link, latch, stream, teller, wire
from opsgate.http_faults import Unreachable
from opsgate.http_line import Line
from opsgate.order import Order
from opsgate.paths import fleet_of_url, last_known_home
from opsgate.snapshot import Delta
from tests.gate.doubles import Double, self_signed
from tests.gate.world import AT, emergency, hold
from tests.support.waiting import eventually

ORDER = Order("S-1", AT, reason="fire")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long between two tries."""
    monkeypatch.setattr(stream, "RETRIES_S", (0.05, 0.1))
    monkeypatch.setattr(teller, "RETRIES_S", (0.05, 0.1))
    monkeypatch.setattr(stream, "ONCE_MORE_S", 0.05)


@pytest.fixture
def server(home: object) -> Iterator[Double]:
    """A server with a fleet of two sites and nothing held."""
    double = Double()
    yield double
    double.close()


@pytest.fixture
def gate(server: Double) -> Iterator[Gate]:
    """A gate that hears it."""
    with Gate.open(server.url, worker="w1") as gate:
        eventually(lambda: gate.freshness == "valid" and server.listeners)
        yield gate


def order(server: Double, order: Order = ORDER) -> None:
    server.say("order", stop_id=order.stop_id, order=order.as_dict())


# ------------------------------------------------------------------------------------------------------- it is heard
def test_it_reads_the_fleet_and_decides_by_it(server: Double) -> None:
    server.commit(placed=(hold(site="s1"),))

    with Gate.open(server.url) as gate:
        assert gate.check(site="s1").outcome == "blocked"
        assert gate.check(site="s2").decided_by == "live"
        assert (gate.fleet, gate.revision) == ("f-one", 2)


def test_a_change_is_heard_and_nobody_asks_for_it(server: Double, gate: Gate) -> None:
    server.commit(placed=(hold(7, site="s1"),))

    eventually(lambda: not gate.check(site="s1"))
    server.commit(released=("H-7",))
    eventually(lambda: gate.check(site="s1"))
    assert [question for question in server.asked if question.startswith("GET")] == ["GET /v1/gate/events"]


def test_a_stop_is_in_force_and_acknowledged_at_once(server: Double, gate: Gate) -> None:
    first = server.told("PUT")
    assert first["path"] == "/v1/workers/w1"
    with gate.work(site="s1"):
        order(server)

        said = server.told("PUT", stops=["S-1"])
        assert (said["draining"], said["pid"]) == ({"S-1": 1}, os.getpid())
        assert gate.check(site="s1").blockers[0].source == "emergency"
    server.told("PUT", stops=["S-1"], draining={})


def test_an_order_that_no_table_has_yet_is_obeyed_by_who_comes_later(server: Double) -> None:
    server.orders.append(ORDER.as_dict())

    with Gate.open(server.url) as gate:
        assert not gate.check(site="s1")
        server.told("PUT", stops=["S-1"])


def test_a_stop_that_ended_while_it_was_cut_off_ends_by_the_answer_to_its_beat(server: Double, gate: Gate) -> None:
    server.told("PUT")
    order(server)
    server.messages.append({"t": "delta", "delta": Delta(1, 1, ended=("S-1",)).as_dict()})

    eventually(lambda: gate.check(site="s1") and not server.messages)
    server.told("PUT", stops=[])


def test_latches_of_this_host_are_obeyed_whatever_the_server_says(server: Double, gate: Gate) -> None:
    for name in ("f-one", fleet_of_url(server.url), "all"):
        latch.place(Order("S-9", AT), name)
        eventually(lambda: not gate.check(site="s1"))
        latch.remove("S-9", name)
        eventually(lambda: gate.check(site="s1"))


def test_it_says_goodbye(server: Double) -> None:
    with Gate.open(server.url, worker="w7", env="prod", scope={"site": ["s1"]}):
        beat = server.told("PUT")
    assert (beat["env"], beat["scope"], beat["stops"]) == ("prod", {"site": ["s1"]}, [])
    assert server.told("DELETE")["path"] == f"/v1/workers/w7?boot={beat['boot']}"


def test_a_process_whose_name_a_later_start_has_taken_lets_nothing_run(
    server: Double, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    boot = server.told("PUT")["boot"]
    with gate.work(site="s1") as work:
        server.code = "another-process"
        server.status["/v1/workers/w1"] = 409
        order(server)
        eventually(lambda: "knows w1 as another process" in caplog.text)
        server.messages.append({"t": "delta", "delta": Delta(1, 1, ended=("S-1",)).as_dict()})
        server.status.clear()
        eventually(lambda: gate.check(site="s1"))

        server.code = "replaced"
        server.status["/v1/workers/w1"] = 409
        server.commit(placed=(hold(7, site="s2"),))
        eventually(lambda: not gate.check(site="s1"))
        assert "a later start of this worker" in gate.check(site="s1").blockers[0].reason
        assert not work.checkpoint()
    server.status.clear()
    asked = len(server.asked)
    server.cut()
    eventually(lambda: "GET /v1/gate/events" in server.asked[asked:] and server.listeners == 1)
    order(server)
    gate.sample("m", 1.0)
    server.told("POST")
    gate.close()
    assert server.told("DELETE")["path"] == f"/v1/workers/w1?boot={boot}"
    told_again = [line for line in server.asked[asked:] if line.startswith("PUT")]
    assert not told_again, "a server that has forgotten who came later would take it for the latest"


def test_a_sample_that_is_refused_takes_no_other_with_it(
    server: Double, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """The gate tells what it counts itself beside what the worker measures; where a trigger of wider reach listens to
    one of them, a server refuses the whole batch, and the other one may be what stops."""
    server.told("PUT")
    server.forbidden = frozenset({"refusals"})
    told = list[tuple[str, float]]()

    for value in range(3):
        gate.sample("refusals", 1.0)
        for number in range(20):
            gate.sample(f"m{number}", float(value), account="a1")
    while len(told) < 60:
        told += [(sample["metric"], sample["value"]) for sample in server.told("POST")["samples"]]

    assert sorted(told) == sorted((f"m{number}", float(value)) for value in range(3) for number in range(20))
    eventually(lambda: "samples of refusals" in caplog.text)
    assert caplog.text.count("samples of refusals") == 1, "said once"


def test_of_samples_that_come_while_no_server_takes_any_the_oldest_are_lost() -> None:
    class NoLine:
        def ask(self, *_: object, **__: object) -> NoReturn:
            one.sample({"metric": "m", "value": 1000.0})
            raise Unreachable("nobody there")

    world: Any = None
    one, line = teller.Teller("w1", world, world, lambda **_: None), cast(Line, NoLine())
    for number in range(1000):
        one.sample({"metric": "m", "value": float(number)})

    with pytest.raises(Unreachable):
        one._tell_samples(line)

    assert [said["value"] for _, said in one._samples] == [float(number) for number in range(1, 1001)]


def test_samples_that_are_refused_altogether_are_not_asked_about_without_end(server: Double, gate: Gate) -> None:
    server.told("PUT")
    server.forbidden = frozenset({"m"})
    server.status["/v1/samples"] = 503
    for number in range(999):
        gate.sample("m", 1.0, account=f"a{number}")
    server.status.clear()
    asked = len(server.asked)

    eventually(lambda: "POST /v1/samples" in server.asked[asked:])
    gate.sample("other", 1.0)
    while "other" not in {sample["metric"] for sample in server.told("POST")["samples"]}:
        pass

    assert server.asked[asked:].count("POST /v1/samples") <= 80


def test_it_leaves_no_thread_and_no_descriptor_behind(server: Double) -> None:
    def mine() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("opsgate")]

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def come_and_go() -> None:
        with Gate.open(server.url) as gate:
            assert gate.check(site="s1")
            server.told("PUT")

    come_and_go()
    eventually(lambda: not mine() and not server._connections)
    before = descriptors()
    for _ in range(3):
        come_and_go()
    eventually(lambda: not mine() and not server._connections)
    assert descriptors() <= before


# ------------------------------------------------------------------------------------------------------- it is cut off
def test_without_its_server_it_goes_on_from_what_it_knew_and_resumes(
    server: Double, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    server.commit(placed=(hold(site="s1"),))
    eventually(lambda: gate.revision == 2)
    server.close()

    eventually(lambda: gate.freshness == "interrupted")
    assert (gate.check(site="s1").allowed, gate.check(site="s2").allowed) == (False, True)
    assert f"{server.url} cannot be reached: Connection refused; going on with the last known state" in caplog.text
    again = Double(port=server.port)
    again.snapshot = replace(server.snapshot, holds=(), revision=3)
    eventually(lambda: gate.freshness == "valid" and gate.check(site="s1"))
    again.told("PUT", revision=3)
    again.close()


def test_a_restart_while_the_server_is_away_goes_on_from_the_disk(server: Double) -> None:
    stopped, notice = emergency("S-1", site="s1")
    server.commit(placed=(stopped,), ordered=(notice,))
    with Gate.open(server.url) as gate:
        eventually(lambda: gate.freshness == "valid")
    assert (last_known_home() / "f-one.json").exists()
    server.close()

    with Gate.open(server.url, policy={"payout": "hazardous"}) as again:
        assert (again.check(site="s1").outcome, again.check(site="s1").decided_by) == ("blocked", "disk")
        assert again.fleet == "f-one"


def test_what_it_missed_it_learns_when_it_is_back(server: Double, gate: Gate) -> None:
    server.snapshot = replace(server.snapshot, revision=2, holds=(hold(site="s1"),))
    server.cut()

    eventually(lambda: not gate.check(site="s1"))


def test_a_gap_in_what_it_heard_makes_it_ask(server: Double, gate: Gate) -> None:
    server.snapshot = replace(server.snapshot, revision=2, holds=(hold(site="s1"),))
    late = hold(site="s2")
    server.commit(placed=(late,))

    eventually(lambda: gate.revision == 3)
    assert not gate.check(site="s1")
    assert "GET /v1/gate" in server.asked


def test_a_message_that_was_lost_is_found_by_the_second_heartbeat(server: Double, gate: Gate) -> None:
    server.snapshot = replace(server.snapshot, revision=2, holds=(hold(site="s1"),))

    server.beat()
    server.beat()

    eventually(lambda: not gate.check(site="s1"))


def test_a_stream_that_says_nothing_for_two_and_a_half_heartbeats_is_given_up(
    server: Double, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stream.SILENCE_S == 2.5 * wire.HEARTBEAT_S == 12.5
    monkeypatch.setattr(stream, "SILENCE_S", 0.3)
    server.beat()

    eventually(lambda: server.asked.count("GET /v1/gate/events") >= 2)
    eventually(lambda: gate.freshness == "valid" and server.listeners)


@pytest.mark.parametrize("how", ["held back", "held back whole", "not there", "another kind"])
def test_where_no_stream_can_be_heard_it_asks_and_hears_of_stops_by_its_beats(
    server: Double, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    monkeypatch.setattr("opsgate.reader.POLL_S", 0.1)
    monkeypatch.setattr(stream, "SILENCE_S", 0.3)
    monkeypatch.setattr(http_link, "_FIRST_EVENT_S", 0.05)
    match how:
        case "held back":
            server.streams = False
        case "held back whole":
            server.streams = server.heads = False
            monkeypatch.setattr(stream, "_HEAD_WITHIN_S", 0.3)
        case "not there":
            server.status["/v1/gate/events"] = 404
        case _:
            server.answers["/v1/gate/events"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"
    with Gate.open(server.url, worker="w1") as gate:
        assert gate.check(site="s1").decided_by == "live"
        eventually(lambda: "it is asked every few seconds instead" in caplog.text)
        server.commit(placed=(hold(site="s1"),))
        eventually(lambda: not gate.check(site="s1"))
        assert gate.freshness == "valid"
        assert any(question.startswith("GET /v1/gate?wait=") for question in server.asked)
        server.messages.append({"t": "order", "stop_id": "S-1", "order": ORDER.as_dict()})
        server.told("PUT", stops=["S-1"])


def test_a_server_that_was_only_busy_is_heard_by_the_next_try(
    server: Double, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stream, "_HEAD_WITHIN_S", 0.3)
    server.streams = server.heads = False
    with Gate.open(server.url, worker="w1") as gate:
        eventually(lambda: server.asked.count("GET /v1/gate/events") == 1)
        server.streams = server.heads = True
        eventually(lambda: server.asked.count("GET /v1/gate/events") == 2)
        server.commit(placed=(hold(site="s1"),))
        eventually(lambda: not gate.check(site="s1"))
        assert "is asked every few seconds instead" not in caplog.text


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\x00garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: snapshot\ndata: {\n\n",
        b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: snapshot\ndata: {"format": 1}\n\n',
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 4\r\n\r\nid: ",
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_garbage_from_a_server_harms_nothing(server: Double, gate: Gate, garbage: bytes) -> None:
    for path in ("/v1/gate/events", "/v1/gate", "/v1/workers/w1"):
        server.answers[path] = garbage
    server.cut()
    asked = len(server.asked)
    eventually(lambda: len(server.asked) > asked + 3)
    assert gate.check(site="s1").allowed

    server.answers.clear()
    server.commit(placed=(hold(site="s1"),))

    eventually(lambda: not gate.check(site="s1"))
    eventually(lambda: gate.freshness == "valid")


def test_an_acknowledgement_is_said_again_until_a_server_takes_it(server: Double, gate: Gate) -> None:
    server.told("PUT")
    server.status["/v1/workers/w1"] = 503
    order(server)
    asked = len(server.asked)
    eventually(lambda: len(server.asked) > asked + 2)

    server.status.clear()

    server.told("PUT", stops=["S-1"])


# --------------------------------------------------------------------------------------------- several, and wrong ones
def test_of_several_servers_the_next_one_is_heard_when_one_is_gone(server: Double) -> None:
    other = Double()
    with Gate.open([server.url, other.url], worker="w1") as gate:
        eventually(lambda: gate.freshness == "valid")
        server.close()
        other.snapshot = replace(other.snapshot, revision=2, holds=(hold(site="s1"),))

        eventually(lambda: not gate.check(site="s1"))
        other.told("PUT", revision=2)
    other.close()


def test_a_server_that_lags_behind_another_takes_nothing_back(
    server: Double, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = Double()
    server.snapshot = replace(server.snapshot, revision=5, holds=(hold(site="s1"),))
    with Gate.open(f"{server.url},{other.url}", worker="w1") as gate:
        eventually(lambda: gate.revision == 5)
        server.close()
        eventually(lambda: other.listeners)
        order(other)
        eventually(lambda: not gate.check(site="s2"))
        assert gate.revision == 5
        assert "went back" not in caplog.text

        other.snapshot = replace(other.snapshot, revision=5, holds=server.snapshot.holds)
        other.commit(released=(server.snapshot.holds[0].hold_id,))
        eventually(lambda: gate.revision == 6)
    other.close()


def test_an_answer_that_the_stream_has_overtaken_lags_behind_nothing(
    server: Double, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    def overtaken() -> None:
        server.on_its_way = lambda: None
        server.commit(placed=(hold(site="s1"),))
        eventually(lambda: gate.revision == 2)

    server.on_its_way = overtaken
    server.say("moved", revision=99)
    eventually(lambda: gate.revision == 2)
    asked = server.asked.count("GET /v1/gate")
    server.say("moved", revision=99)
    eventually(lambda: server.asked.count("GET /v1/gate") > asked)

    assert gate.freshness == "valid"
    assert not gate.check(site="s1")
    assert caplog.text == "", "it knows what it was told, and has nothing to complain of"


def test_a_server_that_stays_behind_had_its_database_put_back(
    server: Double, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stopped, notice = emergency("S-1")
    server.commit(placed=(stopped,), ordered=(notice,))
    monkeypatch.setattr(http_intake, "_BEHIND_S", 0.0)
    with Gate.open(server.url, worker="w1") as gate:
        eventually(lambda: gate.revision == 2)
        server.snapshot = replace(server.snapshot, revision=1, holds=(), stops=())
        server.cut()

        eventually(lambda: "went back from revision 2 to 1" in caplog.text)
        assert gate.check(site="s1").outcome == "blocked", "what was lost stays in force until a person has looked"


def test_a_server_that_lags_behind_while_its_database_is_away_is_never_believed(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has put nothing back: it knows less because it hears nothing itself, and a pause must not end by that."""
    monkeypatch.setattr(http_intake, "_BEHIND_S", 0.0)
    server.commit(placed=(hold(site="s1"),))
    with Gate.open(server.url, worker="w1") as gate:
        eventually(lambda: gate.revision == 2)
        server.snapshot, server.age_s = replace(server.snapshot, revision=1, holds=()), 60.0
        server.cut()

        def is_told() -> bool:
            """What follows the state on the next stream was heard, so the state is judged."""
            order(server)
            return gate.check(site="s2").outcome == "blocked"

        eventually(is_told)
        assert gate.revision == 2
        assert {blocker.source for blocker in gate.check(site="s1").blockers} == {"operator", "emergency"}

        server.age_s = 0.0
        server.cut()
        eventually(lambda: gate.revision == 1)


def test_a_server_of_another_fleet_is_not_believed_by_a_running_worker(
    server: Double, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    server.commit(placed=(hold(site="s1"),))
    eventually(lambda: gate.revision == 2)
    server.close()
    other = Double("f-two", port=server.port)

    eventually(lambda: "belongs to fleet f-two and not to f-one: restart the worker if that is meant" in caplog.text)
    assert not gate.check(site="s1")
    assert gate.fleet == "f-one"
    other.close()


def test_another_fleet_that_has_come_to_the_same_revision_is_known_by_its_heartbeat(
    server: Double, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    server.snapshot = replace(server.snapshot, fleet="f-two")
    server.cut()
    eventually(lambda: server.listeners)

    server.say("heartbeat", revision=1, fleet="f-two")

    eventually(lambda: "belongs to fleet f-two and not to f-one" in caplog.text)
    assert gate.fleet == "f-one"


def test_a_server_whose_database_is_away_keeps_nothing_fresh(server: Double) -> None:
    """So what must not run on an old state does not, though the server is heard every second."""
    server.age_s = 60.0
    with Gate.open(server.url, policy={"payout": "hazardous"}) as gate:
        eventually(lambda: gate.revision == 1)
        age_s = gate.check(site="s1").age_s
        assert age_s is not None
        assert age_s >= 60
        assert not gate.check(operation="payout")
        assert gate.freshness == "interrupted"

        server.age_s = 0.0
        server.beat()

        eventually(lambda: gate.check(operation="payout"))


def test_a_server_of_a_later_version_is_a_clear_sentence(server: Double, caplog: pytest.LogCaptureFixture) -> None:
    server.format = 9
    with Gate.open(server.url) as gate:
        eventually(lambda: "speaks format 9, and this opsgate reads 1, one back and one forth" in caplog.text)
        assert gate.freshness == "interrupted"


def test_a_hold_of_a_later_version_hides_no_other(server: Double, caplog: pytest.LogCaptureFixture) -> None:
    document = server.document()
    document["snapshot"]["holds"] = [
        {**hold(site="s1").as_dict(), "selector": {"galaxy": "g1"}},
        hold(site="s2").as_dict(),
    ]
    server.document = lambda: document  # type: ignore[method-assign]  # another one from now on

    with Gate.open(server.url) as gate:
        assert not gate.check(site="s2")
        assert gate.check(site="s1")


# --------------------------------------------------------------------------------------------------------- the token
def test_the_token_is_shown_to_the_server_and_to_nobody_else(
    server: Double, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.token = "ops_s3cret"
    monkeypatch.setenv("OPSGATE_TOKEN", "ops_s3cret")
    with Gate.open(server.url, worker="w1") as gate:
        assert gate.check(site="s1").decided_by == "live"
        server.told("PUT")
        server.token = "ops_another"
        server.cut()
        eventually(lambda: gate.freshness == "interrupted")
        assert "s3cret" not in repr(gate._member)
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("token", "status", "sentence"),
    [
        (None, 401, "wants a token: make one with 'opsconsole token create --role worker --worker w1'"),
        ("ops_old", 401, "does not take the token, which is unknown, expired or revoked"),
        ("ops_weak", 403, "does not let this token speak for w1 (that is not for you\\x1b[2J)"),
    ],
)
def test_no_permission_is_said_once_with_the_next_step(
    server: Double, caplog: pytest.LogCaptureFixture, token: str | None, status: int, sentence: str
) -> None:
    server.status = {"/v1/gate/events": status, "/v1/gate": status, "/v1/workers/w1": status}
    with Gate.open(server.url, worker="w1", token=token) as gate:
        eventually(lambda: server.asked.count("GET /v1/gate/events") >= 3)
        eventually(lambda: server.asked.count("PUT /v1/workers/w1") >= 3)
        assert gate.freshness == "interrupted"
    said = [record.getMessage() for record in caplog.records if sentence in record.getMessage()]
    assert len(said) == 2, "by the stream and by the heartbeat"


@pytest.mark.parametrize(
    ("url", "token", "sentence"),
    [
        ("http://", None, "names no server"),
        ("http://host:99999", None, "names no server"),
        ("https://ana:s3cret@host", None, "give a token by token= or OPSGATE_TOKEN"),
        ("https://host/?token=s3cret", None, "give a token by token= or OPSGATE_TOKEN"),
        ("https://host", "s3cret\r\nX: y", "characters that no token has"),
        ("https://host", "s3crét", "characters that no token has"),
        ("https://a,sqlite:///b.db", None, "only servers can be several"),
        (["sqlite:///a.db", "sqlite:///b.db"], None, "only servers can be several"),
    ],
)
def test_what_it_cannot_join_is_a_clear_sentence_without_the_token(
    url: str | list[str], token: str | None, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        Gate.open(url, token=token)
    assert "s3cr" not in str(refused.value)


# --------------------------------------------------------------------------------------------------------------- TLS
@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody signed but itself, with its key behind it."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(self_signed("127.0.0.1"))
    return path


@pytest.fixture
def secure(home: object, certificate: Path) -> Iterator[Double]:
    """A server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    double = Double(context=context)
    yield double
    double.close()


def test_a_server_with_a_certificate_of_a_known_authority_is_heard(
    secure: Double, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSGATE_CA_FILE", str(certificate))
    with Gate.open(secure.url, worker="w1") as gate:
        eventually(lambda: gate.freshness == "valid" and secure.listeners)
        order(secure)
        secure.told("PUT", stops=["S-1"])
        assert not gate.check(site="s1")
    assert secure.told("DELETE")["path"].startswith("/v1/workers/w1?boot=")


@pytest.mark.parametrize(
    ("authority", "url", "sentence"),
    [
        ("", "https://127.0.0.1:{port}", "shows a certificate that is not trusted (self-signed certificate): name the"),
        ("{certificate}", "https://localhost:{port}", "certificate is not valid for 'localhost'"),
        (
            "/no/such.pem",
            "https://127.0.0.1:{port}",
            "OPSGATE_CA_FILE=/no/such.pem is no file of certificates (No such",
        ),
        ("{certificate}", "http://127.0.0.1:{port}", "hung up"),
    ],
)
def test_wrong_tls_is_a_clear_sentence(
    secure: Double,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    authority: str,
    url: str,
    sentence: str,
) -> None:
    monkeypatch.setenv("OPSGATE_CA_FILE", authority.format(certificate=certificate))
    with Gate.open(url.format(port=secure.port)) as gate:
        eventually(lambda: gate.freshness == "interrupted")
        eventually(lambda: sentence in caplog.text)


def test_a_server_without_tls_is_named_for_what_it_is(server: Double, caplog: pytest.LogCaptureFixture) -> None:
    with Gate.open(server.url.replace("http:", "https:")) as gate:
        eventually(lambda: gate.freshness == "interrupted")
        eventually(lambda: "does not speak TLS as we do" in caplog.text and "is it an http:// server?" in caplog.text)


# -------------------------------------------------------------------------------------------------------------- forks
def test_a_forked_child_is_a_worker_of_its_own_and_leaves_its_parents_connections_alone(server: Double) -> None:
    script = """
import os, sys, warnings
warnings.simplefilter("ignore")
from opsgate import Gate
gate = Gate.open(sys.argv[1], worker="w1")
assert gate.check(site="s1").decided_by == "live"
sys.stdin.readline()
child = os.fork()
if child == 0:
    before = len(os.listdir("/proc/self/fd"))
    print(gate.worker == f"w1.{os.getpid()}", gate.check(site="s1").decided_by, flush=True)
    while gate.check(site="s1"):
        pass
    gate.close()
    os._exit(0)
os.waitpid(child, 0)
print(gate.worker, gate.freshness, gate.check(site="s1").outcome, flush=True)
gate.close()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script, server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    server.told("PUT")
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    eventually(lambda: server.listeners == 2)
    while (child := server.told("PUT")["path"]) == "/v1/workers/w1":
        pass  # its parent's next heartbeat
    server.commit(placed=(hold(site="s1"),))

    out, _ = process.communicate(timeout=60)

    assert child.startswith("/v1/workers/w1.")
    assert out.splitlines() == ["True live", "w1 valid blocked"]
    goodbyes = [server.told("DELETE")["path"].split("?boot=") for _ in range(2)]
    assert {path for path, _ in goodbyes} == {child, "/v1/workers/w1"}
    assert len({boot for _, boot in goodbyes}) == 2, "each process draws one"


@pytest.mark.parametrize(
    ("url", "warns"),
    [
        ("http://192.0.2.1:1", True),
        ("https://192.0.2.1:1", False),
        ("http://127.0.0.2:1", False),
        ("http://[::1]:1", False),
    ],
)
def test_a_token_that_others_can_read_on_its_way_is_warned_of(
    url: str, warns: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(
        "opsgate.http_servers.Servers.connect", lambda *_a, **_n: (_ for _ in ()).throw(Unreachable(""))
    )
    with Gate.open(url, token="ops_t"):
        pass
    assert ("for everybody on the way to read" in caplog.text) is warns


def test_opening_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, over = threading.Event(), threading.Event()

    def hang(*_arguments: object, **_named: object) -> list[object]:
        asked.set()
        over.wait(30)
        raise OSError("no such name")

    monkeypatch.setattr("opsgate.http_servers.socket.getaddrinfo", hang)
    gate = Gate.open("https://ops.example")
    assert asked.wait(30)
    over.set()
    gate.close()
