"""The console in each state of a fleet at each size, as text: one file a state, so that a difference can be read.

``pytest tests/console/test_goldens.py --snapshot-update`` draws them anew.
"""

from __future__ import annotations

import pytest

from opsconsole.script.steps import Resize, Shoot
from opsconsole.text import width as cells
from tests.console.conftest import Golden
from tests.console.scenes import STATES, Scene

SIZES = ((20, 10), (39, 10), (40, 10), (80, 24), (120, 36), (200, 60))


@pytest.mark.asyncio
@pytest.mark.parametrize("scene", STATES, ids=lambda scene: scene.name)
async def test_each_state_at_each_size(scene: Scene, golden: Golden) -> None:
    stage = scene.stage()
    shots = [step for size in SIZES for step in (Resize(0, size), Shoot(0, "{}x{}".format(*size)))]
    async with stage.console.run_test(size=SIZES[-1]) as pilot:
        played = await scene.play(stage, pilot, *shots)
    for picture, (width, height) in zip(played.pictures, SIZES, strict=True):
        assert len(picture.rows) == height
        assert max(map(cells, picture.rows)) <= width
    golden("\n".join(f"==== {picture.name}\n" + "\n".join(picture.rows) for picture in played.pictures))
