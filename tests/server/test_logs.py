"""Whoever reads the log may stand still: nothing waits for it."""

import io
import json
import logging
import threading

from backends.server import logs
from backends.server.logs import LogWriter
from tests.support.waiting import eventually


class Stalled(io.StringIO):
    """A stream that takes nothing until somebody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = threading.Event()
        self.asked = threading.Event()

    def write(self, text: str) -> int:
        self.asked.set()
        self.reads.wait()
        return super().write(text)


def record(event: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": event, "levelname": "INFO"})


def test_a_reader_that_stands_still_holds_up_nobody_and_hears_how_much_it_missed() -> None:
    stream = Stalled()
    writer = LogWriter(stream)
    writer.emit(record("first"))
    stream.asked.wait()

    for number in range(logs._WAITING_MAX + 5):
        writer.emit(record(f"line {number}"))
    assert writer.dropped == 5

    stream.reads.set()
    eventually(lambda: f"line {logs._WAITING_MAX - 1}" in stream.getvalue())
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines[:2]] == ["first", "line 0"]
    assert {"event": "lines of the log were dropped", "lines": 5} in lines
    writer.close()
