"""The repository as the hygiene tests see it: its files, its modules, and what each module names."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
PACKAGES = ("opsgate", "core", "backends", "opsconsole")


@dataclass(frozen=True)
class Import:
    """One import statement: the module it names, and where it stands."""

    target: str
    file: Path
    line: int

    @property
    def top(self) -> str:
        """The package that the target belongs to: `os` for `os.path`."""
        return self.target.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.target}"


def modules(package: str) -> list[Path]:
    """The source files of a package, in order of their names."""
    return sorted((SRC / package).rglob("*.py"))


def module_name(file: Path) -> str:
    """What Python calls the module in a file under src: `core.engine`."""
    parts = file.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> Iterator[Import]:
    """Every import of a module, also those inside functions, where start-up cost hides them."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, file, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.module or "", file, node.lineno)


def imported_at_once(file: Path) -> Iterator[str]:
    """What is imported along with a module: its packages, and what it names outside of functions and conditions. Of
    `from a import b` both `a` and `a.b`, whether the second is a module or not."""
    yield from (".".join(file.relative_to(SRC).parts[:depth]) for depth in range(1, len(file.relative_to(SRC).parts)))
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def names_used(file: Path) -> Iterator[tuple[str, int]]:
    """Every name a module reads, with its attributes joined by dots (`datetime.now`), and its line."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Attribute | ast.Name):
            yield ast.unparse(node), node.lineno


def committed_files() -> list[Path]:
    """Every file that belongs to the repository: known to git, or about to be.

    In a copy that is no clone, every file counts that does not lie in a folder which tools or environments made.
    """
    if (ROOT / ".git").exists():
        command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        files = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        made = (".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis")
        places = [place for place in ROOT.iterdir() if not place.name.startswith(made)]
        files = [file for place in places for file in (place, *place.rglob("*")) if file.parent.name != "__pycache__"]
    return [file for file in files if file.is_file()]


def committed_texts() -> list[Path]:
    """The files of the repository that are text: all but pictures and fonts."""
    return [file for file in committed_files() if b"\0" not in file.read_bytes()[:8192]]


def run_python(*arguments: str, path: tuple[Path, ...] = (SRC,)) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter with `path` in front of everything else, as a worker's or a person's own would be."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
