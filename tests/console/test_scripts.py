"""Scripts play the real console: what they press is carried out, what they expect is looked at, and exit 0 means that
all of it was so."""

from __future__ import annotations

import io
import json
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageSequence
from textual.pilot import Pilot, WaitForScreenTimeout

from core.capabilities.holds import ReleaseHolds
from core.capabilities.switches import SetSwitch
from core.messages import Actor, Command, Envelope, Receipt
from opsconsole.script.grammar import STEPS, script
from opsconsole.script.header import Seeded
from opsconsole.script.pictures import animation
from opsconsole.script.played import Played
from opsconsole.script.player import Player, play
from opsconsole.script.stage import seeded
from opsconsole.script.steps import Do
from opsconsole.script.world import World
from opsgate.selector import EVERYTHING
from tests.cli.shell import run, started

FLEET = """
fleet: {seeded: {profile: PROD}}
steps:
  - do:
      - {kind: add-name, dimension: site, name: shop-eu}
      - {kind: add-name, dimension: site, name: shop-us}
  - workers: {w-01: shop-eu, w-02: shop-us}
"""


def played(steps: str, size: tuple[int, int] = (100, 30)) -> Played:
    """Play these steps on a small seeded fleet."""
    read = script(FLEET + steps)
    return play(read, seeded(Seeded(profile="PROD")), size, lambda _said: None)


def test_a_stop_that_a_script_presses_is_in_force_and_is_verified_by_its_workers() -> None:
    told = played("""
  - expect: {state: running, live: 2, in flight: 2, sites: {shop-eu: runs}}
  - press: ["!", S]
  - wait until: {stop: {result: pending, of: 2, scope: all}}
  - type: wrong prices
  - press: enter
  - wait until: {screen: wrong prices}
  - acknowledge: all
  - expect: {state: stopped, stops: 1, stop: {result: verified, missing: nobody}, sites: {shop-us: stopped}}
""")

    assert told.failure is None
    assert told.ended is None


def test_whoever_has_not_acknowledged_when_time_is_up_is_missing() -> None:
    told = played("""
  - do: {kind: order-stop, stop_id: S-9, selectors: [{}], reason: INC-1}
  - acknowledge: w-01
  - pass: 6s
  - expect: {stop: {result: partial, acked: 1, missing: w-02}, screen: {row: 1, says: PARTIAL}}
""")

    assert told.failure is None


def test_prose_that_a_script_types_never_stops_anything() -> None:
    told = played("""
  - press: p
  - type: "wow!Stop it! S"
  - press: escape
  - expect: {state: running, stops: 0}
""")

    assert told.failure is None


def test_a_command_opens_the_prompt_of_its_key_and_what_it_asks_for_is_pressed() -> None:
    told = played("""
  - command: pause shop-eu -- INC-7
  - expect: {holds: 0, screen: INC-7}
  - press: y
  - wait until: {holds: 1, sites: {shop-eu: paused}, hold on: site=shop-eu}
  - command: sites
  - command: why shop-eu
  - expect: {screen: WHY site=shop-eu}
  - press: escape
  - command: resume shop-eu -- feed repaired
  - press: [enter, y]
  - wait until: {holds: 0, sites: {shop-eu: runs}}
""")

    assert told.failure is None


def test_a_command_that_would_do_nothing_is_not_met_and_says_why() -> None:
    told = played("  - command: pause shop-ue\n  - press: y\n")

    assert told.failure is not None
    assert told.failure.line == 8
    assert told.failure.sentences[0].startswith("the command was refused: column 7: unknown site shop-ue; did you mean")


def test_a_command_is_not_typed_into_a_prompt_that_is_open() -> None:
    told = played("  - press: '?'\n  - command: sites\n")

    assert told.failure is not None
    assert "is open and takes every key: close it first" in told.failure.sentences[0]


EVERY_STEP = """
recording: all
fleet: seeded
steps:
  - do: [{kind: add-name, dimension: site, name: shop-eu}, {kind: add-name, dimension: site, name: shop-us}]
  - do: [{kind: add-service, name: db, driver: process}]
  - services: {db: running}
  - workers: {w-01: shop-eu, w-02: [shop-eu, shop-us], w-03: shop-us}
  - use: {sites: [0, 1, 0, 0, 1, 0, 1, 0, 0, 5]}
  - wait until: {state: running, live: 3, in flight: 3}
  - frame: 0.5s
  - resize: 80x24
  - command: sites
  - screenshot: sites
  - lose: w-03
  - pass: 1s
  - expect: {live: 2, lost: 1}
  - keeper: false
  - expect: {screen: {row: 2, says: NO KEEPER}}
  - keeper: true
  - press: ["!", S]
  - wait until: {stop: {result: pending, scope: all}}
  - type: wrong prices
  - press: enter
  - acknowledge: [w-01, w-02]
  - expect: {stop: {acked: 2}}
  - away: connection refused
  - pass: 30s
  - expect: {state: unknown}
  - back: true
  - expect: {state: stopped, not on screen: connection refused}
"""


