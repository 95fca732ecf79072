"""`make check`: every stack and every document, or given documents alone, without a server or a credential."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.paths import PROJECT
from tools.scratch import PROGRAM

SETTINGS = {"Pulumi.dev.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml", "pyproject.toml"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what is checked and of what checks it."""
    for name in {*PROGRAM, *SETTINGS, "tools"}:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "go"))
        else:
            shutil.copy(PROJECT / name, tmp_path)
    return tmp_path


def check(project: Path, *files: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs it where nothing of the environment could be a credential or a server's address."""
    command = [sys.executable, "-m", "tools", "check", *files]
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)


def test_all_stacks_and_documents_are_counted_and_exemptions_shown(project: Path) -> None:
    done = check(project)
    assert (done.returncode, done.stderr) == (0, "")
    warning, count = done.stdout.splitlines()
    assert warning.startswith("Pulumi.local.yaml: warning: role my-role is exempted from wildcard-action, ")
    assert count == "4 stacks and 3 documents: no fault"


def test_every_fault_of_every_stack_and_document_is_named(project: Path) -> None:
    (project / "Pulumi.broken.yaml").write_text("config: {vault-aws:roles: {reader: {credentialType: iam_usr}}}\n")
    (project / "Pulumi.dev.yaml").write_text("config: [\n")
    (project / "policies" / "unused.json").write_text('{"Version": "2012-10-17"}')
    done = check(project)
    assert done.returncode == 1
    assert "no fault" not in done.stdout
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()] == [
        ["Pulumi.broken.yaml", "aws:allowedAccountIds"],
        ["Pulumi.broken.yaml", "aws:region"],
        ["Pulumi.broken.yaml", "roles.reader"],
        ["Pulumi.dev.yaml", "line 2, column 1"],
        ["policies/unused.json", "Statement is missing; write a list of statements"],
    ]


def test_given_documents_are_checked_alone_wherever_they_are(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (project / "Pulumi.dev.yaml").write_text("config: [\n")
    good, bad = elsewhere / "good.json", elsewhere / "bad.json"
    shutil.copy(PROJECT / "policies" / "report-reader.json", good)
    bad.write_text('{"Version": "2012-10-17",\n "Statement": }')
    done = check(project, str(good))
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 document: no fault\n", "")
    done = check(project, str(bad), str(good), "nothing.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{bad}: line 2, column 15: is not JSON: expecting value",
        "nothing.json: there is no such file",
    ]


def test_what_a_terminal_cannot_show_does_not_end_it(project: Path) -> None:
    local = project / "Pulumi.local.yaml"
    local.write_text(local.read_text().replace("reason: the smallest", "reason: für die kleinste"))
    done = check(project, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"f\xfcr die kleinste" in done.stdout


def test_a_reader_that_has_enough_does_not_make_it_fail_aloud(project: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tools", "check"]
    done = subprocess.run(command, cwd=project, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")
