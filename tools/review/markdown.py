"""A review as Markdown for a comment on a pull request."""

import re

from tools.code_spans import code_span
from tools.review.changes import Review
from tools.review.words import (
    HEADINGS,
    MOST,
    SHORT,
    Code,
    Line,
    Listing,
    compared_with,
    headline,
    listings,
    row,
    shortened,
    title,
)

_LONGEST = 60_000
"""Characters; GitHub takes 65,536 in a comment."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~@&-])")


def markdown(review: Review) -> str:
    """Writes it: a table, then what changed of each thing, long lists folded.

    Nothing that stands in a file becomes a link, a mention, a tag or a cell. It is not longer than GitHub takes: lists
    get shorter until it fits, and at last the table stands alone.
    """
    for most in (MOST, 60, SHORT):
        text = _text(review, most)
        if len(text) <= _LONGEST:
            return text
    return _table(review)[:_LONGEST].rsplit("\n", 1)[0] + (
        f"\n\nThe details are more than a comment holds; `make review STACK={review.stack}` shows them.\n"
    )


def unreadable(stack: str, faults: tuple[str, ...]) -> str:
    """Writes why nothing can be said of a change."""
    lines = [f"- {code_span(fault, cell=False)}" for fault in faults[:MOST]]
    return "\n".join([f"# Access in stack {_prose(stack)}: not known", "", "Mend these first:", "", *lines, ""])


def _text(review: Review, most: int) -> str:
    parts = [_table(review)]
    for change in review.changed:
        parts.append(f"## {_line(title(change))}: {_prose(change.verdict.value)}\n")
        parts += [_listing(listing, most) for listing in listings(change)]
    return "\n".join(parts)


def _table(review: Review) -> str:
    lines = [f"# {_prose(headline(review))}", "", _line(compared_with(review))]
    if review.changes:
        lines += ["", f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
        lines += [f"| {' | '.join(_line(cell, cell=True) for cell in row(change))} |" for change in review.changes]
    return "\n".join([*lines, ""])


def _listing(listing: Listing, most: int) -> str:
    lines = [f"- {_line(line)}" for line in shortened(listing.lines, most)]
    heading = _line(listing.title)
    if len(lines) <= SHORT:
        return "\n".join([heading, "", *lines, ""])
    # A summary is HTML, in which Markdown is not read.
    return "\n".join(
        [heading, "", f"<details><summary>{len(listing.lines):,} lines</summary>", "", *lines, "", "</details>", ""]
    )


def _line(line: Line, *, cell: bool = False) -> str:
    return "".join(code_span(part.text, cell=cell) if isinstance(part, Code) else _prose(part) for part in line)


def _prose(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
