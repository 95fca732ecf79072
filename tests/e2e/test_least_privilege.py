"""Least privilege on the real engine: the boundary on every user, findings and exemptions, the key's age."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.conftest import World
from tools.paths import PROJECT

pytestmark = pytest.mark.e2e


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


IAM = "arn:aws:iam::123456789012:"
BOUNDARY = f"{IAM}policy/vault/leased-users-local-aws"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
WORST: dict[str, Any] = {
    "credentialType": "iam_user",
    "policy": "worst.json",
    "exemptions": [
        {
            "findings": ["wildcard-action", "wildcard-resource", "privilege-escalation", "data-exposure", "pass-role"],
            "reason": "the worst that a role can be",
            "expires": "2099-12-31",
        }
    ],
}


def refused(call: Any, **words: Any) -> bool:
    """Whether AWS denies a call."""
    try:
        call(**words)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied", error
        return True
    return False


def test_a_credential_of_the_worst_role_stays_within_the_boundary(world: World) -> None:
    world.policy("worst.json", EVERYTHING)
    world.roles["worst"] = WORST
    world.up()
    lease = world.read("worst")
    key = lease["data"]
    user = world.aws("sts", key).get_caller_identity()["Arn"].split("/")[-1]
    carried = world.aws("iam").get_user(UserName=user)["User"]["PermissionsBoundary"]
    assert carried["PermissionsBoundaryArn"] == BOUNDARY

    assert world.aws("s3", key).get_object(Bucket="payroll", Key="salaries.csv")["Body"].read()
    iam, sts = world.aws("iam", key), world.aws("sts", key)
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    assert refused(iam.create_user, UserName="mallory")
    assert refused(iam.create_access_key, UserName=user)
    assert refused(iam.create_access_key, UserName="pulumi-administrator")
    assert refused(iam.create_login_profile, UserName=user, Password="a-Long-passw0rd")
    assert refused(iam.delete_user_permissions_boundary, UserName=user)
    assert refused(iam.put_user_permissions_boundary, UserName=user, PermissionsBoundary=administrator)
    assert refused(iam.attach_user_policy, UserName=user, PolicyArn=administrator)
    assert refused(iam.create_policy_version, PolicyArn=BOUNDARY, PolicyDocument=trust, SetAsDefault=True)
    assert refused(iam.add_user_to_group, UserName=user, GroupName="engineers")
    assert refused(iam.create_role, RoleName="back-door", AssumeRolePolicyDocument=trust)
    assert refused(iam.update_assume_role_policy, RoleName="deploy", PolicyDocument=trust)
    assert refused(sts.assume_role, RoleArn=f"{IAM}role/deploy", RoleSessionName="further")
    assert refused(sts.get_federation_token, Name="further")

    world.vault.sys.revoke_lease(lease["lease_id"])
    assert user not in world.user_names()


def test_vaults_own_key_makes_no_user_without_the_boundary(world: World) -> None:
    world.up()
    iam = world.aws("iam", world.root_key())
    allow = json.dumps({"Version": "2012-10-17", "Statement": EVERYTHING})
    assert refused(iam.create_user, UserName="vault-without")
    assert refused(
        iam.create_user, UserName="vault-other", PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    iam.create_user(UserName="vault-within", PermissionsBoundary=BOUNDARY)
    iam.put_user_policy(UserName="vault-within", PolicyName="all", PolicyDocument=allow)
    assert refused(iam.delete_user_permissions_boundary, UserName="vault-within")
    assert refused(iam.put_user_permissions_boundary, UserName="vault-within", PermissionsBoundary=BOUNDARY)
    iam.delete_user_policy(UserName="vault-within", PolicyName="all")
    iam.delete_user(UserName="vault-within")

    # A lease from before there was a boundary: it gets no further right, and is revoked as any other.
    lease = world.read("my-role")
    [user] = [name for name in world.user_names() if "my-role" in name]
    world.aws("iam").delete_user_permissions_boundary(UserName=user)
    assert refused(iam.put_user_policy, UserName=user, PolicyName="all", PolicyDocument=allow)
    world.vault.sys.revoke_lease(lease["lease_id"])
    assert user not in world.user_names()


def test_the_boundary_may_be_another_document_or_one_that_exists(world: World) -> None:
    world.up()
    (world.stack.project / "policies" / "boundaries" / "s3.json").write_text(
        json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    )
    key = world.read("my-role")["data"]
    world.engine["permissionsBoundary"] = "boundaries/s3.json"
    assert world.changes() == {"aws-policy": "update"}
    world.up()
    # It is the same policy, so users of leases that live are bound by what it says now.
    user = world.aws("sts", key).get_caller_identity()["Arn"].split("/")[-1]
    carried = world.aws("iam").get_user(UserName=user)["User"]["PermissionsBoundary"]
    assert carried["PermissionsBoundaryArn"] == BOUNDARY

    own = world.aws("iam").create_policy(
        PolicyName="landing-zone",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": EVERYTHING}),
    )["Policy"]["Arn"]
    # Vault answers before it has revoked, unless it is told to wait.
    world.vault.adapter.put("/v1/sys/leases/revoke-prefix/aws/creds", json={"sync": True})
    world.engine["permissionsBoundary"] = own
    changes = world.changes()
    assert changes["aws-policy"] == "delete"
    assert {name for name, operation in changes.items() if operation == "update"} == {
        "aws-manage-users",
        "my-role-role",
        "report-reader-role",
    }
    world.up()
    user = world.aws("sts", world.read("my-role")["data"]).get_caller_identity()["Arn"].split("/")[-1]
    assert world.aws("iam").get_user(UserName=user)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == own


def test_findings_stop_a_preview_and_exemptions_are_shown_in_it(world: World) -> None:
    preview = world.pulumi("preview")
    assert "role my-role is exempted from wildcard-action" in preview.stdout + preview.stderr

    today = datetime.now(UTC).date()
    # As YAML writes a date: without quotes.
    world.roles["my-role"]["exemptions"][0]["expires"] = today
    assert world.pulumi("preview").returncode == 0
    world.roles["my-role"]["exemptions"][0]["expires"] = today - timedelta(days=1)
    assert "roles.my-role.exemptions[0].expires" in stopped(world)

    exemptions = world.roles["my-role"].pop("exemptions")
    message = stopped(world)
    assert "policies/my-role.json (role my-role): Statement[0].Action: wildcard-action: 's3:*'" in message
    assert "policies/my-role.json (role my-role): Statement[0].Resource: data-exposure: " in message

    world.roles["my-role"]["exemptions"] = exemptions
    exemptions[0]["expires"] = today
    world.engine["vaultUser"] = {"keyMade": today - timedelta(days=91)}
    preview = world.pulumi("preview")
    assert "raise vaultUser.keyGeneration and set vaultUser.keyMade to today" in preview.stdout + preview.stderr
    world.engine["vaultUser"] = {"keyMade": today - timedelta(days=90)}
    preview = world.pulumi("preview")
    assert "vaultUser.keyMade" not in preview.stdout + preview.stderr


def test_the_stack_keeps_the_rules_that_hold_in_production(new_world: Callable[[], World]) -> None:
    world = new_world()
    world.config |= {"vault-aws:environment": "prod", "aws:allowedAccountIds": ["123456789012"]}
    for device in world.config["vault-aws:audit"]["devices"].values():
        device["filePath"] = str(world.local.home / device["filePath"])
    guarded = ("--policy-pack", str(PROJECT / "policy_pack"))
    world.up(*guarded)
    shown = world.pulumi("preview", *guarded).stdout
    assert "✅ vault-aws@v1.0.0" in shown
    assert "[mandatory]" not in shown
    world.engine["maxLeaseTtl"] = "5h"
    assert "in prod; lower it" in " ".join(stopped(world, *guarded).split())


def stopped(world: World, *words: str) -> str:
    """What a preview says that fails."""
    done = world.pulumi("preview", *words, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr
