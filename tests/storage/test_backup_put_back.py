"""An old backup that is put back never releases a stop: this host remembers how far the fleet had come."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backends import open_backend, open_runtime
from backends.floor import Floor, Mark
from backends.runtime import Runtime
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import AddName
from core.errors import BackendUnavailable
from core.ports import Arrival, Backend
from opsgate.hold import Hold
from opsgate.paths import state_home
from opsgate.selector import EVERYTHING
from tests.support.fleets import say
from tests.support.waiting import eventually

PAUSE = PlaceHold(selectors=(EVERYTHING,), reason="too warm")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A fleet with a backup beside it, and a stop that was placed after the backup was taken."""
    path = tmp_path / "fleet.db"
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        backend.submit(say(AddName(dimension="site", name="s1")))
    shutil.copy(path, tmp_path / "backup.db")
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        backend.submit(say(PAUSE))
    return path


def put_back(path: Path) -> None:
    """As somebody does who restores a backup in a hurry."""
    shutil.copy(path.with_name("backup.db"), path.with_name("restored.db"))
    path.with_name("restored.db").replace(path)
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)


def fail_once_while_reading_anew(backend: Backend, monkeypatch: pytest.MonkeyPatch, reading: str) -> list[str]:
    """Refuse one reading of the store after the next look at its checkpoints; returns what was refused."""
    assert isinstance(backend, Runtime)
    began, refused = list[str](), list[str]()

    def watched(name: str) -> Callable[..., Any]:
        really: Callable[..., Any] = getattr(backend.store, name)

        def read(*args: Any, **named: Any) -> Any:
            if name == "load_checkpoint":
                began.append(name)
            if name == reading and began and not refused:
                refused.append(name)
                raise BackendUnavailable("database-locked", "the file is half copied", "")
            return really(*args, **named)

        return read

    for name in ("load_checkpoint", "anchor", "rows"):
        monkeypatch.setattr(backend.store, name, watched(name))
    return refused


def only_hold(backend: Backend) -> Hold:
    """The one hold in force."""
    (hold,) = backend.state().holds.values()
    return hold


def release(backend: Backend) -> None:
    """A person has looked and lets everything run."""
    backend.submit(say(ReleaseHolds(selectors=(EVERYTHING,), reason="nothing is missing", force=True)))


def test_a_database_that_was_put_back_holds_everything_as_soon_as_it_is_opened(path: Path) -> None:
    put_back(path)

    with closing(open_backend(f"sqlite:///{path}")) as backend:
        hold = only_hold(backend)

    assert (hold.selector, hold.source, hold.owner) == (EVERYTHING, "safety", "restored-backup")
    assert "revision 18" in hold.reason
    assert "revision 19" in hold.reason
    with closing(sqlite3.connect(path)) as gate:
        assert gate.execute("SELECT count(*) FROM gate_hold").fetchone() == (1,), "gates read it too"


def crash_with_a_log(path: Path, names: int) -> None:
    """The last process is killed, so that what it wrote lies in the log beside the database."""
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        for number in range(names):
            backend.submit(say(AddName(dimension="site", name=f"s-{number}", title="x" * 200)))
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        backend.submit(say(ReleaseHolds(selectors=(EVERYTHING,), reason="it has cooled down")))
        backend.submit(say(PAUSE))
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{path}{suffix}.killed")
    for suffix in ("", "-wal"):
        Path(f"{path}{suffix}.killed").replace(f"{path}{suffix}")


@pytest.mark.parametrize("names", [0, 1, 10, 100, 200])
def test_a_backup_under_the_log_of_another_file_is_refused_with_what_to_do_and_then_held(
    path: Path, names: int
) -> None:
    """Nobody may write to a mixture of the two, and nothing is released by it. Which pages meet depends on the size."""
    crash_with_a_log(path, names)
    shutil.copy(path.with_name("backup.db"), path)

    with pytest.raises(BackendUnavailable) as refused:
        open_backend(f"sqlite:///{path}")
    assert refused.value.code in {"database-corrupt", "journal-damaged"}
    assert "-wal" in str(refused.value)
    assert "-shm" in str(refused.value)

    put_back(path)
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        assert only_hold(backend).owner == "restored-backup"


def test_a_log_that_fits_the_backup_brings_back_what_was_recorded_last(path: Path) -> None:
    """The file has not changed since the backup was taken: all that came later is in the log."""
    crash_with_a_log(path, 10)
    shutil.copy(path, path.with_name("copy.db"))
    path.with_name("copy.db").replace(path)

    with closing(open_backend(f"sqlite:///{path}")) as backend:
        assert only_hold(backend).source == "operator"
        assert backend.verify().fault is None


def test_an_ordinary_release_does_not_end_that_hold(path: Path) -> None:
    put_back(path)

    with closing(open_backend(f"sqlite:///{path}")) as backend:
        backend.submit(say(ReleaseHolds(selectors=(EVERYTHING,), reason="go on")))
        assert only_hold(backend).source == "safety"


def test_once_a_person_has_released_it_the_fleet_goes_on_from_there(path: Path) -> None:
    put_back(path)
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        release(backend)

    with closing(open_backend(f"sqlite:///{path}")) as backend:
        assert len(backend.state().holds) == 0
        assert backend.verify().fault is None


def test_a_backup_that_went_on_past_the_loss_is_found_by_its_chain(path: Path, home: Path) -> None:
    """Revisions alone would not show it: on another host the backup has grown beyond what this one knew."""
    fleet = _fleet(path)
    known = Floor(fleet)
    mark = known.read()
    assert mark is not None
    put_back(path)
    (state_home() / "opsconsole" / "floor" / fleet).unlink()
    with closing(open_backend(f"sqlite:///{path}")) as elsewhere:
        for number in range(5):
            elsewhere.submit(say(AddName(dimension="site", name=f"more-{number}")))
    known.settle(mark)

    with closing(open_backend(f"sqlite:///{path}")) as backend:
        assert only_hold(backend).owner == "restored-backup"


