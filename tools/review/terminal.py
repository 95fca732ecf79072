"""A review in the terminal: a table, and below it what changed of each thing."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.code_spans import plain
from tools.review.changes import Review
from tools.review.words import HEADINGS, SHORT, Code, Line, compared_with, headline, listings, row, shortened, title


def show(review: Review, console: Console) -> None:
    """Prints it; of long lists the beginning."""
    console.print(_line((headline(review), ". ", *compared_with(review))), soft_wrap=True)
    if review.changes:
        table = Table(show_lines=True)
        for heading in HEADINGS:
            table.add_column(heading, overflow="fold")
        for change in review.changes:
            # Texts, not markup: whoever wrote the files chose some of these words.
            table.add_row(*map(_line, row(change)))
        console.print(table)
    for change in review.changed:
        console.print(_line(("\n", *title(change), f": {change.verdict.value}")), soft_wrap=True)
        for listing in listings(change):
            console.print(_line(("  ", *listing.title)), soft_wrap=True)
            for line in shortened(listing.lines, SHORT):
                console.print(_line(("    ", *line)), soft_wrap=True)


def _line(line: Line) -> Text:
    text = Text()
    for part in line:
        text.append(plain(part.text), style="cyan") if isinstance(part, Code) else text.append(part)
    return text
