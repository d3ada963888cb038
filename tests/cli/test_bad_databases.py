"""A database that is damaged, foreign, newer, locked, read-only or full: a sentence, the right code, no traceback."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.cli.shell import Shell, run

OBEYING_MODES = """
import ctypes, os
if os.getuid() == 0:  # a file's mode binds root only without its capabilities
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(header, none) == 0
"""


@pytest.fixture
def file(ops: Shell, tmp_path: Path) -> Path:
    """A fleet with one site in a file of its own."""
    path = tmp_path / "fleet.db"
    ops.ok("sites", "add", "mail", "-b", f"sqlite:///{path}")
    return path


def asked(ops: Shell, file: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and the one sentence of a command on a file."""
    answer = ops(*arguments, "-b", f"sqlite:///{file}", "--timeout", "0.3s")
    assert answer.err.count("\n") == 1, answer.err
    return answer.code, answer.err


def test_a_file_that_is_no_database_is_not_touched(ops: Shell, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear sir, " * 1000)

    code, sentence = asked(ops, file, "sites", "list")

    assert (code, "is not an SQLite database" in sentence) == (2, True)
    assert file.read_text().startswith("Dear sir")


def test_another_programs_database_is_not_touched(ops: Shell, tmp_path: Path) -> None:
    file = tmp_path / "groceries.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE groceries (name TEXT)")
    other.close()

    code, _ = asked(ops, file, "pause", "--all")

    assert code == 2
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("groceries",)]
    other.close()


def test_a_folder_is_no_file(ops: Shell, tmp_path: Path) -> None:
    code, sentence = asked(ops, tmp_path, "sites", "list")
    assert (code, "is a directory" in sentence) == (2, True)


def test_a_damaged_file_says_keep_a_copy(ops: Shell, file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[100:4096] = b"\xff" * (4096 - 100)
    file.write_bytes(content)
    for leftover in (file.with_name("fleet.db-wal"), file.with_name("fleet.db-shm")):
        leftover.unlink(missing_ok=True)

    code, sentence = asked(ops, file, "sites", "list")

    assert (code, "keep a copy" in sentence or "damaged" in sentence) == (3, True)


def test_a_newer_database_is_refused_with_the_next_step(ops: Shell, file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
        other.execute("UPDATE schema_reader SET oldest = '9998'")
    other.close()

    code, sentence = asked(ops, file, "sites", "list")

    assert code in (2, 3)
    assert "newer" in sentence


def test_a_missing_file_is_begun_by_a_write_and_never_by_a_read_or_a_release(ops: Shell, tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    for command in (("sites", "list"), ("resume", "--all", "--reason", "r"), ("recover", "E-1", "--reason", "r")):
        code, sentence = asked(ops, missing, *command)
        assert (code, "there is no database at" in sentence) == (3, True)
        assert not missing.exists()

    assert ops("pause", "--all", "-b", f"sqlite:///{missing}").code == 0
    assert missing.exists()


def test_whoever_begins_a_fleet_without_knowing_it_is_told_so_once(ops: Shell, tmp_path: Path) -> None:
    mistyped = tmp_path / "new" / "flet.db"

    assert ops.ok("sites", "add", "mail", "-b", f"sqlite:///{mistyped}").err.startswith(
        f"a new fleet was begun at {mistyped}\n"
    )
    assert "new fleet" not in ops.ok("sites", "add", "shop", "-b", f"sqlite:///{mistyped}").err


def test_a_locked_file_is_named_after_the_time_one_is_willing_to_wait(ops: Shell, file: Path) -> None:
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")

    code, sentence = asked(ops, file, "pause", "--all")

    assert (code, "is locked by another process" in sentence) == (3, True)
    lock.close()


def test_a_read_only_file_can_be_read_and_not_written(file: Path) -> None:
    for each in (*file.parent.glob("fleet.db*"), file.parent):
        each.chmod(0o555)

    written = run("pause", "--all", "-b", f"sqlite:///{file}", prelude=OBEYING_MODES)
    read = run("check", "--site", "mail", "-b", f"sqlite:///{file}", prelude=OBEYING_MODES)
    stopped = run("stop", "-b", f"sqlite:///{file}", "-o", "json", prelude=OBEYING_MODES)

    file.parent.chmod(0o755)
    assert (written.code, written.out, written.err.count("\n")) == (3, "", 1)
    assert "stops still work: opsconsole stop --local" in written.err
    assert (read.code, read.out.split()[0]) == (0, "allowed")
    assert (stopped.code, stopped.json["durable"]) == (5, "spool")


def test_a_disk_without_room_is_named_and_nothing_is_lost(ops: Shell, file: Path) -> None:
    """The limit on a file's size stands for the full disk: the write fails where the file would grow."""
    size = file.stat().st_size
    no_room = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"
    sites = "".join(f"  site-{number}: {{title: {'x' * 300}}}\n" for number in range(3000))

    full = run("apply", "-f", "-", "-b", f"sqlite:///{file}", text=f"sites:\n{sites}", prelude=no_room)

    assert (full.code, full.out, full.err.count("\n")) == (3, "", 1)
    assert ops.ok("sites", "list", "-o", "json", "-b", f"sqlite:///{file}").json[0]["name"] == "mail"
    assert ops.ok("audit", "verify", "-b", f"sqlite:///{file}").code == 0


BAD_SERVERS = [
    "http:",
    "http://",
    "https://host:99999",
    "http://host:port",
    "http://[bad/x",
    "http://127.0.0.1:1,http://",
]


@pytest.mark.parametrize("url", BAD_SERVERS)
def test_a_url_of_no_server_is_a_usage_error(ops: Shell, url: str) -> None:
    answer = ops("sites", "list", "-b", url)

    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "mysql://x/y",
            "mysql: is no backend of this version; write sqlite:///FILE, postgresql://HOST/DATABASE or http",
        ),
        ("nonsense", "'nonsense' is not a backend URL: write sqlite:///FILE, postgresql://HOST/NAME or http(s)://HOST"),
        ("sqlite:///", "'sqlite:///' names no file: write sqlite:///relative.db or sqlite:////absolute.db"),
        ("sqlite://x", "'sqlite://x' names no file: write sqlite:///relative.db or sqlite:////absolute.db"),
    ],
)
def test_a_url_that_is_no_backend_of_this_version_is_a_usage_error(ops: Shell, url: str, sentence: str) -> None:
    for command in (("sites", "list"), ()):
        answer = ops(*command, "-b", url)

        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
        assert sentence in answer.err


