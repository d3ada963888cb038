"""The table of settings: the command line, the environment, the files and the reference are all made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from opsconsole.cli.times import duration
from opsconsole.dress import THEMES

Kind = Literal["text", "choice", "switch", "duration"]

ENVIRONMENT_PREFIX: Final = "OPSCONSOLE_"


class ConfigError(ValueError):
    """The configuration is wrong; the text says where, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key in files, from which its flag and its variable are made."""

    key: str
    kind: Kind
    help: str
    metavar: str = ""
    short: str = ""
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """Its long option."""
        return "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return ENVIRONMENT_PREFIX + self.key.upper()

    def read(self, value: object, origin: str) -> str | bool | float:
        """A value as it stands in a file, a variable or a flag; `ConfigError` when it is none."""
        match self.kind, value:
            case "text", str() if value and "\0" not in value:
                return value
            case "choice", str() if value in self.choices:
                return value
            case "switch", bool():
                return value
            case "switch", str() if value.lower() in _SWITCH:
                return _SWITCH[value.lower()]
            case "duration", str() | int() | float() if not isinstance(value, bool):
                try:
                    return duration(str(value)).total_seconds()
                except ValueError as error:
                    raise ConfigError(f"{origin}: {self.key}: {error}") from None
        wanted = {
            "text": "a text",
            "choice": f"one of {', '.join(self.choices)}",
            "switch": "true or false",
            "duration": "a duration such as 5s",
        }[self.kind]
        raise ConfigError(f"{origin}: {self.key} is {ascii(value)[:60]}, write {wanted}")


_SWITCH: Final = dict.fromkeys(("0", "false", "no", "off", ""), False) | dict.fromkeys(("1", "true", "yes", "on"), True)

SETTINGS: Final = (
    Setting(
        "backend",
        "text",
        "sqlite:///relative, sqlite:////absolute, postgresql://HOST/NAME or http(s)://HOST (default: your database)",
        metavar="URL",
        short="-b",
    ),
    Setting("token_file", "text", "the token for a server, in a file that only you may read", metavar="PATH"),
    Setting("profile", "text", "settings under [profiles.NAME] of the configuration files", metavar="NAME", short="-P"),
    Setting("read_only", "switch", "refuse every change but a stop; only --no-read-only loosens it"),
    Setting(
        "output",
        "choice",
        "how results are written; lists also as csv",
        metavar="FORMAT",
        short="-o",
        choices=("table", "json", "jsonl", "csv"),
    ),
    Setting(
        "color",
        "choice",
        "colour repeats what words say",
        metavar="WHEN",
        choices=("auto", "always", "never", "ansi16"),
    ),
    Setting("ascii", "switch", "write nothing but ASCII (default under TERM=linux and TERM=screen, and without UTF-8)"),
    Setting(
        "theme",
        "choice",
        "what the console looks like (default dark; ansi where there are 16 colours)",
        metavar="THEME",
        choices=THEMES,
    ),
    Setting("no_input", "switch", "never ask, as without a terminal"),
    Setting("timeout", "duration", "how long to wait for the backend (default 5s)", metavar="DURATION"),
    Setting("debug", "switch", "show the traceback of an internal error; a keeper looks more often and logs more"),
)
"""The global options, in the order in which they are listed."""

PRODUCTION: Final = Setting(
    "production", "switch", "resume --all and recover demand --confirm where nobody can be asked"
)
"""A setting of files alone: a profile marks itself."""

BY_KEY: Final = {setting.key: setting for setting in (*SETTINGS, PRODUCTION)}
"""Every setting, those of files alone too."""
