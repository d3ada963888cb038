"""What tells a process to end: the first signal that came to it, whenever that was, and none that came to a child."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import os, signal, sys
from backends.keeper.ending import Ending

ending = Ending([signal.SIGTERM, signal.SIGHUP])
{happens}
print(ending.wait(0.2), ending.number and signal.Signals(ending.number).name)
"""


def said(happens: str) -> str:
    """What a process of its own says of its end when this has happened before it waits."""
    script = _SCRIPT.format(happens=happens)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def test_it_ends_by_the_first_signal_that_came_before_it_waited() -> None:
    """During a start that takes long, and whatever comes after it."""
    sent = "for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP): os.kill(os.getpid(), number)"

    assert said(sent) == "True SIGHUP"


def test_a_signal_for_a_child_that_is_no_program_of_its_own_yet_ends_nobody_else() -> None:
    """It has the socket of its parent still, and somebody who starts and stops a service soon kills its whole group."""
    child = """
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGTERM)
    os._exit(0)
os.wait()
"""

    assert said(child) == "False None"
