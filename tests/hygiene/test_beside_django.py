"""A worker's project may have a package called `core`, as Django projects often do. Neither it nor ours is harmed."""

from pathlib import Path

import pytest

from tests.hygiene.tree import SRC, module_name, modules, run_python


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose application is called `core`, first on the path of its own processes."""
    app = tmp_path / "project" / "core"
    app.mkdir(parents=True)
    (app / "__init__.py").write_text('default_app_config = "core.apps.CoreConfig"\n')
    (app / "apps.py").write_text('class CoreConfig:\n    name = "core"\n')
    (app / "models.py").write_text("class Order:\n    pass\n")
    return app.parent


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Where the worker's wheel put opsgate: a folder with that package and no other."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "opsgate").symlink_to(SRC / "opsgate")
    return folder


@pytest.mark.parametrize("first", ["core.models", "opsgate"])
def test_opsgate_works_beside_a_core_of_the_project(project: Path, installed: Path, first: str) -> None:
    """Whichever of the two is imported first, the gate decides and the project keeps its own models."""
    worker = f"""
import {first}
import core.models
import {", ".join(module_name(file) for file in modules("opsgate"))}
from opsgate.evaluate import Table, evaluate
print(core.models.Order.__module__, evaluate(Table(), {{"site": "s1"}}).outcome)
"""

    result = run_python("-c", worker, path=(project, installed))

    assert (result.stdout, result.stderr) == ("core.models allowed\n", "")
