"""Reading latches: what once stopped a gate goes on stopping it, whatever keeps the file from being read just now."""

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsgate import latch
from opsgate.order import Order
from opsgate.selector import EVERYTHING
from tests.specs.engine import on

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SITE = Order("S-1", NOON, (on(site="s1"),), reason="because")


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Every further open fails, as in a worker that leaks sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.open("/", os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(probe)


@contextmanager
def nobodys_rights() -> Iterator[None]:
    """What root may read, others may not."""
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(os.getuid())


def test_a_worker_without_a_descriptor_left_stays_stopped_by_the_latch_it_found_before() -> None:
    latch.place(SITE, "f1")
    found = latch.look(["f1"], {}).orders
    assert list(found.values()) == [SITE]

    with no_descriptor_left():
        assert latch.look(["f1"], found).orders == found
        assert latch.look(["f1"], {}).orders == {}

    latch.remove("S-1", "f1")
    assert latch.look(["f1"], found).orders == {}


def test_a_latch_that_this_worker_may_not_read_stops_everything_for_it(home: Path) -> None:
    path = latch.place(SITE, "f1")
    for directory in (home, *path.parents):
        if directory.is_relative_to(home):
            directory.chmod(0o755)
    path.chmod(0o000)

    with nobodys_rights():
        found = latch.look(["f1"], {}).orders.values()
        assert [(order.stop_id, order.selectors) for order in found] == [("S-1", (EVERYTHING,))]
        assert latch.look(["f1"], {path: SITE}).orders == {path: SITE}
        assert latch.in_force(["f1"]) == ()  # whoever records stops waits until it can read what was ordered
        (unread,) = latch.unreadable(["f1"])  # and knows that it has to wait
        assert (unread.stop_id, unread.selectors) == ("S-1", (EVERYTHING,))
        assert str(path) in unread.reason

    path.chmod(0o640)
    assert latch.unreadable(["f1"]) == ()


def test_a_latch_that_can_be_read_under_one_name_of_the_fleet_is_not_unreadable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    latch.place(SITE, "f1")
    other = latch.place(SITE, "f1-url")
    other.write_bytes(b"")
    real = Path.open

    def denied(self: Path, mode: str = "r") -> object:
        if self == other:
            raise PermissionError(13, "Permission denied")
        return real(self, mode)

    monkeypatch.setattr(Path, "open", denied)

    assert latch.unreadable(["f1", "f1-url"]) == ()
    assert latch.in_force(["f1", "f1-url"]) == (SITE,)


def test_a_folder_that_is_not_there_is_told_apart_from_one_that_is_empty() -> None:
    folder = latch.place(SITE, "f1").parent
    latch.remove("S-1", "f1")
    assert latch.look(["f1"], {}).missing == {folder.parent / "all"}

    folder.rmdir()
    assert latch.look(["f1"], {}).missing == {folder, folder.parent / "all"}


@pytest.fixture
def two_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The host's place for latches, not made yet, and the user's own."""
    homes = tmp_path / "host", tmp_path / "user"
    for module in ("opsgate.paths", "opsgate.latch"):
        monkeypatch.setattr(f"{module}.latch_homes", lambda: homes)
    return homes


def test_the_hosts_own_place_for_latches_may_come_later_and_hides_none(two_homes: tuple[Path, Path]) -> None:
    host, user = two_homes
    assert latch.place(SITE, "f1").parent.parent == user

    host.mkdir()
    assert latch.place(replace(SITE, stop_id="S-2"), "f1").parent.parent == host

    assert {order.stop_id for order in latch.in_force(["f1"])} == {"S-1", "S-2"}
    latch.recovered("S-1", ["f1"])
    assert latch.remove("S-2", "f1")
    assert not latch.in_force(["f1"])


def test_a_latch_for_all_fleets_is_over_for_one_that_has_recovered_wherever_it_lies(
    two_homes: tuple[Path, Path],
) -> None:
    host, user = two_homes
    latch.place(SITE, "all")
    latch.place(replace(SITE, stop_id="S-0"), "f2")
    host.mkdir()

    latch.recovered("S-1", ["f1"])

    assert latch.in_force(["f1"]) == ()
    assert (user / "all" / "S-1").exists(), "the other fleet has not recovered from it"


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"[" * 100_000, b"\xff\xfe", b'{"stop_id": "S-1"}'])
def test_whatever_is_in_the_file_it_stops(content: bytes) -> None:
    path = latch.place(SITE, "f1")
    path.write_bytes(content)

    assert [order.selectors for order in latch.in_force(["f1"])] == [(EVERYTHING,)]


@pytest.mark.parametrize("at_s", [-(2.0**40), 2.0**40])
def test_a_file_from_no_time_of_the_calendar_stops(at_s: float) -> None:
    path = latch.place(SITE, "f1")
    path.write_text("stop")
    os.utime(path, (at_s, at_s))

    assert [order.stop_id for order in latch.in_force(["f1"])] == ["S-1"]


def test_what_is_no_file_is_no_latch(home: Path) -> None:
    directory = latch.place(SITE, "f1").parent
    (directory / "folder").mkdir()
    os.mkfifo(directory / "pipe")
    (directory / "link").symlink_to(directory / "S-1")

    assert latch.in_force(["f1"]) == (SITE,)


def test_an_order_is_written_whole_or_not_at_all_and_the_same_again_is_the_same() -> None:
    path = latch.place(SITE, "f1")
    latch.place(SITE, "f1")

    assert json.loads(path.read_text()) == SITE.as_dict()
    assert [entry.name for entry in path.parent.iterdir()] == ["S-1"]


def test_a_world_writable_directory_is_refused_with_what_to_do() -> None:
    directory = latch.place(SITE, "f1").parent
    directory.chmod(0o777)

    with pytest.raises(latch.LatchError, match="chmod o-w"):
        latch.place(SITE, "f1")
