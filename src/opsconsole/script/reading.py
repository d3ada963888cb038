"""A script's text as typed values that know where they stand, so that a fault is told with its line and column.

YAML as scripts need it: mappings, lists and plain text. No anchors, no tags, and no nesting that no script has, so that
nothing in a text costs more than its length. Words are text as they were written: ``off`` is a word, and ``1`` is read
as a number only where a number is asked for.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

import yaml

from opsconsole.cli.times import duration
from opsconsole.text import clean

MOST_BYTES: Final = 1_000_000
DEEPEST: Final = 16

_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_SIZE: Final = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")
_UNIT: Final = re.compile(r"(?:[0-9.]+[dhms])+")
_YES: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

_PLAINER: Final = {
    "mapping values are not allowed here": "a second ':' in one line: write {key: value} behind the first, "
    "and quote a text that has ': ' in it",
    "could not find expected ':'": "a ':' is missing before this: each line is 'key: value' or begins with '- '",
}
"""What YAML says, for people who do not know its grammar."""

WIDEST: Final = 500
HIGHEST: Final = 200


class ScriptError(ValueError):
    """The script is wrong: whoever wrote it has to mend it. ``line`` and ``column`` count from 1."""

    def __init__(self, sentence: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {sentence}")
        self.line, self.column = line, column


class Given:
    """One value of a script. ``what`` names it in sentences: ``press``, ``within``."""

    def __init__(self, node: yaml.Node, what: str) -> None:
        self._node = node
        self.what = what

    @property
    def line(self) -> int:
        """The line where it begins, from 1."""
        return int(self._node.start_mark.line) + 1

    def wrong(self, sentence: str, after: int = 0) -> NoReturn:
        """Refuse it, or what stands after so many characters of it. Raises `ScriptError`."""
        raise ScriptError(sentence, self.line, self._node.start_mark.column + 1 + self._offset(after))

    def _offset(self, after: int) -> int:
        """Columns from where the value begins, where it stands in the script as it is read; else none."""
        start, end, text = self._node.start_mark, self._node.end_mark, str(self._node.value)
        quotes = {'"': 1, "'": 1}.get(getattr(self._node, "style", None) or "", 0)
        as_it_is_read = start.line == end.line and end.column - start.column == len(text) + 2 * quotes
        return quotes + after if after and as_it_is_read else 0

    @property
    def is_text(self) -> bool:
        """Whether it is one word or text, and not a list or a mapping."""
        return isinstance(self._node, yaml.ScalarNode)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self._node, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return isinstance(self._node, yaml.MappingNode)

    def text(self, *, empty: bool = False) -> str:
        """A text; an empty one only where that means something."""
        if not isinstance(self._node, yaml.ScalarNode):
            self.wrong(f"{self.what} is {_kind(self._node)}, write a text")
        if not self._node.value and not empty:
            self.wrong(f"{self.what} is empty, write a text")
        return str(self._node.value)

    def one_of(self, choices: Iterable[str]) -> str:
        """One of a few words."""
        word, known = self.text(), list(choices)
        if word not in known:
            self.wrong(f"{self.what} is {_shown(word)}{_near(word, known)}; it is one of {', '.join(known)}")
        return word

    def whole(self) -> int:
        """A whole number, 0 or more."""
        text = self.text()
        if not _WHOLE.fullmatch(text):
            self.wrong(f"{self.what} is {_shown(text)}, write a whole number")
        return int(text)

    def switch(self) -> bool:
        """True or false."""
        word = self.text()
        if word not in _YES:
            self.wrong(f"{self.what} is {_shown(word)}, write true or false")
        return _YES[word]

    def seconds(self) -> float:
        """A duration with its unit: a bare number could be anything."""
        text = self.text()
        if _WHOLE.fullmatch(text):
            self.wrong(f"{self.what} is {_shown(text)} without a unit, write {text}s or {text}m")
        if not _UNIT.fullmatch(text):
            self.wrong(f"{self.what} is {_shown(text)}, write a duration such as 5s or 1m30s")
        try:
            return duration(text).total_seconds()
        except ValueError as error:
            self.wrong(f"{self.what}: {error}")

    def size(self) -> tuple[int, int]:
        """Columns and rows, as ``120x36``."""
        try:
            return size_of(self.text())
        except ValueError as error:
            self.wrong(f"{self.what}: {error}")

    def items(self) -> list[Given]:
        """The items of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            self.wrong(f"{self.what} is {_kind(self._node)}, write a list")
        if not self._node.value:
            self.wrong(f"{self.what} is an empty list")
        return [Given(item, self.what) for item in self._node.value]

    def one_or_more(self) -> list[Given]:
        """The items of a list, or the one thing that stands there without one."""
        return self.items() if self.is_list else [self]

    def pairs(self) -> dict[str, tuple[Given, Given]]:
        """A mapping: each key as it was written → the key and its value."""
        if not isinstance(self._node, yaml.MappingNode):
            self.wrong(f"{self.what} is {_kind(self._node)}, write a mapping such as 'key: value'")
        pairs: dict[str, tuple[Given, Given]] = {}
        for key_node, node in self._node.value:
            key = Given(key_node, "a key").text()
            if key in pairs:
                Given(key_node, key).wrong(f"{_shown(key)} stands twice, keep one of them")
            pairs[key] = Given(key_node, key), Given(node, key)
        return pairs

    def fields(self, known: Iterable[str]) -> dict[str, Given]:
        """A mapping whose keys are all known; any other is refused with those that it may have meant."""
        names = list(known)
        fields = {}
        for key, (place, value) in self.pairs().items():
            if key not in names:
                place.wrong(f"{_shown(key)} is not known in {self.what}{_near(key, names)}; known: {', '.join(names)}")
            fields[key] = value
        return fields

    def document(self) -> Any:
        """The value as JSON has it: what it looks like decides, unless it is quoted."""
        if isinstance(self._node, yaml.MappingNode):
            return {key: value.document() for key, (_, value) in self.pairs().items()}
        if isinstance(self._node, yaml.SequenceNode):
            return [Given(item, self.what).document() for item in self._node.value]
        return _plain(self._node)


