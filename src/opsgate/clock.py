"""The clock of freshness and leases: seconds that also pass while the machine is suspended, and never jump back."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

elapsed_s: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)
"""Seconds since the host started; where the platform has no such clock, the nearest one that never jumps back."""
