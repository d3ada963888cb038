"""What PostgreSQL and the network do to a fleet: each as one sentence with the next step, and healed without repair."""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from backends import open_backend, open_runtime
from backends.local.postgres import PostgresStore
from backends.local.postgres_link import connect, is_pooled
from backends.local.steps import CURRENT
from backends.runtime import Runtime
from core.capabilities.holds import PlaceHold
from core.capabilities.names import AddName
from core.errors import BackendUnavailable, NotOurDatabase, OpsError, TimedOut
from core.ports import Arrival, Lease
from opsgate.selector import EVERYTHING
from tests.support.fleets import START, say
from tests.support.pooler import pooled
from tests.support.postgres import Server
from tests.support.proxy import Proxy
from tests.support.waiting import eventually

PAUSE = PlaceHold(selectors=(EVERYTHING,), reason="too warm")


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that these tests may stop and freeze."""
    server = Server.start()
    yield server
    server.remove()


@pytest.fixture
def own_url(own_server: Server) -> Iterator[str]:
    """A database on it."""
    with own_server.database() as url:
        yield url


def refusal_of(url: str, *, create: bool = True) -> OpsError:
    """How opening the fleet fails."""
    with pytest.raises((BackendUnavailable, NotOurDatabase)) as refused:
        open_backend(url, create=create, timeout_s=2)
    assert refused.value.hint, "every fault names the next step"
    return refused.value


def test_a_server_that_is_not_there_is_said_to_be_away() -> None:
    refused = refusal_of("postgresql://someone:secret@/fleet?host=/nowhere")

    assert (refused.code, type(refused)) == ("database-down", BackendUnavailable)
    assert "secret" not in str(refused)
    assert "opsconsole stop --local" in refused.hint


def test_a_database_that_does_not_exist_is_a_fault_of_configuration(postgres_server: Server) -> None:
    refused = refusal_of(postgres_server.url("nothing_here"))

    assert (refused.code, type(refused)) == ("no-database", NotOurDatabase)


def test_a_user_that_is_not_known_is_named_as_the_reason(postgres_server: Server) -> None:
    refused = refusal_of(postgres_server.url("postgres").replace("postgres@", "nobody_known@"))

    assert refused.code == "database-auth"


def test_the_url_that_is_shown_has_no_secret(postgres_url: str) -> None:
    secret = postgres_url.replace("postgres@", "postgres:hunter2@") + "&application_name=x"

    with closing(open_backend(secret)) as backend:
        assert "hunter2" not in backend.url
        assert backend.url.startswith("postgresql:///t_")


def test_an_empty_database_is_refused_where_nothing_may_be_made(postgres_url: str) -> None:
    assert refusal_of(postgres_url, create=False).code == "no-fleet"


def test_a_newer_schema_is_refused_and_left_alone(postgres_url: str) -> None:
    open_backend(postgres_url).close()
    _alter(postgres_url, "UPDATE alembic_version SET version_num = 'pre_0999'")
    _alter(postgres_url, "UPDATE schema_reader SET oldest = 'pre_0998'")

    refused = refusal_of(postgres_url)

    assert refused.code == "newer-schema"
    assert CURRENT in refused.message


def test_a_database_of_something_else_is_refused_and_left_alone(postgres_url: str) -> None:
    _alter(postgres_url, "CREATE TABLE notes (line text)")

    assert refusal_of(postgres_url).code == "not-a-fleet"


@pytest.mark.parametrize(
    "planted",
    [
        "CREATE TRIGGER planted BEFORE INSERT ON gate_hold FOR EACH ROW EXECUTE FUNCTION planted()",
        "CREATE RULE planted AS ON INSERT TO gate_hold DO INSTEAD NOTHING",
    ],
)
def test_a_trigger_or_a_rule_that_somebody_planted_is_refused_by_name(postgres_url: str, planted: str) -> None:
    open_backend(postgres_url).close()
    _alter(postgres_url, "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    _alter(postgres_url, planted)

    refused = refusal_of(postgres_url)

    assert refused.code == "planted-object"
    assert "planted" in refused.message


def test_a_user_who_may_only_read_is_told_what_to_grant(postgres_server: Server, postgres_url: str) -> None:
    open_backend(postgres_url).close()
    _alter(postgres_url, "DROP ROLE IF EXISTS looker; CREATE ROLE looker LOGIN; GRANT pg_read_all_data TO looker")

    with closing(open_backend(postgres_url.replace("postgres@", "looker@"), create=False)) as backend:
        assert backend.state().revision == 17
        with pytest.raises(BackendUnavailable) as refused:
            backend.submit(say(PAUSE))

    assert refused.value.code == "database-forbidden"
    assert "grant" in refused.value.hint


def test_a_database_that_was_set_read_only_is_said_to_be(postgres_url: str) -> None:
    open_backend(postgres_url).close()
    name = postgres_url.rpartition("?")[0].rpartition("/")[2]
    _alter(postgres_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    with closing(open_backend(postgres_url)) as backend, pytest.raises(BackendUnavailable) as refused:
        backend.submit(say(PAUSE))

    assert refused.value.code == "database-read-only"


def test_two_who_begin_a_fleet_at_once_begin_one(postgres_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        backends = list(pool.map(open_backend, [postgres_url] * 4))

    assert len({backend.state().fleet for backend in backends}) == 1
    assert {backend.state().revision for backend in backends} == {17}
    for backend in backends:
        backend.close()


def test_news_come_also_when_the_listening_connection_is_cut(postgres_url: str) -> None:
    """Notifications are a hint; the head is the truth."""
    with closing(open_backend(postgres_url)) as ours, closing(open_backend(postgres_url)) as others:
        arrivals = list[Arrival]()
        ours.follow(arrivals.append)
        others.submit(say(PAUSE))
        eventually(lambda: bool(arrivals))

        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        eventually(lambda: _alter(postgres_url, cut) > 0)
        others.submit(say(AddName(dimension="site", name="s1")))

        eventually(lambda: arrivals[-1].state.revision == 19)


def test_a_fleet_survives_a_restart_of_its_server(own_server: Server, own_url: str) -> None:
    with closing(open_backend(own_url, timeout_s=2)) as backend:
        arrivals = list[Arrival]()
        backend.follow(arrivals.append)
        backend.submit(say(PAUSE))
        eventually(lambda: bool(arrivals))

        own_server.stop()
        with pytest.raises(BackendUnavailable) as refused:
            backend.submit(say(PAUSE), timeout_s=1)
        assert refused.value.code == "database-down"
        eventually(lambda: backend.contact().word == "interrupted")
        own_server.resume()

        assert backend.submit(say(AddName(dimension="site", name="s1"))).revision == 19
        eventually(lambda: arrivals[-1].state.revision == 19)
        eventually(lambda: backend.contact().word == "valid")


def test_connections_that_hang_are_replaced_and_the_command_is_carried_out(own_url: str) -> None:
    with closing(open_backend(own_url, timeout_s=2)) as backend, _frozen(_connections(own_url)):
        assert backend.submit(say(PAUSE), timeout_s=0.5).revision == 18


def test_a_server_that_hangs_altogether_is_given_up_and_there_again_afterwards(
    own_server: Server, own_url: str
) -> None:
    with closing(open_backend(own_url, timeout_s=2)) as backend:
        with _frozen([own_server.pid(), *_connections(own_url)]), pytest.raises(BackendUnavailable):
            backend.submit(say(PAUSE), timeout_s=0.5)

        assert backend.submit(say(PAUSE)).revision == 18


def test_a_server_that_hangs_in_the_middle_of_a_transaction_is_given_up_and_nothing_is_recorded(own_url: str) -> None:
    with closing(open_runtime(own_url, timeout_s=2)) as runtime:

        def commits_into_silence() -> None:
            with runtime.store.write(timeout_s=0.5) as transaction, _frozen(_connections(own_url)):
                transaction.put_lease(Lease("keeper", "host-1", 1, START))

        with pytest.raises(TimedOut) as refused:
            commits_into_silence()

        assert refused.value.code == "database-slow"
        eventually(lambda: runtime.take_lease("keeper", "host-2", 10) is not None)


def test_a_writer_that_stands_still_in_its_transaction_keeps_nobody_from_writing_for_long(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen, or on a host that is gone: its connection stays open, and with it the lock on the head."""
    monkeypatch.setattr("backends.local.postgres.STILL_S", 0.5)
    with closing(open_runtime(postgres_url)) as frozen, closing(open_backend(postgres_url)) as backend:

        def wakes_up_too_late() -> None:
            with frozen.store.write(timeout_s=60) as transaction:
                assert backend.submit(say(PAUSE), timeout_s=30).revision == 18
                transaction.put_lease(Lease("keeper", "host-1", 1, START))

        with pytest.raises(TimedOut) as refused:
            wakes_up_too_late()

        assert refused.value.code == "database-slow"
        assert frozen.take_lease("keeper", "host-2", 10) is not None


