"""The life of a stack on the real engine: up, again, changed, rotated, destroyed."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import hvac
import pytest

from tests.e2e.conftest import World

pytestmark = pytest.mark.e2e


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


READ_REPORTS = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::reports"]}


def test_a_second_up_changes_nothing(world: World) -> None:
    world.up()
    assert world.changes() == {}
    world.pulumi("refresh", "--yes", "--expect-no-changes")
    world.up("--expect-no-changes")


def test_outputs_say_where_things_are_and_hold_no_key(world: World) -> None:
    world.up()
    outputs = json.loads(world.pulumi("stack", "output", "--json", "--show-secrets").stdout)
    assert outputs == {
        "mounts": {"aws": "aws"},
        "vaultUsers": {"aws": "arn:aws:iam::123456789012:user/vault/secrets-engine-local-aws"},
        "roles": {
            name: {"credentialType": role["credentialType"], "read": f"aws/creds/{name}"}
            for name, role in world.roles.items()
        },
        "staticRoles": {},
        "access": {
            "reporting": {"by": "auth/approle/login", "policies": ["aws-report-reader", "aws-report-session"]},
        },
        "alarmTopics": {"us-west-2": "arn:aws:sns:us-west-2:123456789012:vault-user-alarm"},
    }


def test_a_change_of_one_role_touches_that_role_alone(world: World) -> None:
    world.up()

    world.roles["added"] = {"credentialType": "iam_user", "policy": "report-reader.json"}
    expected = {"added-role": "create", "aws-added": "create"}
    # A preview says what the update then does.
    assert (world.changes(), world.apply()) == (expected, expected)
    assert world.read("added")["data"]["access_key"]

    world.roles["added"]["tags"] = {"team": "data"}
    assert world.apply() == {"added-role": "update"}
    assert world.vault.adapter.get("/v1/aws/roles/added")["data"]["iam_tags"] == {
        "team": "data",
        "vault-aws/environment": "local",
        "vault-aws/mount": "aws",
        "vault-aws/role": "added",
    }

    world.roles["renamed"] = world.roles.pop("added")
    assert world.apply() == {
        "added-role": "delete",
        "aws-added": "delete",
        "aws-renamed": "create",
        "renamed-role": "create",
    }
    assert world.read("renamed")["data"]["access_key"]

    del world.roles["renamed"]
    assert world.apply() == {"renamed-role": "delete", "aws-renamed": "delete"}
    with pytest.raises(hvac.exceptions.InvalidRequest):
        world.read("renamed")


def test_reformatting_a_document_changes_nothing(world: World) -> None:
    bucket = "arn:aws:s3:::reports"
    statement = {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": bucket}
    other = {"Sid": "Write", "Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::reports/*"}
    world.policy("report-reader.json", statement, other)
    world.up()
    reordered = {"Resource": [bucket], "Action": ["s3:ListBucket", "s3:GetObject"], "Effect": "Allow", "Sid": "Read"}
    world.policy("report-reader.json", other | {"Action": "s3:PutObject"}, reordered)
    assert world.changes() == {}


def test_a_session_role_moves_to_another_iam_role(world: World) -> None:
    world.up()
    world.aws("iam").create_role(
        RoleName="deploy-two",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )
    world.roles["deploy"]["roleArns"] = ["arn:aws:iam::123456789012:role/deploy-two"]
    world.up()
    identity = world.aws("sts", world.read("deploy")["data"]).get_caller_identity()
    assert ":assumed-role/deploy-two/" in identity["Arn"]


def test_a_new_key_generation_rotates_while_credentials_are_read(world: World) -> None:
    world.up()
    before = world.root_key()
    failures: list[str] = []
    reads, stop = [0], threading.Event()

    def keep_reading() -> None:
        while not stop.is_set():
            try:
                world.read("deploy")
                lease = world.read("my-role")
                world.vault.sys.revoke_lease(lease["lease_id"])
            except hvac.exceptions.VaultError as error:
                failures.append(str(error))
            reads[0] += 1
            time.sleep(0.02)

    reader = threading.Thread(target=keep_reading)
    reader.start()
    try:
        world.engine["vaultUser"] = {"keyGeneration": 2}
        assert world.apply() == {"aws-key-2": "create", "aws-backend": "update", "aws-key-1": "delete"}
    finally:
        stop.set()
        reader.join()
    assert (failures, reads[0] > 0) == ([], True)
    after = world.root_key()
    assert after["access_key"] != before["access_key"]
    keys = world.aws("iam").list_access_keys(UserName="secrets-engine-local-aws")["AccessKeyMetadata"]
    assert [key["AccessKeyId"] for key in keys] == [after["access_key"]]
    root = world.vault.adapter.get("/v1/aws/config/root")["data"]
    assert root["access_key"] == after["access_key"]


def test_destroy_leaves_nothing(new_world: Callable[[], World]) -> None:
    world = new_world()
    policies_before = _own_policies(world)
    users_before = world.user_names()
    world.up()
    lease = world.read("my-role")
    assert world.user_names() > users_before
    world.destroy()
    assert "aws/" not in world.vault.sys.list_mounted_secrets_engines()["data"]
    assert world.user_names() == users_before
    assert _own_policies(world) == policies_before
    assert lease["lease_id"].startswith("aws/creds/my-role/")


def test_ttls_reach_mount_and_leases(world: World) -> None:
    world.engine.update(defaultLeaseTtl="30m", maxLeaseTtl="2h")
    world.up()
    assert world.read("my-role")["lease_duration"] == 1800
    mount = world.vault.sys.list_mounted_secrets_engines()["data"]["aws/"]["config"]
    assert (mount["default_lease_ttl"], mount["max_lease_ttl"]) == (1800, 7200)
    assert world.vault.adapter.get("/v1/aws/config/lease")["data"] == {"lease": "30m0s", "lease_max": "2h0m0s"}
    world.engine.update(defaultLeaseTtl="45m")
    assert world.apply() == {"aws-backend": "update", "aws-lease": "update", "deploy-role": "update"}
    assert world.read("my-role")["lease_duration"] == 2700


def _own_policies(world: World) -> set[str]:
    found: list[dict[str, Any]] = world.aws("iam").list_policies(Scope="Local")["Policies"]
    return {policy["PolicyName"] for policy in found}


def test_engines_of_their_own_give_roles_their_own_ttls(new_world: Callable[[], World]) -> None:
    world = new_world()
    engine = world.config["vault-aws:engines"].pop("aws")
    world.config["vault-aws:engines"] = {
        "short": engine | {"path": "aws-short", "defaultLeaseTtl": "15m", "maxLeaseTtl": "1h"},
        "long": engine | {"path": "teams/aws", "defaultLeaseTtl": "8h", "maxLeaseTtl": "24h"},
    }
    for name, role in world.roles.items():
        role["engine"] = "long" if name == "my-role" else "short"
    world.up()
    read = world.vault.adapter.get
    assert read("/v1/teams/aws/creds/my-role")["lease_duration"] == 8 * 3600
    assert read("/v1/aws-short/creds/report-reader")["lease_duration"] == 900
    assert {"secrets-engine-local-short", "secrets-engine-local-long"} <= world.user_names()
    with pytest.raises(hvac.exceptions.InvalidRequest):
        read("/v1/aws-short/creds/my-role")
    world.destroy()
    assert world.user_names() == set()
