"""Whatever ends a command becomes one sentence and an exit code; nobody sees a traceback who did not ask for one."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from core.errors import OpsError
from opsconsole.cli.exits import Exit, exit_of
from opsconsole.cli.output import ReaderLeft, complain, forgive_encodings
from opsconsole.cli.selectors import NothingMatches
from opsconsole.settings import ConfigError
from opsgate.selector import SelectorError

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal asked this process to end. No Exception, so that nothing on the way takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def guarded(action: Callable[[], int], arguments: Sequence[str]) -> int:
    """Carry out a command of this process; returns its exit code and never raises."""
    forgive_encodings()
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, and a shell's background, mean it
            signal.signal(number, _end)
    try:
        return explained(action)
    except Ended as ended:
        return 128 + ended.number
    except ReaderLeft:
        return Exit.OK  # whoever read our output had enough
    except Exception as error:  # noqa: BLE001 - the last line of defence: a person gets a sentence, we get the report
        from opsconsole.cli.report import report

        return report(error, arguments)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no signal in until the block has ended: what must be done whole is done whole, then the signal is heard."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def explained(action: Callable[[], int]) -> int:
    """Carry out a command and turn what it is refused for into one sentence and an exit code."""
    try:
        return action()
    except NothingMatches as error:
        complain(str(error))
        return Exit.REFUSED
    except (SelectorError, ConfigError) as error:
        complain(str(error))
        return Exit.USAGE
    except OpsError as error:
        complain(str(error))
        return exit_of(error)


def _end(number: int, _frame: FrameType | None) -> None:
    raise Ended(number)
