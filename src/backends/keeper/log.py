"""The keeper's log: JSON lines, a few megabytes at most, each line with what a person needs to act on it."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

from core.capabilities.tokens import without_secrets
from opsgate.hold import timestamp
from opsgate.paths import state_home

NAME: Final = "opsconsole.keeper"
"""The logger of all parts of the keeper."""

_BYTES: Final = 1_000_000
_FILES: Final = 3
_written: Final = json.JSONEncoder(default=str).encode
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One object a line: at, level, event, whatever ``extra`` names, and the traceback of an error. Pure ASCII, so
    that text from strangers can neither forge a line nor speak to the terminal that shows it; of a token's secret,
    wherever it got in from, only whose it is."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record."""
        line: dict[str, Any] = {
            "at": timestamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD and key not in line}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return without_secrets(_written(line))


def log_path(fleet: str) -> Path:
    """Where the keeper of a fleet writes its log."""
    return state_home() / "opsconsole" / f"keeper-{fleet}.log"


def write_to(path: Path, level: int = logging.INFO) -> None:
    """Send what the keeper and the parts under it say, from a level on, to a file; to stderr where that cannot be
    written."""
    handler: logging.Handler
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_FILES, encoding="ascii")
    except OSError:
        handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger("opsconsole")
    root.handlers = [handler]
    root.setLevel(level)
    root.propagate = False
