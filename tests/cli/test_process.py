"""The program as a process: what it loads, how it ends, and what it takes from its environment."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backends.keeper import alive
from opsgate.paths import default_database, state_home
from tests.cli.shell import SRC, Shell, environment, keeper_of, run, started
from tests.support.waiting import eventually

HEAVY = ("sqlalchemy", "pydantic", "textual", "rich", "yaml", "alembic", "psycopg", "immutables")


def loaded_by(*arguments: str) -> set[str]:
    """The top-level modules that one command loads, asked of the process itself."""
    probe = f"""
import atexit, json, sys
sys.argv = ["opsconsole", *{list(arguments)!r}]
atexit.register(lambda: print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})), file=sys.stderr))
from opsconsole.__main__ import main
sys.exit(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", probe], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("status",),
        ("status", "-o", "json"),
        ("check", "--site", "s1"),
        ("check", "--operation", "ab_testing", "-o", "json"),
        ("stop", "--local"),
        ("completion", "bash"),
        (),
    ],
)
def test_what_must_start_fast_loads_no_engine_and_no_screen(ops: Shell, arguments: tuple[str, ...]) -> None:
    ops.ok("flags", "list")

    assert loaded_by(*arguments) & set(HEAVY) == set()


def test_a_sound_stop_does_not_even_load_click() -> None:
    assert "click" not in loaded_by("stop", "--local")


def test_a_stop_that_a_keeper_records_loads_no_engine(ops: Shell) -> None:
    ops.ok("flags", "list")
    with keeper_of(f"sqlite:///{default_database()}"):
        assert loaded_by("stop") & {*HEAVY, "click"} == set()


def test_the_list_of_commands_imports_none_of_them() -> None:
    probe = """
import sys
from opsconsole.cli.main import command_line
command_line(["--help"])
print([name for name in sys.modules if name.startswith("opsconsole.cli.commands")])
"""
    done = subprocess.run([sys.executable, "-c", probe], env=environment(), capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_no_ordinary_command_loads_the_screen() -> None:
    assert "textual" not in loaded_by("pause", "--all")


def test_a_stop_of_this_host_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    """Every package that is not ours refuses to be imported; the latch is placed all the same."""
    for name in (*HEAVY, "click"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('this must not be needed')")

    answer = run("stop", "--local", "--reason", "drill", PYTHONPATH=f"{tmp_path}{os.pathsep}{SRC}")

    assert answer.code == 5
    (latch,) = (Path(os.environ["OPSGATE_LATCH_DIR"]) / "all").iterdir()
    assert json.loads(latch.read_text())["reason"] == "drill"


def test_without_a_terminal_the_console_is_the_status_and_one_line_on_how_to_get_it(ops: Shell) -> None:
    ops.ok("flags", "list")

    answer = run()

    assert (answer.code, answer.out.splitlines()[0].startswith("[ RUN] at revision")) == (0, True)
    assert answer.err == "this is no terminal: run opsconsole in one to get the console, or see opsconsole --help\n"


def test_another_package_called_core_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").touch()

    answer = run("status", PYTHONPATH=f"{tmp_path}{os.pathsep}{SRC}")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"opsconsole: another package called 'core' ({tmp_path}/core/__init__.py) hides ours")


def test_textuals_own_environment_is_dropped() -> None:
    probe = """
import os, sys
sys.argv = ["opsconsole", "--version"]
from opsconsole.__main__ import main
main()
print(sorted(os.environ))
"""
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env=environment(TEXTUAL_PRESS="q", TEXTUAL_DRIVER="evil:Driver"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "TEXTUAL" not in done.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_command_that_is_ended_says_by_its_code_how(ops: Shell, number: int, code: int) -> None:
    ops.ok("flags", "list")
    with started("watch", "--since", "0") as process:
        assert json.loads(process.stdout.readline())["kind"] == "fleet.created"

        process.send_signal(number)

        assert process.wait(60) == code
        assert process.stderr.read() == ""


def test_watch_prints_each_event_once_as_it_happens(ops: Shell) -> None:
    last = ops.ok("audit", "list", "-o", "json").json[-1]["revision"]
    with started("watch", "--since", str(last)) as process:
        for command in (("pause", "--all"), ("resume", "--all", "--reason", "r")):
            ops.ok(*command)
            event = json.loads(process.stdout.readline())
            last += 1
            assert event["revision"] == last


def test_a_reader_that_leaves_is_no_fault(ops: Shell) -> None:
    ops.ok("flags", "list")
    with started("watch", "--since", "0") as process:
        process.stdout.readline()
        process.stdout.close()
        ops.ok("pause", "--all")

        assert process.wait(60) == 0


def test_output_that_cannot_be_written_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "opsconsole", "config", "show"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr == (
        "opsconsole: the output could not be written: No space left on device; what was done is done\n"
    )


def test_bytes_that_are_no_text_are_refused_in_one_sentence() -> None:
    for arguments in (
        ("pause", "--all", "--reason", b"\xff\xfe"),
        ("pause", "--site", b"s\xff"),
        ("stop", "--site", b"\xff"),
    ):
        answer = run(*arguments)
        assert (answer.code, answer.err.count("\n"), "Traceback" in answer.err) == (2, 1, False)


def test_a_terminal_and_a_pipe_get_the_same_bytes_apart_from_colour(ops: Shell) -> None:
    ops.ok("stop")

    plain, coloured = ops.ok("status").out, ops.ok("status", "--color", "always").out

    assert coloured.startswith("\x1b[7m[STOP]\x1b[0m")
    assert coloured.replace("\x1b[7m", "").replace("\x1b[1m", "").replace("\x1b[0m", "") == plain


def test_an_internal_error_is_one_sentence_and_a_report(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import opsgate.status\n"
        "def broken(*_): raise RuntimeError('a fault of ours')\n"
        "opsgate.status.read_status = broken\n"
    )
    path = f"{tmp_path}{os.pathsep}{SRC}"

    answer = run("status", PYTHONPATH=path)

    assert (answer.code, answer.out, answer.err.count("\n")) == (70, "", 1)
    (report,) = (state_home() / "opsconsole" / "reports").iterdir()
    assert str(report) in answer.err
    assert "a fault of ours" in report.read_text()
    assert "Traceback" in run("status", "--debug", PYTHONPATH=path).err


def test_the_keeper_runs_in_the_foreground_until_it_is_ended(ops: Shell) -> None:
    ops.ok("flags", "list")
    with started("keeper") as process:
        eventually(lambda: alive(f"sqlite:///{default_database()}"), within_s=60)

        process.terminate()

        assert process.wait(60) == 143


def test_the_version_is_the_projects() -> None:
    assert run("--version").out == "opsconsole 0.1.0\n"
