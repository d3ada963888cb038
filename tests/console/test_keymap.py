"""Keys can be changed by the id of what they do, and no change takes away the stop, the way out or Esc."""

from __future__ import annotations

import random
import string

import pytest
from textual.keys import _character_to_key

from opsconsole.actions import ACTIONS
from opsconsole.config import Given
from opsconsole.keymap import DEFAULT, RESERVED, Keymap, default_keys, keymap
from opsconsole.keynames import name_of, read_key, show_key
from opsconsole.panes import LISTS, PANES, UNNUMBERED, AuditPane, EventsPane, InsidePane, TablePane
from tests.console.desk import Desk, small_fleet


def rebound(**wishes: object) -> Keymap:
    return keymap(
        {id_: Given(value, f"config.toml line {line}") for line, (id_, value) in enumerate(wishes.items(), 1)}
    )


def test_no_two_things_have_the_same_key_by_default_and_each_key_has_a_name_for_people() -> None:
    assert DEFAULT.faults == ()
    keys = [key for its in default_keys().values() for key in its]
    assert len(keys) == len(set(keys))
    for key in keys:
        assert show_key(key) != key or key.isalnum()


def test_keys_are_called_as_the_terminal_library_calls_them() -> None:
    for char in string.ascii_letters + string.digits + string.punctuation:
        assert name_of(char) == _character_to_key(char)
        assert read_key(char) == _character_to_key(char)
        assert show_key(name_of(char)) == char


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ctrl+x", "ctrl+x"),
        ("Ctrl-X", "ctrl+x"),
        ("^x", "ctrl+x"),
        ("X", "X"),
        ("F5", "f5"),
        ("pagedown", "pagedown"),
        ("?", "question_mark"),
        ("-", "minus"),
        ("question_mark", "question_mark"),
        ("Shift-Tab", "shift+tab"),
    ],
)
def test_a_key_may_be_written_in_the_ways_that_people_write_it(text: str, key: str) -> None:
    assert read_key(text) == key


@pytest.mark.parametrize("text", ["", "xx", "ctrl+", "ctrl+m", "^i", "ctrl+shift+x", "é", "\x1b", " ", "hyper+x"])
def test_what_no_terminal_sends_reliably_is_no_key(text: str) -> None:
    assert read_key(text) is None


def test_an_action_gets_another_key_or_several_or_none() -> None:
    changed = rebound(pause="ctrl+x", zoom=["Z", "f5"], why=[])
    assert changed.faults == ()
    assert changed.keys["pause"] == ("ctrl+x",)
    assert changed.keys["zoom"] == ("Z", "f5")
    assert changed.keys["why"] == ()


def test_two_actions_may_change_places() -> None:
    changed = rebound(pause="P", resume="p")
    assert (changed.faults, changed.keys["pause"], changed.keys["resume"]) == ((), ("P",), ("p",))


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"paus": "x"}, "config.toml line 1: 'paus' is no action; did you mean pause?"),
        ({"stop": "x"}, "config.toml line 1: stop keeps its key"),
        ({"cancel": "x"}, "config.toml line 1: cancel keeps its key"),
        ({"quit": []}, "config.toml line 1: quit cannot be without a key: quit keeps its default"),
        ({"quit": "hyper+q"}, "'hyper+q' is no key that quit could have: quit keeps its default"),
        ({"pause": "!"}, "! arms the stop and nothing else: pause keeps its default"),
        ({"pause": ["x", "S"]}, "S fires the stop and nothing else"),
        ({"pause": "escape"}, "Esc goes back and nothing else"),
        ({"pause": "enter"}, "Enter confirms nothing and nothing else"),
        ({"pause": 5}, 'pause is 5, write a key such as "ctrl+x", or a list of keys'),
        ({"pause": ["x", 5]}, "pause is ['x', 5], write a key"),
        ({"pause": "q"}, "q would be pause and quit: pause keeps its default"),
        ({"pause": "x", "why": "x"}, "config.toml line 2: x would be pause and why: pause and why keep their default"),
        ({"pause": "j"}, "j would be pause and grid.down: pause keeps its default"),
        ({"grid.down": []}, "grid.down cannot be without a key"),
    ],
)
def test_what_is_wrong_is_left_out_with_a_sentence_and_the_place(wishes: dict[str, object], sentence: str) -> None:
    changed = rebound(**wishes)
    assert sentence in changed.faults[0]
    assert changed.keys == DEFAULT.keys


