"""Sinks for notifications: a real HTTP server that takes, refuses, hangs or has gone, and says what it was told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Sink:
    """One sink. ``status`` is what it answers; while it ``holds`` it accepts and says nothing."""

    def __init__(self) -> None:
        self.status = 204
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.asked = 0
        self.holds = threading.Event()
        self.lets_go = threading.Event()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.asked += 1
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if sink.holds.is_set():
                    sink.lets_go.wait(60)
                    return
                if 200 <= sink.status < 300:
                    sink.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(sink.status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook/s3cret-path"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def documents(self) -> list[dict[str, Any]]:
        """What it was told, as JSON."""
        return [json.loads(body) for _, body in self.received]

    @property
    def types(self) -> list[str]:
        """The types of the CloudEvents that it was told of."""
        return [document["type"] for document in self.documents]

    def close(self) -> None:
        """End it."""
        self.lets_go.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink on a port that was free."""
    made = Sink()
    try:
        yield made
    finally:
        made.close()
