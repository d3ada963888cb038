"""YAML as configuration needs it: mappings, lists and plain values. ``off`` is a word, and a key stands once. What is
wrong with a document is said with its line.

Built from the parser's events, so that nothing in a document costs more than its length: no aliases, no tags, no
nesting that no configuration has.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from core.faults import sentence
from opsgate.selector import SelectorError

M = TypeVar("M", bound=BaseModel)

MOST_BYTES: Final = 64 * 1024 * 1024
"""A fleet of a million sites is smaller."""

_DEEPEST: Final = 16
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}


class DocumentError(ValueError):
    """The text is no document of ours; the text says why, and in which line."""


def load(text: bytes) -> Any:
    """The one document in ``text``; `DocumentError` when there is none."""
    if len(text) > MOST_BYTES:
        raise DocumentError(f"it is larger than {MOST_BYTES // 1024**2} MB: is it the right file?")
    try:
        events = iter(yaml.parse(text, Loader=_LOADER))
        document = next((_value(events, event, 0) for event in events if isinstance(event, yaml.NodeEvent)), None)
        if any(isinstance(event, yaml.NodeEvent) for event in events):
            raise DocumentError("it holds more than one document: keep one")
    except yaml.YAMLError as error:
        raise DocumentError(_sentence(error)) from None
    if document is None:
        raise DocumentError("it is empty")
    return document


def read(file: str, model: type[M], hint: str) -> M:
    """What the document in ``file`` says (``-`` is stdin). `SelectorError` with the line, the field and ``hint`` where
    it is no such thing."""
    text = _text(file)
    try:
        document = load(text)
        return model.model_validate_json(json.dumps(document))
    except DocumentError as error:
        raise SelectorError(f"{file}: {error}; {hint}") from None
    except ValidationError as error:
        path = [part for part in error.errors(include_url=False)[0]["loc"] if part != "[key]"]
        raise SelectorError(f"{file}: line {line_of(text, path)}: {sentence(error)}; {hint}") from None


def dump(document: dict[str, Any]) -> list[str]:
    """One spelling for one document; everything that is not ASCII is escaped, so no title does anything to a screen."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=False, width=1_000).splitlines()


def line_of(text: bytes, path: Sequence[str | int]) -> int:
    """The line of what ``path`` leads to in a document that `load` has read, or of the nearest thing around it."""
    events = iter(yaml.parse(text, Loader=_LOADER))
    root = next(event for event in events if isinstance(event, yaml.NodeEvent))
    return _sought(events, root, path)


def _text(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise SelectorError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise SelectorError("a file name cannot hold NUL") from None


def _sought(events: Iterator[yaml.Event], event: yaml.Event, path: Sequence[str | int]) -> int:
    line = _number(event)
    if not path or not isinstance(event, yaml.CollectionStartEvent):
        return line
    number = 0
    while not isinstance(each := next(events), yaml.CollectionEndEvent):
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        key: str | int = each.value if isinstance(each, yaml.ScalarEvent) and is_mapping else number
        value = next(events) if is_mapping else each
        if key == path[0]:
            return max(_number(each), _sought(events, value, path[1:]) if path[1:] else 0)
        _skip(events, value)
        number += 1
    return line


def _skip(events: Iterator[yaml.Event], event: yaml.Event) -> None:
    depth = int(isinstance(event, yaml.CollectionStartEvent))
    while depth:
        event = next(events)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)


def _value(events: Iterator[yaml.Event], event: yaml.Event, depth: int) -> Any:
    if depth > _DEEPEST:
        raise DocumentError(f"{_line(event)}: nested deeper than any configuration")
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or _tagged(event):
        raise DocumentError(f"{_line(event)}: anchors, aliases and tags are not read; write the value out")
    match event:
        case yaml.ScalarEvent():
            return _scalar(event)
        case yaml.SequenceStartEvent():
            return _sequence(events, depth + 1)
        case _:
            return _mapping(events, depth + 1)


def _sequence(events: Iterator[yaml.Event], depth: int) -> list[Any]:
    items: list[Any] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        items.append(_value(events, event, depth))
    return items


def _mapping(events: Iterator[yaml.Event], depth: int) -> dict[str, Any]:
    """A mapping; its keys are text as written, so a site may be called 007."""
    mapping: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise DocumentError(f"{_line(event)}: a key is a name, not a list or a mapping")
        if event.value in mapping:
            raise DocumentError(f"{_line(event)}: {ascii(event.value)[:60]} stands twice: keep one of them")
        mapping[event.value] = _value(events, next(events), depth)
    return mapping


def _scalar(event: yaml.ScalarEvent) -> str | int | float | bool | None:
    text = str(event.value)
    if event.style:  # quoted, or a block: text whatever it looks like
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _tagged(event: yaml.Event) -> bool:
    return getattr(event, "tag", None) not in (None, "!")


def _line(event: yaml.Event) -> str:
    return f"line {_number(event)}" if event.start_mark else "somewhere"


def _number(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _sentence(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is no YAML text"
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)
