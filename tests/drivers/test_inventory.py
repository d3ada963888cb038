"""The inventory: the file is written when a service is defined otherwise, and not for what was observed of it."""

from dataclasses import replace
from unittest.mock import Mock

import pytest

from backends.driving import inventory
from backends.driving.inventory import Inventory
from core.services import Service
from tests.support.fleets import START

FLEET = "f-0123456789ab"


def service(name: str) -> Service:
    """One that a program starts and stops."""
    return Service(name, name, None, (), (), "command", "{}", "", 2, None, START, START, "alice")


def test_what_was_observed_of_one_among_many_has_only_that_one_compared(
    home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop of a hundred services makes hundreds of observations, and this is asked after each."""
    kept = Inventory(FLEET)
    services = {name: service(name) for name in map("s{}".format, range(100))}
    compare, write = Mock(wraps=inventory._defined), Mock(wraps=inventory._put)
    monkeypatch.setattr(inventory, "_defined", compare)
    monkeypatch.setattr(inventory, "_put", write)

    kept.keep(services, is_own=True)
    observed = services | {"s7": replace(services["s7"], standing="stopped", observed_revision=9)}
    kept.keep(observed, is_own=True)
    kept.keep(observed, is_own=True)
    assert (write.call_count, [call.args[0].name for call in compare.call_args_list]) == (1, ["s7", "s7"])

    kept.keep(observed | {"s8": replace(service("s8"), config='{"changed": true}')}, is_own=True)
    kept.keep({"s8": service("s8")}, is_own=True)
    assert write.call_count == 3
    assert list(inventory.read((FLEET,)).services) == ["s8"]
