"""How drift is shown: a table, JSON, or a Markdown file for the issue that a scheduled workflow keeps."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.code_spans import code_span, plain
from tools.drift.findings import Finding

_HEADINGS = ("what", "where", "declared", "actual", "cause")
_LONGEST_CELL = 400
_LONGEST_BODY = 60_000
"""Characters; GitHub takes 65,536 in an issue."""


def as_json(stack: str, findings: Sequence[Finding]) -> str:
    """All of it, with values in full."""
    return json.dumps({"stack": stack, "drift": [finding.values(stack) for finding in findings]}, indent=2)


def show(stack: str, findings: Sequence[Finding], console: Console) -> None:
    """Prints a table, and the ways to mend what stands in it."""
    if not findings:
        console.print(_headline(stack, findings), markup=False, highlight=False)
        return
    table = Table(title=_headline(stack, findings), title_justify="left", show_lines=True)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold", no_wrap=heading == "cause")
    for finding in findings:
        # Texts, not markup, and plain: whoever changed something chose some of these words.
        table.add_row(*(Text(plain(cell)) for cell in _cells(finding)))
    console.print(table)
    for mend, titles in _mends(stack, findings).items():
        console.print(
            f"{', '.join(map(plain, titles))}:\n  {plain(mend)}", markup=False, highlight=False, soft_wrap=True
        )


def markdown(stack: str, findings: Sequence[Finding]) -> str:
    """The same as a body for an issue; not longer than GitHub takes."""
    lines = [f"# {_headline(stack, findings)}", ""]
    if findings:
        lines += ["| " + " | ".join(_HEADINGS) + " |", "|---" * len(_HEADINGS) + "|"]
        rows = [
            " | ".join(["", *(code_span(cell, cell=True) for cell in _cells(finding)), ""]).strip()
            for finding in findings
        ]
        ways = [
            f"- {', '.join(code_span(title, cell=False) for title in titles)}: {code_span(way, cell=False)}"
            for way, titles in _mends(stack, findings).items()
        ]
        lines += [*rows, "", "To mend it:", "", *ways]
    text = "\n".join(lines) + "\n"
    if len(text) > _LONGEST_BODY:
        whole = text[:_LONGEST_BODY].rsplit("\n", 1)[0]
        text = f"{whole}\n\nMore than an issue holds; `make drift STACK={stack}` shows all.\n"
    return text


def _headline(stack: str, findings: Sequence[Finding]) -> str:
    if not findings:
        return f"No drift in stack {stack}"
    causes = [finding.cause for finding in findings]
    counts = ", ".join(f"{causes.count(cause)} {cause}" for cause in dict.fromkeys(causes))
    return f"Drift in stack {stack}: {counts}"


def _cells(finding: Finding) -> list[str]:
    return [finding.title, finding.where, *map(_short, finding.shown()), finding.cause]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}… ({len(text)} characters; JSON=1 shows all)"


def _mends(stack: str, findings: Sequence[Finding]) -> dict[str, list[str]]:
    """The things to mend by how they are mended."""
    ways: dict[str, list[str]] = {}
    for finding in findings:
        titles = ways.setdefault(finding.mend_of(stack), [])
        if finding.title not in titles:
            titles.append(finding.title)
    return ways
