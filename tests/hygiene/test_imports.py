"""What each package may name, and what importing it may do: `opsconsole → backends → core → opsgate`.

The direction of imports is a contract of import-linter (`make check`). Here stands what it cannot say: lists of what
is allowed, what is loaded in a fresh interpreter, and what a module of values must not call.
"""

import json
import sys

import pytest

from tests.conftest import FULL
from tests.hygiene.tree import (
    PACKAGES,
    SRC,
    imported_at_once,
    imports,
    module_name,
    modules,
    names_used,
    run_python,
)

# The parts of the standard library that make, take apart and compare values.
VALUES = frozenset(
    "__future__ abc base64 bisect collections contextlib copy dataclasses datetime decimal difflib enum fnmatch"
    " fractions functools graphlib hashlib heapq hmac inspect ipaddress itertools json keyword math numbers operator re"
    " statistics string struct textwrap types typing unicodedata uuid weakref zlib zoneinfo".split()
)
CLOCKS_CHANCE_AND_WORLD = frozenset(
    "breakpoint date.today datetime.now datetime.today datetime.utcnow eval exec input open print"
    " uuid.getnode uuid.uuid1 uuid.uuid4 uuid1 uuid4".split()
)
# Each costs tens of milliseconds or drags in a library of its own; a source loads it when it is needed.
HEAVY = (
    "asyncio",
    "concurrent.futures",
    "ctypes",
    "email",
    "http",
    "multiprocessing",
    "sqlite3",
    "ssl",
    "urllib.request",
)


def test_opsgate_names_nothing_but_itself_and_the_standard_library() -> None:
    allowed = sys.stdlib_module_names | {
        "opsgate",
        "_typeshed",
    }  # the last is the library's types, and no module at all

    strangers = [str(found) for file in modules("opsgate") for found in imports(file) if found.top not in allowed]

    assert strangers == []


def test_core_names_only_values_pydantic_immutables_and_opsgate() -> None:
    libraries = {"pydantic", "pydantic_core", "immutables"}
    read = {"cel", "cronsim"}  # a rule and a schedule, as functions of their texts
    allowed = VALUES | {"core", "opsgate"} | libraries | read

    strangers = [str(found) for file in modules("core") for found in imports(file) if found.top not in allowed]

    assert strangers == []


def test_core_reads_no_clock_draws_no_number_and_touches_no_file() -> None:
    """Time and identifiers come in as arguments, so that a fold of the same journal is the same state for ever."""
    calls = [
        f"{file.relative_to(SRC)}:{line} uses {name}"
        for file in modules("core")
        for name, line in names_used(file)
        if ".".join(name.split(".")[-2:]) in CLOCKS_CHANCE_AND_WORLD
    ]

    assert calls == []


def test_importing_opsgate_loads_only_the_standard_library_and_nothing_heavy_of_it() -> None:
    probe = """
import json, sys
before = set(sys.modules)
import opsgate
print(json.dumps(sorted(set(sys.modules) - before)))
"""

    loaded = json.loads(run_python("-S", "-c", probe).stdout)

    assert "opsgate" in loaded
    assert [name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names | {"opsgate"}] == []
    assert [name for name in loaded if name.startswith(tuple(f"{heavy}." for heavy in HEAVY)) or name in HEAVY] == []


@pytest.mark.parametrize("package", PACKAGES if FULL else ("opsgate", "backends"))  # what has threads of its own
def test_each_module_can_be_the_first_one_imported(package: str) -> None:
    """No module leans on another having been imported before it; and an import starts, prints and writes nothing.

    What stands to the right of its package stays imported from module to module: imports run only that way, so nothing
    there can ask for the package back. And a module is tried where one that it imports itself has just been tried, in
    a fork of that process: whatever is there it would have loaded anyhow.
    """
    probe = f"""
import gc, importlib, os, sys, threading
after = {tried_after(package)!r}
def forget():
    for name in [name for name in sys.modules if name.partition(".")[0] == {package!r}]:
        del sys.modules[name]
def all_fit(before):
    return all([fits(name) for name in after if after[name] == before])
def fits(name):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    if name in sys.modules:
        forget()
    importlib.import_module(name)
    assert threading.active_count() == 1, f"importing {{name}} started a thread"
    fit = all_fit(name)
    sys.stdout.flush()
    os._exit(not fit)
for name in after:
    importlib.import_module(name)
forget()
gc.freeze()
sys.exit(not all_fit(None))
"""

    result = run_python("-c", probe)

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def tried_after(package: str) -> dict[str, str | None]:
    """For each module of a package the one among those it imports that loads most, and does not load it back."""
    named = {module_name(file): list(imported_at_once(file)) for file in modules(package)}

    def loaded_with(name: str) -> set[str]:
        loaded: set[str] = set()
        wanted = [name]
        while wanted:
            one = wanted.pop()
            if one in named and one not in loaded:
                loaded.add(one)
                wanted.extend(named[one])
        return loaded

    all_of = {name: loaded_with(name) for name in named}
    return {
        name: max(
            (one for one in named[name] if one in named and name not in all_of[one]),
            key=lambda one: len(all_of[one]),
            default=None,
        )
        for name in named
    }


def test_the_first_frame_of_the_console_waits_for_no_models_and_no_database() -> None:
    """They take as long to load as Textual itself. What needs them imports them where it is used, and for types only
    under TYPE_CHECKING; the feed loads them when the first frame stands."""
    program = """
import sys, textual.app, textual.widgets, textual.drivers.linux_driver
print(*sys.modules)
import opsconsole.cli.main, opsconsole.cli.commands.console, opsconsole.cli.starting, opsconsole.app
import opsconsole.console, opsconsole.keymap, opsconsole.session, opsconsole.routes, opsconsole.lane
print(*sys.modules)
"""
    textuals, all_of_it = (line.split() for line in run_python("-c", program).stdout.splitlines())
    loaded = {name.partition(".")[0] for name in set(all_of_it).difference(textuals)} - sys.stdlib_module_names
    assert loaded == {"opsconsole", "backends", "core", "opsgate", "textual", "click", "immutables"}
    assert {"sqlite3", "http", "email", "multiprocessing"}.isdisjoint(all_of_it)
    assert "core.engine" not in all_of_it


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_that_it_is_typed(package: str) -> None:
    assert (SRC / package / "py.typed").is_file()
