"""The console on a terminal, against the same screen made of Textual's own widgets and against a bare Textual program.

What a person waits for (first paint, key to the screen), what a slow line carries (bytes of an update), and what it
costs to leave it open (processor time, memory). The fleet is in memory; idling is measured on a real one with a keeper.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backends import open_backend
from backends.keeper import ensure
from bench.measure import SHORT, Row, compare, interleaved, progress
from bench.terminal import CONSOLE, Terminal, terminal

HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("hello, world")
Hello().run()
"""
SIZES = (100,) if SHORT else (10_000, 100_000)
ROUNDS, KEYS, UPDATES, SECONDS = (1, 10, 3, 2.0) if SHORT else (9, 200, 30, 20.0)
SCREENS = ((80, 24), (120, 36), (200, 60))
FRAME_S = 0.1
LOADED_S = 300.0
"""The other side takes up to two minutes for a hundred thousand rows where nothing else runs."""
PEER = "the same of DataTables"


def rows() -> list[Row]:
    """All of it; a few minutes, most of them the other side's loading of a hundred thousand rows."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        os.environ.update(
            HOME=folder, XDG_STATE_HOME=folder, XDG_RUNTIME_DIR=folder, OPSGATE_LATCH_DIR=f"{folder}/latch"
        )
        url = f"sqlite:///{Path(folder) / 'fleet.db'}"
        open_backend(url).close()
        ensure(url)
        taken = [*_first_paint(url), *_idle(url)]
    taken += _news()
    for sites in SIZES:
        progress(f"{sites:,} sites")
        with _both(sites) as (ours, peer):
            taken += [*_loaded(sites, ours, peer), *_keys(sites, ours, peer)]
            taken += [*_updates(sites, ours, peer), *_at_ten_a_second(sites, ours, peer)]
    return taken


def _first_paint(url: str) -> list[Row]:
    """A cold start each time, until the first frame and until the first state of a real fleet."""

    def until(word: str, *arguments: str) -> Callable[[], float]:
        def side() -> float:
            with terminal(*arguments, env={"OPSCONSOLE_BACKEND": url}) as opened:
                return opened.until(word)

        return side

    sides = {
        "a Textual hello": until("hello, world", "-c", HELLO),
        "the console, first paint": until("STOP ALL", *CONSOLE),
        "the console, first state": until("[ RUN]", *CONSOLE),
    }
    goals = {"the console, first paint": "<= 1.6"}
    return compare("console: first paint at 80x24", "ms", "a Textual hello", interleaved(sides, ROUNDS), goals)


def _idle(url: str) -> list[Row]:
    """Consoles over a real fleet where nothing happens, all sizes at the same time."""
    taken: list[Row] = []
    with ExitStack() as stack:
        opened = {
            size: stack.enter_context(
                terminal(*CONSOLE, width=size[0], height=size[1], env={"OPSCONSOLE_BACKEND": url})
            )
            for size in SCREENS
        }
        for each in opened.values():
            each.until("[ RUN]")
            each.rest(6.0 if not SHORT else 1.0)  # ages leave their first seconds, which move in steps
        before = {size: (each.cpu_ms(), each.count) for size, each in opened.items()}
        end = time.perf_counter() + SECONDS
        while (left := end - time.perf_counter()) > 0:
            for each in opened.values():
                each.read(min(left, 0.05))
        for (width, height), each in opened.items():
            cpu_ms, count = before[width, height]
            name = f"{width}x{height}"
            percent = (each.cpu_ms() - cpu_ms) / SECONDS / 10
            group = f"console: {SECONDS:.0f} s idle"
            taken.append(Row(group, f"{name}, processor", "%", percent, percent, goal="< 0.5 %"))
            sent = (each.count - count) / SECONDS
            taken.append(Row(group, f"{name}, sent", "B/s", sent, sent, goal="0 B/s"))
    return taken


def _news() -> list[Row]:
    """What a fleet at work sends at 80x24 with the limits in front: once a second numbers move."""
    group, figures = "console: steady news at 80x24", {}
    for side in ("ours", "peer"):
        with _side(side, 10, 80, 24) as opened:
            opened.press(b"4")
            opened.rest(1.0)
            cpu_ms, sent = opened.cpu_ms(), 0
            for number in range(int(SECONDS)):
                opened.order(f"news {number}")
                sent += opened.listen(1.0)
            figures[side] = sent / SECONDS, (opened.cpu_ms() - cpu_ms) / SECONDS / 10
    return [
        *_pair(group, "B/s", figures["ours"][0], figures["peer"][0], "<= 2,000 B/s"),
        *_pair(group, "% of a processor", figures["ours"][1], figures["peer"][1]),
    ]


def _loaded(sites: int, ours: Terminal, peer: Terminal) -> list[Row]:
    return _pair(f"console: memory at {sites:,} sites", "MB", ours.private_mb(), peer.private_mb())


def _keys(sites: int, ours: Terminal, peer: Terminal) -> list[Row]:
    """The cursor down and up again, in turns of both sides."""
    taken: dict[str, list[float]] = {"ours": [], "peer": []}
    for turn in range(10):
        for name, opened in (("ours", ours), ("peer", peer)):
            for _ in range(KEYS // 10):
                opened.rest()
                begin = time.perf_counter()
                opened.press(b"jk"[turn % 2 : turn % 2 + 1])
                opened.read(10.0)
                taken[name].append((time.perf_counter() - begin) * 1000)
    group = f"console: key to the screen at 120x36, {sites:,} sites"
    p50 = {name: statistics.median(each) for name, each in taken.items()}
    p95 = {name: statistics.quantiles(each, n=20)[-1] for name, each in taken.items()}
    return [
        *_pair(group, "ms, p50", p50["ours"], p50["peer"], "<= 5 ms"),
        *_pair(group, "ms, p95", p95["ours"], p95["peer"]),
    ]


def _updates(sites: int, ours: Terminal, peer: Terminal) -> list[Row]:
    """One cell, and one paused site, again and again: bytes sent and processor time."""
    taken: list[Row] = []
    for word, said, goal in (("one", "one changed cell", "<= 200 B"), ("tick", "one paused site", "")):
        figures = {}
        for name, opened in (("ours", ours), ("peer", peer)):
            sent, cpu_ms = [], []
            for number in range(1, UPDATES + 1):
                opened.rest(FRAME_S)
                opened.forget()
                before = opened.cpu_ms()
                opened.order(f"{word} {number + 1000 if word == 'one' else number}")
                opened.read(10.0)
                opened.rest(FRAME_S)
                sent.append(float(opened.count))
                cpu_ms.append(opened.cpu_ms() - before)
            figures[name] = statistics.median(sent), statistics.fmean(cpu_ms)
        group = f"console: {said} at 120x36, {sites:,} sites"
        taken += _pair(group, "B", figures["ours"][0], figures["peer"][0], goal)
        taken += _pair(group, "ms of processor", figures["ours"][1], figures["peer"][1])
    return taken


def _at_ten_a_second(sites: int, ours: Terminal, peer: Terminal) -> list[Row]:
    """Ten times a second a site is paused and a page is scrolled. A frame is missed that comes after the next one."""
    frames = 10 * int(SECONDS) // 2
    group = f"console: scroll and update at 10 Hz, 120x36, {sites:,} sites"
    figures: dict[str, tuple[float, float, float]] = {}
    for name, opened in (("ours", ours), ("peer", peer)):
        opened.rest(0.5)
        delays, cpu_ms, begun = [], opened.cpu_ms(), time.perf_counter()
        for number in range(frames):
            due = begun + number * FRAME_S
            opened.forget()
            opened.order(f"tick {UPDATES + 1 + number}")
            opened.press(b"\x06")
            said = f"tick-{UPDATES + 1 + number:04}"
            seen_at = 0.0
            while (left := due + FRAME_S - time.perf_counter()) > 0:
                opened.read(left)
                seen_at = seen_at or (time.perf_counter() if said in opened.text() else 0.0)
            delays.append((seen_at - due) * 1000 if seen_at else float("inf"))
        percent = (opened.cpu_ms() - cpu_ms) / (time.perf_counter() - begun) / 10
        seen = [delay for delay in delays if delay <= FRAME_S * 1000]
        figures[name] = len(delays) - len(seen), max(seen, default=FRAME_S * 1000), percent
    return [
        *_pair(group, f"missed frames of {frames}", figures["ours"][0], figures["peer"][0], "0 frames"),
        *_pair(group, "ms, the slowest of the others", figures["ours"][1], figures["peer"][1]),
        *_pair(group, "% of a processor", figures["ours"][2], figures["peer"][2]),
    ]


def _pair(group: str, unit: str, ours: float, peer: float, goal: str = "") -> list[Row]:
    return [
        Row(group, PEER, unit, peer, peer, 1.0),
        Row(group, "the console", unit, ours, ours, ours / peer if peer else None, goal),
    ]


@contextmanager
def _both(sites: int) -> Iterator[tuple[Terminal, Terminal]]:
    with _side("ours", sites, 120, 36) as ours, _side("peer", sites, 120, 36) as peer:
        yield ours, peer


@contextmanager
def _side(name: str, sites: int, width: int, height: int) -> Iterator[Terminal]:
    with terminal("-m", "bench.screens", name, str(sites), width=width, height=height) as opened:
        opened.until("[ RUN]", LOADED_S)
        opened.rest(2.0)
        yield opened


if __name__ == "__main__":
    for row in rows():
        print(row, file=sys.stderr)
