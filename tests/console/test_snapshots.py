"""The incident of the documentation, as it is drawn: as text that can be read, and as pictures in three dresses.

It is played once in each dress.

``pytest tests/console/test_snapshots.py --snapshot-update`` (without -n) draws it anew.
"""

from __future__ import annotations

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion

from opsconsole.dress import DARK, Dress
from opsconsole.script.player import play
from opsconsole.script.stage import seeded
from tests.console.conftest import Golden
from tests.console.scenes import documented, documented_fleet

DRESSES = {"dark": DARK, "16-colours": Dress("ansi", "16"), "no-colour": Dress("none", "none")}
IN_OTHER_DRESSES = {"running", "filter", "armed", "stopping", "partial"}
"""Whose colours say most."""


@pytest.mark.parametrize("dress", DRESSES)
def test_the_incident_looks_as_it_did(dress: str, snapshot: SnapshotAssertion, golden: Golden) -> None:
    told = play(documented(), seeded(documented_fleet(), DRESSES[dress]), documented().size, lambda _said: None)

    assert told.failure is None
    assert told.steps == len(documented().steps)
    kept = snapshot.use_extension(SVGImageExtension)
    drawn = [picture for picture in told.pictures if dress == "dark" or picture.name in IN_OTHER_DRESSES]
    assert [picture.name for picture in drawn if picture.svg != kept(name=picture.name)] == []
    if dress == "dark":
        golden("\n".join(f"==== {picture.name}\n" + "\n".join(picture.rows) for picture in drawn))
