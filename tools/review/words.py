"""A review in words: the same for every rendering, and apart what is prose from what stands in somebody's files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.review.changes import FUTURE, Change, FieldChange, Review, Verdict, by_level, counted
from tools.review.meaning import Grant, Reach

HEADINGS = ("what", "change", "gains", "loses", "what lives on")
SHORT = 8
"""How many lines of a list are seen at once."""
MOST = 300
"""How many lines of a list are written at all."""

_TOLD = {"roles": "", "operatorOf": "operator of ", "roleArns": "sessions of ", "may be read by": "a reader: "}
"""The settings that say who gets what; they stand in the table as well."""


@dataclass(frozen=True)
class Code:
    """A text that somebody put into a file."""

    text: str


Line = tuple[str | Code, ...]
"""Prose and the texts of others."""


@dataclass(frozen=True)
class Listing:
    """A list with a title.

    Attributes:
        title: What it is about.
        lines: Its lines; long ones may be folded, the title may not.
    """

    title: Line
    lines: tuple[Line, ...]


def headline(review: Review) -> str:
    """What happens, in one line; the stack's name is the only part that is not prose."""
    if not review.changed:
        return f"No change in access in stack {review.stack}"
    return f"Access in stack {review.stack}: {counted(review.changed)}"


def compared_with(review: Review) -> Line:
    """With what the working tree was compared."""
    return ("Compared with ", Code(review.base), " at commit ", Code(review.commit), ".")


def title(change: Change) -> Line:
    """Its kind and name."""
    return (f"{change.what} ", Code(change.name))


def row(change: Change) -> tuple[Line, ...]:
    """A change as a row of the table under `HEADINGS`."""
    gains = _sum(change.gained, ((field, field.new) for field in change.fields))
    losses = _sum(change.lost, ((field, field.gone) for field in change.fields))
    verdict: Line = (change.verdict.value,)
    if change.verdict is Verdict.SAME and change.notes:
        verdict = (*verdict, ". ", *spoken(" ".join(change.notes)))
    return (title(change), verdict, gains, losses, spoken(change.leases))


def listings(change: Change) -> Iterator[Listing]:
    """All there is to say of a change."""
    if change.fields:
        yield Listing(("Settings",), tuple(map(_field, change.fields)))
    for word, before, grants in (("Gains", "before", change.gained), ("Loses", "from now on", change.lost)):
        for grant in grants:
            yield _grant(word, before, grant)
    for word, texts in (("Findings, new", change.findings), ("Findings, gone", change.findings_gone)):
        if texts:
            yield Listing((word,), tuple((Code(text),) for text in texts))
    notes = [spoken(text) for text in (change.leases, *change.notes) if text]
    if notes:
        yield Listing(("Note",), tuple(notes))


def spoken(text: str) -> Line:
    """Prose in which backticks mark the texts of others, which have none where this is used."""
    return tuple(Code(part) if index % 2 else part for index, part in enumerate(text.split("`")) if part)


def shortened(lines: Sequence[Line], most: int) -> tuple[Line, ...]:
    """The first lines, and how many more there are."""
    if len(lines) <= most:
        return tuple(lines)
    return (*lines[:most], (f"… and {len(lines) - most:,} more",))


def _sum(grants: Sequence[Grant], fields: Iterator[tuple[FieldChange, tuple[str, ...]]]) -> Line:
    parts: list[Line] = [(text,) for text in _counts(grants)]
    parts += [(_TOLD[field.name], Code(text)) for field, texts in fields if field.name in _TOLD for text in texts]
    return _joined(parts, "; ")


def _field(change: FieldChange) -> Line:
    gone, new = (_joined([(Code(text),) for text in texts], ", ") for texts in (change.gone, change.new))
    named: Line = (Code(change.name), ": ")
    if gone and new:
        return (*named, *gone, " → ", *new)
    return (*named, "new: ", *new) if new else (*named, "no longer: ", *gone)


def _grant(word: str, before: str, grant: Grant) -> Listing:
    first, *more = grant.reach.resources
    heading: list[str | Code] = [f"{word} on {'every resource but ' if grant.reach.others else ''}", Code(first)]
    lines: list[Line] = []
    if more:
        heading.append(f" and {len(more):,} more")
        lines += [(_on(grant.reach), Code(resource)) for resource in grant.reach.resources]
    lines += [("when ", Code(text)) for text in grant.reach.conditions]
    lines += [("but not ", *_reach(denial)) for denial in grant.denied]
    lines += [(f"{before}: ", *_reach(reach)) for reach in grant.elsewhere]
    lines += [(f"{before}, but not ", *_reach(denial)) for denial in grant.elsewhere_denied]
    if not grant.exact:
        lines.append(("These documents are too intricate to compare exactly, so that all of it is listed.",))
    actions = [(f"{level}: ", Code(name)) for level, names in by_level([grant]).items() for name in names]
    return Listing((*heading, f": {', '.join(_counts([grant]))}"), (*lines, *actions))


def _counts(grants: Sequence[Grant]) -> list[str]:
    """How many actions there are of each access level."""
    levels = by_level(grants)
    return [level if level == FUTURE else f"{len(names):,} {level}" for level, names in levels.items()]


def _reach(reach: Reach) -> Line:
    resources = _joined([(Code(resource),) for resource in reach.resources], ", ")
    conditions = _joined([(Code(text),) for text in reach.conditions], " and ")
    return (_on(reach), *resources, *((" when ", *conditions) if conditions else ()))


def _on(reach: Reach) -> str:
    return "on every resource but " if reach.others else "on "


def _joined(parts: Sequence[Line], between: str) -> Line:
    joined: list[str | Code] = []
    for part in parts:
        joined += [between, *part] if joined else part
    return tuple(joined)
