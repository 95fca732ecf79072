"""The settings of one thing as texts by name, and which of them changed."""

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from settings.durations import short_duration
from tools.review.changes import FieldChange

_DURATIONS = ("Ttl", "Period", "Age", "Timeout")

Fields = Mapping[str, tuple[str, ...]]
"""Texts by the name of the setting, as stack files write it; a setting that is empty has none."""


def fields_of(model: BaseModel | None, *, leave_out: set[str] | None = None) -> dict[str, tuple[str, ...]]:
    """The settings of a model; none of None.

    Args:
        model: A part of the settings.
        leave_out: The model's attributes that are not wanted.
    """
    return _flat(model.model_dump(by_alias=True, exclude=leave_out), "") if model is not None else {}


def changed_fields(before: Fields, after: Fields) -> tuple[FieldChange, ...]:
    """The settings of which one side says something that the other does not."""
    changes = []
    for name in dict.fromkeys([*after, *before]):
        old, new = before.get(name, ()), after.get(name, ())
        gone = tuple(text for text in old if text not in new)
        added = tuple(text for text in new if text not in old)
        if gone or added:
            changes.append(FieldChange(name, gone, added))
    return tuple(changes)


def _flat(values: Mapping[str, Any], prefix: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in values.items():
        here = f"{prefix}{name}"
        if isinstance(value, dict):
            found |= _flat(value, f"{here}.")
        elif isinstance(value, list):
            found[here] = tuple(_text(name, item) for item in value)
        elif value not in (None, ""):
            found[here] = (_text(name, value),)
    return found


def _text(name: str, value: Any) -> str:  # noqa: ANN401 - whatever a setting holds
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and name.endswith(_DURATIONS):
        return short_duration(value)
    text = str(value)
    if "-----BEGIN " in text:
        return f"PEM, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}"
    return text
