"""What a setting may be made of at all, whatever it means: checked before anything looks at its meaning.

Pulumi hands the program JSON; YAML has more, such as anchors, sets, and numbers without an end. Whoever reads settings
after this may walk through them to any depth, print any of them, and write them as JSON.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any

MOST = 200_000
"""Members of all mappings and lists of one file together, each counted as often as an alias names it. A stack of 2,000
roles has a tenth of that."""
DEEPEST = 30
"""How deep values may stand in one another. The settings need nine levels."""
LONGEST_KEY = 512
"""Characters. IAM's own longest name, a path, has as many."""

_LONGEST_SHOWN = 240
_MANY_FAULTS = 50
_LARGEST = 2**63


def shown(value: object) -> str:
    """A value as a message shows it: printable, on one line and not too long."""
    text = repr(value) if not isinstance(value, date) else repr(value.isoformat())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def plain_faults(config: Mapping[Any, Any]) -> list[tuple[str, str]]:
    """Says what no setting may be, as (field, message): what cannot be seen, is no JSON, or never ends.

    It keeps a stack of its own, so that no nesting is too deep for it, and ends at `MOST`, so that no alias makes it
    walk for ever. Of very many faults the first are enough.
    """
    return list(islice(_faults(config), _MANY_FAULTS))


def _faults(config: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    pending: list[tuple[str, Any, int]] = [("", config, 0)]
    count = 0
    while pending:
        field, value, depth = pending.pop()
        if isinstance(value, Mapping | list):
            count += len(value)
            if depth > DEEPEST:
                yield field[:LONGEST_KEY], f"is nested over {DEEPEST} levels deep; no setting needs ten"
                return
            if count > MOST:
                yield "", f"holds over {MOST:,} values, each counted as often as an alias names it; split the stack"
                return
            if isinstance(value, Mapping):
                for key in value:
                    if message := _key_fault(key):
                        yield field, message
            members = value.items() if isinstance(value, Mapping) else enumerate(value)
            pending += [(_place(field, key, value), member, depth + 1) for key, member in reversed(list(members))]
        elif message := _scalar_fault(value):
            yield field, message


def _place(field: str, key: object, container: object) -> str:
    if isinstance(container, list):
        return f"{field}[{key}]"
    # A key that is refused is named once, where it stands.
    name = shown(key) if not key or _key_fault(key) else str(key)
    return f"{field}.{name}" if field else name


def _key_fault(key: object) -> str | None:
    if not isinstance(key, str):
        return f"the key {shown(key)} must be text; write it in quotes"
    if len(key) > LONGEST_KEY:
        return f"the key {shown(key)} is over {LONGEST_KEY} characters long; shorten it"
    if not key.isprintable():
        return f"the key {shown(key)} holds {_unseen(key)}; remove it"
    return None


def _scalar_fault(value: object) -> str | None:
    if isinstance(value, str):
        # Certificates have lines.
        lines = value.replace("\n", "").replace("\r", "").replace("\t", "")
        return None if lines.isprintable() else f"{shown(value)} holds {_unseen(lines)}; remove it"
    if isinstance(value, bool | date | None):
        return None
    if isinstance(value, int):
        return None if abs(value) < _LARGEST else "is a number of over 64 bits, which no setting takes; write a smaller"
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{value} is not a number that a setting can hold; write its digits"
    return (
        f"is of YAML's type {type(value).__name__}, which no setting takes; write text, a number, a list or a mapping"
    )


def _unseen(text: str) -> str:
    wrong = next(character for character in text if not character.isprintable())
    return f"the character U+{ord(wrong):04X}, which nobody can see"