def test_connections_that_were_lost_without_a_word_do_not_use_up_the_time_of_whoever_asks_next(
    postgres_url: str, line: Proxy
) -> None:
    with closing(open_runtime(_through(line, postgres_url))) as runtime:
        _fill_the_pool(runtime)
        line.swallow()
        line.heal()

        assert runtime.state(timeout_s=5).revision == 17
        assert runtime.submit(say(PAUSE), timeout_s=5).revision == 18


def test_a_writer_that_is_cut_off_in_its_transaction_keeps_nobody_elsewhere_from_writing_for_long(
    postgres_url: str, line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.local.postgres.STILL_S", 0.5)
    with closing(open_runtime(_through(line, postgres_url))) as lost, closing(open_backend(postgres_url)) as elsewhere:

        def is_cut_off() -> None:
            with lost.store.write(timeout_s=1):
                line.swallow()
                assert elsewhere.submit(say(PAUSE), timeout_s=30).revision == 18

        with pytest.raises(TimedOut):
            is_cut_off()
        line.heal()

        assert lost.state(timeout_s=5).revision == 18


def test_a_silent_connection_is_looked_after_by_the_kernel_unless_the_url_says_otherwise(
    postgres_url: str, line: Proxy
) -> None:
    url = _through(line, postgres_url)
    with closing(connect(url)) as usual, closing(connect(f"{url}?keepalives_idle=77")) as own:
        assert _option(usual, socket.TCP_KEEPIDLE) < 10
        assert _option(usual, socket.TCP_USER_TIMEOUT) <= 10_000
        assert _option(own, socket.TCP_KEEPIDLE) == 77


@pytest.fixture
def line(postgres_server: Server) -> Iterator[Proxy]:
    """A way to the database that can be cut."""
    with Proxy.before(str(postgres_server.folder / ".s.PGSQL.5432")) as one:
        yield one


def _through(line: Proxy, url: str) -> str:
    return f"postgresql://postgres@127.0.0.1:{line.port}{urlsplit(url).path}"


def _fill_the_pool(runtime: Runtime) -> None:
    """Have as many connections as are kept, all of them idle."""
    assert isinstance(runtime.store, PostgresStore)
    with ExitStack() as used:
        for _ in range(4):
            used.enter_context(runtime.store._reading())


def _option(connection: psycopg.Connection[Any], name: int) -> int:
    channel = socket.socket(fileno=os.dup(connection.fileno()))
    with channel:
        return channel.getsockopt(socket.IPPROTO_TCP, name)


def _connections(url: str) -> list[int]:
    """The server's processes behind our connections."""
    with psycopg.connect(url) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'opsconsole'"
        return [pid for (pid,) in connection.execute(query)]


@contextmanager
def _frozen(processes: list[int]) -> Iterator[None]:
    """Processes of the server that stand still."""
    assert processes
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


def _alter(url: str, statement: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).rowcount


class TestPooler:
    """A pooler that hands on single transactions passes no notification on, and the session that carries one out knows
    nothing of the one before: no prepared statement, no setting, no lock."""

    def test_behind_one_others_changes_arrive_all_the_same_and_it_is_said_why_late(
        self, postgres_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with (
            pooled(postgres_url) as behind,
            closing(open_backend(behind)) as ours,
            closing(open_backend(postgres_url)) as others,
        ):
            arrivals = list[Arrival]()
            ours.follow(arrivals.append)
            for number in range(8):  # often enough for a driver to prepare what it says
                ours.submit(say(AddName(dimension="site", name=f"s{number}")))

            others.submit(say(PAUSE))

            eventually(lambda: bool(arrivals) and len(arrivals[-1].state.holds) == 1)
        assert "pooler stands before the database" in caplog.text

    def test_at_the_database_itself_there_is_none(self, postgres_url: str) -> None:
        with pooled(postgres_url) as behind, psycopg.connect(behind) as pooled_one:
            assert is_pooled(pooled_one)
        with psycopg.connect(postgres_url) as direct:
            assert not is_pooled(direct)
