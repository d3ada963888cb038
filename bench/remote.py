"""The console at the far end of a long line from its server: what a person waits for, and what the line carries.

Keys and what is asked are the console's own and wait for no line. What has to come from the server is held against the
fewest ways there and back that it can take, and what the same takes where the line has no length.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.link import link
from bench.measure import PATIENCE_S, SHORT, Row, figure, progress
from bench.server import give, serving
from bench.terminal import CONSOLE, Terminal, terminal

LINKS = (0, 80, 400)
"""Milliseconds there and back of a line in one room, one across an ocean, and one by a satellite."""
ROUNDS, KEYS, COMMANDS, QUIET_S = (1, 6, 2, 1.0) if SHORT else (3, 40, 6, 4.0)
SITES = 12
PANES = "3124"
READ_S = 0.6
"""A prompt takes no answer that nobody can have read it for, and a person needs as long for the next thing."""
WAIT_S = 20.0
"""For longer a server does not keep a question for news."""

START, COMMAND, STOP = "start, until the fleet is seen", "a command, until it is seen", "a stop, until it is recorded"
TRIPS = {START: 3.0, COMMAND: 1.0, STOP: 0.5}
"""Ways there and back that it takes at least: to connect, to read the state, and to see who works; there and back; and
only there, by a connection that is open already."""
KEY, PANE, PROMPT, SENT = "a key", "another pane", "the prompt of a stop", "the word that a stop was sent"
PAINTED = (START, KEY, PANE)

Taken = dict[str, list[float]]


def rows() -> list[Row]:
    """All lines in each round, in shuffled turns, each with a fleet and a console of its own."""
    taken: dict[int, Taken] = {ms: defaultdict(list) for ms in LINKS}
    turn = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        for number in range(ROUNDS):
            for ms in turn.sample(LINKS, len(LINKS)):
                progress(f"round {number + 1} of {ROUNDS}, {ms} ms there and back")
                home = Path(folder) / f"{number}-{ms}"
                home.mkdir(mode=0o700)
                _drive(home, ms, taken[ms])
    found = [row for what in TRIPS for row in _far(what, taken)]
    found += [row for what in (KEY, PANE, PROMPT, SENT) for row in _near(what, taken)]
    for group in ("bytes to the terminal", "bytes over the line"):
        found += [
            figure(f"console behind a line: {group}", f"{what}, {ms} ms", "B", taken[ms][f"{group}: {what}"])
            for what in (*PAINTED, "a quiet second")
            for ms in LINKS
            if f"{group}: {what}" in taken[ms]
        ]
    return found


def _drive(home: Path, ms: int, taken: Taken) -> None:
    """One fleet from its start until it is stopped, by a console behind such a line."""
    own = {"HOME": f"{home}", "XDG_STATE_HOME": f"{home}", "XDG_RUNTIME_DIR": f"{home}"}
    os.environ.update(own, OPSGATE_LATCH_DIR=f"{home}/latch")
    with serving(home) as (port, _, _), link(port, ms) as line:
        for number in range(SITES):
            give(port, {"kind": "add-name", "dimension": "site", "name": f"s{number:03}"})
        with terminal(*CONSOLE, env={"OPSCONSOLE_BACKEND": f"http://127.0.0.1:{line.port}"}) as opened:
            taken[START].append(opened.shows("live (.|\n)*>s000"))
            opened.listen(1.0)
            taken[f"bytes to the terminal: {START}"].append(opened.count)
            taken[f"bytes over the line: {START}"].append(line.carried)
            before = line.carried
            opened.forget()
            opened.listen(QUIET_S)
            taken["bytes to the terminal: a quiet second"].append(opened.count / QUIET_S)
            taken["bytes over the line: a quiet second"].append((line.carried - before) / QUIET_S)
            _keys(opened, taken)
            _commands(opened, taken)
            _stop(opened, port, taken)


def _keys(opened: Terminal, taken: Taken) -> None:
    """The cursor down and up again, and one pane after the other."""
    _timed(opened, "1", "━ 1 Global")
    _timed(opened, "2", "━ 2 Sites")
    for number in range(KEYS):
        turns, at = divmod(number, SITES - 1)
        key, at = ("k", SITES - 2 - at) if turns % 2 else ("j", at + 1)
        taken[KEY].append(_timed(opened, key, f">s{at:03}"))
        opened.rest()
        taken[f"bytes to the terminal: {KEY}"].append(opened.count)
    for number in range(KEYS // 2):
        pane = PANES[number % len(PANES)]
        taken[PANE].append(_timed(opened, pane, f"━ {pane} [A-Z]"))
        opened.rest()
        taken[f"bytes to the terminal: {PANE}"].append(opened.count)
    _timed(opened, "1", "━ 1 Global")
    _timed(opened, "2", "━ 2 Sites")


def _commands(opened: Terminal, taken: Taken) -> None:
    """Pause the sites one by one, from the first one down."""
    opened.press(b"g")
    for number in range(COMMANDS):
        if number:
            _timed(opened, "j", f">s{number:03}")
        _timed(opened, "p", "pause now")
        opened.listen(READ_S)
        taken[COMMAND].append(_timed(opened, "y", rf">s{number:03} +PAUSED"))
        opened.listen(READ_S)


def _stop(opened: Terminal, port: int, taken: Taken) -> None:
    """A stop of everything. That the server has recorded it is heard beside the line."""
    revision, _ = _news(port, 0, 0)
    with ThreadPoolExecutor(1) as beside:
        recorded = beside.submit(_news, port, revision, WAIT_S)
        taken[PROMPT].append(_timed(opened, "!", "any other key = cancel"))
        opened.rest(0.05)
        begun_s = time.perf_counter()
        taken[SENT].append(_timed(opened, "S", r"reason \(optional\)"))
        taken[STOP].append((recorded.result()[1] - begun_s) * 1000)


def _news(port: int, after: int, wait_s: float) -> tuple[int, float]:
    """The server's revision, as soon as it is behind ``after`` or the wait is over, and when that was told."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=2 * PATIENCE_S)
    asking.request("GET", f"/v1/events?after={after}&wait={wait_s:g}")
    answer = asking.getresponse().read()
    told_s = time.perf_counter()
    asking.close()
    return int(json.loads(answer)["revision"]), told_s