def test_a_running_process_notices_the_backup_and_holds_everything(path: Path) -> None:
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        assert only_hold(backend).source == "operator"
        put_back(path)

        assert only_hold(backend).source == "safety"
        assert backend.verify().fault is None


@pytest.mark.parametrize("reading", ["load_checkpoint", "anchor", "rows"])
def test_a_loss_is_not_forgotten_where_the_journal_cannot_be_read_anew_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, reading: str
) -> None:
    """The file may be locked, or only half copied, at the very moment in which it is noticed."""
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        refused = fail_once_while_reading_anew(backend, monkeypatch, reading)
        put_back(path)
        with pytest.raises(BackendUnavailable, match="half copied"):
            backend.state()

        assert only_hold(backend).source == "safety"
        assert refused == [reading]


def test_until_the_journal_was_read_anew_the_stop_of_before_stays_in_force(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        fail_once_while_reading_anew(backend, monkeypatch, "rows")
        put_back(path)
        with pytest.raises(BackendUnavailable, match="half copied"):
            backend.state()

        assert [hold.source for hold in backend.latest().holds.values()] == ["operator"]


def test_what_only_this_host_remembers_is_compared_whenever_the_journal_is_read_anew(path: Path) -> None:
    """This process had seen less than the host: a stop behind the last thing that it looked at."""
    floor = Floor(_fleet(path))
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        floor.settle(Mark(40, "f" * 64))
        put_back(path)

        assert "revision 40" in only_hold(backend).reason


def test_whoever_follows_is_told_that_the_state_was_read_anew(path: Path) -> None:
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        arrivals = list[Arrival]()
        backend.follow(arrivals.append)

        put_back(path)

        eventually(lambda: arrivals and arrivals[-1].state.revision == 19)
        assert [hold.source for hold in arrivals[-1].state.holds.values()] == ["safety"]


def test_the_first_command_after_a_live_restore_comes_behind_the_hold_in_one_commit(path: Path) -> None:
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        put_back(path)

        receipt = backend.submit(say(AddName(dimension="site", name="s2")))

        assert [row.kind for row in backend.journal(after=18)] == ["hold.placed", "name.added"]
        assert receipt.revision == 20


def test_a_restored_database_that_cannot_be_written_is_not_shown_as_running(path: Path) -> None:
    put_back(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(BackendUnavailable, match="locked"):
            open_backend(f"sqlite:///{path}", timeout_s=0.1)


def test_the_floor_rises_with_what_may_run_and_with_nothing_else(path: Path) -> None:
    floor = Floor(_fleet(path))
    assert floor.read() is not None
    before = floor.read()
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        backend.submit(say(AddName(dimension="site", name="s2")))
        assert floor.read() == before

        release(backend)

        assert floor.read() == Mark(21, backend.journal(after=20)[0].chain)


def test_the_floor_rises_again_after_a_loss_though_revisions_are_lower_than_before(path: Path) -> None:
    """A process that lives through a restore remembers the next stop as it did the first."""
    floor = Floor(_fleet(path))
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        for _ in range(5):
            backend.submit(say(ReleaseHolds(selectors=(EVERYTHING,), reason="it has cooled down")))
            backend.submit(say(PAUSE))
        before = backend.state().revision
        put_back(path)
        release(backend)

        stop = backend.submit(say(PAUSE))

        assert stop.revision < before
        assert floor.read() == Mark(stop.revision, backend.journal(after=stop.revision - 1)[0].chain)


def test_a_second_restore_releases_no_stop_either(path: Path) -> None:
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        for _ in range(5):
            backend.submit(say(ReleaseHolds(selectors=(EVERYTHING,), reason="it has cooled down")))
            backend.submit(say(PAUSE))
        put_back(path)
        release(backend)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(path.with_name("later.db"))) as copy:
            source.backup(copy)
        backend.submit(say(PAUSE))
    path.with_name("later.db").replace(path)

    with closing(open_backend(f"sqlite:///{path}")) as backend:
        assert only_hold(backend).owner == "restored-backup"


@pytest.mark.parametrize("content", ["", "{", '{"revision": "x", "chain": 1}', "[]", "null"])
def test_a_floor_that_cannot_be_read_is_none(path: Path, content: str) -> None:
    file = state_home() / "opsconsole" / "floor" / _fleet(path)
    assert json.loads(file.read_text())["revision"] == 19
    file.write_text(content)

    with closing(open_backend(f"sqlite:///{path}")) as backend:
        assert only_hold(backend).source == "operator"


def test_a_floor_that_cannot_be_written_stops_no_stop(path: Path) -> None:
    shutil.rmtree(state_home() / "opsconsole" / "floor")
    (state_home() / "opsconsole" / "floor").write_text("in the way")

    with closing(open_backend(f"sqlite:///{path}")) as backend:
        assert backend.submit(say(PAUSE)).durable == "database"


def _fleet(path: Path) -> str:
    with closing(open_backend(f"sqlite:///{path}")) as backend:
        return backend.state().fleet


def test_one_that_takes_over_from_another_finds_what_was_lost_all_the_same(path: Path) -> None:
    url = f"sqlite:///{path}"
    with closing(open_runtime(url)) as first, closing(open_runtime(url)) as second:
        put_back(path)
        first.state()
        second.take_over(first)

        assert only_hold(second).source == "safety"
        second.take_over(first)
        assert second.verify().fault is None
