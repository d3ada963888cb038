"""Where things lie: all programs of a host compute the same places, and one backend has one name."""

import os
from pathlib import Path

import pytest

from opsgate import paths


def test_everything_lies_under_the_directories_that_the_desktop_conventions_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPSGATE_LATCH_DIR")
    assert paths.default_database() == home / "state" / "opsconsole" / "opsconsole.db"
    assert paths.config_home() == home / "config"
    assert paths.last_known_home() == home / "state" / "opsgate"
    assert paths.keeper_socket("f1") == home / "run" / "opsconsole" / "f1.sock"
    assert paths.stop_socket("f1") == home / "run" / "opsconsole" / "f1.stop.sock"


def test_without_them_the_home_directory_serves_and_a_relative_one_does_not_count(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")

    assert paths.state_home() == home / ".local" / "state"
    assert paths.config_home() == home / ".config"


def test_a_latch_lies_where_it_is_configured_or_where_it_survives_the_host_or_with_the_user(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSGATE_LATCH_DIR", "/srv/latch")
    assert paths.latch_home() == Path("/srv/latch")

    monkeypatch.delenv("OPSGATE_LATCH_DIR")
    monkeypatch.setattr(os.path, "isdir", lambda path: str(path) == "/var/lib/opsgate/latch")
    assert paths.latch_home() == Path("/var/lib/opsgate/latch")
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    assert paths.latch_home() == home / "state" / "opsgate" / "latch"


def test_without_a_runtime_directory_sockets_lie_in_one_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = f"opsconsole-{os.getuid()}"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("TMPDIR", "/scratch")
    monkeypatch.setattr(Path, "is_dir", lambda path: False)

    monkeypatch.setattr(os, "access", lambda path, mode: True)
    assert paths.runtime_home() == Path("/run") / own
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert paths.runtime_home() == Path("/scratch") / own


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sqlite:///fleet.db", "sqlite:///./fleet.db"),
        ("sqlite:///fleet.db", "sqlite:///x/../fleet.db"),
        ("sqlite:///fleet.db", "sqlite:///fleet.db?timeout=5"),
        ("postgresql://ana:secret@db/fleet", "postgresql://db/fleet/"),
        ("http://token@host:3001/", "http://host:3001"),
    ],
)
def test_one_backend_has_one_name_however_it_is_spelt(one: str, other: str) -> None:
    assert paths.canonical_url(one) == paths.canonical_url(other)
    assert paths.fleet_of_url(one) == paths.fleet_of_url(other)


def test_a_relative_file_and_its_absolute_path_are_one_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert paths.canonical_url("sqlite:///fleet.db") == paths.canonical_url(f"sqlite:///{tmp_path}/fleet.db")
    assert paths.sqlite_path("sqlite:///fleet.db") == tmp_path / "fleet.db"


def test_a_link_to_a_file_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "fleet.db")

    assert paths.fleet_of_url(f"sqlite:///{tmp_path}/link.db") == paths.fleet_of_url(f"sqlite:///{tmp_path}/fleet.db")


def test_no_password_is_in_a_canonical_url() -> None:
    assert "secret" not in paths.canonical_url("postgresql://ana:secret@db:5432/fleet")
    assert "secret" not in paths.canonical_url("postgresql://ana:se@secret@db:5432/fleet")


@pytest.mark.parametrize(
    "url", ["", "fleet.db", "sqlite://", "sqlite:///", "sqlite:///?mode=ro", "sqlite://host/fleet.db"]
)
def test_what_names_no_backend_is_refused_with_how_to_write_one(url: str) -> None:
    with pytest.raises(ValueError, match="write sqlite:///"):
        paths.canonical_url(url)
