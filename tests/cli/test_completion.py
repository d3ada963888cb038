"""Completion in three shells: commands, options and names, and nothing at all rather than a wait."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opsconsole.cli.completing import CAP_S
from opsgate.paths import default_database
from tests.cli.shell import Shell, environment, run
from tests.support.waiting import eventually


def completed(line: str, backend: str = "") -> list[str]:
    """What bash would be offered behind this line."""
    words = line.split(" ")
    answer = run(
        COMP_WORDS=line,
        COMP_CWORD=str(len(words) - 1),
        _OPSCONSOLE_COMPLETE="bash_complete",
        OPSCONSOLE_BACKEND=backend,
    )
    return [text.partition(",")[2] for text in answer.out.splitlines()]


def test_commands_verbs_and_options_are_completed() -> None:
    assert {"status", "stop"} <= set(completed("opsconsole st"))
    assert completed("opsconsole sites re") == ["resume"]
    assert "--site" in completed("opsconsole pause --si")
    assert completed("opsconsole stop --level im") == ["immediate"]
    assert "keeper" not in completed("opsconsole k")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("opsconsole pause --site sh", ["shop-eu", "shop-us"]),
        ("opsconsole sites show m", ["mail"]),
        ("opsconsole workflows off xml", ["xml-import"]),
        ("opsconsole stop --operation ab", ["ab_testing"]),
    ],
)
def test_names_come_from_the_database(ops: Shell, line: str, names: list[str]) -> None:
    for site in ("shop-eu", "shop-us", "mail"):
        ops.ok("sites", "add", site)

    eventually(lambda: completed(line) == names, within_s=60)  # a busy host misses the cap now and then


def test_the_backend_is_the_one_that_the_environment_names(ops: Shell, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/other.db"
    ops.ok("sites", "add", "elsewhere", "-b", url)

    eventually(lambda: completed("opsconsole sites show else", backend=url) == ["elsewhere"], within_s=60)


def test_a_locked_missing_or_wrong_database_completes_to_nothing_in_time(ops: Shell, tmp_path: Path) -> None:
    from opsconsole.cli.completing import complete_names
    from opsconsole.cli.invocation import Invocation
    from opsconsole.cli.root import root

    ops.ok("sites", "add", "mail")
    lock = sqlite3.connect(default_database(), isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("BEGIN EXCLUSIVE")
    for url in (
        f"sqlite:///{default_database()}",
        f"sqlite:///{tmp_path}/none.db",
        "postgresql://nowhere/x",
        "nonsense",
    ):
        invocation = Invocation()
        invocation.flags["backend"] = url
        context = root.make_context("opsconsole", [], obj=invocation)

        took_s = []
        for _ in range(3):
            began_s = time.perf_counter()
            assert complete_names(context, "site", "") == []
            took_s.append(time.perf_counter() - began_s)
        assert min(took_s) < 10 * CAP_S  # a busy host is slow now and then, a wait for the lock is always longer
    lock.close()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    answer = run("completion", shell)

    assert answer.code == 0
    assert "_OPSCONSOLE_COMPLETE" in answer.out
    assert answer.out.startswith("# ")


def test_the_script_for_bash_is_one_that_bash_takes() -> None:
    script = run("completion", "bash").out

    done = subprocess.run(
        ["bash", "-c", "source /dev/stdin && complete -p opsconsole"],
        input=script,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "_opsconsole_completion" in done.stdout) == (0, True)


def in_bash(*words: str, home: Path, backend: str = "") -> tuple[list[str], str]:
    """What a real bash offers behind these words once it has the script, and what that wrote to stderr."""
    program = """
        source <(opsconsole completion bash)
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _opsconsole_completion opsconsole "${COMP_WORDS[COMP_CWORD]}"
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "opsconsole").write_text(f'#!/bin/sh\nexec {sys.executable} -m opsconsole "$@"\n')
    (folder / "opsconsole").chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", program, "bash", *words],
        env=environment(PATH=f"{folder}:{os.environ['PATH']}", OPSCONSOLE_BACKEND=backend),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split(), done.stderr


def test_a_real_bash_completes_commands_and_names(ops: Shell, home: Path) -> None:
    for site in ("shop-eu", "shop-us", "mail"):
        ops.ok("sites", "add", site)

    assert in_bash("opsconsole", "sta", home=home) == (["status"], "")
    eventually(
        lambda: in_bash("opsconsole", "pause", "--site", "shop", home=home) == (["shop-eu", "shop-us"], ""), within_s=60
    )


def test_a_real_bash_hears_nothing_of_a_database_that_is_missing_or_locked(
    ops: Shell, tmp_path: Path, home: Path
) -> None:
    ops.ok("sites", "add", "mail")
    lock = sqlite3.connect(default_database(), isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("BEGIN EXCLUSIVE")

    for backend in ("", f"sqlite:///{tmp_path}/none.db", "postgresql://nowhere/x", "nonsense"):
        assert in_bash("opsconsole", "pause", "--site", "m", home=home, backend=backend) == ([], ""), backend
    lock.close()


def test_another_shell_is_a_usage_error() -> None:
    assert run("completion", "tcsh").code == 2
