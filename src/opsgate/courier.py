"""Samples on their way to the keeper of this host. The kernel keeps ten datagrams for it, and a moment in which it is
busy fills that: the sample that is lost then may be the one that stops.

So what finds the queue full waits here, and a thread tells it, many in one datagram, each with its age. While there is
room, there is no such thread.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from opsgate import wire
from opsgate.channel import KeeperChannel, Sent
from opsgate.clock import elapsed_s
from opsgate.samples import AGE_MAX_S, WAITING_MAX

_TOGETHER: Final = 100
"""Samples in a datagram: as many as surely find room in it, however long their names are."""

_LAST_WORDS_S: Final = 1.0


class Courier:
    """Tells the samples of one worker."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._waiting: deque[tuple[float, dict[str, Any]]] = deque(maxlen=WAITING_MAX)
        self._keeper = ""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def tell(self, keeper: str, said: dict[str, Any]) -> bool:
        """Tell a sample to the keeper at this address, after those that wait for it, and wait for nobody. From any
        thread. False where there is no keeper, or no thread that could wait for it."""
        with self._lock:
            self._keeper = keeper
            if self._thread is None:
                sent = self._send_now(said)
                if sent != "busy":
                    return sent == "sent"
                thread = threading.Thread(target=self._run, name="opsgate-courier", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread
            self._waiting.append((elapsed_s(), said))
            return True

    def end(self) -> None:
        """Wait until what waits has been told, for a second at most."""
        thread = self._thread
        if thread is not None:
            thread.join(_LAST_WORDS_S)

    def _send_now(self, said: dict[str, Any]) -> Sent:
        try:
            with wire.endpoint() as channel:
                channel.sendto(self._datagram([said]), socket.MSG_DONTWAIT, self._keeper)
        except BlockingIOError:
            return "busy"
        except OSError:
            return "nobody"
        return "sent"

    def _run(self) -> None:
        """Tell what waits, oldest first, until nothing is left."""
        channel = KeeperChannel()
        while batch := self._next():
            sent: Sent = "busy"
            while sent == "busy":
                now_s = elapsed_s()
                told = [{**said, "age_s": round(now_s - at_s, 3)} for at_s, said in batch if now_s - at_s < AGE_MAX_S]
                if not told:
                    break
                sent = channel.send(self._datagram(told), self._keeper)  # the kernel wakes it when there is room
        channel.close()

    def _next(self) -> Sequence[tuple[float, dict[str, Any]]]:
        """The samples for the next datagram; where there are none, this thread is the courier's no more."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _TOGETHER))]
            if not batch:
                self._thread = None
            return batch

    def _datagram(self, samples: Sequence[dict[str, Any]]) -> bytes:
        return wire.encode("sample", worker=self._worker, samples=samples)
