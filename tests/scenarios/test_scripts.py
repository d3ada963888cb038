"""Whole incidents on a real database with real workers, told by scripts that press the console's keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import run

SCRIPTS = Path(__file__).parent / "scripts"
ALONE = ["partial-and-back", "pause-and-resume"]
"""Those that bring a fleet of their own."""


@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("name", ALONE)
def test_an_incident_goes_as_its_script_tells_it(name: str) -> None:
    answer = run("script", str(SCRIPTS / f"{name}.yaml"), timeout_s=280)

    assert answer.code == 0, answer.out + answer.err


def test_without_a_keeper_a_stop_is_in_force_and_recorded_and_nobody_is_said_to_have_stopped(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    assert run("-b", url, "sites", "add", "shop-eu").code == 0

    answer = run("-b", url, "script", str(SCRIPTS / "without-a-keeper.yaml"), timeout_s=280)

    assert answer.code == 0, answer.out + answer.err
    assert run("-b", url, "status", "--exit-code").code in {10, 11}


def test_every_script_here_is_played() -> None:
    assert sorted(file.stem for file in SCRIPTS.glob("*.yaml")) == sorted(
        [*ALONE, "aborted-recovery", "services-and-back", "through-a-server", "without-a-keeper"]
    )