def test_every_kind_of_step_does_what_the_reference_says_of_it() -> None:
    told = play(script(EVERY_STEP), seeded(Seeded()), (100, 30), lambda _said: None)

    assert told.failure is None
    assert [(taken.name, taken.shown_s) for taken in told.pictures] == [("all", 0.5), ("sites", 0.0)]
    assert {key for key in STEPS if f"  - {key}: " in EVERY_STEP} == set(STEPS)


def test_what_is_not_met_is_named_with_what_is_instead_and_the_screen() -> None:
    told = played("""
  - expect:
      state: stopped
      holds: 1
      stop: {result: verified}
      hold on: site=shop-eu
      sites: {shop-eu: paused, shop-uk: runs}
      screen: [nowhere to be read, {row: 2, says: elsewhere}]
      not on screen: shop-us
""")

    assert told.failure is not None
    assert told.failure.line == 9
    assert told.steps == 3
    assert told.failure.sentences[:7] == (
        "expected: state stopped, it is running",
        "expected: holds: 1, it is 0",
        "expected: a stop, there is none in force",
        "expected: a hold on exactly site=shop-eu, there is none",
        "expected: site shop-eu paused, it is runs",
        "expected: site shop-uk runs, it is unknown",
        "expected: 'nowhere to be read' anywhere on the screen",
    )
    assert told.failure.sentences[7].startswith("expected: 'elsewhere' in row 2, which says 'PROD RW as ana")
    assert told.failure.sentences[-1] == "expected: no 'shop-us' anywhere on the screen"
    assert any("shop-eu" in row for row in told.failure.rows)


def test_wait_until_gives_up_when_its_time_is_over() -> None:
    told = played("  - wait until: {state: stopped, within: 0.2s}\n")

    assert told.failure is not None
    assert told.failure.sentences == ("expected within 0.2s: state stopped, it is running",)


def test_a_console_that_hangs_ends_the_script_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    async def give_up(*_: object, **__: object) -> None:
        """As the pilot does when a widget has not answered for half a minute."""
        raise WaitForScreenTimeout("timed out")

    monkeypatch.setattr(Pilot, "_wait_for_screen", give_up)
    told = played("  - press: a\n")

    assert told.failure is not None
    assert told.failure.sentences == ("the console did not answer for half a minute",)


def test_a_console_that_was_left_early_has_not_met_the_script() -> None:
    told = played("  - press: q\n  - expect: {state: running}\n")

    assert told.failure is not None
    assert told.failure.sentences == ("the console was left before this step, exit code 0",)


def test_what_the_engine_refuses_fails_the_script_with_its_reason() -> None:
    told = played("  - do: {kind: place-hold, selectors: [{site: shop-uk}]}\n")

    assert told.failure is not None
    assert "the engine refused place-hold" in told.failure.sentences[0]


def test_a_backend_that_went_away_makes_the_state_unknown_until_it_is_back() -> None:
    told = played("""
  - away: connection refused
  - pass: 42s
  - expect: {state: unknown, screen: connection refused}
  - back: true
  - expect: {state: running}
""")

    assert told.failure is None


def test_a_seeded_fleet_expires_holds_by_its_own_clock() -> None:
    told = played("""
  - do: {kind: place-hold, selectors: [{site: shop-eu}], expires_at: "2026-11-22T14:00:00Z"}
  - expect: {hold on: site=shop-eu, sites: {shop-eu: paused}}
  - pass: 11m
  - expect: {holds: 0}
""")

    assert told.failure is None


def test_the_same_script_takes_the_same_pictures() -> None:
    steps = "  - pass: 1m\n  - screenshot: one\n  - resize: 80x24\n  - press: ['?']\n  - screenshot: two\n"

    first, second = played(steps), played(steps)

    assert [taken.name for taken in first.pictures] == ["one", "two"]
    assert [taken.svg for taken in first.pictures] == [taken.svg for taken in second.pictures]
    assert len(first.pictures[1].rows) == 24


def test_a_recording_plays_its_frames_for_as_long_as_they_say_again_and_again() -> None:
    text = FLEET.replace("steps:", "recording: short\nsteps:", 1) + "  - frame: 0.5s\n  - press: ['!']\n  - frame: 2s\n"
    told = play(script(text), seeded(Seeded(profile="PROD")), (80, 24), lambda _said: None)

    gif = animation([(frame.svg, frame.shown_s) for frame in told.pictures])

    assert gif is not None
    with Image.open(io.BytesIO(gif)) as image:
        shown = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
        assert (image.info["loop"], shown) == (0, [500, 2000])


