"""Says what a change does to who has which access: `make review BASE=main STACK=prod`."""

import argparse
from pathlib import Path

from rich.console import Console

from tools.errors import ToolError
from tools.paths import PROJECT
from tools.review.compare import compare
from tools.review.markdown import markdown, unreadable
from tools.review.page import page, unreadable_page
from tools.review.sides import UnreadableError, read_sides
from tools.review.terminal import show


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The options of the command."""
    command.add_argument("--base", default="main", help="the branch, tag or commit to compare with (default: main)")
    command.add_argument("--markdown", type=Path, help="the Markdown file (default: .review/STACK.md)")
    command.add_argument("--html", type=Path, help="the HTML page (default: .review/STACK.html)")


def run(arguments: argparse.Namespace, console: Console, project: Path = PROJECT) -> int:
    """Shows what changed in a stack, and writes it as Markdown and as a page.

    It reads files of two commits, and needs no server and no credential. Where a side has faults, these are what is
    written, so that a comment on a pull request never shows an older review.

    Raises:
        ToolError: There is no such stack or commit, a side has faults, or a file cannot be written.
    """
    stack = arguments.stack
    try:
        review = compare(read_sides(stack, arguments.base, project))
    except UnreadableError as error:
        _write_both(arguments, project, unreadable(stack, error.faults), unreadable_page(stack, error.faults))
        raise
    files = _write_both(arguments, project, markdown(review), page(review))
    show(review, console)
    console.print(f"\nIn full: {', '.join(map(str, files))}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _write_both(arguments: argparse.Namespace, project: Path, as_markdown: str, as_page: str) -> list[Path]:
    folder = project / ".review"
    files = [
        arguments.markdown or folder / f"{arguments.stack}.md",
        arguments.html or folder / f"{arguments.stack}.html",
    ]
    for file, text, option in zip(files, (as_markdown, as_page), ("MARKDOWN", "HTML"), strict=True):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ToolError(f"{file} cannot be written: {error.strerror}; name another with {option}=…") from None
    return files
