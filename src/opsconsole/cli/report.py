"""What is left of an internal error: one sentence for the person, a report for us."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from opsconsole import __version__
from opsconsole.cli.exits import Exit
from opsconsole.cli.output import complain
from opsgate.paths import state_home


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Write the report of ``error``, say where it is, and return the exit code. With ``--debug`` also the traceback."""
    text = "".join(traceback.format_exception(error))
    if "--debug" in arguments or os.environ.get("OPSCONSOLE_DEBUG"):
        sys.stderr.write(text)
    where = _kept(f"opsconsole {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n{text}")
    kept = f"the report is {where}" if where else "no report could be written: repeat it with --debug to see why"
    complain(f"internal error ({type(error).__name__}), a fault of ours; {kept}")
    return Exit.INTERNAL


def _kept(text: str) -> Path | None:
    directory = state_home() / "opsconsole" / "reports"
    file = directory / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(text, "utf-8", "backslashreplace")
    except OSError:
        return None
    return file
