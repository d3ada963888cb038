"""What PostgreSQL's errors mean for a person: one sentence and the next step for each, by SQLSTATE."""

from __future__ import annotations

import re
from typing import Final

import psycopg

from core.errors import BackendUnavailable, NotOurDatabase, OpsError, TimedOut

_STOP_ANYWAY: Final = "stops still work: opsconsole stop --local"

_SENTENCES: Final = {
    "55P03": ("database-locked", "{url} is locked by another process", "try again, or see pg_locks for who holds it"),
    "53100": ("disk-full", "the disk of {url} is full, nothing was recorded", "free some space there and try again"),
    "25006": (
        "database-read-only",
        "{url} is read-only: it is a standby, or was set so",
        "name the primary with --backend",
    ),
    "42501": (
        "database-forbidden",
        "{url} does not let this user do that ({text})",
        "grant SELECT, INSERT, UPDATE and DELETE on opsconsole's tables, and CREATE for the first start",
    ),
    "53300": ("database-busy", "{url} has no free connection", "raise max_connections there, or try again"),
}

_LATE: Final = ("57014", "25P03")
"""The server gave up on a statement, or on a transaction in which nobody asked it anything."""

_NO_ENTRY: Final = re.compile(r"authentication failed|no password supplied|pg_hba\.conf|role .* does not exist")
_NO_DATABASE: Final = re.compile(r"database .* does not exist")
_BAD_URL: Final = re.compile(r"\bURI\b|percent-encoded|connection option|connection info string")
_QUOTED: Final = re.compile(r':? "[^"]*"')


def explain(error: psycopg.Error, url: str, *, late: bool) -> OpsError:
    """The error of ours that a driver's error is. ``late``: the deadline has passed, so it is why."""
    text = " ".join(str(error).split())[:300]
    if late or error.sqlstate in _LATE:
        return TimedOut(
            "database-slow", f"{url} did not answer in time", f"repeat it with the same command id; {_STOP_ANYWAY}"
        )
    if error.sqlstate in _SENTENCES:
        code, sentence, hint = _SENTENCES[error.sqlstate]
        return BackendUnavailable(code, sentence.format(url=url, text=text), f"{hint}; {_STOP_ANYWAY}")
    if error.sqlstate is None and isinstance(error, psycopg.ProgrammingError) and _BAD_URL.search(text):
        fault = _QUOTED.sub("", text)  # the driver quotes what it could not read, the password among it
        return NotOurDatabase("bad-url", f"{url} cannot be read: {fault}", "write postgresql://USER@HOST:PORT/NAME")
    if _NO_ENTRY.search(text):
        return BackendUnavailable(
            "database-auth", f"{url} refused the login: {text}", "look at user, password and pg_hba.conf"
        )
    if _NO_DATABASE.search(text):
        return NotOurDatabase("no-database", f"{url} does not exist", "make it there with 'createdb'")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return BackendUnavailable(
            "database-down", f"{url} cannot be reached: {text}", f"start it, or look at the network; {_STOP_ANYWAY}"
        )
    return BackendUnavailable("database-failed", f"{url} failed: {text}", f"see 'opsconsole doctor'; {_STOP_ANYWAY}")
