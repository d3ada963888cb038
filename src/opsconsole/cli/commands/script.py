"""``script``: the console without a terminal, driven by a script."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.errors import ConfirmationNeeded
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.output import complain
from opsconsole.dress import Dress, dressed
from opsconsole.render import Document
from opsconsole.script.grammar import script as read
from opsconsole.script.header import Demo, Script, Seeded
from opsconsole.script.reading import ScriptError, size_of
from opsconsole.script.steps import Do
from opsconsole.text import clean
from opsconsole.views.words import counted

if TYPE_CHECKING:
    from opsconsole.script.played import Played
    from opsconsole.script.stage import Stage


@click.command(short_help="The console without a terminal, driven by a script.")
@click.argument("file", metavar="FILE")
@click.option("--size", metavar="SIZE", help="Columns x rows of the terminal, before what the script says.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where pictures go (default: here).",
)
@click.option("--dry-run", is_flag=True, help="Read and check the script, and do nothing.")
@click.pass_obj
def script(invocation: Invocation, file: str, size: str | None, out: Path, dry_run: bool) -> int:
    """Press keys, expect what the screen and the state should say, and take pictures: exit 0 only if all was so.

    FILE is YAML (docs/reference/scripts.md); - reads it from stdin. It is checked as a whole before anything runs. An
    expectation that is not met ends it with exit 1 and shows the screen. Ctrl-C ends it, and what was started for it.
    """
    try:
        play = read(_text(file))
        wanted = size_of(size) if size else play.size
    except ScriptError as error:
        complain(f"{clean(file)}, {error}")
        return Exit.USAGE
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _require_harmless(invocation, play)
    if dry_run:
        said = f"{counted(len(play.steps), 'step')}, nothing wrong with the script"
        invocation.show(Document({"steps": len(play.steps)}, [said]))
        return Exit.OK
    return _play(invocation, play, wanted, out, file)


def _play(invocation: Invocation, play: Script, size: tuple[int, int], out: Path, file: str) -> int:
    from opsconsole.app import own_environment

    dress = _dress(invocation, play)
    own_environment(dress)
    from opsconsole.script.player import play as performed
    from opsconsole.script.saving import saved

    with _stage(invocation, play, dress) as stage:
        played = performed(play, stage, size, invocation.say)
    files, missing = saved(played.pictures, out)
    for sentence in missing:
        invocation.say(sentence)
    if played.ended is not None:
        line = play.steps[min(played.steps, len(play.steps) - 1)].line
        complain(f"{clean(file)}, line {line}: interrupted after {counted(played.steps, 'step')}{_kept(files)}")
        return played.ended
    invocation.show(_answer(played, files, file))
    if played.failure is None:
        return Exit.OK
    complain(f"{clean(file)}, line {played.failure.line}: {'; '.join(map(clean, played.failure.sentences))}")
    return Exit.REFUSED


def _dress(invocation: Invocation, play: Script) -> Dress:
    """As the script or the settings say; what the terminal is that is not there decides nothing."""
    settings = invocation.settings
    theme = play.theme or settings.theme
    return dressed(theme, settings.color, ascii_only=settings.ascii, environ={}, encoding="utf-8")


def _require_harmless(invocation: Invocation, play: Script) -> None:
    """Refuse a script that would let something run in production: nobody is there who could type the scope."""
    if isinstance(play.fleet, Seeded) or not invocation.settings.production:
        return
    for step in play.steps:
        if isinstance(step, Do) and step.command.lets_run:
            raise ConfirmationNeeded(
                "confirm-needed",
                f"this profile is production, and line {step.line} of the script lets something run"
                f" ({step.command.kind}): that needs to be confirmed",
                "nothing has run; do it in the console, or with its own command",
            )


@contextmanager
def _stage(invocation: Invocation, play: Script, dress: Dress) -> Iterator[Stage]:
    """The console on the fleet that the script asks for; what was started for it is gone afterwards."""
    from opsconsole.credential import Address, read_token
    from opsconsole.demo.fleet import throw_away_folder
    from opsconsole.demo.live import live_fleet
    from opsconsole.script.stage import on_backend, seeded
    from opsconsole.views.picture import Who

    with ExitStack() as afterwards:
        if isinstance(play.fleet, Seeded):
            yield seeded(play.fleet, dress)
            return
        if isinstance(play.fleet, Demo):
            folder = afterwards.enter_context(throw_away_folder())
            afterwards.enter_context(live_fleet(invocation, folder, play.fleet.workers, play.fleet.sites))
        settings = invocation.settings
        profile = "DEMO" if isinstance(play.fleet, Demo) else (settings.profile or "").upper()
        who = Who(invocation.actor, settings.backend, profile, settings.read_only)
        address = Address(settings.backend, read_token(settings.token_file))
        yield on_backend(address, who, dress, keeper=play.keeper)


def _answer(played: Played, files: list[Path], file: str) -> Document:
    """What came of it: for programs, and in words."""
    data: dict[str, Any] = {
        "ok": played.failure is None,
        "steps": played.steps,
        "took_s": round(played.took_s, 3),
        "files": [str(path) for path in files],
    }
    lines = [f"{counted(played.steps, 'step')} in {played.took_s:.1f} s", *(f"  {clean(str(path))}" for path in files)]
    if played.failure is not None:
        from opsconsole.script.stage import as_text

        failure = played.failure
        data["failure"] = {"line": failure.line, "unmet": list(failure.sentences), "screen": list(failure.rows)}
        lines += [f"{clean(file)}, line {failure.line}:", *(f"  {clean(each)}" for each in failure.sentences)]
        lines += as_text(failure.rows) if failure.rows else []
    return Document(data, lines)


def _kept(files: list[Path]) -> str:
    return f", its pictures so far are {', '.join(clean(str(path)) for path in files)}" if files else ""


def _text(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{clean(file)} cannot be read: {error.strerror}") from None
    except ValueError:
        raise click.UsageError("a file name cannot hold NUL") from None