def test_what_is_right_beside_it_holds() -> None:
    changed = rebound(pause="x", nonsense="y")
    assert changed.keys["pause"] == ("x",)
    assert len(changed.faults) == 1


def test_no_keymap_ever_loses_the_stop_the_way_out_or_esc(seed: int) -> None:
    rng = random.Random(seed)
    ids = [*default_keys(), "nonsense", ""]
    words = [*string.printable, "ctrl+c", "ctrl+x", "escape", "enter", "S", "!", "exclamation_mark", "", "tab", "f1"]
    values: list[object] = [None, 5, True, {}, [], [[]], 1.5]
    for _ in range(500):
        wishes = {
            rng.choice(ids): rng.choice([*values, rng.choice(words), rng.choices(words, k=rng.randrange(4))])
            for _ in range(rng.randrange(8))
        }
        keys = keymap({id_: Given(value, "f") for id_, value in wishes.items()}).keys
        assert keys["quit"]
        assert keys["cancel"] == ("ctrl+c",)
        owners = [(key, id_) for id_, its in keys.items() for key in its]
        assert len({key for key, _ in owners}) == len(owners), "one key, one meaning"
        for key, id_ in owners:
            assert key not in RESERVED or key in default_keys()[id_]


# ------------------------------------------------------------------------------------------------------- on the screen


@pytest.mark.asyncio
async def test_the_changed_key_acts_and_is_what_the_screen_speaks_of() -> None:
    desk = Desk(small_fleet(), keymap=rebound(pause="x", why="ctrl+y"))
    async with desk.at(120, 36):
        await desk.press("2")
        assert "x pause" in desk.row(-1)
        assert "x pause" in desk.text().split("Sites")[1].split("\n")[0], "the frame of the pane names it too"
        await desk.press("p")
        assert "PAUSE shop-eu" not in desk.text()
        await desk.press("x")
        assert "PAUSE shop-eu on PROD" in desk.text()
        await desk.press("escape", "?")
        assert "^y" in desk.text()


@pytest.mark.asyncio
async def test_a_list_can_be_moved_about_in_with_other_keys() -> None:
    desk = Desk(small_fleet(), keymap=rebound(**{"grid.down": ["x", "down"], "grid.up": "f"}))
    async with desk.at():
        first = desk.console.pane.selected
        await desk.press("j")
        assert desk.console.pane.selected == first
        await desk.press("x")
        assert desk.console.pane.selected != first
        await desk.press("f")
        assert desk.console.pane.selected == first


@pytest.mark.asyncio
async def test_a_console_with_faults_in_its_keymap_starts_says_them_once_and_stops() -> None:
    broken = rebound(quit=[], stop="x", pause="!")
    desk = Desk(small_fleet(), keymap=broken, remarks=broken.faults)
    async with desk.at():
        assert "PLEASE NOTE" in desk.text()
        assert "config.toml line 1: quit cannot be without a key" in desk.text()
        await desk.press("!", "S")
        await desk.until(lambda: len(desk.orders) == 1)
        await desk.press("escape")
        assert "PLEASE NOTE" not in desk.text()
        await desk.press("q")
        await desk.until(lambda: desk.console.return_code == 0)


def test_every_action_has_an_id_of_its_own() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


@pytest.mark.parametrize(
    "kind", [*PANES, *LISTS, *UNNUMBERED, AuditPane, EventsPane, InsidePane], ids=lambda kind: kind.name
)
def test_a_frame_offers_actions_that_there_are_and_names_the_keys_that_they_have(kind: type[TablePane]) -> None:
    assert kind.offers.keys() <= {action.id for action in ACTIONS}
    pane = kind()
    pane.name_keys(rebound(why="x", pause=[]).keys)
    named = dict(pane.frame.hints)
    assert ("x" in named) == ("why" in kind.offers)
    assert not {"d", "p", "-"} & named.keys()
