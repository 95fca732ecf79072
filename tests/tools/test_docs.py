"""What the pages say of the project is so: its commands, its files and its dependencies."""

import re
import tomllib
from pathlib import Path

import pytest

from tools.paths import PROJECT

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
pages = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


@pages
def test_every_command_of_make_is_one(page: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.DOTALL))
    named = re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)", code)
    assert set(named) - targets == set()


@pages
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    lost = []
    for file, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
        target = page.parent / file if file else page
        headings = (
            re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE) if target.is_file() else []
        )
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        if not target.exists() or (anchor and anchor not in anchors):
            lost.append(f"{file}#{anchor}")
    assert lost == []


def test_every_dependency_is_accounted_for() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[=<>]", line)[0] for line in wanted}
    table = PAGES[0].read_text(encoding="utf-8").partition("## Why these dependencies")[2]
    rows = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    listed = {name.strip() for row in rows for name in row.split(",")}
    assert {name for name in names - listed if not name.startswith("types-")} == set()
