"""Whether anything can have changed where latches lie, asked of the disk without reading a folder or a file.

For hosts that tell of no changes: a thousand workers that list and read the same folders twice a second keep a
processor busy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_UNSURE_NS: Final = 2_500_000_000
"""A change in the last moments may not be the last one of its tick, and the coarsest disks count in two seconds."""

Footprint = tuple[tuple[int, int, int, int] | int, ...]


def footprint(paths: Iterable[Path]) -> Footprint | None:
    """What the disk says of these folders and files; the same again means that none has come, gone or been written.

    None where one was changed so lately that the next change could look the same.
    """
    found: list[tuple[int, int, int, int] | int] = []
    now_ns = time.time_ns()
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 (that of Path takes twice as long)
        except OSError as error:
            found.append(error.errno or 0)
            continue
        if abs(now_ns - max(status.st_mtime_ns, status.st_ctime_ns)) < _UNSURE_NS:
            return None
        found.append((status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns))
    return tuple(found)
