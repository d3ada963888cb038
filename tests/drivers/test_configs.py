"""What a driver or a health check is told: the reference shows one of each that is taken, and nothing else gets in."""

import json

import pytest

from backends.drivers import kinds
from backends.drivers.base import DriverConfig, DriverConfigError, Host
from backends.drivers.health import check_of
from backends.drivers.http import Asked
from scripts.reference import CHECKS, DRIVERS, example_of, pages

MODELS = {**DRIVERS, **{f"health {kind}": model for kind, model in CHECKS.items()}}
PAGE = pages()["drivers.md"]


def test_the_reference_has_every_kind_of_driver() -> None:
    assert set(DRIVERS) == set(kinds())


def test_the_reference_has_every_kind_of_health_check() -> None:
    with pytest.raises(DriverConfigError) as refusal:
        check_of({"kind": "no such"}, Host())

    assert all(f"'{kind}'" in str(refusal.value) for kind in CHECKS)
    assert str(refusal.value).count(", '") == len(CHECKS) - 1


@pytest.mark.parametrize("name", MODELS)
def test_the_example_of_the_reference_is_one_that_is_taken(name: str) -> None:
    shown = example_of(MODELS[name])

    assert MODELS[name].read(shown).model_dump(mode="json", exclude_unset=True) == shown
    assert json.dumps(shown) in PAGE


@pytest.mark.parametrize("name", MODELS)
def test_every_field_says_what_it_is_for(name: str) -> None:
    for field, known in MODELS[name].model_fields.items():
        assert known.description or field == "kind", field
        assert f"| `{field}` |" in PAGE or field == "kind"


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        (DRIVERS["kubernetes"], "namespace", "shop/pods/x?watch"),
        (DRIVERS["kubernetes"], "name", "../secrets"),
        (DRIVERS["kubernetes"], "key", "state\n"),
        (DRIVERS["kubernetes"], "stop_word", "pause: now"),
        (DRIVERS["systemd"], "unit", "--root=/srv/a.service"),
        (DRIVERS["systemd"], "unit", "a.service b"),
        (DRIVERS["control-file"], "stop_word", "pause\nresume"),
        (DRIVERS["control-file"], "start_word", ""),
        (CHECKS["file"], "path", "run/beat"),
        (Asked, "path", "http://elsewhere/stop now"),
    ],
)
def test_a_value_is_what_it_has_to_be_from_its_first_character_to_its_last(
    model: type[DriverConfig], field: str, value: str
) -> None:
    """Part of it that would do does not carry in the rest of it: a path, an option or a second word."""
    known = example_of(model) if model is not Asked else {}

    with pytest.raises(DriverConfigError, match=field):
        model.read(known | {field: value})
