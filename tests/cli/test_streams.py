"""Colour, ASCII and encodings: what is written is the same for everybody, and no stream makes a command fail."""

import re

import pytest

from tests.cli.shell import Shell, run

READING: tuple[tuple[str, ...], ...] = (
    ("status",), ("why", "--all"), ("check", "--all"), ("audit", "list"), ("audit", "verify"), ("export",),
    ("sites", "list"), ("sites", "show", "mail"), ("flags", "list"), ("limits", "list"), ("workflows", "list"),
    ("holds", "list"), ("workers", "list"), ("emergencies", "list"), ("doctor",), ("info",), ("config", "show"),
    ("completion", "bash"), ("pause", "--site", "mail", "--dry-run"), ("sites", "show", "mäil"),
)  # fmt: skip
TITLE = "Mäil ☃ 站 \u202e"
UNREADABLE = "\ufffd"


@pytest.fixture
def fleet(ops: Shell) -> Shell:
    """A fleet with a title and a reason that no ASCII has, and with a stop whose word is painted."""
    ops.ok("sites", "add", "mail", "--title", TITLE)
    ops.ok("pause", "--site", "mail", "--reason", TITLE)
    ops.ok("stop", "--reason", TITLE)
    return ops


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_colour_is_written_where_it_is_asked_for_and_changes_no_other_byte(
    fleet: Shell, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = re.compile(
        r"\d+ ms|read \d+s ago|pid +\d+| {2,}|(never|auto|always|ansi16) +(- +)?(flag|default)|\d+ MB free"
    )
    never = moving.sub("", fleet(*command, "--color", "never").out)
    assert "\x1b" not in never
    assert moving.sub("", fleet(*command).out) == never  # a pipe
    for when in ("always", "ansi16"):
        assert moving.sub("", plain(fleet(*command, "--color", when).out)) == never
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in fleet(*command).out
    assert "\x1b" not in fleet(*command, "--color", "auto").out


def test_colour_that_is_asked_for_outright_stands_over_no_color(fleet: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert fleet.ok("status", "--color", "always").out.startswith("\x1b[7m[STOP]\x1b[0m")


def test_colour_never_gets_into_what_programs_read(fleet: Shell) -> None:
    for output in ("json", "jsonl", "csv"):
        assert "\x1b" not in fleet.ok("status", "--color", "always", "-o", output).out


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_ascii_means_data_and_narration_alike(fleet: Shell, command: tuple[str, ...]) -> None:
    answer = fleet(*command, "--ascii")

    assert answer.out.isascii()
    assert answer.err.isascii()


def test_a_stop_is_narrated_in_ascii_too(fleet: Shell) -> None:
    answer = fleet.ok("stop", "--reason", TITLE, "--ascii")
    assert (answer.out + answer.err).isascii()


def test_no_help_needs_more_than_ascii(ops: Shell) -> None:
    for command in ((), ("apply",), ("stop",), ("resume",), ("recover",), ("audit",), ("demo",), ("limits", "add")):
        assert ops.ok(*command, "--help").out.isascii(), command


def narrow(encoding: str) -> str:
    """What makes a program's streams know only this encoding, as PYTHONIOENCODING would."""
    return f"import sys\nfor stream in (sys.stdout, sys.stderr): stream.reconfigure(encoding={encoding!r})"


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_narrow_stream_gets_escapes_and_never_a_wrong_letter(fleet: Shell, encoding: str) -> None:
    for command in (("sites", "list"), ("status",), ("audit", "list")):
        answer = run(*command, prelude=narrow(encoding))
        assert (answer.code, "Traceback" in answer.err) == (0, False), command
        assert "\\u2603 \\u7ad9 \\ufffd" in answer.out
        assert UNREADABLE not in answer.out.replace("M\ufffdil", "")  # ä is the one letter beyond ASCII in latin-1
        assert ("M\\xe4il" in answer.out) is (encoding == "ascii")
    assert run("sites", "show", "mäil", prelude=narrow(encoding)).code == 2
    assert run("sites", "list", "-o", "json", prelude=narrow(encoding)).json[0]["title"] == TITLE


def test_a_locale_that_knows_only_ascii_makes_a_stream_narrow(fleet: Shell) -> None:
    answer = run("sites", "list", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    assert (answer.code, answer.out.isascii()) == (0, True)
    assert "M\\xe4il \\u2603 \\u7ad9 \\ufffd" in answer.out
