"""How the resource patterns of policies lie to each other, exactly: which of them can match one and the same ARN.

Each pattern is a small automaton, and all of them are walked at once, over every text that makes a difference. In an
ARN a wildcard stays within its part, but for one in the last part and for a `*` at the very end
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html), as in
`documents.evaluation`. What `${…}` stands for is known only at a request, so it is a sign of its own here: alike in
all patterns, and matched by a `*` but not by a `?`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from documents.placeholders import VARIABLE

_ARN_COLONS = 5
_MOST_STATES = 5_000
_OTHER = ""
"""Stands for every character that no pattern names."""
_PIECE = re.compile(f"{VARIABLE.pattern}|.", re.DOTALL)
_ESCAPES = {"${*}": "*", "${?}": "?", "${$}": "$"}


class TooManyError(Exception):
    """The patterns overlap in more ways than can be looked at."""


@dataclass(frozen=True)
class _Sign:
    """One place of a pattern: the text that must stand there, or a wildcard."""

    text: str
    wildcard: bool = False
    within_part: bool = False

    @property
    def many(self) -> bool:
        """Whether any number of signs may stand here."""
        return self.wildcard and self.text == "*"

    def takes(self, text: str) -> bool:
        if not self.wildcard:
            return text == self.text
        if len(text) > 1:
            return self.many
        return not (self.within_part and text == ":")


@lru_cache(maxsize=4096)
def overlaps(patterns: tuple[str, ...]) -> frozenset[frozenset[int]]:
    """The sets of patterns that some text matches, and no other of the patterns.

    Args:
        patterns: Patterns of resources, `*` and `?` being wildcards.

    Returns:
        Sets of indices into `patterns`; the empty set if some text matches none of them.

    Raises:
        TooManyError: They are too many to be told apart in reasonable time.
    """
    signs = [_signs(pattern) for pattern in patterns]
    start = tuple(_closed(sequence, {0}) for sequence in signs)
    seen, pending = {start}, [start]
    found = set()
    while pending:
        state = pending.pop()
        found.add(
            frozenset(index for index, places in enumerate(state) if len(signs[index]) in places),
        )
        for text in _texts(signs, state):
            # Most patterns have parted from the text long before, and stay so.
            after = tuple(
                _step(sequence, places, text) if places else places
                for sequence, places in zip(signs, state, strict=True)
            )
            if after not in seen:
                if len(seen) >= _MOST_STATES:
                    raise TooManyError
                seen.add(after)
                pending.append(after)
    return frozenset(found)


def _signs(pattern: str) -> tuple[_Sign, ...]:
    pieces = [match[0] for match in _PIECE.finditer(pattern)]
    signs, colons = [], 0
    for place, piece in enumerate(pieces, start=1):
        colons += piece == ":"
        if piece in ("*", "?"):
            last = piece == "*" and place == len(pieces)
            signs.append(_Sign(piece, wildcard=True, within_part=colons < _ARN_COLONS and not last))
        else:
            signs.append(_Sign(_ESCAPES.get(piece, piece)))
    return tuple(signs)


def _texts(signs: list[tuple[_Sign, ...]], state: tuple[frozenset[int], ...]) -> Iterable[str]:
    """The texts that may stand next and make a difference."""
    named = {
        sequence[place].text
        for sequence, places in zip(signs, state, strict=True)
        for place in places
        if place < len(sequence) and not sequence[place].wildcard
    }
    return sorted(named | {_OTHER, ":"})


def _step(sequence: tuple[_Sign, ...], places: frozenset[int], text: str) -> frozenset[int]:
    reached = set()
    for place in places:
        if place < len(sequence) and sequence[place].takes(text):
            reached.add(place if sequence[place].many else place + 1)
    return _closed(sequence, reached)


def _closed(sequence: tuple[_Sign, ...], places: Iterable[int]) -> frozenset[int]:
    """The places with those that are reached over a `*` that stands for nothing."""
    reached = set()
    for place in places:
        here = place
        reached.add(here)
        while here < len(sequence) and sequence[here].many:
            here += 1
            reached.add(here)
    return frozenset(reached)
