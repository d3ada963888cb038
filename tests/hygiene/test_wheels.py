"""Two wheels come from one tree: the whole product, and the worker's part alone, without any dependency."""

import email
import subprocess
import sys
import tomllib
import venv
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.hygiene.tree import PACKAGES, ROOT, SRC, committed_files

pytestmark = pytest.mark.xdist_group("wheels")  # so that each wheel is built once


def build(project: Path, folder: Path) -> Path:
    """Build a project's wheel with the tools of this environment, so that the test needs no network."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(project)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def contents(wheel: Path) -> set[str]:
    """The files a wheel installs, without those that describe it."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def sources_of(*packages: str) -> set[str]:
    return {
        str(file.relative_to(SRC))
        for package in packages
        for file in committed_files()
        if file.is_relative_to(SRC / package)
    }


@pytest.fixture(scope="module")
def worker_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT / "packaging" / "opsgate", tmp_path_factory.mktemp("opsgate"))


@pytest.fixture(scope="module")
def whole_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("opsconsole"))


def test_the_workers_wheel_holds_opsgate_and_nothing_else(worker_wheel: Path) -> None:
    assert contents(worker_wheel) == sources_of("opsgate")


def test_the_workers_wheel_has_no_dependency(worker_wheel: Path) -> None:
    assert metadata(worker_wheel).get_all("Requires-Dist") is None


def test_the_workers_wheel_installs_alone_into_an_empty_environment(worker_wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "worker", with_pip=False)
    python = tmp_path / "worker" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--isolated"]

    subprocess.run([*pip, "install", "--quiet", "--no-index", str(worker_wheel)], check=True, capture_output=True)

    answer = subprocess.run(
        [python, "-I", "-c", "import opsgate; print(opsgate.__file__)"], check=True, capture_output=True, text=True
    )
    assert Path(answer.stdout.strip()).is_relative_to(tmp_path / "worker")


def test_the_whole_wheel_holds_every_source_and_data_file_of_the_four_packages(whole_wheel: Path) -> None:
    """A migration or a style sheet that is left behind would be missed only on the machine of a user."""
    assert contents(whole_wheel) == sources_of(*PACKAGES)


def test_the_whole_wheel_installs_the_command(whole_wheel: Path) -> None:
    with zipfile.ZipFile(whole_wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        entries = archive.read(name).decode()

    assert "opsconsole = opsconsole.__main__:main" in entries.splitlines()


def test_both_wheels_carry_the_version_that_the_project_states(worker_wheel: Path, whole_wheel: Path) -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

    assert {metadata(worker_wheel)["Version"], metadata(whole_wheel)["Version"]} == {stated}
