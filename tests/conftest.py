"""What every test gets: a home of its own, a clean environment, and a seed that is printed.

A test may start a console, place a stop or write a last known state. None of that may reach the fleet, the settings or
the screen of the person who runs the suite, so this module takes their environment away before anything is imported.
"""

import gc
import logging
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from xdist.workermanage import WorkerController

FULL = bool(os.environ.get("OPSCONSOLE_FULL"))  # the one variable of ours that a test may read
SEED = "20261122"
"""What a short run draws from, so that what turns it red is what was changed. A full run draws anew each time."""

NOT_OF_THE_PERSON = {"OPSCONSOLE_FULL", "TEXTUAL_SNAPSHOT_TEMPDIR"}
"""The second one the snapshot plugin hands to the processes of a parallel run."""


def _shapes_the_product(name: str) -> bool:
    """Whether a variable of the person's shell would change what is tested.

    Textual reads its constants at import, and Rich drops all colour for NO_COLOR: either changes every picture. An
    interpreter that buffers nothing has nothing left to write at its end, which could fail. And one that keeps no
    bytecode takes twice as long to start, of which the suite starts some hundred.
    """
    ours = name.startswith(("OPSCONSOLE_", "OPSGATE_", "TEXTUAL_")) and name not in NOT_OF_THE_PERSON
    return ours or name in {"NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


def homes_under(root: Path) -> dict[str, str]:
    """The variables that keep a process inside `root`, which must be short: a unix socket's path ends at 107 bytes.

    The latch folder is named outright, because a machine with a fleet of its own has a system-wide one that a stop
    placed by a test must never reach.
    """
    return {
        "HOME": str(root),
        "XDG_CACHE_HOME": str(root / "cache"),
        "XDG_CONFIG_HOME": str(root / "config"),
        "XDG_CONFIG_DIRS": str(root / "etc"),
        "XDG_DATA_HOME": str(root / "data"),
        "XDG_RUNTIME_DIR": str(root / "run"),
        "XDG_STATE_HOME": str(root / "state"),
        "OPSGATE_LATCH_DIR": str(root / "state" / "opsgate" / "latch"),
    }


def _make_home() -> Path:
    root = Path(tempfile.mkdtemp(prefix="ops-"))
    (root / "run").mkdir(mode=0o700)
    return root


for variable in [name for name in os.environ if _shapes_the_product(name)]:
    del os.environ[variable]
for number, meaning in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:  # by a shell in the background, and so would each child
        signal.signal(number, meaning)
HOME_OF_THE_SESSION = _make_home()  # for fixtures that live longer than one test
os.environ.update(homes_under(HOME_OF_THE_SESSION))

from hypothesis import HealthCheck, settings  # noqa: E402 - only now: what they load must see the environment made above

from backends import keeper, stop_lane, stop_servers  # noqa: E402 - as above
from opsgate import gate  # noqa: E402 - as above
from tests.support import warm  # noqa: E402 - as above

# Stated outright, because Hypothesis has a profile of its own where it finds the variable CI. No deadline for one
# example: a small machine with other work to do would miss it now and then.
lenient = [HealthCheck.too_slow]
quick = settings(max_examples=50, derandomize=False, deadline=None, print_blob=True, suppress_health_check=lenient)
settings.register_profile("quick", quick)
settings.register_profile("full", quick, max_examples=2_000)
settings.load_profile("full" if FULL else "quick")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home for one test: no settings, database, latch or keeper but those that the test makes."""
    root = _make_home()
    for name, value in homes_under(root).items():
        monkeypatch.setenv(name, value)
    for name in ("COLUMNS", "LINES"):  # the snapshot plugin leaves them behind, and they overrule a terminal's own size
        monkeypatch.delenv(name, raising=False)
    yield root
    shutil.rmtree(root, ignore_errors=True)  # a process that the test has just ended may still write into it


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The program's log as it was: a test that has it written to a file must not keep it from the next one."""
    ours = logging.getLogger("opsconsole")
    handlers, level, propagate = ours.handlers, ours.level, ours.propagate
    yield
    for handler in set(ours.handlers) - set(handlers):
        handler.close()
    ours.handlers, ours.propagate = handlers, propagate
    ours.setLevel(level)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop of this process waits for its answers, and a gate for its first reading, as long as a busy machine may
    need. Where none is to come, a test says for how long it is waited for."""
    monkeypatch.setattr(stop_lane, "ANSWER_S", 60.0)
    monkeypatch.setattr(stop_servers, "ANSWER_S", 60.0)
    monkeypatch.setattr(gate, "_FIRST_READING_S", 60.0)


@pytest.fixture(autouse=True)
def quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper that this process starts need not import everything first."""
    monkeypatch.setattr(keeper, "_run", warm.in_place_of_subprocess)


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run, for harnesses that draw numbers without Hypothesis."""
    return int(request.config.option.hypothesis_seed)


@pytest.hookimpl(tryfirst=True)  # before Hypothesis reads the seed
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed of a run that was not given one; a process of a parallel run takes that of the whole."""
    if config.option.hypothesis_seed is None:
        inherited = getattr(config, "workerinput", {}).get("seed")
        drawn = str(random.SystemRandom().randrange(2**32)) if FULL else SEED
        config.option.hypothesis_seed = inherited or drawn


def pytest_configure_node(node: WorkerController) -> None:
    """Hand the seed to a process of a parallel run."""
    node.workerinput["seed"] = node.config.option.hypothesis_seed


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: the collector need not look at half a million objects, while they come or ever after."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_report_header(config: pytest.Config) -> str:
    """Name the seed of this run and how to run it again."""
    seed = config.option.hypothesis_seed
    return f"random harnesses: {'full' if FULL else 'quick'} length, again with --hypothesis-seed={seed}"


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME_OF_THE_SESSION, ignore_errors=True)
