"""What is written to a terminal never waits for it; what it missed is made good by one whole picture."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from opsconsole.outlet import BACKLOG_MAX, Outlet

DEADLINE_S = 60.0
FRAME = "x" * 10_000


class Pipe:
    """A terminal that reads when it is told to."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self.file = os.fdopen(writer, "w", encoding="utf-8")
        self.resynced = threading.Event()
        self.outlet = Outlet(self.file, self.resynced.set)

    def read_everything(self) -> threading.Thread:
        def read() -> None:
            while os.read(self.reader, 1 << 16):
                pass

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    opened = Pipe()
    yield opened
    reading = opened.read_everything()
    opened.outlet.drain(DEADLINE_S)
    opened.file.close()
    reading.join(DEADLINE_S)
    os.close(opened.reader)


def test_what_a_terminal_reads_arrives_in_order(pipe: Pipe) -> None:
    for number in range(100):
        pipe.outlet.write(f"{number};")
    pipe.outlet.drain(DEADLINE_S)
    assert os.read(pipe.reader, 1 << 16).decode() == "".join(f"{number};" for number in range(100))
    assert not pipe.resynced.is_set()


def test_a_terminal_that_does_not_read_is_never_waited_for_and_gets_the_whole_picture_afterwards(pipe: Pipe) -> None:
    for _ in range(10 * BACKLOG_MAX // len(FRAME)):  # if one of these waited, this test would never end
        pipe.outlet.write(FRAME)
    assert not pipe.resynced.is_set(), "nothing is painted for a terminal that does not read"
    pipe.read_everything()
    assert pipe.resynced.wait(DEADLINE_S)


def test_a_terminal_that_is_gone_is_written_to_without_harm() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    file = os.fdopen(writer, "w", encoding="utf-8")
    outlet = Outlet(file, lambda: None)
    outlet.write("so little that Python keeps it")
    outlet.drain(DEADLINE_S)
    for _ in range(100):
        outlet.write(FRAME)
    outlet.drain(DEADLINE_S)
    assert outlet.write(FRAME) == len(FRAME), "it is taken, as always, and goes nowhere"
    file.close()  # nothing is left that Python would write at the end, and fail


def test_at_the_end_nobody_waits_longer_than_agreed_for_a_terminal_that_does_not_read(pipe: Pipe) -> None:
    for _ in range(20):
        pipe.outlet.write(FRAME)
    pipe.outlet.drain(0.05)
    assert not pipe.resynced.is_set()
