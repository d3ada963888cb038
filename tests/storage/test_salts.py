"""A salt is handed out once, in one process and in its children."""

import os

from backends.salts import Salts
from core.audit import SALT_BYTES


def test_no_salt_comes_twice() -> None:
    salts = Salts()
    drawn = [next(salts) for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert {len(bytes.fromhex(salt)) for salt in drawn} == {SALT_BYTES}


def test_a_child_draws_its_own() -> None:
    salts = Salts()
    next(salts)
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(there, next(salts).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(there)
    with os.fdopen(here) as told:
        assert told.read() != next(salts)
