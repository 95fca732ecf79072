"""Which stacks a change touches."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.delivery.stacks import changed_stacks
from tools.errors import ToolError
from tools.paths import PROJECT

ALL = ["dev", "prod", "staging"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The stacks' files in a repository of their own; what documents are named is read from the project's own."""
    for path in [*PROJECT.glob("Pulumi*.yaml"), PROJECT / "shared-settings.yaml"]:
        shutil.copy(path, tmp_path)
    shutil.copytree(PROJECT / "policies", tmp_path / "policies")
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    git(tmp_path, "switch", "-q", "-c", "change")
    return tmp_path


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "work")


@pytest.mark.parametrize(
    ("file", "touched"),
    [
        ("Pulumi.staging.yaml", ["staging"]),
        ("Pulumi.local.yaml", []),
        ("Pulumi.yaml", ALL),
        ("shared-settings.yaml", ALL),
        ("policies/order-reader.json", ALL),
        ("policies/my-role.json", []),
        ("policies/notes.txt", []),
        ("components/roles.py", ALL),
        ("requirements.txt", ALL),
        ("README.md", []),
        ("docs/drift.md", []),
        ("tests/test_x.py", []),
        ("tools/update.py", []),
        ('a "name"\n with ends', ALL),
    ],
)
def test_a_file_touches_the_stacks_that_are_made_from_it(project: Path, file: str, touched: list[str]) -> None:
    path = project / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + "\n")
    commit(project)
    assert changed_stacks("main", project) == touched


def test_a_stack_that_cannot_be_read_is_touched_by_any_document(project: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text("config: [")
    commit(project)
    git(project, "branch", "-f", "main", "HEAD")
    (project / "policies" / "new.json").write_text(json.dumps({}))
    commit(project)
    assert changed_stacks("main", project) == ["dev"]


def test_what_came_to_the_base_meanwhile_counts_not(project: Path) -> None:
    git(project, "switch", "-q", "main")
    (project / "Pulumi.prod.yaml").write_text("config: {}\n")
    commit(project)
    git(project, "switch", "-q", "change")
    assert changed_stacks("main", project) == []


def test_a_base_that_is_not_there_is_said(project: Path) -> None:
    with pytest.raises(ToolError, match=r"base 'nowhere': fatal: .*; name a branch or commit that this clone has"):
        changed_stacks("nowhere", project)
