"""The pictures of the documentation: each is made by a script that goes as it is told, and none is left from before."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsconsole.script.grammar import script
from opsconsole.script.header import Script, Seeded
from opsconsole.script.player import play
from opsconsole.script.stage import seeded
from opsconsole.script.steps import Shoot
from tests.console.scenes import DOCUMENTED

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
SCENES = sorted((SCREENSHOTS / "scenes").glob("*.yaml"))


def read(file: Path) -> Script:
    """One scene."""
    return script(file.read_bytes())


def drawn(scene: Script) -> set[str]:
    """The files that a scene makes."""
    shots = [step for step in scene.steps if isinstance(step, Shoot)]
    return {f"{shot.name}.{kind}" for shot in shots for kind in (["gif"] if shot.shown_s else ["svg", "png"])}


def test_every_picture_is_made_by_one_scene_and_every_scene_is_drawn() -> None:
    made = [name for file in SCENES for name in drawn(read(file))]

    assert sorted(made) == sorted(file.name for file in SCREENSHOTS.iterdir() if file.is_file())


@pytest.mark.parametrize("file", [file for file in SCENES if file != DOCUMENTED], ids=lambda file: file.stem)
def test_a_scene_goes_as_it_is_told(file: Path) -> None:
    """That of the incident is played where it is compared with how it looked, in `test_snapshots`."""
    scene = read(file)
    assert isinstance(scene.fleet, Seeded)

    told = play(scene, seeded(scene.fleet), scene.size, lambda _said: None)

    assert told.failure is None
    assert told.steps == len(scene.steps)
