"""Write the pictures of a script: one SVG and one PNG each, and one animation of all frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import CommandRejected
from opsconsole.script import pictures
from opsconsole.script.played import Picture


def saved(taken: Sequence[Picture], out: Path) -> tuple[list[Path], list[str]]:
    """Write them into ``out``; returns the files, and a sentence where something could not be drawn here.

    Raises `CommandRejected` when the folder cannot be written.
    """
    frames = [picture for picture in taken if picture.shown_s]
    files: list[Path] = []
    try:
        if taken:
            out.mkdir(parents=True, exist_ok=True)
        for name, content in _contents([picture for picture in taken if not picture.shown_s], frames):
            (out / name).write_bytes(content)
            files.append(out / name)
    except OSError as error:
        raise CommandRejected(
            "not-written", f"{out} cannot be written: {error.strerror}", "name another --out"
        ) from None
    undrawn = taken and not any(path.suffix in {".png", ".gif"} for path in files)
    return files, [pictures.NEEDS] if undrawn else []


def _contents(stills: Sequence[Picture], frames: Sequence[Picture]) -> Iterator[tuple[str, bytes]]:
    for still in stills:
        yield f"{still.name}.svg", still.svg.encode()
        if (png := pictures.png(still.svg)) is not None:
            yield f"{still.name}.png", png
    if frames and (gif := pictures.animation([(frame.svg, frame.shown_s) for frame in frames])) is not None:
        yield f"{frames[0].name}.gif", gif
