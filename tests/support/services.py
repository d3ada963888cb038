"""Real services for the drivers of tests: processes that are ended whatever happens, a service behind HTTP."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from backends.drivers import procs

AGENT = Path(__file__).with_name("agent.py")
PYTHON = str(Path(sys.executable).resolve())


def agent(folder: Path, *patterns: str) -> tuple[str, ...]:
    """The command line of an agent in a folder."""
    return (PYTHON, "-I", "-S", str(AGENT), str(folder), *patterns)


def noted(folder: Path) -> list[int]:
    """Every process that an agent in this folder, and whatever came of it, ever was."""
    with suppress(FileNotFoundError):
        return list(dict.fromkeys(map(int, (folder / "pids").read_text().split())))
    return []


def alive(folder: Path) -> list[int]:
    """Those of them that live."""
    return [pid for pid in noted(folder) if is_alive(pid) and str(folder) in _line_of(pid)]


def is_alive(pid: int) -> bool:
    """Whether a process with this number lives."""
    found = procs.seen(pid)
    return found is not None and found.is_alive


def _line_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")  # of anybody on this host, in whatever bytes
    return ""


def _agents_under(folder: Path) -> list[int]:
    """Every agent of this folder, or of one in it, whether or not it has noted itself by now."""
    found = (process for process in procs.Census.taken().everybody.values() if process.is_alive)
    lines = ((process.pid, _line_of(process.pid)) for process in found)
    return [pid for pid, line in lines if str(AGENT) in line and str(folder) in line and pid != os.getpid()]


@contextmanager
def ended_afterwards(folder: Path) -> Iterator[None]:
    """Whatever happens, no agent of this folder outlives the test."""
    try:
        yield
    finally:
        while left := _agents_under(folder):
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)


class Web:
    """An HTTP server of this process that answers by a function, on a port of 127.0.0.1."""

    def __init__(self, answer: Callable[[str, str, bytes, dict[str, str]], tuple[int, bytes]]) -> None:
        outer = self
        self.asked: list[tuple[str, str, bytes]] = []
        self.answer = answer

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.asked.append((self.command, self.path, body))
                status, said = outer.answer(self.command, self.path, body, dict(self.headers))
                with suppress(OSError):
                    self.send_response(status)
                    if status in (301, 302, 307, 308):
                        self.send_header("Location", said.decode())
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (names that http.server looks for)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in http.server)
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def as_json(document: object) -> bytes:
    """A document as the body of an answer."""
    return json.dumps(document).encode()
