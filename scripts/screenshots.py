"""Draw the pictures of the documentation: the scenes that the snapshot tests compare, as SVG and PNG.

Run by ``make screenshots``. The fleet is in memory and its clock stands still, so the pictures change only when the
console does. They are drawn with the font that comes with it, whatever this machine has.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

for variable in [name for name in os.environ if name.startswith("TEXTUAL_") or name in {"NO_COLOR", "FORCE_COLOR"}]:
    del os.environ[variable]

import resvg_py  # noqa: E402 - what these load reads the environment that is cleared above

import opsconsole  # noqa: E402
from tests.console.desk import Desk  # noqa: E402
from tests.console.scenes import SCENES, Scene  # noqa: E402

OUT = ROOT / "screenshots"
FONTS = sorted((Path(opsconsole.__file__).parent / "fonts").glob("*.ttf"))
FONT = "DejaVu Sans Mono"
ZOOM = 1.5


async def picture(scene: Scene) -> str:
    """The scene as SVG."""
    desk = Desk(scene.fleet())
    async with desk.at(*scene.size):
        await scene.play(desk)
        return desk.console.export_screenshot(title="opsconsole", simplify=True).replace("Fira Code", FONT)


def drawn(svg: str) -> bytes:
    """The picture as PNG, with the bundled font and no other."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            font_files=[str(font) for font in FONTS],
            skip_system_fonts=True,
            monospace_family=FONT,
            sans_serif_family=FONT,
            zoom=ZOOM,
        )
    )


def main() -> None:
    """All of them."""
    OUT.mkdir(exist_ok=True)
    for scene in SCENES:
        svg = asyncio.run(picture(scene))
        (OUT / f"{scene.name}.svg").write_text(svg, encoding="utf-8")
        (OUT / f"{scene.name}.png").write_bytes(drawn(svg))
        print(f"screenshots/{scene.name}.png")


if __name__ == "__main__":
    main()
