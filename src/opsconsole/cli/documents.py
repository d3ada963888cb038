"""YAML as configuration needs it: mappings, lists and plain values. ``off`` is a word, and a key stands once.

Built from the parser's events, so that nothing in a document costs more than its length: no aliases, no tags, no
nesting that no configuration has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

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
    return f"line {event.start_mark.line + 1}" if event.start_mark else "somewhere"


def _sentence(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is no YAML text"
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)
