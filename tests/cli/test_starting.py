"""A console starts on a broken configuration, changes nothing through it, and says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsconsole.cli.invocation import Invocation
from opsconsole.cli.starting import NO_CONFIGURATION, Start, start
from opsconsole.settings import ConfigError
from opsgate.paths import default_database
from tests.cli.shell import Shell


def started(home: Path, text: str, **flags: str | bool | None) -> Start:
    """A start with this user file."""
    file = home / "config" / "opsconsole" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    invocation = Invocation()
    invocation.flags.update(flags)
    return start(invocation)


def test_a_sound_configuration_is_nothing_to_speak_of(home: Path) -> None:
    found = started(home, "[console]\ntheme = 'light'\n[profiles.prod]\ntheme = 'high-contrast'", profile="prod")
    assert (found.profile, found.remarks) == ("PROD", ())
    assert found.settings.theme == "high-contrast"
    assert started(home, "[console]\ntheme = 'light'\nascii = true").settings.theme == "light"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[console]\n\ntheme = 'drak'", "line 3 [console]: theme is 'drak', write one of dark, light"),
        ("timeout = 'soon'", "line 1: timeout: 'soon' is not a duration"),
        ("[console]\ncolour = 'never'", "line 2 [console]: 'colour' is no setting; did you mean color?"),
    ],
)
def test_what_only_changes_how_things_look_is_left_out_with_a_sentence(home: Path, text: str, sentence: str) -> None:
    found = started(home, f"{text}\n[profiles.prod]\nbackend = 'sqlite:////srv/f.db'", profile="prod")
    assert sentence in found.remarks[0]
    assert (found.profile, found.settings.backend) == ("PROD", "sqlite:////srv/f.db")
    assert not found.settings.read_only


@pytest.mark.parametrize(
    "text",
    [
        "this is no TOML",
        "[profiles.prod]\nbackend = 'sqlite:////srv/f.db",
        "[profiles.prod]\nread_onyl = true",
        "[profiles.prod]\nread_only = 'yse'",
        "backend = 'nonsense'",
        "[profiles.another]",
        "keys = 3",
    ],
)
def test_where_it_cannot_be_known_what_is_meant_it_may_stop_and_nothing_else(home: Path, text: str) -> None:
    found = started(home, text, profile="prod")
    assert found.profile == NO_CONFIGURATION
    assert found.settings.read_only
    assert found.settings.backend == f"sqlite:///{default_database()}"
    assert "Going on without the configuration, read-only" in found.remarks[0]


def test_the_options_and_a_sound_environment_hold_all_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSCONSOLE_BACKEND", "sqlite:////srv/of-the-environment.db")
    found = started(home, "= 5", theme="light")
    assert (found.settings.backend, found.settings.theme) == ("sqlite:////srv/of-the-environment.db", "light")
    monkeypatch.setenv("OPSCONSOLE_TIMEOUT", "soon")
    assert started(home, "= 5", backend="sqlite:////srv/f.db").settings.backend == "sqlite:////srv/f.db"
    assert not started(home, "= 5", read_only=False).settings.read_only, "somebody says it in so many words"


def test_options_that_are_wrong_are_refused_as_ever(home: Path) -> None:
    with pytest.raises(ConfigError, match="'nonsense' is not a backend URL"):
        started(home, "= 5", backend="nonsense")


def test_validate_names_what_is_wrong_with_the_keys(ops: Shell, home: Path) -> None:
    started(home, "[console]\ntheme = 'light'\n\n[keys]\nzoom = 'Z'\npause = '!'\n")
    found = ops("config", "validate")
    assert found.code == 2
    assert "config.toml line 6: ! arms the stop and nothing else: pause keeps its default" in found.err
    assert ops("status").code != 2, "no other command is held up by a key"
    started(home, "[keys]\nzoom = 'Z'\n")
    assert ops("config", "validate").code == 0
    assert "keys.zoom" in ops("config", "show").out
