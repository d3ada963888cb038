"""Where things lie on a host: latches, sockets, last known state. One place, so that all programs agree.

Only paths are computed here; nothing is created or read but the environment.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Final

ALL_FLEETS: Final = "all"
"""The latch directory that every gate on the host obeys, whatever its fleet."""

_NAMING: Final = frozenset({"host", "hostaddr", "port", "dbname", "service", "options"})
"""The options of a server's URL that say which database is meant. No other is in any name: one may be a password."""

_SECRET: Final = re.compile(r"pass|pwd|secret|token|key|credential")
_SECRET_WORD: Final = re.compile(rf"(?i)(\w*(?:{_SECRET.pattern})\w*\s*=\s*)('[^']*'|[^\s&]*)")
_LOGIN: Final = re.compile(r"[^:/?@]*(?::[^@]*)?@")
"""User and password as database drivers read them: up to the first ``@``, whatever the password holds."""
_OPTIONS: Final = re.compile(r"\?(?=[\w%.-]*=)")


def state_home() -> Path:
    """``$XDG_STATE_HOME``, or ``~/.local/state``."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def config_home() -> Path:
    """``$XDG_CONFIG_HOME``, or ``~/.config``."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def default_database() -> Path:
    """The embedded database that is used where no backend is named."""
    return state_home() / "opsconsole" / "opsconsole.db"


def latch_homes() -> tuple[Path, ...]:
    """Where latches may lie, best first: ``$OPSGATE_LATCH_DIR`` alone, else ``/var/lib/opsgate/latch`` (it survives a
    restart of the host) and the user's own state directory. Whoever obeys latches looks at all of these, because the
    first may come and go while latches lie in the second."""
    if configured := os.environ.get("OPSGATE_LATCH_DIR"):
        return (Path(configured),)
    return Path("/var/lib/opsgate/latch"), state_home() / "opsgate" / "latch"


def latch_home() -> Path:
    """Where a new latch is placed: the first of `latch_homes` that exists, else the last."""
    homes = latch_homes()
    return next((home for home in homes if os.path.isdir(home)), homes[-1])  # noqa: PTH112 (raises for no permission)


def last_known_home() -> Path:
    """Where gates keep the last state they saw."""
    return state_home() / "opsgate"


def runtime_home() -> Path:
    """The private directory of sockets: ``$XDG_RUNTIME_DIR/opsconsole``, else ``/run/opsconsole-UID``, else
    ``$TMPDIR/opsconsole-UID``."""
    if configured := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(configured) / "opsconsole"
    name = f"opsconsole-{os.getuid()}"
    run = Path("/run") / name
    if run.is_dir() or os.access("/run", os.W_OK):
        return run
    return Path(os.environ.get("TMPDIR", "/tmp")) / name  # noqa: S108 (the documented last resort; 0700 and checked)


def keeper_socket(fleet: str) -> Path:
    """The keeper's datagram socket for one fleet, by its id or by the hash of its URL."""
    return runtime_home() / f"{fleet}.sock"


def stop_socket(fleet: str) -> Path:
    """The keeper's other socket: stop orders and nothing else, so that no traffic is ever in their way."""
    return runtime_home() / f"{fleet}.stop.sock"


def canonical_url(url: str) -> str:
    """One spelling for one backend: ``sqlite:///`` relative paths become absolute; user, password, options and a
    trailing slash go. Of a server's options those stay that say which database is meant (``host``, ``dbname``, …).

    The result names a fleet until its real id is known; it is not for connecting.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        shown = ascii(without_password(url))[:60]
        raise ValueError(
            f"{shown} is not a backend URL: write sqlite:///FILE, postgresql://HOST/NAME or http(s)://HOST"
        )
    if scheme == "sqlite":
        return f"sqlite:///{sqlite_path(url)}"
    place, _, options = _without_login(rest).partition("?")
    host, slash, path = place.partition("/")
    naming = sorted(option for option in options.split("&") if _key_of(option) in _NAMING)
    return f"{scheme}://{f'{host}{slash}{path}'.rstrip('/')}{'?' if naming else ''}{'&'.join(naming)}"


def without_password(url: str) -> str:
    """A URL as it may be shown: passwords, tokens and the like are ``***``, wherever they stand."""
    scheme, separator, rest = url.partition("://")
    if not separator:  # no URL; perhaps the words of a connection string
        return _SECRET_WORD.sub(r"\1***", url)
    login, at = _login_in(rest) if scheme != "sqlite" else ("", "")
    place, mark, options = rest[len(login + at) :].partition("?")
    user, colon, _ = login.partition(":")
    if login and scheme in ("http", "https"):
        login = "***"
    elif colon:
        login = f"{user}:***"
    shown = "&".join(_hidden(option) for option in options.split("&"))
    return f"{scheme}://{login}{at}{place}{mark}{shown}"


def sqlite_path(url: str) -> Path:
    """The absolute path of a ``sqlite:///relative`` or ``sqlite:////absolute`` URL."""
    path = url.removeprefix("sqlite:///").partition("?")[0]
    if not path or not url.startswith("sqlite:///"):
        raise ValueError(f"{url!r} names no file: write sqlite:///relative.db or sqlite:////absolute.db")
    return Path(path).expanduser().resolve()


def fleet_of_url(url: str) -> str:
    """The name of a fleet whose id is not known yet: a hash of its canonical URL."""
    return "u" + hashlib.blake2b(canonical_url(url).encode(), digest_size=8).hexdigest()


def _without_login(rest: str) -> str:
    """What stands behind ``user:password@``. A password may hold any character, an ``@`` or a slash among them."""
    if login := _LOGIN.match(rest):
        rest = rest[login.end() :]
    host, slash, path = rest.partition("/")
    return host.rpartition("@")[2] + slash + path


def _login_in(rest: str) -> tuple[str, str]:
    """All that may be a login, and the ``@`` behind it: up to the last ``@`` before the options. A password that nobody
    has quoted may hold a slash or an ``@``, whatever a driver makes of that."""
    login = _LOGIN.match(rest)
    options = _OPTIONS.search(rest, login.end() if login else 0)
    found, at, _ = rest[: options.start() if options else len(rest)].rpartition("@")
    return found, at


def _hidden(option: str) -> str:
    return f"{option.partition('=')[0]}=***" if _SECRET.search(_key_of(option)) else option


def _key_of(option: str) -> str:
    """The name of ``name=value``, whatever of it is written as ``%61``."""
    from urllib.parse import unquote

    return unquote(option.partition("=")[0]).lower()


def _xdg(variable: str, fallback: str) -> Path:
    configured = os.environ.get(variable, "")
    return Path(configured) if configured.startswith("/") else Path.home() / fallback
