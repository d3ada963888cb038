"""A server as a gate meets it, which a test can make misbehave: cut, hold back, lie, be slow, be another one.

It keeps what a test gives it and nothing else; how the real one behaves is tested with the real one.
"""

from __future__ import annotations

import contextlib
import json
import queue
import select
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from opsgate import wire
from opsgate.hold import Hold
from opsgate.names import OPERATIONS, WORKFLOWS
from opsgate.snapshot import FORMAT, Delta, Notice, Snapshot
from tests.gate.world import WITHIN_S


class Double:
    """One server. What it was told is in ``heard``, as (method, path, headers, body)."""

    def __init__(self, fleet: str = "f-one", *, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        names = {"site": frozenset({"s1", "s2"}), "operation": frozenset(OPERATIONS), "workflow": frozenset(WORKFLOWS)}
        self.snapshot = Snapshot(fleet, 1, names=names)
        self.format = FORMAT
        self.orders: list[dict[str, Any]] = []
        self.heard: queue.Queue[tuple[str, str, dict[str, Any]]] = queue.Queue()
        self.asked: list[str] = []
        self.status: dict[str, int] = {}
        """Path → the status of a problem that is answered instead."""
        self.code = "no"
        """The code of that problem."""
        self.forbidden: frozenset[str] = frozenset()
        """Metrics for which a batch of samples is refused."""
        self.token = ""
        self.age_s = 0.0
        """How long its database has been away."""
        self.streams = True
        """Whether streams are heard; otherwise they are held back, as by a proxy that buffers."""
        self.heads = True
        """Whether at least the head of a stream comes through at once."""
        self.answers: dict[str, bytes] = {}
        """Path → raw bytes that are answered instead."""
        self.messages: list[dict[str, Any]] = []
        """What the next answer to a beat brings."""
        self.on_its_way: Callable[[], None] = lambda: None
        """Called while the whole state, as it was when it was asked for, is on its way to whoever asked."""
        self._subscribers: list[queue.Queue[bytes | None]] = []
        self._connections: set[socket.socket] = set()
        self._http = _Server(("127.0.0.1", port), self)
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_address[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------------------------------------- the fleet
    def document(self) -> dict[str, Any]:
        """What ``GET /v1/gate`` answers."""
        return {
            "format": self.format,
            "fleet": self.snapshot.fleet,
            "revision": self.snapshot.revision,
            "stop_port": 3002,
            "snapshot": self.snapshot.as_dict(),
            "orders": self.orders,
        }

    def commit(
        self, *, placed: tuple[Hold, ...] = (), released: tuple[str, ...] = (), ordered: tuple[Notice, ...] = ()
    ) -> None:
        """Change the fleet and tell everybody."""
        was = self.snapshot.revision
        delta = Delta(was, was + 1, placed, released, ordered)
        changed = self.snapshot.changed(delta)
        assert changed is not None
        self.snapshot = changed
        self.say("delta", delta=delta.as_dict())

    def say(self, kind: str, **fields: object) -> None:
        """Send a message to every stream."""
        self.push(frame(kind, wire.encode(kind, **fields), self.snapshot.revision))

    def beat(self) -> None:
        """Send a heartbeat to every stream."""
        self.push(self.heartbeat())

    def heartbeat(self) -> bytes:
        """One heartbeat, as a frame."""
        fields = {"revision": self.snapshot.revision, "fleet": self.snapshot.fleet, "age_s": self.age_s}
        return frame("heartbeat", wire.encode("heartbeat", **fields), 0)

    def push(self, piece: bytes | None) -> None:
        """Send bytes to every stream; None ends them."""
        for subscriber in list(self._subscribers):
            subscriber.put(piece)

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._subscribers)

    def told(self, method: str = "PUT", **expected: object) -> dict[str, Any]:
        """The next thing that was told with this method and has these fields."""
        while True:
            how, path, body = self.heard.get(timeout=WITHIN_S)
            if how == method and all(body.get(name) == value for name, value in expected.items()):
                return {**body, "path": path}

    # -------------------------------------------------------------------------------------------------- its life
    def cut(self) -> None:
        """Reset every connection."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Be gone, connections and all."""
        self._http.shutdown()
        self._http.server_close()
        self.push(None)
        self.cut()
        self._thread.join(WITHIN_S)


def self_signed(address: str) -> bytes:
    """A certificate for this address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server")]), datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return signed.public_bytes(Encoding.PEM) + secret


def frame(kind: str, data: bytes, revision: int) -> bytes:
    """One frame of a stream."""
    head = b"id: %d\n" % revision if revision else b""
    return head + b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], double: Double) -> None:
        self.double = double
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A gate that hangs up is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.double._connections.add(self.request)

    def finish(self) -> None:
        self.server.double._connections.discard(self.request)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in the base class)
        """Say nothing."""

    def _handle(self) -> None:
        double, path = self.server.double, self.path.partition("?")[0]
        double.asked.append(f"{self.command} {self.path}")
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if raw := double.answers.get(path):
            self.wfile.write(raw)
            self.close_connection = True
        elif double.token and self.headers.get("Authorization") != f"Bearer {double.token}":
            self._problem(401)
        elif path in double.status:
            self._problem(double.status[path])
        elif any(sample["metric"] in double.forbidden for sample in body.get("samples", ())):
            self._problem(403)
        elif path == "/v1/gate/events":
            self._stream(double)
        elif path == "/v1/gate":
            self._state(double)
        else:
            double.heard.put((self.command, self.path, body))
            messages, double.messages = double.messages, []
            self._json(200, {"revision": double.snapshot.revision, "messages": messages})

    do_GET = do_PUT = do_DELETE = do_POST = _handle  # noqa: N815 (names of the base class)

    def _state(self, double: Double) -> None:
        tag = f'"{double.snapshot.revision}"'
        if self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.send_header("ETag", tag)
            self.end_headers()
        else:
            document = double.document()
            double.on_its_way()
            self._json(200, document, {"ETag": tag, "Age": str(round(double.age_s))})

    def _json(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _problem(self, status: int) -> None:
        self._json(status, {"title": "no", "code": self.server.double.code, "detail": "that is not for you\x1b[2J"})

    def _stream(self, double: Double) -> None:
        subscriber: queue.Queue[bytes | None] = queue.Queue()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        if double.heads:
            self.end_headers()
        self.close_connection = True
        double._subscribers.append(subscriber)
        subscriber.put(double.heartbeat())
        try:
            if self.headers.get("Last-Event-ID") != str(double.snapshot.revision):
                subscriber.put(frame("snapshot", json.dumps(double.document()).encode(), double.snapshot.revision))
            while (piece := self._next_of(subscriber)) is not None:
                self.wfile.write(piece if double.streams else b"")
        finally:
            double._subscribers.remove(subscriber)

    def _next_of(self, subscriber: queue.Queue[bytes | None]) -> bytes | None:
        """What is to be sent next; None at the end, also where the gate has hung up."""
        while True:
            with contextlib.suppress(queue.Empty):
                return subscriber.get(timeout=0.02)
            if select.select([self.request], [], [], 0)[0]:
                return None
