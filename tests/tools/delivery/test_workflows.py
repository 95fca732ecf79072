"""The workflows: kept by actionlint and zizmor, pinned, and without a word in a shell that somebody else wrote."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings.place import LOCAL
from tools.go_tools import provide
from tools.paths import PROJECT
from tools.toolchain import ACTIONLINT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((PROJECT / ".github" / "actions").glob("*/action.yml"))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def workflow(name: str) -> Any:
    return read(PROJECT / ".github" / "workflows" / f"{name}.yml")


def steps(path: Path) -> Iterator[dict[str, Any]]:
    content = read(path)
    for job in [content["runs"]] if "runs" in content else content["jobs"].values():
        yield from job.get("steps", [])


def test_actionlint_finds_nothing() -> None:
    actionlint = provide([ACTIONLINT], environ=os.environ, say=print)[ACTIONLINT] / "actionlint"
    done = subprocess.run([actionlint, *WORKFLOWS], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_zizmor_finds_nothing() -> None:
    zizmor = Path(sys.executable).parent / "zizmor"
    done = subprocess.run([zizmor, "--offline", "."], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "No findings to report" in done.stdout + done.stderr


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: path.parent.name + "-" + path.stem)
def test_actions_of_others_are_pinned_by_commit_and_shells_get_values_by_environment(path: Path) -> None:
    for step in steps(path):
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}|\./.+", step["uses"])
        assert "${{" not in step.get("run", "")


def test_no_job_holds_a_long_lived_secret() -> None:
    assert [path.name for path in WORKFLOWS if "secrets." in path.read_text()] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_job_that_writes_has_no_identity_and_one_with_an_identity_writes_nothing(path: Path) -> None:
    content = read(path)
    assert content["permissions"] == {}
    for job in content["jobs"].values():
        rights = job["permissions"]
        writes = {name for name, right in rights.items() if right == "write"}
        assert writes == {"id-token"} or "id-token" not in writes


def test_changes_wait_for_each_other_and_none_is_cut_off_or_takes_anothers_place() -> None:
    groups = {}
    for name, job in (("run-stack", "run"), ("drift", "look")):
        concurrency = workflow(name)["jobs"][job]["concurrency"]
        assert concurrency["cancel-in-progress"] is False
        groups[name] = concurrency["group"]
    assert groups == {"run-stack": "stack-${{ inputs.stack }}", "drift": "drift-${{ matrix.stack }}"}


def test_what_is_logged_in_is_logged_out_whatever_comes_between() -> None:
    for path in WORKFLOWS:
        for job in read(path)["jobs"].values():
            done = job.get("steps", [])
            if any(step.get("uses") == "./.github/actions/enter" for step in done):
                [out] = [step for step in done if step.get("name") == "Log out of Vault"]
                assert out["if"] == "always()"


def test_a_key_generation_is_handed_on_though_its_update_failed() -> None:
    last = workflow("run-stack")["jobs"]["run"]["steps"][-1]
    assert (last["if"], last["with"]["path"]) == (
        "always() && inputs.command == 'rotate'",
        "Pulumi.${{ inputs.stack }}.yaml",
    )


def test_every_environment_is_brought_up_rotated_and_looked_at() -> None:
    stacks = {path.name.split(".")[1] for path in PROJECT.glob("Pulumi.*.yaml")} - {LOCAL}
    named = {
        "up": {job["with"]["stack"] for job in workflow("up")["jobs"].values()},
        "rotate": set(workflow("rotate")["jobs"]["rotate"]["strategy"]["matrix"]["stack"]),
        "drift": set(workflow("drift")["jobs"]["look"]["strategy"]["matrix"]["stack"]),
    }
    assert named == dict.fromkeys(named, stacks), "a new environment belongs into these workflows"


def test_environments_come_one_after_another() -> None:
    jobs = workflow("up")["jobs"]
    assert {name: (job["with"]["stack"], job.get("needs")) for name, job in jobs.items()} == {
        "dev": ("dev", None),
        "staging": ("staging", "dev"),
        "prod": ("prod", "staging"),
    }
