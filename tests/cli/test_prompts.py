"""What is asked on a terminal, what production demands without one, and that nothing is asked anywhere else."""

import os
import pty
import select
from pathlib import Path

import pytest

from tests.cli.shell import Shell, environment
from tests.support import warm

PRODUCTION = "[profiles.prod]\nproduction = true\n"


@pytest.fixture
def production(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that marks itself as production, in use."""
    file = home / "config" / "opsconsole" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(PRODUCTION)
    monkeypatch.setenv("OPSCONSOLE_PROFILE", "prod")


CTRL_C = "\x03"


def on_a_terminal(*arguments: str, typed: str, **environ: str) -> tuple[int, str]:
    """Carry a command out on a terminal of its own, answer its question, and return exit code and all it showed."""
    ours, theirs = pty.openpty()
    process = warm.start(
        "opsconsole",
        *arguments,
        streams=[theirs] * 3,
        environment=environment(**({"TERM": "xterm"} | environ)),
        hangup="SIG_DFL",
    )
    os.close(theirs)
    shown, answered = b"", False
    while True:
        if answered and typed == CTRL_C and not select.select([ours], [], [], 1.0)[0]:
            os.write(ours, CTRL_C.encode())  # as anybody does: a signal just before Python's read waits for another key
            continue
        if not (chunk := _read(ours)):
            break
        shown += chunk
        if not answered and b"to go on" in shown:
            answered = True
            os.write(ours, typed.encode())
    os.close(ours)
    return process.wait(60), shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed: that is how a terminal says end of file
        return b""


def test_resume_all_asks_for_the_typed_scope(ops: Shell) -> None:
    ops.ok("pause", "--all", "--reason", "drill")

    code, shown = on_a_terminal("resume", "--all", "--reason", "r", typed="all\n")

    assert (code, "type the scope to go on: all" in shown, "drill" in shown) == (0, True, True)
    assert ops("check", "--all").code == 0


@pytest.mark.parametrize("typed", ["\n", "yes\n", "y\n", "ALL\n"])
def test_anything_but_the_scope_releases_nothing(ops: Shell, typed: str) -> None:
    ops.ok("pause", "--all")

    code, shown = on_a_terminal("resume", "--all", "--reason", "r", typed=typed)

    assert (code, "that is not the scope, which is all; nothing was released" in shown) == (7, True)
    assert ops("check", "--all").code == 10


def test_ctrl_c_at_the_question_interrupts(ops: Shell) -> None:
    ops.ok("pause", "--all")

    code, _ = on_a_terminal("resume", "--all", "--reason", "r", typed=CTRL_C)

    assert code == 130
    assert ops("check", "--all").code == 10


def test_recovery_asks_for_the_emergencys_scope_as_it_is_printed(ops: Shell) -> None:
    ops.ok("sites", "add", "mail")
    emergency = ops.ok("stop", "--site", "mail", "-o", "json").json["emergency_id"]

    code, shown = on_a_terminal("recover", emergency, "--reason", "r", typed="site=mail\n")

    assert (code, "type the scope to go on: site=mail" in shown) == (0, True)


def test_a_narrow_resume_and_a_stop_ask_nothing_on_a_terminal(ops: Shell) -> None:
    ops.ok("sites", "add", "mail")
    ops.ok("pause", "--site", "mail")

    assert on_a_terminal("resume", "--site", "mail", "--reason", "r", typed="")[0] == 0
    assert on_a_terminal("stop", typed="")[0] == 0


@pytest.mark.parametrize("no_question", [{"OPSCONSOLE_NO_INPUT": "1"}, {"TERM": "dumb"}])
def test_nothing_is_asked_where_nobody_can_answer(ops: Shell, no_question: dict[str, str]) -> None:
    ops.ok("pause", "--all")

    code, shown = on_a_terminal("resume", "--all", "--reason", "r", typed="", **no_question)

    assert (code, "type the scope" in shown) == (0, False)


def test_confirm_answers_the_question_in_advance(ops: Shell) -> None:
    ops.ok("pause", "--all")

    assert ops("resume", "--all", "--reason", "r", "--confirm", "everything").code == 7
    assert ops("resume", "--all", "--reason", "r", "--confirm", "all").code == 0


def test_without_a_terminal_other_profiles_go_on(ops: Shell) -> None:
    emergency = ops.ok("stop", "-o", "json").json["emergency_id"]

    assert ops("recover", emergency, "--reason", "r", "--confirm", "site=mail").code == 7
    assert ops("recover", emergency, "--reason", "r").code == 0


@pytest.mark.usefixtures("production")
def test_production_demands_confirm_without_a_terminal(ops: Shell) -> None:
    ops.ok("pause", "--all")
    emergency = ops.ok("stop", "-o", "json").json["emergency_id"]

    for release in (("resume", "--all"), ("recover", emergency)):
        answer = ops(*release, "--reason", "r")
        assert (answer.code, "say --confirm 'all'" in answer.err) == (7, True)
        assert ops(*release, "--reason", "r", "--confirm", "all").code == 0


@pytest.mark.usefixtures("production")
def test_production_asks_on_a_terminal(ops: Shell) -> None:
    ops.ok("pause", "--all")

    assert on_a_terminal("resume", "--all", "--reason", "r", typed="all\n")[0] == 0


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "release",
    [
        "{kind: release-holds, selectors: [{}], reason: r}",
        "{kind: set-switch, dimension: operation, names: [site_creation], on: true}",
        "{kind: recover, emergency_id: E-1, reason: r, confirm: all}",
    ],
)
def test_a_script_that_lets_something_run_in_production_is_refused_before_anything_runs(
    ops: Shell, tmp_path: Path, release: str
) -> None:
    real, own = tmp_path / "real.yaml", tmp_path / "own.yaml"
    steps = "steps:\n  - do: {kind: place-hold, selectors: [{}], reason: first}\n  - do: " + release + "\n"
    real.write_text(f"keeper: false\n{steps}", "utf-8")
    own.write_text(f"fleet: seeded\n{steps}", "utf-8")
    ops.ok("pause", "--all", "--reason", "deploy")
    before = ops.ok("status", "-o", "json").json["revision"]

    answer = ops("script", str(real))

    assert (answer.code, "line 4" in answer.err) == (7, True), answer.err
    assert ops.ok("status", "-o", "json").json["revision"] == before
    assert ops("script", str(own), "--dry-run").code == 0, "that fleet is the script's own"
