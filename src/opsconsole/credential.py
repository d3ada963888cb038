"""The credential for a server: a token in a file that nobody else may read. It is in no option, variable or log."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from backends.private_file import OpenToOthers, read_private
from opsconsole.settings import ConfigError


class Address(NamedTuple):
    """Where a fleet is, and the credential that is shown there: empty for a database, which asks for none."""

    url: str
    token: str = ""


_TOKEN: Final = re.compile(r"[!-~]{1,512}")


def read_token(path: str | None) -> str:
    """The token in a file, or nothing where none is named. `ConfigError` says what is wrong, never what is in it."""
    if path is None:
        return ""
    file = Path(path).expanduser()
    try:
        content = read_private(file, 4096)
    except OSError as error:
        raise ConfigError(f"the token file {file} cannot be read: {error.strerror}") from None
    except OpenToOthers:
        raise ConfigError(f"the token file {file} can be read by others: chmod 600 {file}") from None
    token = content.decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(token):
        raise ConfigError(f"the token file {file} holds no token: put one line there, as 'token create' printed it")
    return token
