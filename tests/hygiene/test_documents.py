"""What the documents promise is there: the tests that ARCHITECTURE.md names, and every file that a page links to."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.hygiene.tree import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROOFS = [ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs/proof").glob("*.md"))]
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(?:\w+::)?(\w+))?`")
FAULTS = (ROOT / "docs/proof/faults.md").read_text("utf-8")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@cache
def names_in(file: Path) -> set[str]:
    """The functions, classes and variables of a test module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


@pytest.mark.parametrize("page", PROOFS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_a_proof_names_exists(page: Path) -> None:
    promised = NAMED_TEST.findall(page.read_text("utf-8"))

    missing = [
        f"{file}::{name}"
        for file, name in promised
        if not (ROOT / file).is_file() or (name and name not in names_in(ROOT / file))
    ]

    assert len(promised) > 20
    assert missing == []


def test_every_fault_has_its_row() -> None:
    row = r"^\| F(\d+)(?:\u2013F(\d+))? \|.*(?:`tests/|not shown)"
    rows = re.findall(row, FAULTS, re.MULTILINE)
    numbers = [n for first, last in rows for n in range(int(first), int(last or first) + 1)]

    assert sorted(numbers) == list(range(1, 63))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_links_only_to_what_is_there(page: Path) -> None:
    targets = LINK.findall(page.read_text("utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_each_decision_has_a_number_of_its_own_which_its_title_says() -> None:
    records = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(record.name[:4]) for record in records]

    assert len(set(numbers)) == len(numbers)
    assert [record.read_text("utf-8").partition(".")[0] for record in records] == [f"# {number}" for number in numbers]
