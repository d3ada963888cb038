"""What a host lets its drivers do: nothing that it does not say, unless nobody else could have asked for it."""

from pathlib import Path

import pytest

from backends.drivers.base import DriverConfigError
from backends.drivers.rules import host_rules


@pytest.fixture
def file(home: Path) -> Path:
    path = home / "config" / "opsconsole" / "drivers.toml"
    path.parent.mkdir(parents=True)
    return path


def test_without_a_file_only_the_user_whose_fleet_it_is_may_do_anything(home: Path) -> None:
    assert (host_rules(is_own=True).commands, host_rules(is_own=True).destinations) == (None, None)
    assert (host_rules(is_own=False).commands, host_rules(is_own=False).destinations) == ((), ())


@pytest.mark.parametrize("is_own", [True, False])
def test_a_file_has_the_last_word_for_everybody(file: Path, is_own: bool) -> None:
    file.write_text('commands = ["/usr/bin/systemctl"]\ndestinations = ["10.1.0.0/16"]\n')
    rules = host_rules(is_own=is_own)
    assert (rules.commands, rules.destinations) == (("/usr/bin/systemctl",), ("10.1.0.0/16",))


@pytest.mark.parametrize(
    "text", ["commands = 'x'", "comands = []", "destinations = ['http://x/']", "no TOML", "commands = [1]"]
)
def test_a_file_that_is_wrong_allows_nothing(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(DriverConfigError):
        host_rules(is_own=True)


def test_a_file_that_others_can_write_is_not_believed(file: Path) -> None:
    file.write_text("commands = []")
    file.chmod(0o666)
    with pytest.raises(DriverConfigError, match="others can write"):
        host_rules(is_own=True)
