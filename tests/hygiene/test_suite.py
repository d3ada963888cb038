"""How `make test` treats a test that fails beside others: it is asked once more alone, and never silently."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hygiene.tree import ROOT

BESIDE_OTHERS = "import os\ndef test_beside_others():\n    assert 'PYTEST_XDIST_WORKER' not in os.environ\n"
ALWAYS = "def test_always():\n    assert False\n"
NEVER = "def test_never():\n    pass\n"
IN_A_GROUP = "import pytest\npytestmark = pytest.mark.xdist_group('two-words')\n"
AFTERWARDS = f"@pytest.fixture(autouse=True)\ndef after():\n    yield\n    beside_others()\n{NEVER}"


def run(project: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    for number, test in enumerate(tests):
        (project / f"test_{number}.py").write_text(test)
    command = [sys.executable, str(ROOT / "scripts/suite.py"), "1", "-p", "xdist.plugin"]
    return subprocess.run(command, check=False, cwd=project, capture_output=True, text=True, timeout=120)


@pytest.fixture(autouse=True)
def no_other_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def test_what_passes_alone_passes_and_is_named(tmp_path: Path) -> None:
    ran = run(tmp_path, BESIDE_OTHERS, NEVER)

    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.endswith("UNSTABLE, for they passed only alone:\n  test_0.py::test_beside_others\n")


def test_what_belongs_to_a_group_is_asked_by_its_own_name(tmp_path: Path) -> None:
    ran = run(tmp_path, IN_A_GROUP + BESIDE_OTHERS)

    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.endswith("alone:\n  test_0.py::test_beside_others\n")


def test_what_fails_after_a_test_is_asked_again_with_it(tmp_path: Path) -> None:
    ran = run(tmp_path, IN_A_GROUP + BESIDE_OTHERS.replace("test_beside_others", "beside_others") + AFTERWARDS)

    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.endswith("alone:\n  test_0.py::test_never\n")


def test_what_fails_alone_too_fails_the_run(tmp_path: Path) -> None:
    ran = run(tmp_path, ALWAYS, BESIDE_OTHERS)

    assert ran.returncode == 1
    assert "UNSTABLE" not in ran.stdout


def test_many_failures_are_no_accident(tmp_path: Path) -> None:
    assert run(tmp_path, *(BESIDE_OTHERS for _ in range(6))).returncode == 1
