"""A service for tests, run by a bare interpreter: `agent.py FOLDER PATTERN…`.

It says what it does in FOLDER/status and obeys FOLDER/control, SIGUSR1 and SIGUSR2. Each pattern makes it nastier:

    deaf      ignores SIGTERM, SIGINT, SIGHUP
    forks     has two children that do the same
    orphans   has a grandchild that nobody is the parent of, in a session of its own
    breeds    forks a new child all the time, and ends the old one
    silent    says nothing and listens to nothing, so that SIGUSR1 would be its death
    leaves    ends itself and leaves its orphan
"""

# ruff: noqa: PTH105, PTH110, PTH123
# A bare interpreter starts sooner without pathlib.

import contextlib
import os
import signal
import sys
import time

folder, patterns = sys.argv[1], set(sys.argv[2:])
paused = [False]


def say(word: str) -> None:
    with open(f"{folder}/status.new", "w") as file:
        file.write(word)
    os.replace(f"{folder}/status.new", f"{folder}/status")


def asked() -> str:
    with contextlib.suppress(OSError), open(f"{folder}/control") as file:
        return file.read().strip()
    return ""


def note() -> None:
    with open(f"{folder}/pids", "a") as file:
        file.write(f"{os.getpid()}\n")


def wait_for_ever() -> None:
    note()
    while True:
        time.sleep(60)  # until it is killed


if "deaf" in patterns:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
note()
if "forks" in patterns:
    for _ in range(2):
        if os.fork() == 0:
            wait_for_ever()
if "orphans" in patterns or "leaves" in patterns:
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            wait_for_ever()
        os._exit(0)
    os.waitpid(child, 0)
if "leaves" in patterns:
    os._exit(0)
if "silent" in patterns:
    say("running")
    wait_for_ever()
signal.signal(signal.SIGUSR1, lambda *_: paused.__setitem__(0, True))
signal.signal(signal.SIGUSR2, lambda *_: paused.__setitem__(0, False))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
young = 0
while True:
    word = asked()
    if not os.path.exists(f"{folder}/deaf"):
        say("paused" if paused[0] or word == "pause" else "running")
    else:
        say("running")
    if "breeds" in patterns:
        old, young = young, os.fork()
        if young == 0:
            wait_for_ever()
        if old:
            os.kill(old, signal.SIGKILL)
    time.sleep(0.01)  # between two looks at what it is told
