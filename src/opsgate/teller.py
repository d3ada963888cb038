"""The thread that tells a server what its worker says: heartbeats, acknowledgements, goodbye. On a connection of its
own, so that an acknowledgement waits for no other question.

What a worker says replaces what it said before, so only the newest is told, and again until somebody took it.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from opsgate import wire
from opsgate.channel import Sent
from opsgate.clock import elapsed_s
from opsgate.http_faults import Replaced
from opsgate.pauselog import plain
from opsgate.samples import AGE_MAX_S, WAITING_MAX
from opsgate.sources import SourceError

if TYPE_CHECKING:
    from opsgate.http_intake import Intake
    from opsgate.http_line import Answer, Line
    from opsgate.http_servers import Servers

_log = logging.getLogger("opsgate")

RETRIES_S: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds at most until it is told again, after one, two, … failures; by chance as little as half."""

_TAKEN_WITHIN_S: Final = 5.0
_BYE_WITHIN_S: Final = 1.0
_ASKED_MAX: Final = 32
"""Questions at most to find those of the samples that wait which a server refuses."""

_Waiting = tuple[float, dict[str, Any]]
_OVER_SAID: Final = frozenset({"t", "worker"})


class Teller(threading.Thread):
    """Says what one worker says. Never ends by an error."""

    def __init__(self, worker: str, intake: Intake, servers: Servers, sweep: Callable[..., float | None]) -> None:
        """``sweep`` gives back what is left of limits; it returns the seconds until it is to be called again."""
        super().__init__(name="opsgate-teller", daemon=True)
        self._intake = intake
        self._servers = servers
        self._path = f"/v1/workers/{quote(worker)}"
        self._beat: dict[str, Any] | None = None
        self._sweep = sweep
        self._sweep_s: float | None = None
        self._bye = self._ending = self._is_untold = self._is_replaced = False
        self._samples: deque[tuple[float, dict[str, Any]]] = deque(maxlen=WAITING_MAX)
        self._signal = threading.Event()
        self._lock = threading.Lock()
        self._failures = 0
        self._said: set[str] = set()
        self._refused: set[str] = set()
        """The metrics of which it was said that their samples are refused."""
        self._boot = ""
        self.told = 0
        """How many times a server took what was said."""

    def tell(self, message: Mapping[str, Any]) -> Sent:
        """Have a beat, an acknowledgement or a goodbye told. From the watcher's thread."""
        with self._lock:
            if self._is_replaced and message["t"] != "bye":
                return "sent"  # a server that has forgotten who came later would take this one for the latest
            if message["t"] == "beat":
                self._beat = {name: value for name, value in message.items() if name not in _OVER_SAID}
                self._boot = str(message.get("boot", ""))
            elif message["t"] == "bye":
                self._bye = True
            elif self._beat is None:
                return "nobody"  # who it is has to be said before what it acknowledges
            else:
                self._beat = _acknowledged(self._beat, str(message["stop"]), int(message["running"]))
            self._is_untold = not self._bye
        self._signal.set()
        return "sent"

    def sample(self, said: dict[str, Any]) -> bool:
        """Have a sample told, with those that come meanwhile. From any thread."""
        self._samples.append((elapsed_s(), said))
        self._signal.set()
        return not self._failures

    def again(self) -> None:
        """A server may have forgotten, or never have heard: tell it. From any thread."""
        self._is_untold = self._beat is not None and not (self._bye or self._is_replaced)
        self._signal.set()

    def look(self) -> None:
        """There is something to sweep. From any thread."""
        self._signal.set()

    def end(self) -> None:
        """Say what has to be said still, for a second at most."""
        self._ending = True
        self._signal.set()
        if self.is_alive():
            self.join(_BYE_WITHIN_S)

    def run(self) -> None:
        """The life of the thread."""
        from opsgate.http_line import Line

        line = Line(self._servers)
        while not self._ending:
            self._signal.wait(self._rest_s())
            self._signal.clear()
            try:
                if self._is_untold:
                    self._tell(line)
                if self._samples:
                    self._tell_samples(line)
                self._sweep_s = self._sweep()
            except SourceError as error:
                self._failures += 1
                _log.debug("%s", error)
            except Exception:  # noqa: BLE001 (a fault of ours must not leave the worker mute for ever)
                _log.exception("the gate met a fault of its own in what it tells and goes on")
                self._failures += 1
        if self._bye and (not self._failures or self._is_replaced):  # what ran in it is over, that is news
            self._sweep(all_of_them=True)
            self._leave(line)
        line.close()

    def _rest_s(self) -> float | None:
        if not self._is_untold and not (self._samples and self._failures):
            return self._sweep_s
        return RETRIES_S[min(self._failures, len(RETRIES_S)) - 1] * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)

    def _tell(self, line: Line) -> None:
        with self._lock:
            beat, self._is_untold = self._beat, False
        body = json.dumps(beat, separators=(",", ":")).encode()
        try:
            answer = line.ask("PUT", self._path, body, within_s=_TAKEN_WITHIN_S)
            if answer.status not in (200, 201, 202, 204):
                fault = self._intake.refused(answer.server, answer.status, answer.body)
                if isinstance(fault, Replaced):
                    self._is_replaced = True
                    self._intake.deliver(wire.encode("replaced"))
                self._complain(fault)
        except SourceError:
            self._is_untold = not self._is_replaced
            raise
        self._failures = 0
        self._said.clear()
        self.told += 1
        self._hear(answer)

    def _tell_samples(self, line: Line) -> None:
        """Tell what waits, each with its age; what no server took in a minute says nothing any more."""
        now_s = elapsed_s()
        waiting = [self._samples.popleft() for _ in range(len(self._samples))]
        waiting = [(at_s, said) for at_s, said in waiting if now_s - at_s < AGE_MAX_S]
        if not waiting:
            return
        batches, asked = deque([waiting]), 0
        while batches:
            try:
                if self._is_untold:  # an acknowledgement, which waits for no sample
                    self._tell(line)
                status = self._tell_batch(line, batches[0], now_s)
            except SourceError:
                self._wait_again([one for batch in batches for one in batch])
                raise
            self._failures, asked, batch = 0, asked + 1, batches.popleft()
            if status == 403 and asked + len(batches) < _ASKED_MAX:  # all of it, for one that may not be told
                batches.extend(_halves(batch))

    def _wait_again(self, untold: Sequence[_Waiting]) -> None:
        """Put these back before what has come meanwhile, as far as there is room: the oldest are lost."""
        room = WAITING_MAX - len(self._samples)
        self._samples.extendleft(sorted(untold, key=itemgetter(0), reverse=True)[: max(0, room)])

    def _tell_batch(self, line: Line, batch: Sequence[_Waiting], now_s: float) -> int:
        told = [{**said, "age_s": round(now_s - at_s, 3)} for at_s, said in batch]
        body = json.dumps({"samples": told}, separators=(",", ":")).encode()
        answer = line.ask("POST", "/v1/samples", body, within_s=_TAKEN_WITHIN_S)
        if answer.status >= 500:
            raise self._intake.refused(answer.server, answer.status, answer.body)
        metrics = {str(said["metric"]) for _, said in batch}
        if answer.status >= 400 and len(metrics) == 1 and not metrics <= self._refused:
            self._refused |= metrics
            _log.warning("samples of %s are refused: %s", *metrics, plain(answer.body.decode(errors="replace"), 300))
        return answer.status

    def _hear(self, answer: Answer) -> None:
        """What the answer brings, for those whose stream brings nothing."""
        try:
            told = json.loads(answer.body or b"{}")
            for message in told.get("messages", ()):
                self._intake.deliver(wire.encode(message.pop("t"), **message))
            if self._intake.hearing == "mute" and "revision" in told:
                self._intake.deliver(wire.encode("moved", revision=told["revision"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass  # garbage from something in between: the next answer, or the stream, says it again

    def _complain(self, fault: SourceError) -> None:
        """Raise it; where only a person can end it, say so once: nobody sees this worker until then."""
        if fault.lasting and str(fault) not in self._said:
            self._said.add(str(fault))
            _log.error("%s; until then stops count this worker as missing", fault)
        raise fault

    def _leave(self, line: Line) -> None:
        try:
            path = f"{self._path}?boot={self._boot}" if self._boot else self._path
            line.ask("DELETE", path, within_s=_BYE_WITHIN_S)
        except SourceError:
            pass  # its silence makes it lost in time


def _halves(batch: Sequence[_Waiting]) -> list[list[_Waiting]]:
    """Two batches of one that was refused, apart by metrics, or of one metric by accounts; none where it is about one
    thing. Metrics come first: of one that is refused for every account, the others are found at once."""
    by = "metric" if len({said["metric"] for _, said in batch}) > 1 else "account"
    kinds = sorted({str(said.get(by, "")) for _, said in batch})
    if len(kinds) == 1:
        return []
    first = set(kinds[: len(kinds) // 2])
    return [[one for one in batch if (str(one[1].get(by, "")) in first) is is_first] for is_first in (True, False)]


def _acknowledged(beat: Mapping[str, Any], stop_id: str, running: int) -> dict[str, Any]:
    """The beat, with one more stop in it."""
    draining = {**beat.get("draining", {}), **({stop_id: running} if running else {})}
    return {**beat, "stops": sorted({*beat.get("stops", ()), stop_id}), "draining": draining}