@pytest.mark.parametrize(
    "command",
    [
        ReleaseHolds(selectors=(EVERYTHING,), reason="mended"),
        SetSwitch(dimension="operation", names=("site_creation",), on=True),
        SetSwitch(dimension="operation", names=("site_creation",), on=False),
    ],
)
def test_what_lets_something_run_is_sent_at_the_revision_that_was_looked_at(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = seeded(Seeded())
    sent: list[Envelope] = []
    monkeypatch.setattr(stage.feed, "submit", sent.append)
    steps = script(b"fleet: seeded\nsteps: [{press: a}]")
    elsewhere = replace(stage, world=None)

    Player(steps, elsewhere, print)._submit(Do(1, "", command), Actor(name="ana"))

    looked_at = stage.console.picture.state.control_revision
    assert [each.expected_revision for each in sent] == [looked_at if command.lets_run else None]
    assert command.lets_run is not (isinstance(command, SetSwitch) and not command.on)


def test_a_step_that_commands_something_ends_when_it_is_answered_and_not_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pictures differed by a revision where the next step's keeper came before the command or behind it."""
    submit = World.submit

    def submit_later(world: World, envelope: Envelope, *, timeout_s: float = 5.0) -> Receipt:
        threading.Event().wait(1.0)  # as long as it takes on a busy machine
        return submit(world, envelope, timeout_s=timeout_s)

    monkeypatch.setattr(World, "submit", submit_later)

    told = played("""
  - press: ["2", p]
  - press: "y"
  - expect: {screen: "pause shop-eu: recorded"}
""")

    assert told.failure is None


# ------------------------------------------------------------------------------------------------ the command line


def test_a_script_on_a_real_database_changes_it_and_answers_what_it_did(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    assert run("-b", url, "sites", "add", "shop-eu").code == 0
    text = """
keeper: false
steps:
  - wait until: {state: running}
  - do: {kind: place-hold, selectors: [{site: shop-eu}], reason: INC-1}
  - wait until: {sites: {shop-eu: paused}, screen: shop-eu}
  - screenshot: paused
"""

    answer = run("-b", url, "-o", "json", "script", "-", "--out", str(tmp_path / "out"), "--size", "80x24", text=text)

    assert answer.code == 0, answer.out + answer.err
    told = json.loads(answer.out)
    assert (told["ok"], told["steps"]) == (True, 4)
    assert (tmp_path / "out" / "paused.svg").read_text("utf-8").startswith("<svg")
    assert (tmp_path / "out" / "paused.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(run("-b", url, "-o", "json", "status").out)["holds"]


def test_an_unmet_expectation_exits_1_with_its_line_and_shows_the_screen(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("fleet: seeded\nsteps:\n  - expect: {state: stopped}\n", "utf-8")

    answer = run("script", str(file))

    assert answer.code == 1
    assert answer.err.splitlines()[-1].endswith("wrong.yaml, line 3: expected: state stopped, it is running")
    assert "1 Global" in answer.out


def test_a_script_with_a_typo_is_refused_before_anything_runs(tmp_path: Path) -> None:
    file = tmp_path / "typo.yaml"
    file.write_text("steps:\n  - press: [a]\n  - screenshoot: b\n", "utf-8")

    answer = run("-b", f"sqlite:///{tmp_path / 'none.db'}", "script", str(file))

    assert (answer.code, answer.out) == (2, "")
    assert "typo.yaml, line 3, column 5: there is no step 'screenshoot': did you mean 'screenshot'?" in answer.err
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere.yaml",), "nowhere.yaml cannot be read: No such file or directory"),
        (("-", "--size", "9"), "'9' is not a size"),
        ((), "Missing argument 'FILE'"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_2(arguments: tuple[str, ...], says: str) -> None:
    answer = run("script", *arguments, text="steps: [{press: a}]")

    assert answer.code == 2
    assert says in answer.err


def test_a_dry_run_only_reads() -> None:
    answer = run("script", "-", "--dry-run", text="fleet: demo\nsteps: [{press: a}, {press: b}]")

    assert (answer.code, answer.out) == (0, "2 steps, nothing wrong with the script\n")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")

    answer = run("script", "-", "--out", str(tmp_path / "file" / "x"), text="fleet: seeded\nsteps: [{screenshot: a}]")

    assert answer.code == 1
    assert "cannot be written" in answer.err


def test_a_signal_ends_a_script_with_its_own_code(tmp_path: Path) -> None:
    text = "fleet: seeded\nsteps:\n  - press: [a]\n  - wait until: {state: stopped, within: 60s}\n"
    (tmp_path / "script.yaml").write_text(text)
    with started("script", str(tmp_path / "script.yaml")) as process:
        # it narrates what takes over a second, on a busy machine the first step too
        assert any("step 2 of 2, line 4" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
