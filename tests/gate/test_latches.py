"""Latches are heard of as they appear, also in folders that do not exist yet."""

import ctypes
import logging
import select
import time
from pathlib import Path

import pytest

from opsgate.footprint import footprint
from opsgate.inotify import FolderWatch, Heard

WITHIN_MS = 10_000


def watch_of(*folders: Path) -> FolderWatch:
    watch = FolderWatch(lambda name: not name.startswith("."))
    watch.arm(folders)
    return watch


def heard(watch: FolderWatch) -> Heard:
    assert watch.descriptor is not None
    poller = select.poll()
    poller.register(watch.descriptor, select.POLLIN)
    assert poller.poll(WITHIN_MS), "nothing was heard in time"
    return watch.drain()


def is_quiet(watch: FolderWatch) -> bool:
    """Whether nothing that matters has been heard; what the kernel has to tell, it tells before the call returns."""
    return watch.drain() == Heard()


def test_a_file_that_appears_and_one_that_goes_are_heard(tmp_path: Path) -> None:
    watch = watch_of(tmp_path)

    (tmp_path / "S-1").touch()
    assert heard(watch) == Heard(came=frozenset({"S-1"}))
    (tmp_path / "S-1").unlink()
    assert heard(watch) == Heard(went=True)
    watch.close()


def test_a_file_that_does_not_matter_wakes_nobody(tmp_path: Path) -> None:
    watch = watch_of(tmp_path)

    (tmp_path / ".S-1.4711").write_text("half a latch")

    assert is_quiet(watch)
    (tmp_path / ".S-1.4711").replace(tmp_path / "S-1")
    assert heard(watch).came == {"S-1"}
    watch.close()


def test_a_folder_that_is_made_later_is_heard_of_step_by_step(tmp_path: Path) -> None:
    target = tmp_path / "state" / "latch" / "f-one"
    watch = watch_of(target)

    for folder in (tmp_path / "state", tmp_path / "state" / "latch", target):
        (tmp_path / "noise").touch()
        folder.mkdir()
        assert heard(watch).folders
        watch.arm([target])

    (target / "S-1").touch()
    assert heard(watch).came == {"S-1"}
    watch.close()


def test_what_happens_beside_an_awaited_folder_wakes_nobody(tmp_path: Path) -> None:
    """The last known state is written beside the latches, by every worker of the host."""
    watch = watch_of(tmp_path / "latch" / "f-one")

    (tmp_path / "f-one.json").touch()

    assert is_quiet(watch)
    watch.close()


def test_a_folder_that_is_removed_and_made_again_is_watched_again(tmp_path: Path) -> None:
    target = tmp_path / "f-one"
    target.mkdir()
    watch = watch_of(target)

    target.rmdir()
    assert heard(watch).folders
    watch.arm([target])
    target.mkdir()
    assert heard(watch).folders
    watch.arm([target])
    (target / "S-1").touch()
    assert heard(watch).came == {"S-1"}
    watch.close()


def test_a_folder_that_goes_with_the_one_above_it_is_heard(tmp_path: Path) -> None:
    target = tmp_path / "latch" / "f-one"
    target.mkdir(parents=True)
    watch = watch_of(target)

    (tmp_path / "latch").rename(tmp_path / "elsewhere")

    assert heard(watch).folders
    watch.arm([target])
    target.mkdir(parents=True)
    assert heard(watch).folders
    watch.arm([target])
    (tmp_path / "elsewhere" / "f-one" / "S-0").touch()
    (target / "S-1").touch()
    assert heard(watch) == Heard(came=frozenset({"S-1"}))
    watch.close()


def test_a_host_without_such_news_is_looked_at_by_hand(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, "opsgate")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())

    watch = watch_of(tmp_path)

    assert watch.descriptor is None
    assert watch.drain() == Heard()
    assert "looked for twice a second" in caplog.text
    watch.close()


def test_a_folder_looks_the_same_only_while_nothing_comes_goes_or_is_written_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "f-one").mkdir()
    (file := folder / "S-1").write_text("{}")
    monkeypatch.setattr(time, "time_ns", lambda: file.parent.stat().st_ctime_ns + 10**10)  # ten seconds later
    before = footprint([folder, file])
    assert before is not None
    assert before == footprint([folder, file])

    for change in ((folder / "S-2").touch, lambda: file.write_text("{} "), file.unlink):
        change()
        assert footprint([folder, file]) != before


def test_a_folder_that_is_not_there_looks_the_same_until_it_is(tmp_path: Path) -> None:
    absent = footprint([tmp_path / "f-one"])
    assert absent is not None
    assert absent == footprint([tmp_path / "f-one"])
    (tmp_path / "f-one").mkdir()
    assert footprint([tmp_path / "f-one"]) != absent


def test_what_was_changed_a_moment_ago_looks_like_nothing(tmp_path: Path) -> None:
    """The next change may fall into the same tick of the disk's clock, so no look can be spared."""
    (tmp_path / "S-1").touch()

    assert footprint([tmp_path]) is None
