"""The scenes of the documentation, as they are drawn: as text that can be read, and as pictures in three dresses.

``pytest tests/console/test_snapshots.py --snapshot-update`` (without -n) draws them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from _pytest.mark import ParameterSet
from textual.pilot import Pilot

from opsconsole.dress import DARK, Dress
from tests.console.conftest import Golden
from tests.console.scenes import PICTURES, Scene

SnapCompare = Callable[..., bool]
DRESSES = {"dark": DARK, "16-colours": Dress("ansi", "16"), "no-colour": Dress("none", "none")}


IN_OTHER_DRESSES = {"running", "filter", "armed", "stopping", "partial"}


def dressed() -> Iterator[ParameterSet]:
    """Every picture in the dark, and in the other dresses those whose colours say most."""
    for scene in PICTURES:
        for dress in DRESSES:
            if dress == "dark" or scene.name in IN_OTHER_DRESSES:
                yield pytest.param(scene, dress, id=f"{scene.name}-{dress}")


@pytest.mark.parametrize(("scene", "dress"), dressed())
def test_a_scene_looks_as_it_did(scene: Scene, dress: str, snap_compare: SnapCompare, golden: Golden) -> None:
    stage = scene.stage(DRESSES[dress])
    rows: Sequence[str] = ()

    async def play(pilot: Pilot[None]) -> None:
        nonlocal rows
        await scene.play(stage, pilot)
        rows = stage.console.scene().rows

    assert snap_compare(stage.console, terminal_size=(120, 36), run_before=play)
    if dress == "dark":
        golden("\n".join(rows))
