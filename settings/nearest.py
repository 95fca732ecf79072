"""The nearest right spelling of a wrong word, for messages."""

from collections.abc import Iterable
from difflib import get_close_matches

_FEW = 30


def did_you_mean(wrong: str, right: Iterable[str]) -> str:
    """Returns `; did you mean 'policy'?`, or the choices when none is near and they are few."""
    choices = sorted(right)
    near = get_close_matches(wrong, choices, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    if len(choices) > _FEW:
        return f"; it may be one of {len(choices):,}, such as {', '.join(choices[:3])}"
    return f"; it may be one of: {', '.join(choices)}" if choices else ""
