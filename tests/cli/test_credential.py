"""The token of a server lies in a file that only its owner may read, and no message ever shows it."""

from pathlib import Path

import pytest

from opsconsole.credential import read_token
from opsconsole.settings import ConfigError


def a_file(folder: Path, text: str, mode: int = 0o600) -> str:
    """A token file with this in it."""
    path = folder / "token"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_no_file_named_means_no_token() -> None:
    assert read_token(None) == ""


def test_the_one_line_of_the_file_is_the_token(tmp_path: Path) -> None:
    assert read_token(a_file(tmp_path, "ops_abc\n")) == "ops_abc"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_that_others_may_touch_is_refused_with_the_way_to_mend_it(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="chmod 600"):
        read_token(a_file(tmp_path, "ops_abc", mode))


@pytest.mark.parametrize("text", ["", "\n", "two words", "ops_é", "one\ntwo", "x" * 600])
def test_what_is_no_token_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="holds no token") as refused:
        read_token(a_file(tmp_path, text))

    assert not text.strip() or text.strip() not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        read_token(str(tmp_path / "nowhere"))
