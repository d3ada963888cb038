"""What is committed stands by itself: no trace of one machine, no index address, no key, and a lock that covers all."""

import re
import tomllib
from collections.abc import Iterator

from tests.hygiene.tree import ROOT, committed_texts

# Spelt in pieces, so that this file does not find itself.
MACHINE_PATHS = re.compile("|".join(("/" + "root/", "/" + "work/", "/" + r"home/\w", "/" + r"Users/\w")))
INDEX_HOSTS = re.compile(r"\b(pypi|pythonhosted|npmjs|crates)\.(" + "org|com|io)", re.IGNORECASE)
PRIVATE_KEYS = re.compile("BEGIN" + r" ([A-Z]+ )?PRIVATE KEY")
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==\S+(?P<marker> ; .+?)? \\$", re.MULTILINE)


def found(pattern: re.Pattern[str]) -> Iterator[str]:
    """Each place in the repository where the pattern stands."""
    for file in committed_texts():
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), start=1):
            if pattern.search(line):
                yield f"{file.relative_to(ROOT)}:{number}: {line.strip()[:120]}"


def canonical(requirement: str) -> str:
    """The name of a requirement as the lock spells it: `psycopg[binary]>=3` is `psycopg`."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert list(found(MACHINE_PATHS)) == []


def test_no_file_names_the_host_of_a_package_index() -> None:
    assert list(found(INDEX_HOSTS)) == []


def test_no_file_holds_a_private_key() -> None:
    assert list(found(PRIVATE_KEYS)) == []


def test_the_lock_names_every_package_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    asked += [line for group in project["dependency-groups"].values() for line in group if isinstance(line, str)]
    locked = {pin["name"] for pin in PIN.finditer((ROOT / "requirements.lock").read_text("utf-8"))}

    assert {canonical(requirement) for requirement in asked} - locked == set()


def test_the_lock_pins_every_package_by_hash_and_names_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]

    assert [line for line in requirements if not PIN.match(line)] == []
    assert lock.count("\\\n    --hash=sha256:") >= len(requirements)
    assert "://" not in lock
    assert "--index" not in lock


def test_continuous_integration_runs_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    commands = [
        line for line in script.read_text("utf-8").splitlines() if line and not line.startswith(("#", "set ", "cd "))
    ]

    assert commands == ["exec make test"]
    assert script.stat().st_mode & 0o111
