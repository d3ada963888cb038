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


WITH_PASSWORDS = (
    "postgresql://ana:s3cret@db:5432/fleet",
    "postgresql://ana:s3cret@s3cret@db:5432/fleet",
    "postgresql://ana:s3cret/s3cret@db:5432/fleet",
    "postgresql://ana:s3cret?s3cret@db:5432/fleet",
    "postgresql://:s3cret@db:5432/fleet",
    "postgresql://db:5432/fleet?password=s3cret",
    "postgresql://db:5432/fleet?sslmode=require&user=ana&password=s3cret",
    "postgresql://db:5432/fleet?pass%77ord=s3cret",
    "postgresql://db:5432/fleet?PASSWORD=s3cret",
    "postgresql://db:5432/fleet?sslpassword=s3cret",
)


@pytest.mark.parametrize("url", WITH_PASSWORDS)
def test_no_password_is_in_a_name_or_in_what_is_shown(url: str) -> None:
    """A hash of a short password is as good as the password, so that it must not be in one either."""
    assert paths.canonical_url(url) == "postgresql://db:5432/fleet"
    assert paths.fleet_of_url(url) == paths.fleet_of_url("postgresql://db:5432/fleet")
    assert "s3cret" not in paths.without_password(url)
    assert "db:5432/fleet" in paths.without_password(url)


def test_a_canonical_url_is_its_own_canonical_url() -> None:
    for url in (
        *WITH_PASSWORDS,
        "http://host:3001/?token=s3cret",
        "sqlite:///x.db",
        "postgresql:///?host=/run&dbname=x",
    ):
        assert paths.canonical_url(paths.canonical_url(url)) == paths.canonical_url(url)


def test_options_that_say_which_database_is_meant_tell_two_fleets_apart() -> None:
    one, other = ("postgresql:///?dbname=one&host=/run", "postgresql:///?dbname=two&host=/run")
    assert paths.fleet_of_url(one) != paths.fleet_of_url(other)
    assert paths.fleet_of_url(one) == paths.fleet_of_url("postgresql:///?host=/run&connect_timeout=3&dbname=one")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ana@db/fleet?sslmode=require", "postgresql://ana@db/fleet?sslmode=require"),
        ("postgresql://ana:s3cret@db/fleet", "postgresql://ana:***@db/fleet"),
        ("postgresql://ana:p@ss/w@db/ops", "postgresql://ana:***@db/ops"),
        ("postgresql://ana:p/w@db/ops?sslmode=require", "postgresql://ana:***@db/ops?sslmode=require"),
        ("postgresql://ana:p?w=1@db/ops?password=x", "postgresql://ana:***@db/ops?password=***"),
        ("postgresql://ana:p@s?s@db/ops", "postgresql://ana:***@db/ops"),
        ("postgresql://ana@db/ops?user=ana@home&token=x", "postgresql://ana@db/ops?user=ana@home&token=***"),
        ("sqlite:////srv/a:b@c/fleet.db", "sqlite:////srv/a:b@c/fleet.db"),
        ("http://s3cret@host:3001", "http://***@host:3001"),
        ("http://host/?token=s3cret&x=1", "http://host/?token=***&x=1"),
        ("host=db password=s3cret dbname=x", "host=db password=*** dbname=x"),
        ("host=db password='s3 cret' dbname=x", "host=db password=*** dbname=x"),
    ],
)
def test_a_url_is_shown_without_what_is_secret(url: str, shown: str) -> None:
    assert paths.without_password(url) == shown


def test_what_is_no_url_is_refused_without_its_password() -> None:
    with pytest.raises(ValueError, match="is not a backend URL") as refused:
        paths.canonical_url("host=db password=s3cret")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["", "fleet.db", "sqlite://", "sqlite:///", "sqlite:///?mode=ro", "sqlite://host/fleet.db"]
)
def test_what_names_no_backend_is_refused_with_how_to_write_one(url: str) -> None:
    with pytest.raises(ValueError, match="write sqlite:///"):
        paths.canonical_url(url)