def _timed(opened: Terminal, key: str, pattern: str) -> float:
    """Milliseconds from a key until the screen shows something."""
    opened.rest(0.03)
    opened.forget()
    begin = time.perf_counter()
    opened.press(key.encode())
    opened.shows(pattern)
    return (time.perf_counter() - begin) * 1000


def _far(what: str, taken: Mapping[int, Taken]) -> list[Row]:
    """A line beside the trips that it takes at least, and what the same takes on no line."""
    at_home, trips = statistics.median(taken[LINKS[0]][what]), TRIPS[what]
    group = f"console behind a line: {what}, against {trips:g} trips and the time on none"
    goals = {ms: "<= 1.2" if ms else "" for ms in LINKS}
    return [figure(group, _name(ms), "ms", taken[ms][what], at_home + trips * ms, goals[ms]) for ms in LINKS]


def _near(what: str, taken: Mapping[int, Taken]) -> list[Row]:
    """A line beside none, for half of all and for 99 of 100."""
    group, at_home = f"console behind a line: {what} to the screen", statistics.median(taken[LINKS[0]][what])
    found = [figure(group, _name(ms), "ms, p50", taken[ms][what], at_home, "<= 1.5" if ms else "") for ms in LINKS]
    if what == KEY:
        for ms in LINKS:
            p99 = statistics.quantiles(taken[ms][what], n=100, method="inclusive")[98]
            found.append(Row(group, _name(ms), "ms, p99", p99, min(taken[ms][what]), p99 / at_home))
    return found


def _name(ms: int) -> str:
    return f"{ms} ms there and back"


if __name__ == "__main__":
    for row in rows():
        print(row)
