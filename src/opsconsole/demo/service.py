"""One service of the demo: it says what it does, and obeys a word, a signal or a request. Run by a bare interpreter:

    python -I -S service.py FOLDER OWNER [PORT]

It writes ``running`` or ``paused`` into FOLDER/status, obeys FOLDER/control, SIGUSR1 and SIGUSR2, and with a port the
requests ``POST /emergencyStop``, ``POST /start`` and ``GET /state`` on 127.0.0.1. It ends when its folder is gone, or
the process OWNER, for which it works.
"""

# ruff: noqa: PTH105, PTH123
# A bare interpreter starts in half the time without pathlib.

import contextlib
import json
import os
import signal
import sys
import threading
import time

LOOK_S = 0.1

folder = "".join(sys.argv[1:2])  # empty where it is imported and not run
paused = threading.Event()


def say(word: str) -> None:
    """Write down what it does, in one step."""
    with open(f"{folder}/status.new", "w") as file:
        file.write(word)
    os.replace(f"{folder}/status.new", f"{folder}/status")


def asked() -> str:
    """The word in the control file; nothing where there is none."""
    with contextlib.suppress(OSError), open(f"{folder}/control") as file:
        return file.read().strip()
    return ""


def serve(port: int) -> None:
    """Obey requests, on a thread of its own."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Say how it stands."""
            self._answer({"state": "stopped" if paused.is_set() else "running"})

        def do_POST(self) -> None:
            """Pause, or go on."""
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/emergencyStop":
                paused.set()
            else:
                paused.clear()
            self._answer({"success": True})

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in http.server)
            """Say nothing."""

        def _answer(self, document: dict[str, object]) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = HTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> None:
    """Say and obey, until it is told to end."""
    signal.signal(signal.SIGUSR1, lambda *_: paused.set())
    signal.signal(signal.SIGUSR2, lambda *_: paused.clear())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the demo ends its services itself
    if len(sys.argv) > 3:
        serve(int(sys.argv[3]))
    with contextlib.suppress(FileNotFoundError):  # the folder is gone
        while is_wanted():
            say("paused" if paused.is_set() or asked() == "pause" else "running")
            time.sleep(LOOK_S)  # its folder goes without a word


def is_wanted() -> bool:
    """Whether the process for which it works is alive; one that ended and was not waited for is not."""
    try:
        with open(f"/proc/{sys.argv[2]}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main()