def test_a_server_that_no_one_runs_is_unreachable_in_one_line(ops: Shell) -> None:
    answer = ops("sites", "list", "-b", "http://127.0.0.1:1", "--timeout", "2s")

    assert (answer.code, answer.out, answer.err.count("\n")) == (3, "", 1)
    assert "http://127.0.0.1:1 cannot be reached: Connection refused" in answer.err


def test_of_a_fleet_that_cannot_be_read_the_status_says_nothing_but_that(ops: Shell) -> None:
    answer = ops("status", "-b", "http://127.0.0.1:1", "--timeout", "2s")

    assert (answer.code, answer.out.count("\n")) == (3, 2), "neither how many workers live, nor at which revision"
    assert answer.out.startswith("[????] unknown\n  http://127.0.0.1:1 cannot be reached: Connection refused")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://ana:s3cret@[bad/fleet", 2),
        ("postgresql://ana:s3%zzcret@db/fleet", 2),
        ("postgresql://db/fleet?password=s3cret&bogus=1", 2),
        ("postgresql://ana:s3cret@127.0.0.1:1/fleet", 3),
        ("postgresql://127.0.0.1:1/fleet?password=s3cret", 3),
        ("host=db password=s3cret", 2),
        ("http://s3cret@127.0.0.1:1", 3),
        ("http://ana:s3cret@[bad", 2),
        ("mysql://ana:s3cret@x/y", 2),
    ],
)
def test_no_password_of_a_url_is_in_any_sentence(ops: Shell, url: str, code: int) -> None:
    for command in (("sites", "list"), ("doctor",), ("info",), ("config", "show")):
        answer = ops(*command, "-b", url, "--timeout", "2s")

        assert not re.search("s3(cret|%zz)", answer.out + answer.err), command
        assert command != ("sites", "list") or answer.code == code


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "http://127.0.0.1:1"])
def test_a_server_that_is_not_there_is_unreachable(ops: Shell, url: str) -> None:
    for command, code in ((("sites", "list"), 3), (("status",), 3), (("check", "--all"), 12)):
        answer = ops(*command, "-b", url, "--timeout", "2s")
        assert (answer.code, "Traceback" in answer.err) == (code, False)


def test_two_databases_are_two_fleets(ops: Shell, tmp_path: Path) -> None:
    one, two = (("-b", f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "two"))
    ops.ok("pause", "--all", *one)
    ops.ok("sites", "add", "mail", *two)

    assert ops("check", "--all", *one).code == 10
    assert ops("check", "--all", *two).code == 0
    assert ops.ok("info", "-o", "json", *one).json["fleet"] != ops.ok("info", "-o", "json", *two).json["fleet"]
