"""What is wrong with a message that cannot be read, as a sentence that says what to give and where."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError

_GIVE: Final = {
    "missing": "is missing, and has to be given",
    "extra_forbidden": "is no field here: leave it out, or correct its name",
    "string_type": "give a text",
    "string_too_long": "give at most {max_length} characters",
    "string_too_short": "give at least {min_length} character",
    "string_pattern_mismatch": "give a name of letters, digits and . _ ~ - that begins with a letter or a digit, "
    "of at most 128 characters",
    "string_unicode": "give a text in UTF-8",
    "bool_type": "give true or false",
    "bool_parsing": "give true or false",
    "int_type": "give a whole number",
    "int_parsing": "give a whole number",
    "int_from_float": "give a whole number",
    "float_type": "give a number",
    "finite_number": "give a number that ends",
    "greater_than": "give a number above {gt}",
    "greater_than_equal": "give a number from {ge} on",
    "less_than": "give a number below {lt}",
    "less_than_equal": "give a number up to {le}",
    "literal_error": "give {expected}",
    "none_required": "give nothing here",
    "model_type": "give a mapping, written as name: value",
    "model_attributes_type": "give a mapping, written as name: value",
    "dict_type": "give a mapping, written as name: value",
    "tuple_type": "give a list",
    "list_type": "give a list",
    "too_short": "give at least {min_length}",
    "too_long": "give at most {max_length}, these are {actual_length}",
    "datetime_type": "give a time such as 2026-11-22T14:05:00Z",
    "datetime_parsing": "give a time such as 2026-11-22T14:05:00Z",
    "datetime_from_date_parsing": "give a time such as 2026-11-22T14:05:00Z",
    "timezone_aware": "give a time with its zone, such as 2026-11-22T14:05:00Z",
    "json_invalid": "give JSON text ({error})",
}
"""By pydantic's own names of faults; what is not here keeps pydantic's words."""

_SHOWN: Final = 60


def sentence(error: ValidationError) -> str:
    """The first fault: where it is, what stands there, and what to give instead."""
    fault = error.errors(include_url=False)[0]
    context: dict[str, Any] = fault.get("ctx", {})
    where = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "the document"
    given = fault.get("input")
    shown = f" ({_cut(ascii(given))})" if isinstance(given, str | int | float | bool) else ""
    give = _GIVE.get(fault["type"])
    if give is None:
        said = str(context["error"]) if isinstance(context.get("error"), ValueError) else fault["msg"]
        return f"{where}{shown}: {said[0].lower()}{said[1:]}"
    return f"{where}{shown}{' ' if give.startswith('is ') else ': '}{give.format_map(context)}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}~"
