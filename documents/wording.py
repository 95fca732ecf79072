"""How faults of a document speak of its places and its values."""

import json
import re
from collections.abc import Iterator
from typing import Any

Finding = tuple[str, str]
"""A place in a document (`Statement[0].Action`, or nothing for the whole) and what is wrong there."""

_PLAIN_KEY = re.compile(r"[\w:/.-]{1,64}", re.ASCII)
_LONGEST_SHOWN = 120


def step(place: str, key: str | int) -> str:
    """The place of a member of an object or of a list."""
    if isinstance(key, int) or not _PLAIN_KEY.fullmatch(key):
        return f"{place}[{shown(key)}]"
    return f"{place}.{key}" if place else key


def shown(value: object) -> str:
    """A value as a message shows it: printable, on one line and not too long."""
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def members(value: object, place: str = "") -> Iterator[tuple[str, str | int, Any]]:
    """All members of a JSON value at any depth, in the order in which they are written.

    It keeps a stack of its own, so that no nesting is too deep for it.

    Yields:
        The place of the object or list, the member's key or index there, and the member.
    """
    pending = [iter(_own_members(value, place))]
    while pending:
        member = next(pending[-1], None)
        if member is None:
            pending.pop()
            continue
        yield member
        inside, key, child = member
        pending.append(iter(_own_members(child, step(inside, key))))


def _own_members(value: object, place: str) -> list[tuple[str, str | int, Any]]:
    if isinstance(value, dict):
        return [(place, key, child) for key, child in value.items()]
    if isinstance(value, list):
        return [(place, index, child) for index, child in enumerate(value)]
    return []
