"""A review as one HTML page, which asks for nothing else and runs nothing."""

import base64
import hashlib
from html import escape

from tools.code_spans import plain
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

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border: 1px solid GrayText; padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
summary { cursor: pointer; }
"""


def page(review: Review) -> str:
    """Writes it. A policy in the page forbids whatever is not its own style, whose digest it names."""
    rows = "".join(_row(list(row(change))) for change in review.changes)
    heads = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in HEADINGS)
    table = (
        f'<div class="wide" tabindex="0" role="region" aria-labelledby="what"><table><caption id="what">What changes'
        f"</caption><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
        if rows
        else ""
    )
    sections = "".join(
        f"<section><h2>{_line(title(change))}: {escape(change.verdict.value)}</h2>\n"
        + "".join(map(_listing, listings(change)))
        + "</section>\n"
        for change in review.changed
    )
    heading = escape(plain(headline(review)))
    return _document(heading, f"<p>{_line(compared_with(review))}</p>\n{table}\n{sections}")


def unreadable_page(stack: str, faults: tuple[str, ...]) -> str:
    """Writes why nothing can be said of a change."""
    lines = "".join(f"<li><code>{escape(plain(fault))}</code></li>\n" for fault in faults)
    return _document(
        escape(f"Access in stack {plain(stack)}: not known"), f"<p>Mend these first:</p>\n<ul>{lines}</ul>\n"
    )


def _document(heading: str, body: str) -> str:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{heading}</h1>\n{body}</main>\n</body>\n</html>\n"
    )


def _row(cells: list[Line]) -> str:
    head, *rest = map(_line, cells)
    return f'<tr><th scope="row">{head}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>\n"


def _listing(listing: Listing) -> str:
    items = "".join(f"<li>{_line(line)}</li>\n" for line in shortened(listing.lines, MOST))
    heading = _line(listing.title)
    if len(listing.lines) <= SHORT:
        return f"<p>{heading}</p>\n<ul>\n{items}</ul>\n"
    return f"<details><summary>{heading}</summary>\n<ul>\n{items}</ul>\n</details>\n"


def _line(line: Line) -> str:
    return "".join(
        f"<code>{escape(plain(part.text) or '(empty)')}</code>" if isinstance(part, Code) else escape(part)
        for part in line
    )
