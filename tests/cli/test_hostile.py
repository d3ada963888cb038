"""Hostile text on every path of the command line: harmless where people read, exact where programs do."""

import json
import sqlite3

import pytest

from core.capabilities.configuration import ApplyConfiguration, Configuration, NameEntry
from opsconsole.cli.engine import opened
from opsconsole.cli.invocation import Invocation
from opsgate.paths import default_database
from tests.cli.shell import Shell
from tests.conftest import FULL
from tests.console.hostile import strings

STRINGS = 20_000 if FULL else 600
TYPED_MAX = 20_000 if FULL else 300
"""Strings that are typed, one command each."""

READING = (
    ("sites", "list"), ("sites", "show", "s-1"), ("holds", "list"), ("status",), ("why", "--all"),
    ("check", "--site", "s-1"), ("audit", "list", "--limit", "5000"), ("export",), ("sites", "list", "-o", "csv"),
    ("workers", "list"), ("workers", "show", "w"), ("emergencies", "list"), ("flags", "list"), ("workflows", "list"),
    ("limits", "list"), ("audit", "show", "--at", "2099-01-01T00:00Z"), ("doctor",), ("info",),
    ("why", "--site", "s-1"), ("pause", "--site", "s-1"),
)  # fmt: skip


def harmless(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


def storable(text: str) -> str:
    """As a document can carry it: half letters are refused before they are stored."""
    return text.encode("utf-8", "replace").decode()


def test_stored_titles_and_reasons_reach_no_terminal_raw_and_programs_exactly(
    ops: Shell, seed: int, tmp_path: object
) -> None:
    titles = {f"s-{number}": storable(text) for number, text in enumerate(strings(seed, STRINGS))}
    with opened(Invocation(), create=True) as engine:
        entries = {name: NameEntry(title=title) for name, title in titles.items()}
        engine.submit(ApplyConfiguration(configuration=Configuration(sites=entries)))
    for number, text in enumerate(strings(seed + 1, 20)):
        ops.ok("pause", "--site", "s-1", "--env", f"e{number}", "--reason", storable(text))

    for command in READING:
        answer = ops(*command)
        assert harmless(answer.out + answer.err), command

    assert {row["name"]: row["title"] for row in ops.ok("sites", "list", "-o", "json").json} == titles
    assert {row["name"]: row["title"] for row in ops.ok("sites", "list", "-o", "jsonl").jsonl} == titles


def test_rows_written_into_the_file_by_a_stranger_reach_no_terminal_raw(ops: Shell, seed: int) -> None:
    """Whoever can write the file is its admin, and still paints on nobody's screen."""
    ops.ok("sites", "add", "s-1")
    ops.ok("pause", "--site", "s-1", "--reason", "MARK-REASON")
    ops.ok("stop", "--site", "s-1", "--reason", "MARK-STOP")
    for text in strings(seed, 60 if FULL else 12):
        raw, escaped = storable(text), json.dumps(storable(text))[1:-1]
        with sqlite3.connect(default_database()) as file:
            for table, column, in_json in _texts(file):
                file.execute(
                    f"UPDATE {table} SET {column} = replace({column}, 'MARK', ? || 'MARK')",
                    (escaped if in_json else raw,),
                )
        file.close()
        for command in READING:
            answer = ops(*command)
            assert harmless(answer.out + answer.err), (command, text)


def _texts(file: sqlite3.Connection) -> list[tuple[str, str, bool]]:
    """Every text column of the file in which the marked words stand, and whether as a part of JSON."""
    found: list[tuple[str, str, bool]] = []
    for (table,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for column in [row[1] for row in file.execute(f"PRAGMA table_info({table})")]:
            row = file.execute(f"SELECT {column} FROM {table} WHERE {column} LIKE '%MARK%' LIMIT 1").fetchone()
            if row is not None:
                found.append((table, column, str(row[0]).startswith(("{", "["))))
    assert len(found) > 2, "the marked words stand in the journal and in the gate's tables"
    return found


TYPED = (
    ("sites", "add"), ("sites", "show"), ("sites", "rm"), ("flags", "show"), ("workflows", "show"), ("limits", "show"),
    ("holds", "show"), ("workers", "show"), ("emergencies", "show"), ("pause", "--site"), ("pause", "--account"),
    ("why", "--site"), ("check", "--site"), ("stop", "--site"), ("recover", "--reason", "r"), ("apply", "-f"),
    ("-b",), ("-P",), ("status", "-o"), ("pause", "--all", "--for"), ("pause", "--all", "--until"), ("completion",),
    ("pause", "--all", "--dry-run", "--reason"), ("resume", "--all", "--reason", "r", "--hold"), ("watch", "--since"),
    ("resume", "--all", "--reason", "r", "--confirm"), ("audit", "show", "--at"), (), ("sites",), ("limits", "set"),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_whatever_is_typed_is_answered_in_harmless_words(ops: Shell, seed: int) -> None:
    ops.ok("sites", "add", "s-1")
    for number, text in enumerate(strings(seed, TYPED_MAX)):
        command = TYPED[number % len(TYPED)]
        answer = ops(*command, text.replace("\0", ""))
        assert answer.code in range(13), (command, text)
        assert harmless(answer.out + answer.err), (command, text)
