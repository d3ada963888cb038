"""A secret in a file that nobody else may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from backends.configuration import ConfigurationFault

_MOST: Final = 8192


class OpenToOthers(Exception):
    """Others may read the file: its owner's fault."""


def read_private(path: Path, most: int) -> bytes:
    """The first ``most`` bytes of a file. What is no file, such as a pipe, has no mode that says anything.

    Raises OSError where it cannot be read, and `OpenToOthers`; neither says what is in it.
    """
    with path.open("rb") as opened:
        mode = os.fstat(opened.fileno()).st_mode
        content = opened.read(most)
    if stat.S_ISREG(mode) and mode & 0o077:
        raise OpenToOthers(str(path))
    return content


def private_text(path: Path) -> str:
    """All that such a file says. Raises `ConfigurationFault`, which never quotes it."""
    file = path.expanduser()
    try:
        content = read_private(file, _MOST)
    except OSError as error:
        raise ConfigurationFault(f"{file} cannot be read: {error.strerror}") from None
    except OpenToOthers:
        raise ConfigurationFault(f"{file} can be read by others: chmod 600 {file}") from None
    return content.decode("utf-8", "replace").strip()
