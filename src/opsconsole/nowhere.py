"""Give a stream up that takes nothing any more.

What could not be written stays in its buffer. When the program ends, Python tries once more, fails, says so in its own
words and exits with 120, whatever the exit code was to be.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import IO


def give_up(stream: IO[str]) -> None:
    """Send what `stream` still keeps, and all that comes, nowhere."""
    with suppress(OSError, ValueError):  # it is closed or has no descriptor, and so it keeps nothing
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
