"""Settings: which layer decides, what only tightens, and what is wrong in which file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from backends.configuration import config_files
from opsconsole.config import Settings, resolve
from opsconsole.settings import SETTINGS, ConfigError
from opsgate.paths import default_database


def files(folder: Path, user: str = "", system: str = "") -> tuple[Path, Path]:
    """The two files with these texts."""
    paths = folder / "user.toml", folder / "system.toml"
    for path, text in zip(paths, (user, system), strict=True):
        path.write_text(text)
    return paths


def settings(
    folder: Path,
    user: str = "",
    system: str = "",
    flags: Mapping[str, str | bool | None] | None = None,
    **environ: str,
) -> Settings:
    return resolve(flags or {}, environ, files(folder, user, system))


def test_flag_beats_environment_beats_profile_beats_user_file_beats_system_file(tmp_path: Path) -> None:
    user = "output = 'json'\ntimeout = 3\n[profiles.p]\ncolor = 'never'\noutput = 'jsonl'\ntimeout = '4s'"
    system = "output = 'csv'\ntimeout = 2\ncolor = 'always'\nno_input = true"

    found = settings(tmp_path, user, system, {"profile": "p", "output": "table"}, OPSCONSOLE_TIMEOUT="6s")

    assert (found.output, found.origins["output"]) == ("table", "flag")
    assert (found.timeout_s, found.origins["timeout"]) == (6.0, "environment")
    assert (found.color, found.origins["color"]) == ("never", f"{tmp_path / 'user.toml'} [profiles.p]")
    assert (found.no_input, found.origins["no_input"]) == (True, str(tmp_path / "system.toml"))
    assert found.origins["ascii"] == "default"


def test_without_the_profile_the_user_file_beats_the_system_file(tmp_path: Path) -> None:
    assert settings(tmp_path, "timeout = 3", "timeout = 2").timeout_s == 3.0


def test_a_profile_of_the_user_beats_one_of_the_system_key_by_key(tmp_path: Path) -> None:
    found = settings(
        tmp_path, "[profiles.p]\ntimeout = 3", "[profiles.p]\ntimeout = 2\noutput = 'csv'", OPSCONSOLE_PROFILE="p"
    )
    assert (found.timeout_s, found.output) == (3.0, "csv")


def test_with_no_layer_at_all_the_backend_is_the_embedded_database() -> None:
    found = resolve({}, {}, ())
    assert found.backend == f"sqlite:///{default_database()}"
    assert (found.output, found.color, found.timeout_s, found.production) == ("table", "auto", 5.0, False)


def test_files_are_looked_for_in_the_home_and_in_etc(home: Path) -> None:
    assert config_files() == (home / "config/opsconsole/config.toml", Path("/etc/opsconsole/config.toml"))


def test_both_sqlite_forms_become_canonical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    relative, absolute = (
        settings(tmp_path, flags={"backend": url}).backend for url in ("sqlite:///f.db", f"sqlite:///{tmp_path}/f.db")
    )
    assert relative == absolute == f"sqlite:///{tmp_path}/f.db"


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ({}, False),
        ({"user": "read_only = true"}, True),
        ({"system": "read_only = true", "user": "read_only = false"}, True),
        ({"system": "read_only = true", "OPSCONSOLE_READ_ONLY": "0"}, True),
        ({"user": "[profiles.p]\nread_only = true", "OPSCONSOLE_PROFILE": "p"}, True),
        ({"system": "read_only = true", "flags": {"read_only": False}}, False),
        ({"flags": {"read_only": True}}, True),
    ],
)
def test_read_only_is_tightened_by_any_layer_and_loosened_by_the_flag_alone(
    tmp_path: Path, layers: dict[str, Any], expected: bool
) -> None:
    assert settings(tmp_path, **layers).read_only is expected


def test_production_holds_when_any_layer_says_so(tmp_path: Path) -> None:
    user = "[profiles.p]\nproduction = false"
    assert settings(tmp_path, user, "production = true", OPSCONSOLE_PROFILE="p").production is True


def test_no_color_is_honoured_unless_a_layer_says_otherwise(tmp_path: Path) -> None:
    assert settings(tmp_path, NO_COLOR="1").color == "never"
    assert settings(tmp_path, "color = 'always'", NO_COLOR="1").color == "always"


@pytest.mark.parametrize(("term", "expected"), [("linux", True), ("screen.xterm", True), ("xterm-256color", False)])
def test_ascii_is_the_default_where_terminals_have_little_else(tmp_path: Path, term: str, expected: bool) -> None:
    assert settings(tmp_path, TERM=term).ascii is expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("output = 'xml'", r"user.toml line 1: output is 'xml', write one of table, json, jsonl, csv"),
        ("outptu = 'json'", r"user.toml line 1: 'outptu' is no setting; did you mean output\?"),
        ("read_only = 'maybe'", r"read_only is 'maybe', write true or false"),
        ("timeout = 0", r"timeout: '0' is not between"),
        ("timeout = true", r"timeout is True, write a duration"),
        ("backend = 5", r"backend is 5, write a text"),
        ("backend = 'nonsense'", r"'nonsense' is not a backend URL"),
        ("backend = 'sqlite:///'", r"names no file"),
        ("= 5", r"user.toml is not TOML"),
        ("profiles = 3", r"profiles are tables"),
        ("[profiles]\np = 3", r"profiles are tables"),
        ("[profiles.p]\nprofile = 'q'", r"\[profiles.p\]: 'profile' is no setting"),
        ("[profiles.unused]\ncolor = 'pink'", r"\[profiles.unused\]: color is 'pink'"),
    ],
)
def test_a_wrong_file_is_named_with_what_to_write_instead(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        settings(tmp_path, text)


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="OPSCONSOLE_TIMEOUT: timeout: 'soon' is not a duration"):
        settings(tmp_path, OPSCONSOLE_TIMEOUT="soon")


def test_an_unknown_profile_is_refused_with_what_may_have_been_meant(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no profile is called 'prd'; did you mean prod"):
        settings(tmp_path, "[profiles.prod]\ntimeout = 1", flags={"profile": "prd"})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        resolve({}, {}, [tmp_path])
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        resolve({}, {}, [tmp_path / "x.toml"])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ana:s3cret@db/fleet", "postgresql://ana:***@db/fleet"),
        ("postgresql://db/fleet?user=ana&password=s3cret&x=1", "postgresql://db/fleet?user=ana&password=***&x=1"),
        ("postgresql://ana@db/fleet", "postgresql://ana@db/fleet"),
        ("sqlite:////srv/a:b@c.db", "sqlite:////srv/a:b@c.db"),
    ],
)
def test_a_password_is_never_shown(tmp_path: Path, url: str, shown: str) -> None:
    rows = settings(tmp_path, flags={"backend": url}).rows()
    assert [row["value"] for row in rows if row["setting"] == "backend"] == [shown]


def test_each_setting_has_a_flag_a_variable_and_a_help_line() -> None:
    for setting in SETTINGS:
        assert setting.flag.startswith("--")
        assert setting.variable.startswith("OPSCONSOLE_")
        assert setting.help