def compose(text: bytes | str) -> Given:
    """The one document of a script; `ScriptError` when it is none, or holds what no script needs."""
    if len(text) > MOST_BYTES:
        raise ScriptError("it is larger than any script: is it the right file?", 1, 1)
    try:
        _survey(yaml.parse(text, Loader=yaml.SafeLoader))
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = error.problem or "this is no YAML"
        raise ScriptError(clean(_PLAINER.get(problem, problem), 200), line, column) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ScriptError("this is no plain text in UTF-8", 1, 1) from None
    if root is None:
        raise ScriptError("the script is empty: write at least 'steps:'", 1, 1)
    return Given(root, "a script")


def size_of(text: str) -> tuple[int, int]:
    """Columns and rows of ``120x36``; ValueError in one sentence when it is none that a terminal could have."""
    found = _SIZE.fullmatch(text)
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (1 <= width <= WIDEST and 1 <= height <= HIGHEST):
        raise ValueError(
            f"{_shown(text)} is not a size: write columns x rows such as 120x36, at most {WIDEST}x{HIGHEST}"
        )
    return width, height


def _survey(events: Iterable[yaml.Event]) -> None:
    """Refuse what costs more than its length, before anything is built of it."""
    depth = documents = 0
    for event in events:
        place = (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (1, 1)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > DEEPEST:
            raise ScriptError("nested deeper than any script", *place)
        if documents > 1:
            raise ScriptError("a second document begins here: a script is one", *place)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ScriptError("anchors and aliases are not read: write the value out", *place)
        if getattr(event, "tag", None) is not None:
            raise ScriptError('what begins with ! has to be quoted: "!"', *place)


def _plain(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None):  # quoted: text, whatever it looks like
        return text
    if text in {"", "null", "~"}:
        return None
    if text in {"true", "false"}:
        return text == "true"
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?[0-9]{1,17}\.[0-9]{1,17}", text) else text


def near(word: str, known: Iterable[str]) -> str:
    """``: did you mean 'press'?`` where something known is near, else nothing."""
    return _near(word, list(known))


def _near(word: str, known: list[str]) -> str:
    found = difflib.get_close_matches(word, known, n=2, cutoff=0.6)
    return f": did you mean {' or '.join(map(_shown, found))}?" if found else ""


def _shown(text: str) -> str:
    return f"'{clean(text, 60)}'"


def _kind(node: yaml.Node) -> str:
    kinds: Mapping[type[yaml.Node], str] = {yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list"}
    return kinds.get(type(node), "a text")
