"""Pictures of the screen: SVG always, PNG and an animation where the libraries that draw them are installed.

They are drawn with the font that comes with the console and no other, so they are the same on every machine.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import opsconsole

FONT: Final = "DejaVu Sans Mono"
COLOURS: Final = 64
"""The screen has a dozen colours; the others are the soft edges of letters."""

NEEDS: Final = "pictures other than SVG need resvg-py, and an animation Pillow too"


def of_screen(svg: str) -> str:
    """The SVG that Textual exports, naming the font that comes with the console."""
    return svg.replace("Fira Code", FONT)


def png(svg: str) -> bytes | None:
    """The picture as PNG; None where nothing can draw it."""
    try:
        import resvg_py
    except ImportError:
        return None
    fonts = sorted((Path(opsconsole.__file__).parent / "fonts").glob("*.ttf"))
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            font_files=[str(font) for font in fonts],
            skip_system_fonts=True,
            monospace_family=FONT,
            sans_serif_family=FONT,
        )
    )


def animation(frames: Sequence[tuple[str, float]]) -> bytes | None:
    """The frames (SVG, and how many seconds each is shown) as a GIF that plays for ever; None where none can be drawn.

    All frames share the colours of the whole, so that only what differs from the frame before is stored: the most
    common ones as they are, for an average of neighbours would take the few letters of a key their own.
    """
    try:
        from PIL import Image
    except ImportError:
        return None
    drawn = [png(svg) for svg, _ in frames]
    if None in drawn:
        return None
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in drawn if picture]
    width, height = (max(image.size[axis] for image in images) for axis in (0, 1))
    strip = Image.new("RGB", (width, height * len(images)))
    for number, image in enumerate(images):
        strip.paste(image, (0, height * number))
    found = cast("list[tuple[int, tuple[int, int, int]]]", strip.getcolors(width * height * len(images)))
    common = sorted(found, key=lambda colour: (-colour[0], colour[1]))
    palette = Image.new("P", (1, 1))
    palette.putpalette([level for _, colour in common[:COLOURS] for level in colour])
    flat = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    out = io.BytesIO()
    shown_ms = [int(shown_s * 1000) for _, shown_s in frames]
    flat[0].save(out, "GIF", save_all=True, append_images=flat[1:], duration=shown_ms, loop=0, optimize=False)
    return out.getvalue()
