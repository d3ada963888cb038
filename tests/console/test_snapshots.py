"""The scenes of the documentation, as they are drawn: as text that can be read, and as pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.console.conftest import Golden
from tests.console.desk import Desk
from tests.console.scenes import SCENES, Scene

SnapCompare = Callable[..., bool]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_scene_looks_as_it_did(scene: Scene, snap_compare: SnapCompare) -> None:
    desk = Desk(scene.fleet())

    async def play(pilot: Pilot[None]) -> None:
        await desk.join(pilot)
        await scene.play(desk)

    assert snap_compare(desk.console, terminal_size=scene.size, run_before=play)


@pytest.mark.asyncio
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_a_scene_reads_as_it_did(scene: Scene, golden: Golden) -> None:
    desk = Desk(scene.fleet())
    async with desk.at(*scene.size):
        await scene.play(desk)
        golden(desk.text())
