"""The generated roles: settings that the stack takes, and what Vault is given of them by other ways."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from documents.stack import read_stack
from settings.load import read_config
from settings.shared import with_shared
from tools.bench.declared import Declared, write_settings, written
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / "policies", tmp_path / "policies")
    return tmp_path


def local_config() -> dict[str, Any]:
    return dict(read_config(PROJECT / "Pulumi.local.yaml"))


def settings_of(project: Path, declared: Declared, name: str = "local") -> Any:
    file = project / f"Pulumi.{name}.yaml"
    write_settings(PulumiStack(name, {}, file, project), local_config(), declared)
    config = yaml.safe_load(file.read_text())["config"]
    merged = with_shared(config, name, file.name, project)
    return read_stack(merged, name, folder=project / "policies").settings


def test_the_stack_takes_generated_roles_spread_over_mounts(project: Path) -> None:
    settings = settings_of(project, Declared(["a", "b", "c"], 7))
    assert [len(settings.roles_of(mount)) for mount in "abc"] == [3, 2, 2]
    documents = {path.read_text() for path in (project / "policies").glob("role-*.json")}
    assert len(documents) == 7


def test_only_the_changed_roles_differ(project: Path) -> None:
    before = settings_of(project, Declared(["a"], 3))
    after = settings_of(project, Declared(["a"], 3, changed=1))
    assert [name for name in before.roles if before.roles[name] != after.roles[name]] == ["role-0000"]


def test_stacks_side_by_side_share_neither_a_mount_nor_a_role_nor_a_user(project: Path) -> None:
    teams = [settings_of(project, Declared([team], 2, prefix=team), team) for team in ("team-00", "team-01")]
    first, second = (
        {*team.roles, *map(team.policy_name, team.roles), *map(team.mount_path, team.engines)}
        | set(map(team.vault_user_name, team.engines))
        for team in teams
    )
    assert not first & second


def test_the_file_that_pulumi_hands_over_stays_small(project: Path) -> None:
    settings_of(project, Declared(["a"], 1000))
    config = yaml.safe_load((project / "Pulumi.local.yaml").read_text())["config"]
    assert len(json.dumps(config)) < 4096


def test_other_ways_are_given_what_the_stack_would_write(project: Path) -> None:
    declared = Declared(["there"], 2)
    settings = settings_of(project, declared)
    given = written(declared, local_config(), project)
    assert set(given.roles) == set(settings.roles)
    role = given.roles["role-0001"]
    assert role["credential_type"] == "iam_user"
    assert json.loads(role["policy_document"])["Statement"][0]["Resource"] == [
        "arn:aws:s3:::role-bucket-1",
        "arn:aws:s3:::role-bucket-1/*",
    ]
    assert role["iam_tags"]["vault-aws/role"] == "role-0001"
    assert role["permissions_boundary_arn"].startswith("arn:aws:iam::123456789012:policy/")
    assert set(given.policies) == {"there-role-0000", "there-role-0001", "there-operator"}
