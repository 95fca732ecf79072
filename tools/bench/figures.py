"""What is made of measurements: medians, percentiles, growth, and how all of it is written."""

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

BEND: Final = 1.5
"""How many times the smallest growth before it the growth of an interval may be and still count as linear."""


def median(values: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` (0 to 1) of them do not exceed: the nearest rank.

    Raises:
        ValueError: There are no values, or there is no such share.
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def growth(points: Mapping[int, float]) -> dict[int, float]:
    """What each role of an interval adds, by the interval's upper end; `points` are values by number of roles."""
    sizes = sorted(points)
    return {above: (points[above] - points[below]) / (above - below) for below, above in pairwise(sizes)}


def bend(points: Mapping[int, float]) -> int | None:
    """The size up to which the growth is linear: where a role first adds more than `BEND` times the least before.

    None if it is linear throughout, or there are not three points to tell by.
    """
    sizes, grown = sorted(points), growth(points)
    least = math.inf
    for below, above in pairwise(sizes):
        # A size that took no longer than a smaller one is noise, and nothing to compare with.
        if math.isfinite(least) and grown[above] > BEND * least:
            return below
        if grown[above] > 0:
            least = min(least, grown[above])
    return None


def seconds(value: float | None) -> str:
    """A time in seconds, with as many digits as tell something."""
    if value is None:
        return "—"
    return f"{value:.2f} s" if value < 1 else f"{value:.1f} s" if value < 100 else f"{value:.0f} s"  # noqa: PLR2004


def milliseconds(value: float) -> str:
    """A time given in seconds, in milliseconds."""
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value * 1000:.0f} ms"  # noqa: PLR2004


def size(count: float) -> str:
    """A number of bytes, in units of 1,024."""
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1024:  # noqa: PLR2004
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.2f} GiB"


def ratio(mine: float | None, other: float | None) -> str:
    """How many times one figure is the other; a dash where one is missing."""
    return f"{mine / other:.2f}" if mine is not None and other else "—"


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, figures to the right."""
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
