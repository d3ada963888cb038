"""No class of ours takes a name that its base in the standard library has for itself, on any Python that we run on.

A thread of ours once called a method `_handle`: Python 3.13 keeps what the system calls the thread under that name, and
no worker was heard there any more.
"""

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from http.client import HTTPConnection
from textwrap import dedent
from threading import Thread
from typing import Final

from tests.hygiene.tree import PACKAGES, module_name, modules

MEANT: Final = {
    "Thread": {"run"},
    "Handler": {"emit", "close"},
    "Formatter": {"format"},
    "HTTPConnection": {"connect", "sock"},
    "RawIOBase": {"readable", "readinto"},
    "Protocol": {"connection_made", "connection_lost", "data_received", "eof_received"},
}
"""What a base is derived from for."""

ELSEWHERE: Final = {
    "Thread": {
        *("_after_fork", "_context", "_delete", "_handle", "_is_stopped", "_os_name", "_reset_internal_locks"),
        *("_set_ident", "_set_native_id", "_set_os_name", "_set_tstate_lock", "_stop", "_tstate_lock"),
        "_wait_for_tstate_lock",
    },
    "HTTPConnection": {"_proxy_response_headers", "_raw_proxy_headers", "_wrap_ipv6"},
}
"""What it has on some of the versions from 3.11 to 3.14, and perhaps not on this one."""

PLAIN: Final = ("abc", "builtins", "enum", "typing")
"""Modules of bases that keep nothing of their own, or that say so themselves where a name is taken."""


@cache
def names_of(kind: type) -> set[str]:
    """What a class defines, and what its methods keep in themselves; not what every class has."""
    found = set(vars(kind))
    try:
        tree = ast.parse(dedent(inspect.getsource(kind)))
    except (OSError, TypeError):
        tree = ast.Module([], [])  # it is written in C
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            found.add(node.attr)
    return {name for name in found if not name.startswith(("__", "_abc_"))}


def bases_of(kind: type) -> list[type]:
    """Those in the standard library that keep something of their own."""
    theirs = [base for base in kind.__mro__[1:] if base.__module__.partition(".")[0] in sys.stdlib_module_names]
    return [base for base in theirs if base.__module__ not in PLAIN]


def taken_twice(kind: type) -> set[str]:
    """Names of a class that one of its bases has as well."""
    bases = bases_of(kind)
    theirs = {name for base in bases for name in names_of(base) | ELSEWHERE.get(base.__name__, set())}
    return (names_of(kind) & theirs) - {name for base in bases for name in MEANT.get(base.__name__, ())}


def own_classes() -> Iterator[type]:
    """Those of ours that have such a base."""
    for file in (file for package in PACKAGES for file in modules(package) if file.stem != "__main__"):
        name = module_name(file)
        found = [each for each in vars(importlib.import_module(name)).values() if inspect.isclass(each)]
        yield from (each for each in found if each.__module__ == name and bases_of(each))


def test_no_class_of_ours_takes_a_name_of_its_base_in_the_standard_library() -> None:
    found = {f"{kind.__module__}.{kind.__name__}": taken_twice(kind) for kind in own_classes()}

    assert "backends.keeper.post.Post" in found, "of all threads, the one that it happened to"
    assert {name: twice for name, twice in found.items() if twice} == {}


def test_a_name_is_found_on_every_version_whether_it_is_a_method_or_kept() -> None:
    class Post(Thread):
        def run(self) -> None:
            self._context = self._own = 1

        def _handle(self) -> None:
            """What was once ours."""

    class Line(HTTPConnection):
        def connect(self) -> None:
            self.host = "here"

    assert taken_twice(Post) == {"_handle", "_context"}
    assert taken_twice(Line) == {"host"}
