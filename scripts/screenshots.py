"""Draw the pictures of the documentation: every script in screenshots/scenes is played, and its pictures are kept.

Run by ``make screenshots``. The fleets are in memory and their clock stands still, so the pictures change only when the
console does; they are drawn with the font that comes with it, whatever this machine has. Each script gets a process and
an empty home, so that nothing of the person who draws can get into a picture.

python scripts/screenshots.py            draws them anew
python scripts/screenshots.py --check    exits 1 where one of them is not what the console draws now
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUT = ROOT / "screenshots"
SCENES = OUT / "scenes"
PICTURES = (".svg", ".png", ".gif")


def drawn() -> dict[str, bytes]:
    """Every picture by its file name."""
    with tempfile.TemporaryDirectory(prefix="ops-") as home:
        out = Path(home) / "out"
        for scene in sorted(SCENES.glob("*.yaml")):
            command = [sys.executable, "-m", "opsconsole", "script", str(scene), "--out", str(out)]
            subprocess.run(command, env=environment(Path(home)), check=True)
        return {file.name: file.read_bytes() for file in sorted(out.iterdir())}


def environment(home: Path) -> Mapping[str, str]:
    """What a script's process gets: a home of its own, and nothing that shapes the console."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    own = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    return kept | own | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "OPSGATE_LATCH_DIR": str(home / "latch")}


def main(arguments: list[str]) -> int:
    """Write the pictures, or with ``--check`` compare them."""
    new = drawn()
    kept = {file.name: file for file in OUT.iterdir() if file.suffix in PICTURES}
    stale = [name for name, content in new.items() if name not in kept or kept[name].read_bytes() != content]
    gone = sorted(kept.keys() - new.keys())
    if "--check" in arguments:
        print("\n".join(f"out of date: screenshots/{name}" for name in (*stale, *gone)))
        return 1 if stale or gone else 0
    for name in stale:
        (OUT / name).write_bytes(new[name])
        print(f"wrote screenshots/{name}")
    for name in gone:
        kept[name].unlink()
        print(f"removed screenshots/{name}: no script draws it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
